/**
 * Makes the balancer match the newest recorded decision, whoever took it. After every write the decision is
 * confirmed with an append; where that shows a newer decision, the world is made to match that one. So a step,
 * an alarm and a late retry may race: the newest decision wins.
 */
import type { Slot } from '../../events/target.ts';
import { otherSlot } from '../../events/target.ts';
import { TrafficUnconfirmed } from '../core/outage.ts';
import { desiredWeight, type Rollout, type ServiceState } from '../core/rollout/state.ts';
import type { Clock, EventStore, Log, Traffic } from '../ports.ts';
import { type Cause, type Known, record } from './record.ts';

type World = {
  readonly clock: Clock;
  readonly store: EventStore;
  readonly traffic: Traffic;
  readonly log: Log;
};

/** Newer decisions met on the way before giving up; each costs one write and one append. */
const roundsMax = 6;

/**
 * @returns what is known once the balancer shows the newest decision
 * @throws TrafficUnconfirmed when decisions keep changing, or the balancer does not follow
 */
export async function driveTraffic(world: World, service: string, from: Known, cause: Cause): Promise<Known> {
  let current = from;
  for (let round = 0; round < roundsMax; round++) {
    const order = openOrder(current.state);
    if (order === null) return current;
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
      { from: current },
    );
    current = confirmed;
    if (confirmed.outcome === 'accepted') return current;
  }
  throw new TrafficUnconfirmed(
    `${service}: the decision changed ${roundsMax} times while traffic was shifted`,
  );
}

type Order = { readonly rollout: Exclude<Rollout, { phase: 'none' }>; readonly weight: number };

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
