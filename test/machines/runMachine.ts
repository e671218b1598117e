/** Runs a definition on a virtual clock to its end. */
import { VirtualClock } from '../../lib/asl/clock.ts';
import {
  type Execution,
  type ExecutionOptions,
  type ExecutionResult,
  startExecution,
} from '../../lib/asl/execution.ts';
import { loadMachine } from '../../lib/asl/loadMachine.ts';
import { type InvokeFunction, lambdaRunner } from '../../lib/asl/taskRunner.ts';

export type Functions = Readonly<Record<string, (payload: never) => unknown>>;

/** Lambda functions by name. */
const invoking =
  (functions: Functions): InvokeFunction =>
  (name, payload) => {
    const body = functions[name];
    if (body === undefined) throw new Error(`there is no function ${name}`);
    return body(payload as never);
  };

export type Start = Partial<ExecutionOptions> & {
  readonly functions?: Functions;
  readonly clock?: VirtualClock;
};

/** A machine of these states, JSONata throughout. */
export const machineOf = (startAt: string, states: object, more: object = {}) => ({
  QueryLanguage: 'JSONata',
  StartAt: startAt,
  States: states,
  ...more,
});

export function start(
  definition: unknown,
  options: Start = {},
): { execution: Execution; clock: VirtualClock } {
  const { functions = {}, clock = new VirtualClock(), ...rest } = options;
  const tasks = options.tasks ?? lambdaRunner(invoking(functions));
  const execution = startExecution(loadMachine(definition), { name: 'run', ...rest, clock, tasks });
  return { execution, clock };
}

export type Ran = {
  readonly result: ExecutionResult;
  readonly execution: Execution;
  /** Virtual seconds from start to end. */
  readonly seconds: number;
  readonly types: readonly string[];
};

export async function run(definition: unknown, options: Start = {}): Promise<Ran> {
  const { execution, clock } = start(definition, options);
  const result = await clock.runUntil(execution.done);
  const seconds = (clock.now() - execution.startedAt) / 1000;
  return { result, execution, seconds, types: execution.history.map((event) => event.type) };
}

/** The output of a machine that must succeed. */
export async function outputOf(definition: unknown, options: Start = {}): Promise<unknown> {
  const { result } = await run(definition, options);
  if (result.status !== 'SUCCEEDED') throw new Error(JSON.stringify(result));
  return result.output;
}

/** A lambda:invoke state. */
export const invoke = (
  functionName: string,
  more: object = { End: true },
  payload: unknown = '{% $states.input %}',
) => ({
  Type: 'Task',
  Resource: 'arn:aws:states:::lambda:invoke',
  Arguments: { FunctionName: functionName, Payload: payload },
  ...more,
});

/** What a function throws to be seen under `name`. */
export function failing(name: string, message = name): () => never {
  return () => {
    throw Object.assign(new Error(message), { name });
  };
}
