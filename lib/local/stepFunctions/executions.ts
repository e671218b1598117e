/** Executions: started once under a name, followed to their end, and kept. */
import type { Clock } from '../../asl/clock.ts';
import { startExecution } from '../../asl/execution.ts';
import { isLargerThan, type Json, PAYLOAD_BYTES_MAX } from '../../asl/json.ts';
import type { TaskRunner } from '../../asl/taskRunner.ts';
import { TaskTokens } from '../../asl/taskTokens.ts';
import type { Publish } from '../cloudEvent.ts';
import { ServiceError } from '../service.ts';
import type { ExecutionRecord } from './executionRecord.ts';
import { checkName, executionArn } from './stateMachineArn.ts';
import type { Startable } from './stateMachines.ts';
import { statusChange } from './statusChange.ts';

export type ExecutionsDeps = {
  readonly clock: Clock;
  readonly chance: { random(): number; uuid(): string };
  readonly publish: Publish;
  /** The runner for the tasks of one state machine. */
  readonly tasksOf: (machineArn: string) => TaskRunner;
};

export class Executions {
  readonly #deps: ExecutionsDeps;
  readonly #records = new Map<string, ExecutionRecord>();
  #closed = false;
  /** The tokens of all executions: SendTask… operations name nothing else. */
  readonly tokens = new TaskTokens();

  constructor(deps: ExecutionsDeps) {
    this.#deps = deps;
  }

  /** Newest first. */
  get all(): readonly ExecutionRecord[] {
    return [...this.#records.values()].reverse();
  }

  /**
   * Starts an execution. A name that is taken answers the execution that has it, while that runs with the
   * same input; otherwise it stays taken. @throws ServiceError
   */
  start(startable: Startable, name: string, inputText: string): ExecutionRecord {
    checkName(name);
    const { machine, revision, versionArn, aliasArn } = startable;
    const arn = executionArn(machine.arn, name);
    const known = this.#records.get(arn);
    if (known !== undefined) {
      if (known.execution.result === undefined && known.inputText === inputText) return known;
      throw new ServiceError('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
    }
    const { clock, chance, publish } = this.#deps;
    const execution = startExecution(revision.machine, {
      name,
      clock,
      random: chance.random,
      uuid: chance.uuid,
      input: readInput(inputText),
      tasks: this.#deps.tasksOf(machine.arn),
      tokens: this.tokens,
      executionArn: arn,
      stateMachineArn: machine.arn,
      stateMachineName: machine.name,
      roleArn: revision.roleArn,
      onHistory: ({ at }) => {
        const record = this.#records.get(arn);
        if (record?.execution.result !== undefined && !this.#closed) publish(statusChange(record, at));
      },
    });
    const record: ExecutionRecord = {
      arn,
      name,
      machineArn: machine.arn,
      machineName: machine.name,
      versionArn,
      aliasArn,
      revision,
      inputText,
      startedAt: execution.startedAt,
      execution,
    };
    this.#records.set(arn, record);
    publish(statusChange(record, execution.startedAt));
    return record;
  }

  /** @throws ServiceError */
  require(arn: string): ExecutionRecord {
    const record = this.#records.get(arn);
    if (record === undefined) {
      throw new ServiceError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
    }
    return record;
  }

  /** When the execution ended, in milliseconds since the epoch; undefined while it runs. */
  endedAt({ execution }: ExecutionRecord): number | undefined {
    return execution.result === undefined ? undefined : execution.history.at(-1)?.at;
  }

  /** Aborts what is running of a state machine. */
  stopAll(machineArn: string): void {
    for (const record of this.#records.values())
      if (record.machineArn === machineArn) record.execution.stop();
  }

  /** Ends everything, and tells nobody. */
  close(): void {
    this.#closed = true;
    for (const { execution } of this.#records.values()) execution.stop();
  }
}

function readInput(text: string): Json {
  const refused = (why: string) =>
    new ServiceError('InvalidExecutionInput', `Invalid State Machine Execution Input: '${why}'`);
  let input: Json;
  try {
    input = JSON.parse(text);
  } catch (error) {
    throw refused((error as Error).message);
  }
  if (isLargerThan(input, PAYLOAD_BYTES_MAX))
    throw refused(`the input is larger than ${PAYLOAD_BYTES_MAX} bytes`);
  return input;
}
