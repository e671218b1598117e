/**
 * A person is waited for, to allow a step or to let a paused or held rollout go on. The question is recorded
 * where it is one, the execution's token kept beside the stream: the answer lets it go on at once.
 */

import type { RolloutTask } from '../../events/task.ts';
import type { Plan } from '../core/rollout/plan.ts';
import type { ServiceState } from '../core/rollout/state.ts';
import type { Clock, EventStore, Log, Machines, Tokens } from '../ports.ts';
import { type Cause, type Known, record, streamOf } from './record.ts';
import { answer, open } from './rolloutTask.ts';

type World = {
  readonly clock: Clock;
  readonly store: EventStore;
  readonly tokens: Tokens;
  readonly machines: Pick<Machines, 'resume'>;
  readonly log: Log;
};

/**
 * @param taskToken what the execution waits for; it is answered at once when nothing needs a person any more
 */
export async function requestApproval(
  world: World,
  task: RolloutTask & { readonly taskToken: string },
): Promise<void> {
  // The token first: an answer that comes before the question is read finds it, or is read with the state.
  await world.tokens.keep(streamOf(task.service), task.rolloutId, task.taskToken);
  const { plan, from, cause, mine } = await open(world, task);
  const asked = mine && !interrupted(from.state) ? await ask(world, task, plan, from, cause) : from;
  const { rollout } = asked.state;
  const waits =
    mine && (interrupted(asked.state) || (rollout.phase === 'awaiting-approval' && !rollout.approved));
  if (!waits) await world.machines.resume(task.taskToken, answer(world, task, plan, asked.state));
}

const interrupted = ({ rollout }: ServiceState): boolean =>
  rollout.phase === 'paused' || rollout.phase === 'held';

function ask(world: World, task: RolloutTask, plan: Plan, from: Known, cause: Cause): Promise<Known> {
  const autoAfterSeconds = plan.settings.strategy.autoPromoteSeconds;
  const now = world.clock.now();
  return record(world, task.service, { type: 'RequestApproval', autoAfterSeconds, now }, cause, { from });
}
