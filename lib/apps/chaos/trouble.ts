/**
 * What goes wrong while rollouts are under way, drawn from the seed: strikes at the functions' calls, several
 * at a time, and beside them whatever is larger than a call. Each round has some kinds of trouble and not
 * others, so that one kind alone is tried as well as all of them together.
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
import type { Strikes } from './strikes.ts';

export type Tally = Map<string, number>;
export const count = (tally: Tally, what: string, by = 1): void =>
  void tally.set(what, (tally.get(what) ?? 0) + by);

const larger = ['kill', 'kill at a call', 'storeless', 'controller down', 'execution stopped', 'alarms lost'];

/** The fire exit is a person's, and not among them. */
const functionNames = [
  'start-rollout',
  'prepare-canary',
  'shift-traffic',
  'evaluate-canary',
  'promote-canary',
  'roll-back',
  'request-approval',
  'on-alarm',
  'on-deployment',
  'publish-events',
  'operate',
  'record-intents',
  'reconcile',
  'start-migration',
  'step-migration',
  'operate-migration',
];

export type Trouble = {
  readonly kinds: readonly string[];
  /** Ends it; resolves when everything works again. */
  stop(): Promise<void>;
};

type Troubled = {
  readonly stage: Stage;
  readonly strikes: Strikes;
  readonly random: SeededRandom;
  readonly tally: Tally;
  readonly say: (line: string) => void;
};

export function makeTrouble(troubled: Troubled): Trouble {
  const { strikes, random } = troubled;
  const struck = random.chance(0.85);
  const chosen = larger.filter(() => random.chance(0.35));
  const whistle = new Whistle();
  const lanes = [
    ...(struck ? [strikeAll(troubled, whistle)] : []),
    ...(chosen.length > 0 ? [trouble(troubled, chosen, whistle)] : []),
  ];
  const endBackground = struck ? strikes.beginBackground() : () => undefined;
  return {
    kinds: [...(struck ? ['strikes'] : []), ...chosen],
    async stop() {
      whistle.blow();
      endBackground();
      await Promise.all(lanes);
    },
  };
}

/** Waiting that ends at once when it is over. */
class Whistle {
  blown = false;
  readonly #waiting = new Set<() => void>();

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const go = () => {
        clearTimeout(timer);
        this.#waiting.delete(go);
        resolve();
      };
      const timer = setTimeout(go, ms);
      this.#waiting.add(go);
      if (this.blown) go();
    });
  }

  blow(): void {
    this.blown = true;
    for (const go of [...this.#waiting]) go();
  }
}

/** One to four strikes in force at any time, and as many again at what is called seldom. */
async function strikeAll({ strikes, random, say }: Troubled, whistle: Whistle): Promise<void> {
  const atOnce = random.whole(1, 4);
  const ends: (() => void)[] = [];
  const waiting: (() => void)[] = [];
  while (!whistle.blown) {
    const { says, waits, end } = strikes.begin();
    say(`strike: ${says}`);
    if (waits) waiting.push(end);
    else ends.push(end);
    if (ends.length > atOnce) ends.shift()?.();
    if (waiting.length > 2 * atOnce) waiting.shift()?.();
    await whistle.pause(random.between(400, 2500));
  }
  for (const end of [...ends, ...waiting]) end();
}

async function trouble(troubled: Troubled, kinds: readonly string[], whistle: Whistle): Promise<void> {
  const { random } = troubled;
  while (!whistle.blown) {
    await whistle.pause(random.between(300, 3000));
    if (whistle.blown) return;
    const mend = await begin(random.pick(kinds), troubled);
    await whistle.pause(random.between(1500, 6000));
    await mend?.();
  }
}

type Mend = () => Promise<void> | void;

/** @returns what mends it; null where nothing is to be mended */
async function begin(kind: string, troubled: Troubled): Promise<Mend | null> {
  const { stage, random, tally, say } = troubled;
  count(tally, `trouble: ${kind}`);
  switch (kind) {
    case 'kill': {
      const name = random.pick(functionNames);
      const killed = stage.cloud.killFunction(`${stack}-${name}`);
      say(`SIGKILL ${name} × ${killed}`);
      count(tally, 'processes killed at any moment', killed);
      return null;
    }
    case 'kill at a call': {
      const name = random.pick(functionNames);
      const when = random.pick(['before', 'after'] as const);
      say(`SIGKILL ${name} ${when} one of its calls`);
      const fault: Fault = { kind: 'kill', when };
      return stage.cloud.faults.add({ caller: `fn-${stack}-${name}`, probability: 0.4, times: 2, fault });
    }
    case 'storeless':
      say('DynamoDB refuses everything');
      return stage.cloud.faults.add({
        ...{ caller: 'fn-', service: 'dynamodb' },
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

/** Every process of every function ends, and none may start: machines and pollers get nothing done. */
async function controllerDown(stage: Stage, tally: Tally): Promise<Mend> {
  const lambda = new LambdaClient(stage.at);
  for (const name of functionNames) {
    const FunctionName = `${stack}-${name}`;
    await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }));
    count(tally, 'processes killed with the controller', stage.cloud.killFunction(FunctionName));
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
