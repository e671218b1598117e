/** From state to state: enter, work, retry, catch, assign, leave. */
import type { Branch } from './branch.ts';
import { wrongType } from './expression.ts';
import { isLargerThan, type Json, type JsonObject, PAYLOAD_BYTES_MAX } from './json.ts';
import type { ChoiceState, Exit, FailState, State, WaitState, WorkState } from './machine.ts';
import { timestampMs, wholeNumber } from './quantity.ts';
import { retryDelayMs } from './retryDelay.ts';
import { runMap, runParallel } from './runFanOut.ts';
import { runTask } from './runTask.ts';
import { attributed, matchesError, runtimeFailure, StateFailure, sizeFailure } from './stateFailure.ts';
import { StateFrame } from './stateFrame.ts';

/** How a state was left. */
type Leaving = { readonly next: string | null; readonly output: Json; readonly assigned: Json | undefined };

/** Runs the branch's states from its start; answers its output, or throws the StateFailure that ended it. */
export async function runStates(branch: Branch, input: Json): Promise<Json> {
  let name = branch.scope.startAt;
  let data = input;
  for (;;) {
    const state = branch.scope.states.get(name) as State; // loading has followed every transition
    const { next, output } = await runState(branch, state, data);
    if (next === null) return output;
    name = next;
    data = output;
  }
}

async function runState(branch: Branch, state: State, input: Json): Promise<Leaving> {
  const { type, name } = state;
  branch.state = state;
  const enteredEventId = branch.publish(`${type}StateEntered`, { name, input });
  const frame = new StateFrame(branch, name, input);
  const leaving =
    type === 'Task' || type === 'Parallel' || type === 'Map'
      ? await recover(branch, state, frame, enteredEventId)
      : await attempt(branch, state, frame, enteredEventId);
  const { output, assigned } = leaving;
  if (assigned !== undefined) Object.assign(branch.variables, assigned as JsonObject);
  const variables = assigned === undefined ? {} : { assignedVariables: assigned };
  if (type !== 'Fail') branch.publish(`${type}StateExited`, { name, output, ...variables });
  return leaving;
}

/** One attempt; its failure says where it happened, and a failed expression is recorded. */
async function attempt(
  branch: Branch,
  state: State,
  frame: StateFrame,
  enteredEventId: number,
): Promise<Leaving> {
  try {
    return await work(branch, state, frame);
  } catch (thrown) {
    if (!(thrown instanceof StateFailure)) throw thrown;
    const failure = attributed(thrown, state.name, enteredEventId);
    if (failure !== thrown) publishEvaluation(branch, state, failure);
    throw failure;
  }
}

function publishEvaluation(branch: Branch, state: State, failure: StateFailure): void {
  const { error, reason, location } = failure;
  if (location === undefined) return;
  branch.publish('EvaluationFailed', {
    error: error ?? '',
    cause: reason ?? '',
    location,
    state: state.name,
  });
}

async function work(branch: Branch, state: State, frame: StateFrame): Promise<Leaving> {
  switch (state.type) {
    case 'Pass':
    case 'Succeed':
      return leave(branch, state, state.exit, frame, frame.input);
    case 'Wait':
      await waitAsAsked(branch, state, frame);
      return leave(branch, state, state.exit, frame, frame.input);
    case 'Choice':
      return choose(branch, state, frame);
    case 'Fail':
      throw await failureOf(branch, state, frame);
    case 'Task':
      frame.result = await runTask(branch, state, frame);
      break;
    case 'Parallel':
      frame.result = await runParallel(branch, state, frame, runStates);
      break;
    case 'Map':
      frame.result = await runMap(branch, state, frame, runStates);
      break;
  }
  return leave(branch, state, state.exit, frame, frame.result);
}

/** Evaluates what the exit assigns and puts out; both still see the variables as they were on entry. */
async function leave(
  branch: Branch,
  state: State,
  exit: Exit,
  frame: StateFrame,
  passedOn: Json,
): Promise<Leaving> {
  const assigned = exit.assign?.evaluate(frame);
  const variables = assigned instanceof Promise ? await branch.unlessCancelled(assigned) : assigned;
  const evaluated = exit.output === undefined ? passedOn : exit.output.evaluate(frame);
  const output = evaluated instanceof Promise ? await branch.unlessCancelled(evaluated) : evaluated;
  if (isLargerThan(output, PAYLOAD_BYTES_MAX)) throw sizeFailure(state.name);
  if (variables !== undefined && isLargerThan(variables, PAYLOAD_BYTES_MAX)) throw sizeFailure(state.name);
  return { next: exit.next, output, assigned: variables };
}

async function waitAsAsked(branch: Branch, state: WaitState, frame: StateFrame): Promise<void> {
  if (state.seconds !== undefined) {
    const seconds = wholeNumber(state.seconds, frame, 0);
    const known = seconds instanceof Promise ? await branch.unlessCancelled(seconds) : seconds;
    return branch.sleep(known * 1000);
  }
  const until = timestampMs(state.timestampMs ?? 0, frame);
  const known = until instanceof Promise ? await branch.unlessCancelled(until) : until;
  return branch.sleep(Math.max(0, known - branch.execution.clock.now()));
}

async function choose(branch: Branch, state: ChoiceState, frame: StateFrame): Promise<Leaving> {
  for (const { condition, exit } of state.choices) {
    if (typeof condition === 'boolean') {
      if (condition) return leave(branch, state, exit, frame, frame.input);
      continue;
    }
    const answer = condition.evaluate(frame);
    const truth = answer instanceof Promise ? await branch.unlessCancelled(answer) : answer;
    if (typeof truth !== 'boolean') throw wrongType(condition, 'boolean', truth);
    if (truth) return leave(branch, state, exit, frame, frame.input);
  }
  if (state.default === undefined) {
    throw runtimeFailure('Failed to transition out of the state. The state does not point to a next state.');
  }
  return leave(branch, state, state.default, frame, frame.input);
}

async function failureOf(branch: Branch, state: FailState, frame: StateFrame): Promise<StateFailure> {
  const text = async (value: FailState['error']) => {
    if (value === undefined || typeof value === 'string') return value;
    const answer = value.evaluate(frame);
    const known = answer instanceof Promise ? await branch.unlessCancelled(answer) : answer;
    if (typeof known !== 'string') throw wrongType(value, 'string', known);
    return known;
  };
  return new StateFailure(await text(state.error), await text(state.cause));
}

/** A state that may fail: tried again as Retry says, then handed to Catch. */
async function recover(
  branch: Branch,
  state: WorkState,
  frame: StateFrame,
  enteredEventId: number,
): Promise<Leaving> {
  const used = new Map<unknown, number>();
  for (;;) {
    try {
      return await attempt(branch, state, frame, enteredEventId);
    } catch (thrown) {
      if (!(thrown instanceof StateFailure)) throw thrown;
      const retrier = state.retry.find(({ errorEquals }) => matchesError(errorEquals, thrown));
      const times = used.get(retrier) ?? 0;
      if (retrier === undefined || times >= retrier.maxAttempts) {
        return catchFailure(branch, state, frame, thrown, enteredEventId);
      }
      used.set(retrier, times + 1);
      frame.retryCount += 1;
      frame.result = undefined;
      await branch.sleep(retryDelayMs(retrier, times, branch.execution.chance.random));
    }
  }
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
