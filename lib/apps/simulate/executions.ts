/** The state machines as they are deployed, run by lib/asl on simulated time. */
import { existsSync, readFileSync } from 'node:fs';
import { type Execution, startExecution } from '../../asl/execution.ts';
import type { Json, JsonObject } from '../../asl/json.ts';
import { loadMachine } from '../../asl/loadMachine.ts';
import type { Machine } from '../../asl/machine.ts';
import { lambdaRunner, TaskError, type TaskRunner } from '../../asl/taskRunner.ts';
import { TaskTokens } from '../../asl/taskTokens.ts';
import type { SimLambda } from '../../sim/lambda.ts';
import { ExecutionDesk, type MachineName, type RunningExecution } from '../../sim/machines.ts';
import type { SimWorld } from '../../sim/world.ts';

const arnPrefix = 'arn:aws:states:sim:0:stateMachine:';

const definitions = new URL('../../../statemachines/', import.meta.url);
/** As they were when they were last changed in a way that a running execution can meet. */
const previousDefinitions = new URL('../../../test/e2e/template/previous/', import.meta.url);

type Machines = Map<MachineName, Machine>;

/** Read once: every run of every seed uses the same few. */
const deployed: Machines = new Map();
const deployedBefore: Machines = new Map();

/** @param isPrevious as it was deployed before; a machine that was the same then is this one */
function machineOf(name: MachineName, isPrevious: boolean): Machine {
  const machines = isPrevious ? deployedBefore : deployed;
  const known = machines.get(name);
  if (known !== undefined) return known;
  const previous = new URL(`${name}.asl.json`, previousDefinitions);
  const found =
    isPrevious && !existsSync(previous)
      ? machineOf(name, false)
      : read(isPrevious ? previous : new URL(`${name}.asl.json`, definitions));
  machines.set(name, found);
  return found;
}

function read(definition: URL): Machine {
  const text = readFileSync(definition, 'utf8');
  const names = [...text.matchAll(/\$\{(\w+)\}/g)].map((match) => match[1] as string);
  const kebab = (camel: string) => camel.replace(/(?<=.)[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
  const substitutions = Object.fromEntries(names.map((one) => [one, kebab(one)]));
  return loadMachine(JSON.parse(text), { substitutions });
}

/** @param isPrevious whether what begins now is of the version before */
export function openDesk(world: SimWorld, lambda: () => SimLambda, isPrevious: () => boolean): ExecutionDesk {
  const tokens = new TaskTokens();
  const tasks: TaskRunner = lambdaRunner(
    (name, payload) => lambda().invoke(name, payload),
    ({ resource, arguments: given }) => {
      if (resource.service !== 'states') throw new TaskError('States.Runtime', `nobody runs ${resource.arn}`);
      const { StateMachineArn, Name, Input } = given as JsonObject;
      desk.start(String(StateMachineArn).slice(arnPrefix.length) as MachineName, String(Name), Input);
      return { ExecutionArn: String(Name) };
    },
  );
  const begin = (machine: MachineName, name: string, input: unknown): RunningExecution => {
    const execution = startExecution(machineOf(machine, isPrevious()), {
      input,
      name,
      clock: world.clock,
      tasks,
      tokens,
      keepsHistory: false,
      random: () => world.random.uniform(),
      uuid: () => world.random.uuid(),
      executionArn: `arn:aws:states:sim:0:execution:${machine}:${name}`,
      stateMachineArn: `${arnPrefix}${machine}`,
      stateMachineName: machine,
    });
    return { machine, name, startedAt: world.clock.now(), ...lifeOf(execution) };
  };
  const desk = new ExecutionDesk(begin, (token, output) => {
    tokens.succeed(token, output as Json);
  });
  return desk;
}

const lifeOf = (execution: Execution) => ({
  isRunning: () => execution.result === undefined,
  outcome: () => {
    const { result } = execution;
    if (result === undefined) return null;
    return result.status === 'FAILED' ? `FAILED: ${result.error}: ${result.cause}` : result.status;
  },
  stop: () => {
    execution.stop('Stopped', 'stopped from outside');
  },
});
