/**
 * One rollout to its end on the wire: the built bundles, the shop's processes, real visitors, and a small AWS
 * that says who called what. A second here is a minute there: the machine waits a second between two looks,
 * and metrics have periods of one second. What belongs to a look is counted apart from the rest, so that a
 * rollout of any length follows.
 */
import {
  GetExecutionHistoryCommand,
  type HistoryEvent,
  ListExecutionsCommand,
  SFNClient,
} from '@aws-sdk/client-sfn';
import { sendShoppers } from '../../lib/apps/demo/shoppers.ts';
import { realClock } from '../../lib/asl/clock.ts';
import type { RequestEntry } from '../../lib/local/endpoint.ts';
import { openWire, type Wire } from '../../test/e2e/wire.ts';
import { until } from '../../test/until.ts';
import { total, type Usage } from './prices.ts';
import { type LogLine, usageOfCall, usageOfHistory, usageOfLog } from './usage.ts';

export type Counted = {
  /** Looks of `evaluate-canary` that were counted. */
  readonly looks: number;
  /** One look: Route, Bake, Dispatch, EvaluateCanary and what the function asks. */
  readonly look: Usage;
  /** Everything else of the rollout, from the request to the old side scaled down. */
  readonly rest: Usage;
  /** One pass of `reconcile` while nothing is under way, with one stream in the table and with many. */
  readonly idlePass: Usage;
  readonly idlePassOfMany: Usage;
  /** One pass with one rollout under way. */
  readonly activePass: Usage;
  /** Calls by operation, for the quotas: of one look, and of one pass with one rollout under way. */
  readonly lookCalls: Calls;
  readonly passCalls: Calls;
};

export type Calls = Readonly<Record<string, number>>;

/** Six visits a second reach the first step's canary. */
const visitsPerSecond = 60;
const passes = 5;
/** Services in the table beside the one that is rolled out, all of them idle. */
const idleServices = 100;

const service = (bakeSeconds: number) => ({
  strategy: { kind: 'canary', bakeSeconds, finalBakeSeconds: bakeSeconds },
  evaluateSeconds: 1,
});

/** @param bakeSeconds of each of eleven steps */
export async function countRollout(bakeSeconds: number): Promise<Counted> {
  const log: LogLine[] = [];
  const wire = await openWire(service(bakeSeconds), {
    machineClock: realClock,
    onFunctionLog: (line) => log.push(line),
  });
  const shoppers = sendShoppers(wire.shopUrl, visitsPerSecond);
  try {
    const pass = () => counted(wire, log, passes, () => wire.invoke('reconcile'));
    const idlePass = await pass();
    await keepIdle(wire);
    const idlePassOfMany = await pass();
    const first = { request: wire.requests.length, line: log.length };
    await wire.request();
    await wire.phase('baking');
    const activePass = await pass();
    await until('the rollout is over', () => over(wire), 900_000);
    await quiet(wire);
    return {
      ...divided(wire.requests.slice(first.request), log.slice(first.line), await histories(wire)),
      idlePass: idlePass.usage,
      idlePassOfMany: idlePassOfMany.usage,
      activePass: activePass.usage,
      passCalls: activePass.calls,
    };
  } finally {
    shoppers.stop();
    await wire.close();
  }
}

const nameOf = (verb: string) => `switchback-${verb}`;
const callsOf = (requests: readonly RequestEntry[], verb: string) =>
  requests.filter(({ caller }) => caller.startsWith(`fn-${nameOf(verb)}-`));

/** One invocation of reconcile, as `times` of them were on average. */
async function counted(
  wire: Wire,
  log: readonly LogLine[],
  times: number,
  invoke: () => Promise<unknown>,
): Promise<{ readonly usage: Usage; readonly calls: Calls }> {
  await invoke(); // its process starts
  const from = { request: wire.requests.length, line: log.length };
  for (let time = 0; time < times; time++) await invoke();
  const calls = callsOf(wire.requests.slice(from.request), 'reconcile');
  const lines = log.slice(from.line).filter(({ functionName }) => functionName === nameOf('reconcile'));
  return { usage: total([1 / times, usageOf(calls, lines)]), calls: perTime(calls, times) };
}

const usageOf = (calls: readonly RequestEntry[], lines: readonly LogLine[]): Usage =>
  total([1, usageOfLog(lines)], ...calls.map((call) => [1, usageOfCall(call)] as const));

/** Services that were rolled out once and have nothing under way. */
async function keepIdle(wire: Wire): Promise<void> {
  for (let number = 0; number < idleServices; number++) {
    await wire.store.append(`service/idle-${number}`, {
      expected: 0,
      events: [{ type: 'RolloutCompleted', at: 1 }],
      commandId: `made-${number}`,
      correlationId: 'made',
      actor: 'bench',
      snapshot: { schema: 1, state: {} },
      active: false,
    });
  }
}

async function over(wire: Wire): Promise<true | null> {
  const rollout = (await wire.state())?.rollout;
  const ended = rollout?.phase === 'promoted' && rollout.completed;
  if (rollout?.phase === 'rolled-back' || rollout?.phase === 'held')
    throw new Error(`it ended ${rollout.phase}`);
  return ended ? true : null;
}

/** Events that were recorded last are still brought to the bus: the rollout is over a while after. */
const quietMs = 2000;

const quiet = (wire: Wire) =>
  until('nobody calls any more', () => {
    const last = wire.requests.findLast(({ caller }) => caller.startsWith('fn-'));
    return Date.now() - (last?.at ?? 0) > quietMs;
  });

/** Every execution there was. */
async function histories(wire: Wire): Promise<readonly (readonly HistoryEvent[])[]> {
  const client = new SFNClient(wire.at);
  const stateMachineArn = `arn:aws:states:${wire.at.region}:000000000000:stateMachine:switchback-rollout`;
  const { executions = [] } = await client.send(new ListExecutionsCommand({ stateMachineArn }));
  return Promise.all(executions.map(({ executionArn }) => history(client, executionArn ?? '')));
}

async function history(client: SFNClient, executionArn: string): Promise<readonly HistoryEvent[]> {
  const events: HistoryEvent[] = [];
  let nextToken: string | undefined;
  do {
    const page = await client.send(
      new GetExecutionHistoryCommand({
        executionArn,
        includeExecutionData: false,
        maxResults: 1000,
        nextToken,
      }),
    );
    events.push(...(page.events ?? []));
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return events;
}

function divided(
  requests: readonly RequestEntry[],
  log: readonly LogLine[],
  executions: readonly (readonly HistoryEvent[])[],
): Pick<Counted, 'looks' | 'look' | 'rest' | 'lookCalls'> {
  const verb = 'evaluate-canary';
  const ours = requests.filter(
    ({ caller }) => caller.startsWith('fn-') && !caller.includes(nameOf('reconcile')),
  );
  const lookCalls = callsOf(ours, verb);
  const ofLook = (line: LogLine) => line.functionName === nameOf(verb);
  const lines = log.filter(({ functionName }) => functionName !== nameOf('reconcile'));
  const looks = lines.filter((line) => ofLook(line) && line.line.startsWith('REPORT ')).length;
  const machine = total(...executions.map((events) => [1, usageOfHistory(events)] as const));
  // Route, Bake, Dispatch, EvaluateCanary: each is entered once a look; so is their part of the log.
  const lookTransitions = 4;
  const part = (lookTransitions * looks) / (machine.transitions ?? 1);
  const look = total([1 / looks, usageOf(lookCalls, lines.filter(ofLook))], [part / looks, machine]);
  const others = ours.filter((call) => !lookCalls.includes(call));
  const rest = total(
    [
      1,
      usageOf(
        others,
        lines.filter((line) => !ofLook(line)),
      ),
    ],
    [1 - part, machine],
    [
      1,
      {
        traces:
          executions.length + started(lines, 'start-rollout', 'publish-events', 'on-deployment', 'on-alarm'),
      },
    ],
    // A message is sent, received and deleted.
    [3, { queueRequests: started(lines, 'on-deployment', 'on-alarm') }],
  );
  return { looks, look, rest, lookCalls: perTime(lookCalls, looks) };
}

const started = (lines: readonly LogLine[], ...verbs: readonly string[]): number =>
  lines.filter(
    ({ functionName, line }) => line.startsWith('START ') && verbs.map(nameOf).includes(functionName),
  ).length;

function perTime(calls: readonly RequestEntry[], times: number): Calls {
  const names = [...new Set(calls.map(({ service: of, operation }) => `${of}:${operation}`))].sort();
  return Object.fromEntries(
    names.map((name) => [
      name,
      calls.filter((call) => `${call.service}:${call.operation}` === name).length / times,
    ]),
  );
}
