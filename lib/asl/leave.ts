/** How a state is left: what it assigns, what it puts out, and where its failure happened. */
import type { Branch } from './branch.ts';
import type { Eventually } from './expression.ts';
import { isLargerThan, type Json, PAYLOAD_BYTES_MAX } from './json.ts';
import type { Exit, State } from './machine.ts';
import { attributed, StateFailure, sizeFailure } from './stateFailure.ts';
import type { StateFrame } from './stateFrame.ts';

export type Leaving = {
  readonly next: string | null;
  readonly output: Json;
  readonly assigned: Json | undefined;
};

/** Evaluates what the exit assigns and puts out; both still see the variables as they were on entry. */
export function leave(
  branch: Branch,
  state: State,
  exit: Exit,
  frame: StateFrame,
  passedOn: Json,
): Eventually<Leaving> {
  return whenKnown(branch, exit.assign?.evaluate(frame), (assigned) =>
    whenKnown(branch, exit.output === undefined ? passedOn : exit.output.evaluate(frame), (output) => {
      if (!branch.fits(output)) throw sizeFailure(state.name);
      if (assigned !== undefined && isLargerThan(assigned, PAYLOAD_BYTES_MAX)) throw sizeFailure(state.name);
      return { next: exit.next, output, assigned };
    }),
  );
}

/** Goes on with a value: at once where it is known, else when it is and the branch still runs. */
export function whenKnown<T, U>(
  branch: Branch,
  value: Eventually<T>,
  go: (value: T) => Eventually<U>,
): Eventually<U> {
  return value instanceof Promise ? branch.unlessCancelled(value).then(go) : go(value);
}

/** What is thrown on: a state's failure says where it happened, and a failed expression is recorded. */
export function placed(branch: Branch, state: State, enteredEventId: number, thrown: unknown): unknown {
  if (!(thrown instanceof StateFailure)) return thrown;
  const failure = attributed(thrown, state.name, enteredEventId);
  if (failure !== thrown) publishEvaluation(branch, state, failure);
  return failure;
}

export function publishEvaluation(branch: Branch, state: State, failure: StateFailure): void {
  const { error, reason, location } = failure;
  if (location === undefined) return;
  branch.publish('EvaluationFailed', {
    error: error ?? '',
    cause: reason ?? '',
    location,
    state: state.name,
  });
}
