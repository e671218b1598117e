/** One execution of a machine: how it is started, followed, stopped and answered. */
import { randomUUID } from 'node:crypto';
import { Branch } from './branch.ts';
import type { Chance } from './chance.ts';
import type { Clock } from './clock.ts';
import { type ExecutionCore, Halted } from './executionCore.ts';
import {
  HISTORY_EVENTS_MAX,
  type HistoryDetails,
  type HistoryEvent,
  type HistoryEventType,
} from './history.ts';
import { copyJson, type Json } from './json.ts';
import type { Machine } from './machine.ts';
import { runStates } from './runStates.ts';
import { StateFailure } from './stateFailure.ts';
import type { TaskRunner } from './taskRunner.ts';
import { TaskTokens } from './taskTokens.ts';

export type ExecutionResult =
  | { readonly status: 'SUCCEEDED'; readonly output: Json }
  | { readonly status: 'FAILED'; readonly error: string | undefined; readonly cause: string | undefined }
  | { readonly status: 'ABORTED'; readonly error: string | undefined; readonly cause: string | undefined }
  | { readonly status: 'TIMED_OUT' };

export type ExecutionOptions = {
  readonly input?: unknown;
  /** Default: a new UUID. */
  readonly name?: string;
  readonly clock: Clock;
  readonly tasks: TaskRunner;
  /** Uniform in [0, 1); for jitter and `$random()`. */
  readonly random?: () => number;
  readonly uuid?: () => string;
  /** Called for every event as it happens. */
  readonly onHistory?: (event: HistoryEvent) => void;
  /** Default true; where nobody will read the history, its events are only counted. */
  readonly keepsHistory?: boolean;
  /** Shared by executions whose tokens are answered in one place; default: of this execution alone. */
  readonly tokens?: TaskTokens;
  /** What `$states.context` and the first event say of the execution. */
  readonly executionArn?: string;
  readonly stateMachineArn?: string;
  readonly stateMachineName?: string;
  readonly roleArn?: string;
};

export type Execution = {
  readonly name: string;
  readonly arn: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Resolves when the execution has ended, however it did; rejects only for a bug of the interpreter. */
  readonly done: Promise<ExecutionResult>;
  /** Undefined while it runs. */
  readonly result: ExecutionResult | undefined;
  /** Empty where it is not kept. */
  readonly history: readonly HistoryEvent[];
  readonly tokens: TaskTokens;
  /** StopExecution: the execution is ABORTED at once, and no state learns of it. False when it had ended. */
  stop(error?: string, cause?: string): boolean;
};

/**
 * Starts `machine`. Its first state is entered once the caller has yielded, so that nothing is missed by
 * whoever holds the returned execution.
 */
export function startExecution(machine: Machine, options: ExecutionOptions): Execution {
  const run = new Run(machine, options);
  void run.start();
  return run;
}

/** The execution itself, as its caller and as its branches see it. */
class Run implements Execution, ExecutionCore {
  readonly name: string;
  readonly arn: string;
  readonly startedAt: number;
  readonly done: Promise<ExecutionResult>;
  readonly history: HistoryEvent[] = [];
  readonly tokens: TaskTokens;
  readonly clock: Clock;
  readonly tasks: TaskRunner;
  readonly chance: Chance;
  readonly input: Json;
  readonly context: ExecutionCore['context'];
  result: ExecutionResult | undefined;
  /** How many there have been, which is also the last one's id. */
  #events = 0;
  readonly #machine: Machine;
  readonly #keepsHistory: boolean;
  readonly #onHistory: ((event: HistoryEvent) => void) | undefined;
  readonly #root: Branch;
  readonly #roleArn: string | undefined;
  #settle!: { resolve(result: ExecutionResult): void; reject(bug: unknown): void };
  #cancelTimeout: (() => void) | undefined;

  constructor(machine: Machine, options: ExecutionOptions) {
    this.#machine = machine;
    this.#keepsHistory = options.keepsHistory ?? true;
    this.#onHistory = options.onHistory;
    this.#roleArn = options.roleArn;
    this.clock = options.clock;
    this.tasks = options.tasks;
    this.chance = { random: options.random ?? Math.random, uuid: options.uuid ?? randomUUID };
    this.name = options.name ?? this.chance.uuid();
    this.arn = options.executionArn ?? this.name;
    this.tokens = options.tokens ?? new TaskTokens();
    this.startedAt = this.clock.now();
    this.input = copyJson(options.input ?? {});
    this.context = {
      Execution: {
        Id: this.arn,
        Input: this.input,
        Name: this.name,
        ...(options.roleArn === undefined ? {} : { RoleArn: options.roleArn }),
        StartTime: new Date(this.startedAt).toISOString(),
        RedriveCount: 0,
      },
      StateMachine: { Id: options.stateMachineArn ?? '', Name: options.stateMachineName ?? '' },
    };
    this.#root = new Branch(this, machine.root, undefined);
    this.done = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }

  async start(): Promise<void> {
    const role = this.#roleArn === undefined ? {} : { roleArn: this.#roleArn };
    this.publish('ExecutionStarted', 0, { input: this.input, ...role });
    const { timeoutSeconds } = this.#machine;
    if (timeoutSeconds !== undefined) {
      this.#cancelTimeout = this.clock.schedule(timeoutSeconds * 1000, () => {
        this.#end('ExecutionTimedOut', 0, { error: 'States.Timeout' }, { status: 'TIMED_OUT' });
      });
    }
    await undefined;
    if (this.result !== undefined) return;
    try {
      const output = await runStates(this.#root, this.input);
      this.#end('ExecutionSucceeded', this.#root.lastEventId, { output }, { status: 'SUCCEEDED', output });
    } catch (thrown) {
      if (thrown instanceof Halted) return;
      if (!(thrown instanceof StateFailure)) return this.#settle.reject(thrown);
      const { error, reason: cause } = thrown;
      this.#end(
        'ExecutionFailed',
        this.#root.lastEventId,
        { error, cause },
        { status: 'FAILED', error, cause },
      );
    }
  }

  stop(error?: string, cause?: string): boolean {
    return this.#end('ExecutionAborted', 0, { error, cause }, { status: 'ABORTED', error, cause });
  }

  publish(type: HistoryEventType, previousEventId: number, details?: HistoryDetails): number {
    if (this.result !== undefined) throw new Halted();
    if (this.#events + 1 >= HISTORY_EVENTS_MAX) {
      const error = 'States.Runtime';
      const cause = `The execution reached the maximum number of history events (${HISTORY_EVENTS_MAX}).`;
      this.#end('ExecutionFailed', this.#events, { error, cause }, { status: 'FAILED', error, cause });
      throw new Halted();
    }
    return this.#record(type, previousEventId, details);
  }

  #end(
    type: HistoryEventType,
    previousEventId: number,
    details: { [Key in keyof HistoryDetails]: HistoryDetails[Key] | undefined },
    result: ExecutionResult,
  ): boolean {
    if (this.result !== undefined) return false;
    this.result = result;
    this.#cancelTimeout?.();
    this.#root.cancel();
    const known = Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined));
    this.#record(type, previousEventId, known);
    this.#settle.resolve(result);
    return true;
  }

  /** Answers the event's id. */
  #record(type: HistoryEventType, previousEventId: number, details: HistoryDetails | undefined): number {
    const id = ++this.#events;
    if (!this.#keepsHistory && this.#onHistory === undefined) return id;
    const event = { id, previousEventId, at: this.clock.now(), type, details };
    if (this.#keepsHistory) this.history.push(event);
    this.#onHistory?.(event);
    return id;
  }
}
