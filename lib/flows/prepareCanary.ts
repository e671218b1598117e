/**
 * The idle slot gets the new revision, as many tasks as stable has, and stable is kept able to take it all
 * back.
 */

import type { RolloutTask } from '../../events/task.ts';
import { knowsOf } from '../core/fallback/mark.ts';
import { TargetMissing } from '../core/outage.ts';
import { placeFound } from '../core/rollback/fallbackPlace.ts';
import type { Plan } from '../core/rollout/plan.ts';
import type { Checkpoint } from '../core/rollout/state.ts';
import type { Clock, EventStore, FallbackPlaces, Log, Traffic, Workload } from '../ports.ts';
import { stableSlotOf } from './driveTraffic.ts';
import { readFallbackPlace } from './readFallbackPlace.ts';
import { type Cause, record } from './record.ts';
import { answer, open, type TaskAnswer } from './rolloutTask.ts';
import { watchTraffic } from './watchTraffic.ts';

type World = {
  readonly clock: Clock;
  readonly store: EventStore;
  readonly traffic: Traffic;
  readonly workload: Workload;
  readonly places: FallbackPlaces;
  readonly log: Log;
};

export async function prepareCanary(world: World, task: RolloutTask): Promise<TaskAnswer> {
  const { plan, from, cause, mine } = await open(world, task);
  const { rollout } = from.state;
  if (!mine || rollout.phase !== 'preparing' || rollout.prepared)
    return answer(world, task, plan, from.state);
  const { target, canarySlot } = rollout;
  const stableSlot = stableSlotOf(rollout);
  const [stable, canary, scaling, elsewhere] = await Promise.all([
    world.workload.read(target, stableSlot),
    world.workload.read(target, canarySlot),
    world.workload.bounds(target, stableSlot),
    fallbackPlace(world, plan, rollout.checkpoint, cause),
  ]);
  if (stable.desired === 0)
    throw new TargetMissing(`${task.service}: the stable slot ${stableSlot} runs no task`);
  const now = world.clock.now();
  const desiredCounts = { stable: stable.desired, canary: canary.desired };
  const checkpoint = { weight: 0, desiredCounts, scaling, ...elsewhere };
  const taken = { type: 'TakeCheckpoint', checkpoint, stableRevision: stable.revision, now } as const;
  const noted = await record(world, task.service, taken, cause, { from });
  // A slot that somebody sent traffic to is emptied, or left to them, before anything in it is replaced.
  const watched = await watchTraffic(world, task.service, noted, cause);
  if (watched.state.rollout.phase !== 'preparing') return answer(world, task, plan, watched.state);
  // Before any traffic moves: whoever must act without the store finds stable by this mark.
  await world.traffic.markStable(target, stableSlot, knowsOf(watched.state));
  const tasks = stable.desired;
  if (scaling !== null) await world.workload.pin(target, stableSlot, tasks);
  if (canary.revision !== plan.revision || canary.desired !== tasks) {
    await world.workload.place(target, canarySlot, plan.revision, tasks);
    world.log.write({ message: 'canary placed', ...task, revision: plan.revision, tasks });
    return answer(world, task, plan, watched.state);
  }
  if (canary.running >= tasks && (canary.healthy ?? tasks) >= tasks) {
    const prepared = await record(world, task.service, { type: 'ConfirmPrepared', tasks, now }, cause, {
      from: watched,
    });
    return answer(world, task, plan, prepared.state);
  }
  if (now - rollout.startedAt > plan.settings.prepareTimeoutSeconds * 1000) {
    const reason =
      `the canary was not healthy within ${plan.settings.prepareTimeoutSeconds} s: ` +
      `${canary.running} of ${tasks} tasks run, ${canary.healthy ?? 0} are healthy`;
    const failed = await record(
      world,
      task.service,
      { type: 'RollBack', trigger: 'deployment', reason, by: 'switchback', now },
      cause,
      { from: watched },
    );
    return answer(world, task, plan, failed.state);
  }
  return answer(world, task, plan, watched.state);
}

/**
 * Read until it is known once. One that cannot be read is recorded as that and holds nobody up: a rollout
 * changes nothing there.
 */
async function fallbackPlace(
  world: World,
  plan: Plan,
  known: Checkpoint | null,
  cause: Cause,
): Promise<Pick<Checkpoint, 'fallbackPlace'>> {
  const { target } = plan.settings.fallback;
  if (target === null || (known?.fallbackPlace?.holds ?? null) !== null) return {};
  return { fallbackPlace: placeFound(target, await readFallbackPlace(world, target, plan, cause)) };
}
