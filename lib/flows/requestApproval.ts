/** A step that a person must allow: the question is recorded, the execution's token kept beside the stream. */

import type { RolloutTask } from '../../events/task.ts';
import type { Clock, EventStore, Log, Machines, Tokens } from '../ports.ts';
import { record, streamOf } from './record.ts';
import { answer, open } from './rolloutTask.ts';

type World = {
  readonly clock: Clock;
  readonly store: EventStore;
  readonly tokens: Tokens;
  readonly machines: Pick<Machines, 'resume'>;
  readonly log: Log;
};

/** @param taskToken what the execution waits for; it is answered at once when nothing needs a person any more */
export async function requestApproval(
  world: World,
  task: RolloutTask & { readonly taskToken: string },
): Promise<void> {
  const { plan, from, cause, mine } = await open(world, task);
  await world.tokens.keep(streamOf(task.service), task.rolloutId, task.taskToken);
  const asked = mine
    ? await record(
        world,
        task.service,
        {
          type: 'RequestApproval',
          autoAfterSeconds: plan.settings.strategy.autoPromoteSeconds,
          now: world.clock.now(),
        },
        cause,
        { from },
      )
    : from;
  const { rollout } = asked.state;
  const waits = mine && rollout.phase === 'awaiting-approval' && !rollout.approved;
  if (!waits) await world.machines.resume(task.taskToken, answer(world, task, plan, asked.state));
}
