/** A Task state's work: one call, its timeouts, and for `.waitForTaskToken` the wait for whoever answers. */
import type { Branch } from './branch.ts';
import type { HistoryDetails } from './history.ts';
import type { Json } from './json.ts';
import type { TaskResource, TaskState } from './machine.ts';
import { wholeNumber } from './quantity.ts';
import { heartbeatFailure, StateFailure, sizeFailure, timeoutFailure } from './stateFailure.ts';
import type { StateFrame } from './stateFrame.ts';
import { type TaskCall, taskFailure } from './taskRunner.ts';

type Seconds = number | undefined;
type Names = TaskResource['named'];

/** Makes the call and answers its result; throws the StateFailure it ended with. */
export async function runTask(branch: Branch, state: TaskState, frame: StateFrame): Promise<Json> {
  const { resource, name } = state;
  frame.taskToken = resource.waitForTaskToken ? branch.execution.chance.uuid() : undefined;
  const evaluated = state.arguments === undefined ? frame.input : state.arguments.evaluate(frame);
  const given = evaluated instanceof Promise ? await branch.unlessCancelled(evaluated) : evaluated;
  const timeout = secondsOf(branch, state.timeoutSeconds, frame);
  const timeoutSeconds = timeout instanceof Promise ? await timeout : timeout;
  const heartbeat = secondsOf(branch, state.heartbeatSeconds, frame);
  const heartbeatSeconds = heartbeat instanceof Promise ? await heartbeat : heartbeat;
  if (!branch.fits(given)) throw sizeFailure(name);

  const names = resource.named;
  branch.publish('TaskScheduled', scheduled(names, given, timeoutSeconds, heartbeatSeconds));
  branch.publish('TaskStarted', names);
  const { arn } = branch.execution;
  const call: TaskCall = {
    resource,
    arguments: given,
    stateName: name,
    executionArn: arn,
    taskToken: frame.taskToken,
  };
  try {
    const answer = resource.waitForTaskToken
      ? awaitToken(branch, call, names, timeoutSeconds, heartbeatSeconds)
      : request(branch, call, timeoutSeconds);
    const output = answer instanceof Promise ? await answer : answer;
    if (!branch.fits(output)) throw sizeFailure(names.resourceType);
    const { resourceType, resource: called } = names;
    branch.publish('TaskSucceeded', { resourceType, resource: called, output });
    return output;
  } catch (thrown) {
    if (thrown instanceof StateFailure) publishFailure(branch, names, thrown);
    throw thrown;
  }
}

function scheduled(names: Names, given: Json, timeout: Seconds, heartbeat: Seconds): HistoryDetails {
  const { resourceType, resource } = names;
  const details: { -readonly [Name in keyof HistoryDetails]: HistoryDetails[Name] } = {
    resourceType,
    resource,
    parameters: given,
  };
  if (timeout !== undefined) details.timeoutInSeconds = timeout;
  if (heartbeat !== undefined) details.heartbeatInSeconds = heartbeat;
  return details;
}

function secondsOf(
  branch: Branch,
  quantity: TaskState['timeoutSeconds'],
  frame: StateFrame,
): Seconds | Promise<Seconds> {
  if (quantity === undefined) return undefined;
  const seconds = wholeNumber(quantity, frame, 1);
  return seconds instanceof Promise ? branch.unlessCancelled(seconds) : seconds;
}

function publishFailure(branch: Branch, names: Names, failure: StateFailure): void {
  const { error, reason: cause } = failure;
  const timedOut = error === 'States.Timeout' && cause === undefined;
  branch.publish(timedOut ? 'TaskTimedOut' : 'TaskFailed', {
    ...names,
    ...(error === undefined ? {} : { error }),
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Request and response: the call's own answer is the result. */
function request(branch: Branch, call: TaskCall, timeoutSeconds: Seconds): Json | Promise<Json> {
  const { clock, tasks } = branch.execution;
  try {
    const answer = tasks(call);
    if (!(answer instanceof Promise)) return answer;
    return branch.wait((resolve, reject) => {
      answer.then(resolve, (error) => reject(taskFailure(error)));
      if (timeoutSeconds === undefined) return () => undefined;
      return clock.schedule(timeoutSeconds * 1000, () => reject(timeoutFailure()));
    });
  } catch (error) {
    throw taskFailure(error);
  }
}

/** The call hands on a token; the result is what comes back with it. */
function awaitToken(
  branch: Branch,
  call: TaskCall,
  names: Names,
  timeoutSeconds: Seconds,
  heartbeatSeconds: Seconds,
): Promise<Json> {
  const { clock, tasks, tokens } = branch.execution;
  const token = call.taskToken as string;
  return branch.wait((resolve, reject) => {
    let ended = false;
    let cancelHeartbeat = () => {};
    const beat = () => {
      cancelHeartbeat();
      if (heartbeatSeconds === undefined) return;
      cancelHeartbeat = clock.schedule(heartbeatSeconds * 1000, () => reject(heartbeatFailure()));
    };
    const cancelTimeout =
      timeoutSeconds === undefined
        ? () => {}
        : clock.schedule(timeoutSeconds * 1000, () => reject(timeoutFailure()));
    const submit = async () => {
      const output = await tasks(call);
      if (!ended) branch.publish('TaskSubmitted', { ...names, output });
    };
    beat();
    tokens.open(token, {
      succeed: resolve,
      fail: (error, cause) => reject(new StateFailure(error, cause)),
      heartbeat: beat,
    });
    submit().catch((error) => reject(taskFailure(error)));
    return () => {
      ended = true;
      cancelTimeout();
      cancelHeartbeat();
      tokens.close(token);
    };
  });
}
