/**
 * Makes the balancer match the newest recorded decision, whoever took it. After every write the decision is
 * confirmed with an append; where that shows a newer decision, the world is made to match that one. So a
 * step, an alarm and a late retry may race: the newest decision wins. What somebody else took from the canary
 * is not given back: before the canary gets more, the balancer is looked at, and both sides' tasks.
 */
import type { Slot } from '../../events/target.ts';
import { otherSlot } from '../../events/target.ts';
import { CanaryNotReady, TrafficUnconfirmed } from '../core/outage.ts';
import { compare } from '../core/rollout/drift.ts';
import { desiredWeight, isKeptByFireExit, type Rollout, type ServiceState } from '../core/rollout/state.ts';
import { readSides, shortOfCapacity } from './capacity.ts';
import { correctTraffic, type TrafficWorld } from './correctTraffic.ts';
import { hearFireExit, hearMark } from './hearMark.ts';
import { type Cause, causeOfRollback, type Known, known, record } from './record.ts';
import { mayBeCold, type WarmingWorld, warmStable } from './warmStable.ts';
import { watchTraffic } from './watchTraffic.ts';

/** Newer decisions met on the way before giving up; each costs one write and one append. */
const roundsMax = 6;

/**
 * @param options.urgent the alarm's way: what the fire exit noted on the target is read after the traffic is
 *   off, not before
 * @returns what is known once the balancer shows the newest decision
 * @throws TrafficUnconfirmed when decisions keep changing, or the balancer does not follow
 */
export async function driveTraffic(
  world: TrafficWorld,
  service: string,
  from: Known,
  asked: Cause,
  { urgent = false } = {},
): Promise<Known> {
  let current = from;
  for (let round = 0; round < roundsMax; round++) {
    const cause = causeOfRollback(current, asked);
    const ready = await makeReady(world, service, current, cause, urgent);
    const order = ready === null ? null : openOrder(ready.state);
    if (ready === null) return current;
    if (order === null) return round === 0 ? ready : takeOwnBack(world, service, ready, cause);
    await world.traffic.shift(order.rollout.target, order.rollout.canarySlot, order.weight);
    world.log.write({
      message: 'traffic shifted',
      service,
      weight: order.weight,
      correlationId: cause.correlationId,
    });
    const confirmed = await record(
      world,
      service,
      { type: 'ConfirmShift', weight: order.weight, now: world.clock.now() },
      cause,
      { from: ready },
    );
    current = confirmed;
    if (confirmed.outcome === 'accepted') return urgent ? leaveToFireExit(world, service, current) : current;
  }
  throw new TrafficUnconfirmed(
    `${service}: the decision changed ${roundsMax} times while traffic was shifted`,
  );
}

/**
 * An alarm takes the canary off with no more than the store knows. Where the fire exit had sent everybody to
 * it, and nobody had heard of that yet, they are sent there again; unless nothing runs there.
 */
async function leaveToFireExit(world: TrafficWorld, service: string, from: Known): Promise<Known> {
  if (from.state.rollout.phase !== 'rolling-back') return from;
  const heard = await hearFireExit(world, service, from);
  const { rollout } = heard.state;
  if (rollout.phase !== 'held' || !isKeptByFireExit(heard.state)) return heard;
  const canary = await world.workload?.read(rollout.target, rollout.canarySlot).catch(() => null);
  if (canary?.running === 0) return heard;
  await world.traffic.shift(rollout.target, rollout.canarySlot, 100);
  world.log.write({ message: 'left to the fire exit', service, slot: rollout.canarySlot });
  return heard;
}

/**
 * What was written was overtaken by a decision that orders nothing, such as a hold: what the canary has
 * beyond it is taken off now, not at somebody's next look.
 */
async function takeOwnBack(world: TrafficWorld, service: string, from: Known, cause: Cause): Promise<Known> {
  const { rollout } = from.state;
  if (rollout.phase === 'none') return from;
  const comparison = compare(rollout, await world.traffic.read(rollout.target));
  return comparison.kind === 'more' ? correctTraffic(world, service, from, comparison, cause) : from;
}

type Order = { readonly rollout: Exclude<Rollout, { phase: 'none' }>; readonly weight: number };

/**
 * What has to be so before traffic moves: nobody else has moved it, and whoever gets more can take it.
 * @returns null where that cannot be seen from here
 * @throws CanaryNotReady when whoever gets more is not ready yet
 */
async function makeReady(
  world: TrafficWorld,
  service: string,
  from: Known,
  cause: Cause,
  urgent: boolean,
): Promise<Known | null> {
  const { workload } = world;
  const open = openOrder(from.state);
  if (open === null) return from;
  const yields = open.rollout.phase === 'rolling-back' && (mayBeCold(open.rollout) || !urgent);
  const heard = yields ? await hearFireExit(world, service, from) : from;
  const order = openOrder(heard.state);
  if (order === null) return heard;
  const { rollout, weight } = order;
  if (mayBeCold(rollout)) {
    if (workload === undefined) return null;
    await warmStable({ ...world, workload }, service, heard.state);
    await letDependentsGoFirst(world, service, rollout);
    return heard;
  }
  if (weight <= rollout.weight) return heard;
  const watched = await watchTraffic(world, service, from, cause);
  if (openOrder(watched.state) === null) return watched;
  if (workload === undefined) return null;
  return readySides({ ...world, workload }, service, watched, rollout, cause);
}

/** A dependent whose old side does not start keeps what it depends on for so long and no longer. */
const dependentsSecondsMax = 120;

/**
 * Their old sides are started at the same time, and each is ready when it is: who depends on a service still
 * leaves the new side before it.
 * @throws CanaryNotReady while one of them has its traffic there
 */
async function letDependentsGoFirst(world: TrafficWorld, service: string, rollout: Order['rollout']) {
  if (rollout.phase !== 'rolling-back' || rollout.after === undefined) return;
  if (world.clock.now() > rollout.initiatedAt + dependentsSecondsMax * 1000) return;
  for (const name of rollout.after) {
    const { rollout: dependent } = (await known(world, name)).state;
    if (dependent.phase === 'rolling-back' && dependent.trafficOffAt === null) {
      throw new CanaryNotReady(`${service}: ${name} depends on it and leaves before it`);
    }
  }
}

/**
 * A fall-back that nobody told is met by its mark; what would be restored is written down where it is news;
 * then both sides' tasks are counted.
 */
async function readySides(
  world: TrafficWorld & { readonly workload: WarmingWorld['workload'] },
  service: string,
  from: Known,
  rollout: Order['rollout'],
  cause: Cause,
): Promise<Known> {
  const [sides, mark] = await Promise.all([
    readSides(world.workload, rollout),
    world.traffic.fallBackMark(rollout.target),
  ]);
  const heard = await hearMark(world, service, from, mark, null);
  if (heard !== null) return heard;
  const { stable, canary } = sides;
  const now = world.clock.now();
  const desiredCounts = { stable: stable.desired, canary: canary.desired };
  const command = {
    ...({ type: 'TakeCheckpoint', stableRevision: stable.revision, now } as const),
    checkpoint: { weight: 0, desiredCounts, scaling: null },
  };
  const noted = await record(world, service, command, cause, { from });
  const order = openOrder(noted.state);
  if (order === null || order.weight <= order.rollout.weight) return noted;
  const short = shortOfCapacity(sides, order.rollout);
  if (short === null) return noted;
  if (short.side === 'canary') throw new CanaryNotReady(`${service}: ${short.what}`);
  return record(world, service, { type: 'Hold', reason: 'capacity', why: short.what, now }, cause, {
    from: noted,
  });
}

/** The shift that was decided and not yet confirmed; null when the world is as decided. */
function openOrder({ rollout }: ServiceState): Order | null {
  if (rollout.phase === 'none') return null;
  const weight = desiredWeight(rollout);
  if (weight === null) return null;
  switch (rollout.phase) {
    case 'shifting':
      return { rollout, weight };
    case 'promoting':
      return rollout.weight === 100 ? null : { rollout, weight };
    case 'rolling-back':
      return rollout.trafficOffAt === null ? { rollout, weight } : null;
    default:
      return null;
  }
}

/** The slot that is not the canary's. */
export const stableSlotOf = (rollout: { readonly canarySlot: Slot }): Slot => otherSlot(rollout.canarySlot);
