/**
 * One rollout of one service, as settings, plan, commands and facts: A1's defaults on an ECS service behind
 * an ALB.
 */
import type { RollbackTrigger } from '../../../events/rollback.ts';
import type { Evidence, HoldReason, Verdict } from '../../../events/rollout.ts';
import type { EventOf, ServiceEvent } from '../../../events/service.ts';
import { assumedBaseline } from '../../../lib/core/analysis/baseline.ts';
import { settingsOf } from '../../../lib/core/config/configuration.ts';
import type { AlarmSettings, ServiceSettings, StrategySettings } from '../../../lib/core/config/settings.ts';
import type { Command, CommandOf, ReceiveAlarm } from '../../../lib/core/rollout/commands.ts';
import { makePlan, type Plan } from '../../../lib/core/rollout/plan.ts';

export const t0 = Date.UTC(2026, 10, 21, 9, 0, 0);
/** Epoch milliseconds, so many seconds into the story. */
export const at = (seconds: number): number => t0 + Math.round(seconds * 1000);
export const minutes = (count: number): number => at(count * 60);

const account = 'arn:aws:elasticloadbalancing:eu-central-1:123456789012';
const taskDefinition = 'arn:aws:ecs:eu-central-1:123456789012:task-definition/mistersmith-orchestrator';
export const v1 = `${taskDefinition}:41`;
export const v2 = `${taskDefinition}:42`;
export const v3 = `${taskDefinition}:43`;

const target: ServiceSettings['target'] = {
  kind: 'ecs-alb',
  cluster: 'mistersmith-prod',
  services: { blue: 'mistersmith-orchestrator-blue', green: 'mistersmith-orchestrator-green' },
  targetGroups: {
    blue: `${account}:targetgroup/mistersmith-orch-blue/6d0ecf831eec9f09`,
    green: `${account}:targetgroup/mistersmith-orch-green/73e2d6bc24d8a067`,
  },
  ruleArn: `${account}:listener-rule/app/mistersmith-prod/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee`,
};

function settingsFor(strategy: Partial<StrategySettings> & Pick<StrategySettings, 'kind'>): ServiceSettings {
  const configured = settingsOf({ services: { orchestrator: { target, strategy } } });
  const [settings] = 'services' in configured ? configured.services : [];
  if (settings === undefined) throw new Error(`not a strategy: ${JSON.stringify(configured)}`);
  return settings;
}

/** Everything else as the configuration's defaults say. */
export const settings = settingsFor({ kind: 'canary' });

export function planFor(
  strategy: Partial<StrategySettings> & Pick<StrategySettings, 'kind'>,
  over: Partial<Pick<Plan, 'rolloutId' | 'revision' | 'stableRevision'>> = {},
  changed: Partial<ServiceSettings> = {},
): Plan {
  const plan = makePlan({
    rolloutId: 'ro-1',
    revision: v2,
    stableRevision: v1,
    canarySlot: 'green',
    settings: { ...settingsFor(strategy), ...changed },
    baseline: assumedBaseline(settings.analysis),
    createdAt: t0,
    ...over,
  });
  if ('refused' in plan) throw new Error(plan.refused.join(' '));
  return plan;
}

export const plan = planFor({ kind: 'canary' });

export const start = (over: Partial<CommandOf<'Start'>> = {}): CommandOf<'Start'> => ({
  type: 'Start',
  plan,
  planHash: 'b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c',
  baselineAlarms: [],
  requestedBy: 'arn:aws:sts::123456789012:assumed-role/deployer/ada',
  now: t0,
  ...over,
});

const id = { rolloutId: 'ro-1' };

export function started(over: Partial<EventOf<'RolloutStarted'>> = {}, of: Plan = plan): ServiceEvent {
  const { planHash, requestedBy } = start();
  const { rolloutId, strategy, revision, stableRevision, canarySlot, steps } = of;
  const planned = { rolloutId, planHash, strategy, revision, stableRevision, canarySlot, target };
  return {
    ...{ type: 'RolloutStarted', at: t0, ...planned },
    ...{ steps: [...steps], baselineAlarms: [], requestedBy, ...over },
  };
}
export const prepared = (time = at(30)): ServiceEvent => ({
  type: 'CanaryPrepared',
  at: time,
  ...id,
  tasks: 3,
});
export const ordered = (step: number, weight: number, time: number): ServiceEvent => ({
  ...{ type: 'ShiftOrdered', at: time, ...id, step, weight },
});
export const shifted = (weight: number, time: number): ServiceEvent => ({
  ...{ type: 'TrafficShifted', at: time, ...id, weight },
});
export const judged = (verdict: Verdict, time: number, bakeUntil?: number): ServiceEvent => ({
  ...{ type: 'AnalysisRecorded', at: time, ...id, step: 0, verdict, evidence: evidence(verdict) },
  ...(bakeUntil === undefined ? {} : { bakeUntil }),
});
export const paused = (time: number, why = 'lunch'): ServiceEvent => ({
  ...{ type: 'RolloutPaused', at: time, ...id, by: 'ada', why },
});
export const resumedAt = (time: number): ServiceEvent => ({
  type: 'RolloutResumed',
  at: time,
  ...id,
  by: 'ada',
});
export const held = (reason: HoldReason, time: number): ServiceEvent => ({
  ...{ type: 'RolloutHeld', at: time, ...id, reason, why: 'because' },
});
export const driftFound = (
  expectedWeight: number,
  foundWeight: number | null,
  time: number,
): ServiceEvent => ({
  ...{ type: 'DriftFound', at: time, ...id, expectedWeight, foundWeight, what: 'somebody was here' },
});
export const approvalRequested = (
  step: number,
  time: number,
  autoAt: number | null = null,
): ServiceEvent => ({
  ...{ type: 'ApprovalRequested', at: time, ...id, step, autoAt },
});
export const promotionOrdered = (
  time: number,
  mode: EventOf<'PromotionOrdered'>['mode'] = 'earned',
): ServiceEvent => ({ type: 'PromotionOrdered', at: time, ...id, mode, by: 'switchback' });
export const promoted = (time: number, windowSeconds = 3600): ServiceEvent => ({
  ...{ type: 'RolloutPromoted', at: time, ...id, revision: v2, stableSlot: 'green' },
  rollbackWindowUntil: time + windowSeconds * 1000,
});
export const completed = (time: number): ServiceEvent => ({ type: 'RolloutCompleted', at: time, ...id });
export const rollbackInitiated = (
  time: number,
  trigger: RollbackTrigger = 'alarm',
  fromWeight = 5,
): ServiceEvent => ({
  ...{
    type: 'RollbackInitiated',
    at: time,
    ...id,
    trigger,
    reason: 'it hurts',
    by: 'switchback',
    fromWeight,
  },
});
export const rollbackCompleted = (time: number): ServiceEvent => ({
  ...{ type: 'RollbackCompleted', at: time, ...id, trafficOffMs: 900, differences: [] },
});
export const override = (time: number, until: number): ServiceEvent => ({
  ...{ type: 'OverrideSet', at: time, by: 'ada', why: 'load test', until },
});

/** Up to the bake of step `last`, whose traffic moved at `stepAt(last)`. */
export function baking(last: number, of: Plan = plan): ServiceEvent[] {
  const steps = of.steps.slice(0, last + 1).flatMap(({ weight }, index) => {
    const time = stepAt(index, of);
    return [ordered(index, weight, time - 1000), shifted(weight, time)];
  });
  return [started({}, of), prepared(), ...steps];
}

/** When the traffic of a step has moved, if each step before it took its bake and a minute. */
export const stepAt = (index: number, of: Plan = plan): number =>
  at(of.steps.slice(0, index).reduce((sum, { bakeSeconds }) => sum + bakeSeconds + 60, 60));

/** When its bake is over. */
export const bakedAt = (index: number, of: Plan = plan): number =>
  stepAt(index, of) + (of.steps[index]?.bakeSeconds ?? 0) * 1000;

export const evidence = (verdict: Verdict): Evidence => ({
  verdict,
  summary: `canary ${verdict}: 12 errors in 4100 requests, stable 9 in 77900`,
  eValue: verdict === 'fail' ? 412.3 : 1.2,
  canary: { requests: 4100, errors: 12 },
  stable: { requests: 77_900, errors: 9 },
  worst: [],
  minutesSeen: 8,
});

export const record = (verdict: Verdict, now: number, analysis = settings.analysis): Command => ({
  ...{ type: 'RecordAnalysis', verdict, evidence: evidence(verdict), settings: { analysis }, now },
});

export const canaryAlarm: AlarmSettings = {
  ...{
    name: 'orchestrator-canary-5xx',
    scope: 'canary',
    slot: null,
    onUnknown: 'wait',
    onBothSuffer: 'hold',
  },
};
export const serviceAlarm: AlarmSettings = { ...canaryAlarm, name: 'orchestrator-4xx', scope: 'service' };

export const alarm = (now: number, over: Partial<ReceiveAlarm> = {}): ReceiveAlarm => ({
  type: 'ReceiveAlarm',
  alarm: canaryAlarm,
  state: 'ALARM',
  changedAt: now - 400,
  reason: 'Threshold Crossed: 2 out of the last 2 datapoints were greater than the threshold (1.0).',
  blame: 'unknown',
  settings: { coolOffSeconds: 30 },
  now,
  ...over,
});

export const failHealth = (side: 'canary' | 'stable', now: number, changedAt = now): Command => ({
  ...{ type: 'FailHealth', side, what: 'Essential container in task exited (137)', changedAt, now },
  settings: { healthFailuresMax: 3 },
});

/** The same fact of another rollout. */
export const ofRollout = (rolloutId: string, event: ServiceEvent): ServiceEvent =>
  ({ ...event, rolloutId }) as ServiceEvent;
