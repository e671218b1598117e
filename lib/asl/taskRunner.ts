/**
 * What the interpreter needs from outside: somebody who makes the calls of Task states. The interpreter
 * itself does timeouts, retries, tokens and history.
 */
import type { Eventually } from './expression.ts';
import { copyJson, isObject, type Json, NotJson } from './json.ts';
import type { TaskResource } from './machine.ts';
import { StateFailure } from './stateFailure.ts';

export type TaskCall = {
  readonly resource: TaskResource;
  /** The evaluated `Arguments`, shared with the execution: whoever might change them is given a copy. */
  readonly arguments: Json;
  readonly stateName: string;
  readonly executionArn: string;
  /** Set for `.waitForTaskToken`; the arguments carry it wherever the definition put it. */
  readonly taskToken: string | undefined;
};

/**
 * Makes one call and answers what Step Functions would have as `$states.result` (for `lambda:invoke` an
 * object with `Payload`). The answer is the execution's from then on: `taskResult` copies what is not.
 * Throws `TaskError` for an error with a name and a cause; any other error is reported by its `name`, as
 * Lambda reports what a function throws. A call is never cancelled: after a timeout its answer is dropped,
 * as in AWS.
 */
export type TaskRunner = (call: TaskCall) => Eventually<Json>;

/** A task's error as `ErrorEquals` sees it, e.g. `Lambda.TooManyRequestsException`. */
export class TaskError extends Error {
  override readonly name: string;
  override readonly cause: string | undefined;

  constructor(name: string, cause?: string) {
    super(cause ?? name);
    this.name = name;
    this.cause = cause;
  }
}

/** The failure of a task whose runner threw `error`. */
export function taskFailure(error: unknown): StateFailure {
  if (error instanceof StateFailure) return error;
  if (error instanceof TaskError) return new StateFailure(error.name, error.cause, { cause: error });
  const { errorType, ...rest } = lambdaError(error);
  return new StateFailure(errorType, JSON.stringify({ errorType, ...rest }), { cause: error });
}

/** What the Node.js runtime of Lambda answers for a thrown `error`. */
function lambdaError(error: unknown): { errorType: string; errorMessage: string; trace: string[] } {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: error.stack?.split('\n') ?? [] };
}

/** A function by the name that a machine calls it by: a payload of its own in, answer out. */
export type InvokeFunction = (functionName: string, payload: Json, call: TaskCall) => unknown;

/** A runner for `lambda:invoke`; every other call goes to `otherwise`, or fails. */
export function lambdaRunner(invoke: InvokeFunction, otherwise?: TaskRunner): TaskRunner {
  return (call) => {
    const { resource, arguments: given } = call;
    if (resource.service !== 'lambda' || resource.action !== 'invoke') {
      if (otherwise !== undefined) return otherwise(call);
      throw new TaskError('States.Runtime', `nobody runs ${resource.arn}`);
    }
    const { FunctionName, Payload } = isObject(given) ? (given as Record<string, Json>) : {};
    const answer = invoke(String(FunctionName), copyJson(Payload ?? {}), call);
    return answer instanceof Promise ? answer.then(invoked) : invoked(answer);
  };
}

const invoked = (payload: unknown) => ({
  ExecutedVersion: '$LATEST',
  Payload: taskResult(payload),
  StatusCode: 200,
});

/** A task's answer as a value of its own; an answer that is no JSON is the failure Lambda reports for it. */
export function taskResult(answer: unknown): Json {
  try {
    return copyJson(answer);
  } catch (error) {
    if (!(error instanceof NotJson)) throw error;
    throw new StateFailure('Runtime.MarshalError', `Unable to stringify response body: ${error.message}`);
  }
}
