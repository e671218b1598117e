/**
 * A rollout's events as they come, with names as long as AWS makes them: what stores, budgets and benches
 * are held to.
 */
import type { Verdict } from '../../events/rollout.ts';
import type { ServiceEvent } from '../../events/service.ts';

const account = 'eu-west-1:123456789012';
const balancing = `arn:aws:elasticloadbalancing:${account}`;
const revision = (number: number) => `arn:aws:ecs:${account}:task-definition/orchestrator:${number}`;
const alarmArn = (number: number) =>
  `arn:aws:cloudwatch:${account}:alarm:orchestrator-canary-errors-${number}`;
const start = Date.UTC(2026, 0, 1);
const weights = [5, 15, 25, 35, 45, 55, 65, 75, 85, 95, 100];

const evidence = (minute: number, verdict: Verdict) => ({
  verdict,
  summary: `canary 3 of ${1200 + minute} requests bad (0.25 %), stable 21 of ${11_000 + minute} (0.19 %)`,
  eValue: verdict === 'fail' ? 2114.2 : 0.73,
  canary: { requests: 1200 + minute, errors: 3 },
  stable: { requests: 11_000 + minute, errors: 21 },
  worst: [
    { name: 'errors', verdict, sentence: 'e-value 0.73 against stable, rolls back at 1000', threshold: 1000 },
    { name: 'slow', verdict, sentence: 'slower than 500 ms: 0.4 % against 0.4 % of stable', threshold: null },
  ],
  minutesSeen: minute,
  minutesHash: 'b'.repeat(64),
});

/**
 * One rollout: eleven steps, each looked at once a bake; it ends promoted, or by an alarm at step
 * `failsAt`.
 */
export function rolloutHistory(number: number, failsAt = weights.length): ServiceEvent[] {
  const rolloutId = `orchestrator-${number}`;
  let at = start + number * 86_400_000;
  const tick = () => (at += 60_000);
  const events: ServiceEvent[] = [
    {
      ...{ type: 'RolloutStarted', at, rolloutId, planHash: 'a'.repeat(64), strategy: 'canary' },
      ...{ revision: revision(number + 1), stableRevision: revision(number), canarySlot: 'green' },
      target: {
        ...{ kind: 'ecs-alb', cluster: 'mistersmith' },
        services: { blue: 'orchestrator-blue', green: 'orchestrator-green' },
        targetGroups: {
          blue: `${balancing}:targetgroup/orchestrator-blue/0123456789abcdef`,
          green: `${balancing}:targetgroup/orchestrator-green/fedcba9876543210`,
        },
        ruleArn: `${balancing}:listener-rule/app/mistersmith/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d0`,
      },
      steps: weights.map((weight) => ({ weight, bakeSeconds: 600, judge: 'analysed', approval: 'none' })),
      ...{ baselineAlarms: [alarmArn(0)], requestedBy: 'arn:aws:iam::123456789012:user/alex' },
    },
    { type: 'CanaryPrepared', at: tick(), rolloutId, tasks: 3 },
  ];
  for (const [step, weight] of weights.entries()) {
    events.push({ type: 'ShiftOrdered', at: tick(), rolloutId, step, weight });
    events.push({ type: 'TrafficShifted', at: tick(), rolloutId, weight });
    if (step === failsAt) return [...events, ...takenBack(rolloutId, number, weight, tick)];
    const verdict = 'pass';
    events.push({
      type: 'AnalysisRecorded',
      at: tick(),
      rolloutId,
      step,
      verdict,
      evidence: evidence(step, verdict),
    });
  }
  const rollbackWindowUntil = tick() + 1_800_000;
  events.push({ type: 'PromotionOrdered', at, rolloutId, mode: 'earned', by: 'promote-canary' });
  events.push({
    ...{ type: 'RolloutPromoted', at: tick(), rolloutId, revision: revision(number + 1) },
    ...{ stableSlot: 'green', rollbackWindowUntil },
  });
  events.push({ type: 'RolloutCompleted', at: tick(), rolloutId });
  return events;
}

function takenBack(rolloutId: string, number: number, weight: number, tick: () => number): ServiceEvent[] {
  const reason = 'Threshold Crossed: 2 out of the last 2 datapoints [140.0, 122.0] were greater than 100.0';
  const changedAt = tick();
  const alarm = alarmArn(number);
  return [
    {
      type: 'AlarmReceived',
      at: changedAt,
      alarm,
      state: 'ALARM',
      changedAt,
      scope: 'canary',
      reason,
      action: 'roll-back',
    },
    {
      ...{ type: 'RollbackInitiated', at: changedAt, rolloutId, trigger: 'alarm', reason, by: alarm },
      ...{ fromWeight: weight, evidence: evidence(number, 'fail') },
    },
    { type: 'TrafficShifted', at: tick(), rolloutId, weight: 0 },
  ];
}
