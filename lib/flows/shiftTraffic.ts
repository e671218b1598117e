/** One step up: look at the balancer, order the step, check that both sides can carry it, do it, confirm it. */

import type { RolloutTask } from '../../events/task.ts';
import { CanaryNotReady } from '../core/outage.ts';
import type { Clock, EventStore, Log, Traffic, Workload } from '../ports.ts';
import { driveTraffic, stableSlotOf } from './driveTraffic.ts';
import { record } from './record.ts';
import { answer, open, type TaskAnswer } from './rolloutTask.ts';
import { watchTraffic } from './watchTraffic.ts';

type World = {
  readonly clock: Clock;
  readonly store: EventStore;
  readonly traffic: Traffic;
  readonly workload: Workload;
  readonly log: Log;
};

export async function shiftTraffic(world: World, task: RolloutTask): Promise<TaskAnswer> {
  const { plan, from, cause, mine } = await open(world, task);
  if (!mine) return answer(world, task, plan, from.state);
  const watched = await watchTraffic(world, task.service, from, cause);
  const { rollout } = watched.state;
  if (rollout.phase === 'none' || rollout.phase === 'held') return answer(world, task, plan, watched.state);
  const short = await shortOfCapacity(world, rollout);
  if (short !== null) {
    const now = world.clock.now();
    if (short.side === 'canary') throw new CanaryNotReady(`${task.service}: ${short.what}`);
    const held = await record(
      world,
      task.service,
      { type: 'Hold', reason: 'capacity', why: short.what, now },
      cause,
      { from: watched },
    );
    return answer(world, task, plan, held.state);
  }
  const ordered = await record(world, task.service, { type: 'OrderShift', now: world.clock.now() }, cause, {
    from: watched,
  });
  if (ordered.outcome === 'refused') return answer(world, task, plan, ordered.state);
  const driven = await driveTraffic(world, task.service, ordered, cause);
  return answer(world, task, plan, driven.state);
}

/** Stable must be able to take everything back, the canary to carry what it gets. */
async function shortOfCapacity(
  world: Pick<World, 'workload'>,
  rollout: Parameters<typeof stableSlotOf>[0] & {
    readonly target: Parameters<Workload['read']>[0];
    readonly checkpoint: { readonly desiredCounts: { readonly stable: number } } | null;
  },
): Promise<{ readonly side: 'stable' | 'canary'; readonly what: string } | null> {
  const [stable, canary] = await Promise.all([
    world.workload.read(rollout.target, stableSlotOf(rollout)),
    world.workload.read(rollout.target, rollout.canarySlot),
  ]);
  const needed = rollout.checkpoint?.desiredCounts.stable ?? stable.desired;
  const stableHealthy = stable.healthy ?? stable.running;
  if (stableHealthy < needed) {
    return {
      side: 'stable',
      what: `stable has ${stableHealthy} healthy tasks of the ${needed} it needs to take everything back`,
    };
  }
  const canaryHealthy = canary.healthy ?? canary.running;
  if (canaryHealthy < canary.desired || canaryHealthy === 0) {
    return { side: 'canary', what: `the canary has ${canaryHealthy} healthy tasks of ${canary.desired}` };
  }
  return null;
}
