/**
 * After a promotion stable may be cold: it is started first, and traffic goes back only to tasks that answer.
 */
import { otherSlot } from '../../events/target.ts';
import { knowsOf } from '../core/fallback/mark.ts';
import { CanaryNotReady } from '../core/outage.ts';
import type { Rollout, ServiceState } from '../core/rollout/state.ts';
import type { Clock, Traffic, Workload } from '../ports.ts';

export type WarmingWorld = {
  readonly clock: Clock;
  readonly traffic: Pick<Traffic, 'markStable'>;
  readonly workload: Pick<Workload, 'read' | 'place'>;
};

/** Its traffic is still to come off, and the side that is to take it may run nothing. */
export const mayBeCold = (rollout: Rollout): boolean =>
  rollout.phase === 'rolling-back' && rollout.afterPromotion && rollout.trafficOffAt === null;

/**
 * The mark moves with it: whoever must act without the store from now on finds the side that traffic goes
 * back to.
 * @throws CanaryNotReady until every task it had is healthy again
 */
export async function warmStable(world: WarmingWorld, service: string, state: ServiceState): Promise<void> {
  const { rollout } = state;
  if (rollout.phase === 'none') return;
  const slot = otherSlot(rollout.canarySlot);
  const needed = rollout.checkpoint?.desiredCounts.stable ?? 1;
  const stable = await world.workload.read(rollout.target, slot);
  const isCold = stable.revision !== rollout.stableRevision || (stable.healthy ?? stable.running) < needed;
  if (isCold || mayStillBeScaledDown(rollout, world.clock.now())) {
    await world.workload.place(rollout.target, slot, rollout.stableRevision, needed);
    throw new CanaryNotReady(`${service}: stable was scaled down after the promotion and is starting again`);
  }
  await world.traffic.markStable(rollout.target, slot, knowsOf(state));
}

/** The promotion was being tidied up when the rollback began: what was sent before may still land. */
const mayStillBeScaledDown = (rollout: Rollout, now: number): boolean =>
  rollout.phase === 'rolling-back' && rollout.coldUntil !== undefined && now < rollout.coldUntil;
