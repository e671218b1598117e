/**
 * Takes back what the canary has beyond the decision. The decision is read again on both sides of the write:
 * whoever looked long ago must not undo what was decided since, and if that was being done meanwhile, it is
 * put back.
 */
import { desiredWeight, type ServiceState } from '../core/rollout/state.ts';
import type { Clock, EventStore, Log, Traffic } from '../ports.ts';
import { hearFireExit } from './hearMark.ts';
import { type Cause, type Known, known } from './record.ts';
import { mayBeCold, type WarmingWorld, warmStable } from './warmStable.ts';

/** Whatever has an eye on a service's traffic. */
export type TrafficWorld = {
  readonly clock: Clock;
  readonly store: EventStore;
  readonly traffic: Traffic;
  readonly log: Log;
  /** Who cannot see to the tasks leaves the way up, and the way back after a promotion, to the machines. */
  readonly workload?: WarmingWorld['workload'];
};

type More = { readonly found: number; readonly decided: number };

/** @returns what is known afterwards; the balancer is left alone where the decision is another by now */
export async function correctTraffic(
  world: TrafficWorld,
  service: string,
  from: Known,
  { found, decided }: More,
  cause: Cause,
): Promise<Known> {
  const now = await hearFireExit(world, service, await known(world, service));
  const { rollout } = now.state;
  if (rollout.phase === 'none' || !isSameDecision(now.state, from.state)) return now;
  if (rollout.afterPromotion) {
    // It comes off as soon as stable can take it, by whoever can see to that.
    if (world.workload === undefined || mayBeCold(rollout)) return now;
    await warmStable({ ...world, workload: world.workload }, service, now.state);
  }
  const { correlationId } = cause;
  world.log.write({ message: 'more canary than decided: corrected', service, found, decided, correlationId });
  await world.traffic.shift(rollout.target, rollout.canarySlot, decided);
  const after = await known(world, service);
  if (!isSameDecision(after.state, now.state)) await putBack(world, service, after, cause);
  return after;
}

/**
 * What was decided and confirmed while the correction was on its way. An order that stands open is driven
 * anyway.
 */
async function putBack(world: TrafficWorld, service: string, { state }: Known, cause: Cause): Promise<void> {
  const { rollout } = state;
  if (rollout.phase === 'none') return;
  const weight = desiredWeight(rollout);
  if (weight === null || weight !== rollout.weight) return;
  const { correlationId } = cause;
  world.log.write({ message: 'a newer decision was overwritten: put back', service, weight, correlationId });
  await world.traffic.shift(rollout.target, rollout.canarySlot, weight);
}

function isSameDecision({ rollout: one }: ServiceState, { rollout: other }: ServiceState): boolean {
  if (one.phase === 'none' || other.phase === 'none') return one.phase === other.phase;
  return one.rolloutId === other.rolloutId && desiredWeight(one) === desiredWeight(other);
}
