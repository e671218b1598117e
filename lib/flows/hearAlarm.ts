/**
 * An alarm about one service, however it was heard: judged, recorded, and the traffic driven to what follows.
 */
import type { ErrorCount } from '../core/analysis/minutes.ts';
import { judgeServiceAlarm, type ServiceAlarmJudgement } from '../core/analysis/serviceAlarm.ts';
import type { AlarmSeen } from '../core/rollout/alarmNews.ts';
import type { BlameEvidence, CommandOf } from '../core/rollout/commands.ts';
import type { Plan } from '../core/rollout/plan.ts';
import { activeOf } from '../core/rollout/state.ts';
import type { Clock, EventStore, Log, Metrics, Traffic } from '../ports.ts';
import { readMinutes } from './readMinutes.ts';
import { type Cause, type Known, record, streamOf } from './record.ts';

export type AlarmWorld = {
  readonly clock: Clock;
  readonly store: EventStore;
  readonly traffic: Traffic;
  readonly metrics: Metrics;
  readonly log: Log;
};

export const alarmCommandId = ({ alarm, changedAt, state }: AlarmSeen): string =>
  `alarm:${alarm.name}@${changedAt}:${state}`;

/** Judges whose alarm it is; reads metrics only where that is the question. */
export async function alarmCommand(
  world: AlarmWorld,
  service: string,
  seen: AlarmSeen,
  from: Known | null,
  { coolOffSeconds, correlationId }: { readonly coolOffSeconds: number; readonly correlationId: string },
): Promise<CommandOf<'ReceiveAlarm'>> {
  const asks = seen.alarm.scope === 'service' && seen.alarm.slot === null && from !== null;
  const judged = asks ? await judgedBy(world, service, from, correlationId) : null;
  return {
    type: 'ReceiveAlarm',
    ...seen,
    blame: judged?.blame ?? 'unknown',
    ...(judged === null ? {} : { judged }),
    settings: { coolOffSeconds },
    now: world.clock.now(),
  };
}

/**
 * Records the alarm and what it leads to; moves nothing yet.
 * @param commandId of the change, so that one change is acted upon once however often it is delivered
 */
export async function hearAlarm(
  world: AlarmWorld,
  service: string,
  seen: AlarmSeen,
  from: Known,
  cause: Cause,
  coolOffSeconds: number,
  commandId = alarmCommandId(seen),
): Promise<Known> {
  const { correlationId } = cause;
  const command = await alarmCommand(world, service, seen, from, { coolOffSeconds, correlationId });
  return record(world, service, command, cause, { from, commandId });
}

/** Whose fault a service-wide alarm is, by the counts of both sides; null when they cannot be read. */
async function judgedBy(
  world: AlarmWorld,
  service: string,
  { state }: Known,
  correlationId: string,
): Promise<BlameEvidence | null> {
  const rollout = activeOf(state);
  if (rollout === null) return null;
  try {
    const plan = (await world.store.plan(streamOf(service), rollout.rolloutId)) as Plan | null;
    if (plan === null) return null;
    const minutes = await readMinutes(world, plan, rollout.startedAt, 0);
    const { policy, baseline } = { policy: plan.settings.analysis, baseline: plan.baseline };
    return blameIn(judgeServiceAlarm({ minutes, policy, baseline, now: world.clock.now() }));
  } catch (error) {
    world.log.write({ message: 'alarm could not be judged', service, correlationId, error: String(error) });
    return null;
  }
}

/** Held either way: a canary that fares much better than stable may even be kept. */
function blameIn({ action, sentence, evidence }: ServiceAlarmJudgement): BlameEvidence {
  const { canary, stable, eValue } = evidence;
  const rate = ({ bad, total }: ErrorCount) => bad / Math.max(1, total);
  const stableIsWorse = rate(stable) > 2 * rate(canary);
  return {
    blame: action === 'roll-back' ? 'canary' : stableIsWorse ? 'stable' : 'both',
    sentence: sentence.slice(0, 140),
    canary: { requests: canary.total, errors: canary.bad },
    stable: { requests: stable.total, errors: stable.bad },
    eValue: Number(eValue.toPrecision(6)),
  };
}
