/**
 * One step up: look at the balancer, order the step, check that both sides can carry it, do it, confirm it.
 */

import type { RolloutTask } from '../../events/task.ts';
import type { Clock, EventStore, Log, Traffic, Workload } from '../ports.ts';
import { driveTraffic } from './driveTraffic.ts';
import { record } from './record.ts';
import { answer, open, type TaskAnswer } from './rolloutTask.ts';
import { watchTraffic } from './watchTraffic.ts';

type World = {
  readonly clock: Clock;
  readonly store: EventStore;
  readonly traffic: Traffic;
  readonly workload: Pick<Workload, 'read' | 'place'>;
  readonly log: Log;
};

export async function shiftTraffic(world: World, task: RolloutTask): Promise<TaskAnswer> {
  const { plan, from, cause, mine } = await open(world, task);
  if (!mine) return answer(world, task, plan, from.state);
  const watched = await watchTraffic(world, task.service, from, cause);
  const { rollout } = watched.state;
  if (rollout.phase === 'none' || rollout.phase === 'held') return answer(world, task, plan, watched.state);
  const ordered = await record(world, task.service, { type: 'OrderShift', now: world.clock.now() }, cause, {
    from: watched,
  });
  if (ordered.outcome === 'refused') return answer(world, task, plan, ordered.state);
  const driven = await driveTraffic(world, task.service, ordered, cause);
  return answer(world, task, plan, driven.state);
}
