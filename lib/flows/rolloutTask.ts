/** What every task of the rollout machine is given, reads first, and answers. */
import type { RolloutTask } from '../../events/task.ts';
import { BadInput } from '../core/outage.ts';
import { type Next, nextAction } from '../core/rollout/next.ts';
import type { Plan } from '../core/rollout/plan.ts';
import type { ServiceState } from '../core/rollout/state.ts';
import type { Clock, EventStore } from '../ports.ts';
import { type Cause, type Known, known, streamOf } from './record.ts';

export type TaskAnswer = Next & {
  readonly service: string;
  readonly rolloutId: string;
  readonly correlationId: string;
  readonly phase: string;
  readonly weight: number;
};

/** The frozen plan. @throws BadInput when the task names a rollout that was never planned */
export async function planOf(world: { readonly store: EventStore }, task: RolloutTask): Promise<Plan> {
  const plan = await world.store.plan(streamOf(task.service), task.rolloutId);
  if (plan === null) {
    throw new BadInput(`no plan of rollout ${task.rolloutId} of ${task.service}: request the rollout first`);
  }
  return plan as Plan;
}

export async function open(
  world: { readonly store: EventStore },
  task: RolloutTask,
): Promise<{ readonly plan: Plan; readonly from: Known; readonly cause: Cause; readonly mine: boolean }> {
  const [plan, from] = await Promise.all([planOf(world, task), known(world, task.service)]);
  const { rollout } = from.state;
  return {
    plan,
    from,
    cause: { correlationId: task.correlationId, actor: 'switchback', rolloutId: task.rolloutId },
    mine: rollout.phase !== 'none' && rollout.rolloutId === task.rolloutId,
  };
}

export function answer(
  world: { readonly clock: Clock },
  task: RolloutTask,
  plan: Plan,
  state: ServiceState,
): TaskAnswer {
  const { evaluateSeconds, scaleDownDelaySeconds, shiftTimeoutSeconds } = plan.settings;
  const timing = { now: world.clock.now(), rolloutId: task.rolloutId };
  const next = nextAction(state, { ...timing, evaluateSeconds, scaleDownDelaySeconds, shiftTimeoutSeconds });
  const { rollout } = state;
  return {
    ...next,
    service: task.service,
    rolloutId: task.rolloutId,
    correlationId: task.correlationId,
    phase: rollout.phase,
    weight: rollout.phase === 'none' ? 0 : rollout.weight,
  };
}
