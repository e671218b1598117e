/**
 * From state to state: enter, work, assign, leave. A state that waits for nothing is passed without a
 * promise: a machine makes several such steps between two waits.
 */
import type { Branch } from './branch.ts';
import { type Eventually, type Expression, wrongType } from './expression.ts';
import { entered, exited } from './history.ts';
import type { Json, JsonObject } from './json.ts';
import { type Leaving, leave, placed, whenKnown } from './leave.ts';
import type { ChoiceState, FailState, State, WaitingState } from './machine.ts';
import { runWaiting } from './runWaiting.ts';
import { runtimeFailure, StateFailure } from './stateFailure.ts';
import { StateFrame } from './stateFrame.ts';

/** Runs the branch's states from its start; answers its output, or throws the StateFailure that ended it. */
export async function runStates(branch: Branch, input: Json): Promise<Json> {
  let name = branch.scope.startAt;
  let data = input;
  for (;;) {
    const state = branch.scope.states.get(name) as State; // loading has followed every transition
    const { type } = state;
    branch.state = state;
    const enteredEventId = branch.publish(entered[type], { name, input: data });
    const frame = new StateFrame(branch, name, data);
    const left = waits(state)
      ? runWaiting(branch, state, frame, enteredEventId, runStates)
      : runAtOnce(branch, state, frame, enteredEventId);
    const { next, output, assigned } = left instanceof Promise ? await left : left;
    if (assigned !== undefined) Object.assign(branch.variables, assigned as JsonObject);
    if (type !== 'Fail') {
      branch.publish(
        exited[type],
        assigned === undefined ? { name, output } : { name, output, assignedVariables: assigned },
      );
    }
    if (next === null) return output;
    if (branch.nested) await undefined; // branches that run side by side take turns
    name = next;
    data = output;
  }
}

function waits(state: State): state is WaitingState {
  const { type } = state;
  return type === 'Wait' || type === 'Task' || type === 'Parallel' || type === 'Map';
}

type SteppingState = Exclude<State, WaitingState>;

/** A state that takes no time. Only an expression that jsonata has to answer makes it a promise. */
function runAtOnce(
  branch: Branch,
  state: SteppingState,
  frame: StateFrame,
  enteredEventId: number,
): Eventually<Leaving> {
  try {
    const left = step(branch, state, frame);
    if (!(left instanceof Promise)) return left;
    return left.catch((thrown) => {
      throw placed(branch, state, enteredEventId, thrown);
    });
  } catch (thrown) {
    throw placed(branch, state, enteredEventId, thrown);
  }
}

function step(branch: Branch, state: SteppingState, frame: StateFrame): Eventually<Leaving> {
  switch (state.type) {
    case 'Pass':
    case 'Succeed':
      return leave(branch, state, state.exit, frame, frame.input);
    case 'Choice':
      return choose(branch, state, frame);
    case 'Fail':
      return fail(branch, state, frame);
  }
}

/** @param from the first rule that is still to be asked */
function choose(branch: Branch, state: ChoiceState, frame: StateFrame, from = 0): Eventually<Leaving> {
  const { choices } = state;
  for (let at = from; at < choices.length; at++) {
    const { condition, exit } = choices[at] as ChoiceState['choices'][number];
    const answer = typeof condition === 'boolean' ? condition : condition.evaluate(frame);
    if (answer instanceof Promise) {
      return branch
        .unlessCancelled(answer)
        .then((truth) =>
          holds(condition, truth)
            ? leave(branch, state, exit, frame, frame.input)
            : choose(branch, state, frame, at + 1),
        );
    }
    if (holds(condition, answer)) return leave(branch, state, exit, frame, frame.input);
  }
  if (state.default === undefined) {
    throw runtimeFailure('Failed to transition out of the state. The state does not point to a next state.');
  }
  return leave(branch, state, state.default, frame, frame.input);
}

function holds(condition: boolean | Expression, truth: Json): boolean {
  if (typeof truth === 'boolean') return truth;
  throw wrongType(condition as Expression, 'boolean', truth);
}

function fail(branch: Branch, state: FailState, frame: StateFrame): Eventually<never> {
  return whenKnown(branch, textOf(branch, state.error, frame), (error) =>
    whenKnown(branch, textOf(branch, state.cause, frame), (cause) => {
      throw new StateFailure(error, cause);
    }),
  );
}

function textOf(branch: Branch, text: FailState['error'], frame: StateFrame): Eventually<string | undefined> {
  if (text === undefined || typeof text === 'string') return text;
  return whenKnown(branch, text.evaluate(frame), (known) => {
    if (typeof known !== 'string') throw wrongType(text, 'string', known);
    return known;
  });
}
