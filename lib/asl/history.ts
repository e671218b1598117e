/**
 * What an execution has done, as GetExecutionHistory tells it: event types, order, and `previousEventId`,
 * which links the events of one branch. Inputs and outputs are JSON values here, where the service's API has
 * text; the names of the details are the service's own.
 */
import type { Json } from './json.ts';

/**
 * Step Functions ends an execution at this many events. The count includes the ExecutionFailed that says so:
 * the last event the machine itself causes is number 24 999.
 */
export const HISTORY_EVENTS_MAX = 25_000;

type StateType = 'Pass' | 'Wait' | 'Choice' | 'Succeed' | 'Fail' | 'Task' | 'Parallel' | 'Map';

export type HistoryEventType =
  | `Execution${'Started' | 'Succeeded' | 'Failed' | 'TimedOut' | 'Aborted'}`
  | `${StateType}StateEntered`
  | `${Exclude<StateType, 'Fail'>}StateExited`
  | `${'Task' | 'Wait' | 'Parallel' | 'Map'}StateAborted`
  | `Task${'Scheduled' | 'Started' | 'Submitted' | 'Succeeded' | 'Failed' | 'TimedOut'}`
  | `${'Parallel' | 'Map'}State${'Started' | 'Succeeded' | 'Failed'}`
  | `MapIteration${'Started' | 'Succeeded' | 'Failed' | 'Aborted'}`
  | 'EvaluationFailed';

/** The event of a state that is entered, by the state's type. */
export const entered = {
  Pass: 'PassStateEntered',
  Wait: 'WaitStateEntered',
  Choice: 'ChoiceStateEntered',
  Succeed: 'SucceedStateEntered',
  Fail: 'FailStateEntered',
  Task: 'TaskStateEntered',
  Parallel: 'ParallelStateEntered',
  Map: 'MapStateEntered',
} as const satisfies { readonly [Type in StateType]: `${Type}StateEntered` };

/** The event of a state that is left; a Fail state never is. */
export const exited = {
  Pass: 'PassStateExited',
  Wait: 'WaitStateExited',
  Choice: 'ChoiceStateExited',
  Succeed: 'SucceedStateExited',
  Task: 'TaskStateExited',
  Parallel: 'ParallelStateExited',
  Map: 'MapStateExited',
} as const satisfies { readonly [Type in Exclude<StateType, 'Fail'>]: `${Type}StateExited` };

export type HistoryDetails = {
  readonly roleArn?: string;
  readonly name?: string;
  readonly input?: Json;
  readonly output?: Json;
  readonly assignedVariables?: Json;
  readonly error?: string;
  readonly cause?: string;
  /** Of an EvaluationFailed: the field, and the state it belongs to. */
  readonly location?: string;
  readonly state?: string;
  /** Of a Map: how many items it has, and which one this is about. */
  readonly length?: number;
  readonly index?: number;
  /** Of a task: `lambda`, `aws-sdk:ecs`, …, and `invoke`, `sendMessage.waitForTaskToken`, … */
  readonly resourceType?: string;
  readonly resource?: string;
  readonly parameters?: Json;
  readonly timeoutInSeconds?: number;
  readonly heartbeatInSeconds?: number;
};

export type HistoryEvent = {
  /** 1, 2, 3, … without gaps. */
  readonly id: number;
  /** The event before it in the same branch; 0 for the first. */
  readonly previousEventId: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly type: HistoryEventType;
  readonly details: HistoryDetails | undefined;
};
