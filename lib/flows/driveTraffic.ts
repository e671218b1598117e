/**
 * Makes the balancer match the newest recorded decision, whoever took it. After every write the decision is
 * confirmed with an append; where that shows a newer decision, the world is made to match that one. So a step,
 * an alarm and a late retry may race: the newest decision wins. What somebody else took from the canary is not
 * given back: before the canary gets more, the balancer is looked at.
 */
import type { Slot } from '../../events/target.ts';
import { otherSlot } from '../../events/target.ts';
import { TrafficUnconfirmed } from '../core/outage.ts';
import { desiredWeight, type Rollout, type ServiceState } from '../core/rollout/state.ts';
import type { Clock, EventStore, Log, Traffic } from '../ports.ts';
import { type Cause, causeOfRollback, type Known, record } from './record.ts';
import { mayBeCold, type WarmingWorld, warmStable } from './warmStable.ts';
import { watchTraffic } from './watchTraffic.ts';

type World = {
  readonly clock: Clock;
  readonly store: EventStore;
  readonly traffic: Traffic;
  readonly log: Log;
  /** Who cannot warm stable leaves the way back after a promotion to the rollback machine. */
  readonly workload?: WarmingWorld['workload'];
};

/** Newer decisions met on the way before giving up; each costs one write and one append. */
const roundsMax = 6;

/**
 * @returns what is known once the balancer shows the newest decision
 * @throws TrafficUnconfirmed when decisions keep changing, or the balancer does not follow
 */
export async function driveTraffic(world: World, service: string, from: Known, asked: Cause): Promise<Known> {
  let current = from;
  for (let round = 0; round < roundsMax; round++) {
    const cause = causeOfRollback(current, asked);
    const looked = raises(current.state) ? await watchTraffic(world, service, current, cause) : current;
    const order = openOrder(looked.state);
    if (order === null) return looked;
    if (mayBeCold(order.rollout)) {
      const { workload } = world;
      if (workload === undefined) return looked;
      await warmStable({ ...world, workload }, service, order.rollout);
    }
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
      { from: looked },
    );
    current = confirmed;
    if (confirmed.outcome === 'accepted') return current;
  }
  throw new TrafficUnconfirmed(
    `${service}: the decision changed ${roundsMax} times while traffic was shifted`,
  );
}

type Order = { readonly rollout: Exclude<Rollout, { phase: 'none' }>; readonly weight: number };

/** The canary is to get more than it was last confirmed to have. */
function raises(state: ServiceState): boolean {
  const order = openOrder(state);
  return order !== null && order.weight > order.rollout.weight;
}

/** The shift that was decided and not yet confirmed; null when the world is as decided. */
export function openOrder({ rollout }: ServiceState): Order | null {
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
