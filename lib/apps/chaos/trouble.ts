/**
 * What goes wrong while a rollout is under way, drawn from the seed: each round has some kinds of trouble and
 * not others, so that one kind alone is tried as well as all of them together.
 */
import { DisableRuleCommand, EnableRuleCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge';
import {
  DeleteFunctionConcurrencyCommand,
  LambdaClient,
  PutFunctionConcurrencyCommand,
} from '@aws-sdk/client-lambda';
import {
  ListExecutionsCommand,
  ListStateMachinesCommand,
  SFNClient,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import type { Fault } from '../../local/faults.ts';
import type { SeededRandom } from '../../sim/random.ts';
import { type Stage, stack } from './stage.ts';

export type Tally = Map<string, number>;
export const count = (tally: Tally, what: string, by = 1): void =>
  void tally.set(what, (tally.get(what) ?? 0) + by);

const kinds = [
  'faults',
  'kill',
  'kill at a call',
  'storeless',
  'controller down',
  'execution stopped',
  'alarms lost',
];

const services = [
  'dynamodb',
  'dynamodb',
  'elasticloadbalancing',
  'elasticloadbalancing',
  'ecs',
  'sqs',
  'states',
  'events',
  'sns',
  'monitoring',
];

const functionNames = [
  'start-rollout',
  'prepare-canary',
  'shift-traffic',
  'evaluate-canary',
  'promote-canary',
  'roll-back',
  'on-alarm',
  'on-deployment',
  'publish-events',
  'operate',
  'record-intents',
  'reconcile',
];

export type Trouble = {
  readonly kinds: readonly string[];
  /** Makes trouble until told to stop; resolves when everything works again. */
  readonly over: Promise<void>;
  stop(): void;
};

export function makeTrouble(
  stage: Stage,
  random: SeededRandom,
  tally: Tally,
  say: (line: string) => void,
): Trouble {
  const chosen = kinds.filter(() => random.chance(0.45));
  const undo: (() => Promise<void> | void)[] = [];
  let stopped = false;
  let wake = () => {};
  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  const over = (async () => {
    while (!stopped && chosen.length > 0) {
      await pause(random.between(300, 3000));
      if (stopped) break;
      const kind = random.pick(chosen);
      const mend = await begin(kind, stage, random, tally, say);
      if (mend === null) continue;
      undo.push(mend);
      await pause(random.between(1500, 6000));
      await undo.pop()?.();
    }
    for (const mend of undo) await mend();
  })();
  return {
    kinds: chosen,
    over,
    stop() {
      stopped = true;
      wake();
    },
  };
}

type Mend = () => Promise<void> | void;

/** @returns what mends it; null where nothing is to be mended */
async function begin(
  kind: string,
  stage: Stage,
  random: SeededRandom,
  tally: Tally,
  say: (line: string) => void,
): Promise<Mend | null> {
  count(tally, kind);
  switch (kind) {
    case 'faults': {
      const rule = {
        caller: 'fn-',
        service: random.pick(services),
        probability: random.between(0.05, 0.6),
        fault: faultOf(random),
      };
      say(`${rule.service} ${rule.fault.kind} ${Math.round(rule.probability * 100)} %`);
      return stage.cloud.faults.add(rule);
    }
    case 'kill': {
      const name = random.pick(functionNames);
      const killed = stage.cloud.killFunction(`${stack}-${name}`);
      say(`SIGKILL ${name} × ${killed}`);
      count(tally, 'processes killed', killed);
      return null;
    }
    case 'kill at a call': {
      const name = random.pick(functionNames);
      const when = random.pick(['before', 'after'] as const);
      say(`SIGKILL ${name} ${when} one of its calls`);
      const fault: Fault = { kind: 'kill', when };
      return stage.cloud.faults.add({
        caller: `fn-${stack}-${name}`,
        probability: 0.4,
        times: 2,
        fault,
      });
    }
    case 'storeless':
      say('DynamoDB refuses everything');
      return stage.cloud.faults.add({
        caller: 'fn-',
        service: 'dynamodb',
        fault: { kind: 'error', status: 503 },
      });
    case 'controller down':
      say('controller down');
      return controllerDown(stage, tally);
    case 'execution stopped':
      return stopExecution(stage, random, say);
    default: {
      say('alarm events are lost');
      const events = new EventBridgeClient(stage.at);
      await events.send(new DisableRuleCommand({ Name: `${stack}-alarms-1` }));
      return async () => void (await events.send(new EnableRuleCommand({ Name: `${stack}-alarms-1` })));
    }
  }
}

/** Late writes land within the configured longest shift. */
const lateMs = 2500;

function faultOf(random: SeededRandom): Fault {
  const answer = random.pick(['error', 'reset'] as const);
  return random.pick<Fault>([
    { kind: 'throttle' },
    { kind: 'error', status: 500 },
    { kind: 'error', status: 503 },
    { kind: 'reset' },
    { kind: 'slow', ms: random.whole(100, lateMs) },
    { kind: 'half' },
    { kind: 'applied', answer },
    { kind: 'late', ms: random.whole(100, lateMs), answer: random.pick(['error', 'silence'] as const) },
  ]);
}

/** Every process of every function ends, and none may start: machines and pollers get nothing done. */
async function controllerDown(stage: Stage, tally: Tally): Promise<Mend> {
  const lambda = new LambdaClient(stage.at);
  for (const name of functionNames) {
    const FunctionName = `${stack}-${name}`;
    await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }));
    count(tally, 'processes killed', stage.cloud.killFunction(FunctionName));
  }
  return async () => {
    for (const name of functionNames) {
      await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName: `${stack}-${name}` }));
    }
  };
}

async function stopExecution(stage: Stage, random: SeededRandom, say: (line: string) => void): Promise<null> {
  const running = await runningExecutions(stage);
  if (running.length === 0) return null;
  const { executionArn, name } = random.pick(running);
  say(`StopExecution ${name}`);
  await new SFNClient(stage.at).send(new StopExecutionCommand({ executionArn, cause: 'chaos' }));
  return null;
}

export async function runningExecutions(
  stage: Stage,
): Promise<readonly { readonly executionArn: string; readonly name: string }[]> {
  const machines = new SFNClient(stage.at);
  const { stateMachines = [] } = await machines.send(new ListStateMachinesCommand({}));
  const lists = await Promise.all(
    stateMachines.map(({ stateMachineArn }) =>
      machines.send(new ListExecutionsCommand({ stateMachineArn, statusFilter: 'RUNNING' })),
    ),
  );
  return lists.flatMap(({ executions = [] }) =>
    executions.map(({ executionArn = '', name = '' }) => ({ executionArn, name })),
  );
}
