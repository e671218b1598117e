/**
 * An alarm about one service, however it was heard: judged, recorded, and the traffic driven to what follows.
 */
import { judgeServiceAlarm } from '../core/analysis/serviceAlarm.ts';
import type { AlarmSeen } from '../core/rollout/alarmNews.ts';
import type { Blame, CommandOf } from '../core/rollout/commands.ts';
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
  const blame = asks ? await blameFor(world, service, from, correlationId) : 'unknown';
  return { type: 'ReceiveAlarm', ...seen, blame, settings: { coolOffSeconds }, now: world.clock.now() };
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

/** Whose fault a service-wide alarm is, by the counts of both sides; unknown when they cannot be read. */
async function blameFor(
  world: AlarmWorld,
  service: string,
  { state }: Known,
  correlationId: string,
): Promise<Blame> {
  const rollout = activeOf(state);
  if (rollout === null) return 'unknown';
  try {
    const plan = (await world.store.plan(streamOf(service), rollout.rolloutId)) as Plan | null;
    if (plan === null) return 'unknown';
    const minutes = await readMinutes(world, plan, rollout.startedAt, 0);
    const { policy, baseline } = { policy: plan.settings.analysis, baseline: plan.baseline };
    const judged = judgeServiceAlarm({ minutes, policy, baseline, now: world.clock.now() });
    if (judged.action === 'roll-back') return 'canary';
    const { canary, stable } = judged.evidence;
    const rate = (count: { readonly bad: number; readonly total: number }) =>
      count.bad / Math.max(1, count.total);
    return rate(stable) > 2 * rate(canary) ? 'stable' : 'both';
  } catch (error) {
    world.log.write({ message: 'alarm could not be judged', service, correlationId, error: String(error) });
    return 'unknown';
  }
}
