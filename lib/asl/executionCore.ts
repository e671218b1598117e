/** What a branch needs of the execution it belongs to. */
import type { Chance } from './chance.ts';
import type { Clock } from './clock.ts';
import type { HistoryDetails, HistoryEventType } from './history.ts';
import type { Json } from './json.ts';
import type { TaskRunner } from './taskRunner.ts';
import type { TaskTokens } from './taskTokens.ts';

export type ExecutionCore = {
  readonly arn: string;
  readonly clock: Clock;
  readonly tasks: TaskRunner;
  readonly tokens: TaskTokens;
  readonly chance: Chance;
  /** `$states.context.Execution` and `.StateMachine`. */
  readonly context: { readonly Execution: Json; readonly StateMachine: Json };
  /** Appends an event and answers its id; throws `Halted` once the execution has ended. */
  publish(type: HistoryEventType, previousEventId: number, details?: HistoryDetails): number;
};

/** Thrown where an execution that has ended would go on; caught where it was started, seen by nobody. */
export class Halted extends Error {
  override readonly name = 'Halted';
}
