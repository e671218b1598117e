/** The states that take time: a Wait, and the work that may fail, is retried and caught. */
import type { Branch } from './branch.ts';
import type { Eventually } from './expression.ts';
import type { Json } from './json.ts';
import { type Leaving, leave, placed, publishEvaluation, whenKnown } from './leave.ts';
import type { Retrier, WaitingState, WaitState, WorkState } from './machine.ts';
import { timestampMs, wholeNumber } from './quantity.ts';
import { retryDelayMs } from './retryDelay.ts';
import { type RunStates, runMap, runParallel } from './runFanOut.ts';
import { runTask } from './runTask.ts';
import { attributed, matchesError, StateFailure } from './stateFailure.ts';
import type { StateFrame } from './stateFrame.ts';

/** Runs a state to its end: work that fails is tried again as Retry says, then handed to Catch. */
export async function runWaiting(
  branch: Branch,
  state: WaitingState,
  frame: StateFrame,
  enteredEventId: number,
  runStates: RunStates,
): Promise<Leaving> {
  let used: Map<Retrier, number> | undefined;
  for (;;) {
    try {
      if (state.type === 'Wait') await waitAsAsked(branch, state, frame);
      else frame.result = await work(branch, state, frame, runStates);
      const passedOn = state.type === 'Wait' ? frame.input : (frame.result as Json);
      const leaving = leave(branch, state, state.exit, frame, passedOn);
      return leaving instanceof Promise ? await leaving : leaving;
    } catch (thrown) {
      const failure = placed(branch, state, enteredEventId, thrown);
      if (!(failure instanceof StateFailure) || state.type === 'Wait') throw failure;
      const retrier = state.retry.find(({ errorEquals }) => matchesError(errorEquals, failure));
      used ??= new Map();
      const times = retrier === undefined ? 0 : (used.get(retrier) ?? 0);
      if (retrier === undefined || times >= retrier.maxAttempts) {
        return catchFailure(branch, state, frame, failure, enteredEventId);
      }
      used.set(retrier, times + 1);
      frame.retryCount += 1;
      frame.result = undefined;
      await branch.sleep(retryDelayMs(retrier, times, branch.execution.chance.random));
    }
  }
}

function work(branch: Branch, state: WorkState, frame: StateFrame, runStates: RunStates): Promise<Json> {
  switch (state.type) {
    case 'Task':
      return runTask(branch, state, frame);
    case 'Parallel':
      return runParallel(branch, state, frame, runStates);
    case 'Map':
      return runMap(branch, state, frame, runStates);
  }
}

function waitAsAsked(branch: Branch, state: WaitState, frame: StateFrame): Eventually<void> {
  if (state.seconds !== undefined) {
    return whenKnown(branch, wholeNumber(state.seconds, frame, 0), (seconds) => branch.sleep(seconds * 1000));
  }
  return whenKnown(branch, timestampMs(state.timestampMs ?? 0, frame), (until) =>
    branch.sleep(Math.max(0, until - branch.execution.clock.now())),
  );
}

async function catchFailure(
  branch: Branch,
  state: WorkState,
  frame: StateFrame,
  failure: StateFailure,
  enteredEventId: number,
): Promise<Leaving> {
  const before = branch.lastEventId;
  publishStateFailed(branch, state, failure);
  const catcher = state.catch.find(({ errorEquals }) => matchesError(errorEquals, failure));
  if (catcher === undefined) {
    // AWS records this beside the TaskFailed of a task that ends its branch.
    if (branch.nested && state.type === 'Task' && failure.error !== 'States.Runtime') {
      branch.publishAside('TaskStateAborted');
    }
    throw failure;
  }
  frame.result = undefined;
  frame.errorOutput = failure.errorOutput;
  try {
    return await leave(branch, state, catcher.exit, frame, failure.errorOutput);
  } catch (thrown) {
    if (!(thrown instanceof StateFailure)) throw thrown;
    // The catcher's own failure: no later catcher sees it, and it is recorded in place of the first.
    const own = attributed(thrown, state.name, enteredEventId);
    branch.lastEventId = before;
    publishEvaluation(branch, state, own);
    publishStateFailed(branch, state, own);
    throw own;
  }
}

function publishStateFailed(branch: Branch, state: WorkState, failure: StateFailure): void {
  if (state.type === 'Task' || failure.error === 'States.Runtime') return;
  branch.publish(`${state.type}StateFailed`);
}
