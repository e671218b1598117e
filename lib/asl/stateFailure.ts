/**
 * How a state fails: an error name and a cause, the two strings that Retry and Catch see. Names and
 * causes are those of Step Functions ("Handling errors in Step Functions workflows").
 */

export class StateFailure extends Error {
  override readonly name = 'StateFailure';
  /** The error name that `ErrorEquals` is compared with; a Fail state may leave it out. */
  readonly error: string | undefined;
  /** Undefined when there is none: a timeout has no cause. */
  readonly reason: string | undefined;
  /** A second name the same failure answers to: a missed heartbeat is reported as a timeout. */
  readonly alias: string | undefined;
  /** The field whose expression failed, e.g. `Output/v`; only for States.QueryEvaluationError. */
  readonly location: string | undefined;

  constructor(
    error: string | undefined,
    reason: string | undefined,
    more: { alias?: string; location?: string; cause?: unknown } = {},
  ) {
    super(`${error ?? 'failed'}${reason ? `: ${reason}` : ''}`, { cause: more.cause });
    this.error = error;
    this.reason = reason;
    this.alias = more.alias;
    this.location = more.location;
  }

  /** What `$states.errorOutput` holds: a missing error or cause reads as an empty string. */
  get errorOutput(): { readonly Error: string; readonly Cause: string } {
    return { Error: this.error ?? '', Cause: this.reason ?? '' };
  }
}

export const queryFailure = (reason: string, location: string, cause?: unknown) =>
  new StateFailure('States.QueryEvaluationError', reason, { location, cause });

export const runtimeFailure = (reason: string) => new StateFailure('States.Runtime', reason);

export const timeoutFailure = () => new StateFailure('States.Timeout', undefined);

export const heartbeatFailure = () =>
  new StateFailure('States.Timeout', undefined, { alias: 'States.HeartbeatTimeout' });

/** `what` is the state's name or the task's resource type. */
export const sizeFailure = (what: string) =>
  new StateFailure(
    'States.DataLimitExceeded',
    `The state/task '${what}' returned a result with a size exceeding the maximum number of bytes ` +
      'service limit.',
  );

/**
 * True when one of the names in `ErrorEquals` matches. States.Runtime always ends the execution;
 * States.DataLimitExceeded only answers to its own name; States.TaskFailed stands for every known error
 * but States.Timeout.
 */
export function matchesError(errorEquals: readonly string[], failure: StateFailure): boolean {
  if (failure.error === 'States.Runtime') return false;
  return errorEquals.some((name) => {
    if (name === failure.error || name === failure.alias) return true;
    if (failure.error === 'States.DataLimitExceeded') return false;
    if (name === 'States.ALL') return true;
    return name === 'States.TaskFailed' && failure.error !== 'States.Timeout';
  });
}

const WHERE = 'An error occurred while executing the state ';

/** The failure as seen from outside its state: AWS says where an expression or the runtime gave up. */
export function attributed(failure: StateFailure, stateName: string, enteredEventId: number): StateFailure {
  const entered = `(entered at the event id #${enteredEventId})`;
  const where = `${WHERE}'${stateName}' ${entered}. `;
  if (failure.error !== 'States.QueryEvaluationError' && failure.error !== 'States.Runtime') return failure;
  if (failure.reason?.startsWith(WHERE)) return failure;
  return new StateFailure(failure.error, where + (failure.reason ?? ''), {
    ...(failure.location === undefined ? {} : { location: failure.location }),
    cause: failure.cause,
  });
}
