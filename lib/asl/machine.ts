/** A state machine after loading: every expression compiled, every transition known to lead somewhere. */
import type { Expression } from './expression.ts';
import type { Template } from './template.ts';

export type Machine = {
  readonly root: StateScope;
  /** How long an execution may run; undefined for ever. */
  readonly timeoutSeconds: number | undefined;
};

/** The states of the machine, of a branch, or of an item processor. */
export type StateScope = {
  readonly startAt: string;
  readonly states: ReadonlyMap<string, State>;
};

export type State = PassState | WaitState | ChoiceState | SucceedState | FailState | WorkState;
/** The states that can be retried and caught. */
export type WorkState = TaskState | ParallelState | MapState;
/** The states that take time. */
export type WaitingState = WaitState | WorkState;

/** What happens on the way out; without `output` the state passes on what its kind passes on. */
export type Exit = {
  /** Null ends the scope. */
  readonly next: string | null;
  readonly assign: Template | undefined;
  readonly output: Template | undefined;
};

/** A count given in the definition, or worked out when the state runs. */
export type Quantity = number | Expression;

type Common<Type extends string> = { readonly type: Type; readonly name: string };
type Recovery = { readonly retry: readonly Retrier[]; readonly catch: readonly Catcher[] };

export type PassState = Common<'Pass'> & { readonly exit: Exit };
export type SucceedState = Common<'Succeed'> & { readonly exit: Exit };
export type WaitState = Common<'Wait'> & {
  readonly exit: Exit;
  /** Exactly one of the two is given. A timestamp given as text is already milliseconds since the epoch. */
  readonly seconds: Quantity | undefined;
  readonly timestampMs: Quantity | undefined;
};
export type ChoiceState = Common<'Choice'> & {
  readonly choices: readonly { readonly condition: boolean | Expression; readonly exit: Exit }[];
  readonly default: Exit | undefined;
};
export type FailState = Common<'Fail'> & {
  readonly error: string | Expression | undefined;
  readonly cause: string | Expression | undefined;
};
export type TaskState = Common<'Task'> &
  Recovery & {
    readonly exit: Exit;
    readonly resource: TaskResource;
    readonly arguments: Template | undefined;
    readonly timeoutSeconds: Quantity | undefined;
    readonly heartbeatSeconds: Quantity | undefined;
  };
export type ParallelState = Common<'Parallel'> &
  Recovery & {
    readonly exit: Exit;
    readonly arguments: Template | undefined;
    readonly branches: readonly StateScope[];
  };
export type MapState = Common<'Map'> &
  Recovery & {
    readonly exit: Exit;
    /** Undefined for the state's own input. */
    readonly items: Template | undefined;
    readonly itemSelector: Template | undefined;
    readonly maxConcurrency: Quantity;
    readonly processor: StateScope;
  };

/** `arn:aws:states:::lambda:invoke.waitForTaskToken`, taken apart. */
export type TaskResource = {
  readonly arn: string;
  /** `lambda`, `states`, `sqs`, …; for `aws-sdk:dynamodb:putItem` it is `dynamodb`. */
  readonly service: string;
  /** `invoke`, `startExecution`, `putItem`, … */
  readonly action: string;
  readonly awsSdk: boolean;
  readonly waitForTaskToken: boolean;
  /** As the history names it: `aws-sdk:dynamodb`, `invoke.waitForTaskToken`. */
  readonly named: { readonly resourceType: string; readonly resource: string };
};

export type Retrier = {
  readonly errorEquals: readonly string[];
  readonly intervalSeconds: number;
  readonly maxAttempts: number;
  readonly backoffRate: number;
  readonly maxDelaySeconds: number | undefined;
  readonly fullJitter: boolean;
};

export type Catcher = { readonly errorEquals: readonly string[]; readonly exit: Exit };
