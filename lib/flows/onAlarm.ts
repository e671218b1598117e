/**
 * The alarm's way: alarm → services → read, decide, append → weight 0 → confirm → the rest in a state
 * machine.
 * With several services the traffic is taken off all of them in one invocation, dependents first; scaling,
 * restoring and verifying follow in the machine.
 *
 * When the event store does not take the decision in time, the intent goes to a queue that counts as the
 * record, and the traffic is taken off all the same. When neither tier takes it, the traffic is taken off and
 * the message stays where it came from.
 */

import { otherSlot, type Slot, type Target } from '../../events/target.ts';
import type { ServiceSettings } from '../core/config/settings.ts';
import { isUnheardOf } from '../core/fallback/mark.ts';
import { EventStoreUnavailable } from '../core/outage.ts';
import { takeBackOrder } from '../core/rollback/order.ts';
import { rolloutAfter } from '../core/rollout/ahead.ts';
import type { AlarmSeen } from '../core/rollout/alarmNews.ts';
import type { CommandOf } from '../core/rollout/commands.ts';
import { canaryWeight } from '../core/rollout/drift.ts';
import type { IntentQueue, Machines, Workload } from '../ports.ts';
import { followDecision } from './followDecision.ts';
import { type AlarmWorld, alarmCommand, alarmCommandId } from './hearAlarm.ts';
import { type Cause, type Known, known, record, streamOf } from './record.ts';
import { takeOffDependents } from './takeOffDependents.ts';

type World = AlarmWorld & {
  readonly machines: Pick<Machines, 'start'>;
  readonly workload: Pick<Workload, 'read' | 'place'>;
  readonly intents: IntentQueue;
};

export type AlarmChange = Omit<AlarmSeen, 'alarm'> & {
  readonly alarmName: string;
  /** Of the event that brought it: on everything that follows. */
  readonly correlationId: string;
};

export type AlarmOutcome = {
  readonly service: string;
  readonly phase: string;
  readonly weight: number | null;
};

/**
 * @returns what became of each service the alarm is configured for; none when nobody configured it
 * @throws the first outage, after every service was tried: the message must come again
 */
export async function onAlarm(
  world: World,
  change: AlarmChange,
  services: readonly ServiceSettings[],
): Promise<readonly AlarmOutcome[]> {
  const cause: Cause = { correlationId: change.correlationId, actor: 'switchback' };
  const affected = takeBackOrder(
    services.filter(({ alarms }) => alarms.some(({ name }) => name === change.alarmName)),
  );
  const outcomes: AlarmOutcome[] = [];
  const outages: unknown[] = [];
  for (const settings of affected) {
    try {
      outcomes.push(await hear(world, change, settings, services, cause));
    } catch (error) {
      outages.push(error); // the other services are not made to wait for this one
      world.log.write({
        message: 'alarm not dealt with',
        service: settings.service,
        error: String(error),
        ...cause,
      });
    }
  }
  if (outages.length > 0) throw outages[0];
  return outcomes;
}

async function hear(
  world: World,
  change: AlarmChange,
  settings: ServiceSettings,
  services: readonly ServiceSettings[],
  cause: Cause,
): Promise<AlarmOutcome> {
  const { state, changedAt, reason } = change;
  const alarm = settings.alarms.find(({ name }) => name === change.alarmName);
  if (alarm === undefined) return { service: settings.service, phase: 'none', weight: null };
  const seen: AlarmSeen = { alarm, state, changedAt, reason };
  const { coolOffSeconds } = settings;
  const { correlationId } = cause;
  let from: Known | null = null;
  try {
    from = await known(world, settings.service, { urgent: true });
    const command = await alarmCommand(world, settings.service, seen, from, {
      coolOffSeconds,
      correlationId,
    });
    const commandId = alarmCommandId(seen);
    const { service } = settings;
    const whole = await takeOffDependents(world, service, from.state, command, services, cause);
    const heard = await record(world, service, whole, cause, {
      ...{ from, commandId, urgent: true },
    });
    return await follow(world, settings.service, heard, cause);
  } catch (error) {
    if (!(error instanceof EventStoreUnavailable)) throw error;
    return intend(world, settings, seen, from, cause);
  }
}

/** The decision stands in the store: make the world follow it. */
async function follow(world: World, service: string, heard: Known, cause: Cause): Promise<AlarmOutcome> {
  const followed = await followDecision(world, service, heard, cause, { urgent: true });
  const after = followed.state.rollout;
  if (after.phase === 'rolling-back') await world.store.compact(streamOf(service));
  return { service, phase: after.phase, weight: after.phase === 'none' ? null : after.weight };
}

/**
 * The store does not take it: the intent goes to the queue, and the canary is taken off all the same. What
 * the store told before it failed decides; where it told nothing, the mark on the target itself says which
 * side is stable.
 * The intent is sent first, but its failure stops nothing.
 */
async function intend(
  world: World,
  settings: ServiceSettings,
  seen: AlarmSeen,
  from: Known | null,
  cause: Cause,
): Promise<AlarmOutcome> {
  const { service, target, coolOffSeconds } = settings;
  const { correlationId } = cause;
  const command = await alarmCommand(world, service, seen, null, { coolOffSeconds, correlationId });
  const commandId = alarmCommandId(seen);
  const intent = { stream: streamOf(service), commandId, correlationId, command };
  const sent = await world.intents.send(intent).then(
    () => null,
    (error: unknown) => ({ error }),
  );
  const canarySlot =
    from === null ? await canaryByMark(world, target, seen) : canaryByDecision(from, command);
  if (canarySlot !== null) {
    const [reading, may] = await Promise.all([
      world.traffic.read(target),
      mayTakeOff(world, target, canarySlot, from),
    ]);
    const split = may && reading.kind === 'weights' && canaryWeight(reading.greenWeight, canarySlot) > 0;
    if (split) await world.traffic.shift(target, canarySlot, 0);
    world.log.write({ message: 'traffic taken off without the event store', service, split, ...cause });
  }
  if (sent !== null) throw sent.error; // no durable tier has it: the message stays
  return { service, phase: 'intended', weight: canarySlot === null ? null : 0 };
}

/**
 * The slot to take off; null where the alarm blames stable, nothing says which side that is, or a note on the
 * target says that a person suspended automatic roll backs.
 */
async function canaryByMark(world: World, target: Target, { state, alarm }: AlarmSeen): Promise<Slot | null> {
  const [stableSlot, override] = await Promise.all([
    world.traffic.stableMark(target),
    world.traffic.overrideMark(target).catch(() => null),
  ]);
  if (override !== null && override.until > world.clock.now()) return null;
  const blamesCanary = stableSlot !== null && state === 'ALARM' && alarm.slot !== stableSlot;
  return blamesCanary ? otherSlot(stableSlot) : null;
}

/**
 * Nobody is sent where nothing runs, nor away from where the fire exit sent them, of which the store had not
 * heard. What cannot be read stops nothing.
 */
async function mayTakeOff(world: World, target: Target, canarySlot: Slot, from: Known | null) {
  const [stable, mark] = await Promise.all([
    world.workload.read(target, otherSlot(canarySlot)).catch(() => null),
    from === null ? null : world.traffic.fallBackMark(target).catch(() => null),
  ]);
  const isKept = from !== null && mark?.slot === canarySlot && isUnheardOf(from.state, mark.at);
  return !isKept && (stable === null || stable.running > 0);
}

/**
 * The slot to take off by the decision that could not be recorded; null too where stable must be started
 * first.
 */
function canaryByDecision({ state }: Known, command: CommandOf<'ReceiveAlarm'>): Slot | null {
  const rollout = rolloutAfter(state, command);
  return rollout?.phase === 'rolling-back' && !rollout.afterPromotion ? rollout.canarySlot : null;
}
