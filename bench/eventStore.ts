// Appending, replaying and folding one service's events: our store beside @castore's, on the same dynalite
// in the same run, in turns. Times of one machine are not another's; the ratios, of CPU time, are what is
// claimed.

import { deepStrictEqual } from 'node:assert';
import type { ServiceEvent } from '../events/service.ts';
import { DynamoEventStore } from '../lib/aws/eventStore/dynamoEventStore.ts';
import { evolve, fold } from '../lib/core/rollout/evolve.ts';
import { initialState, type ServiceState, stateSchema } from '../lib/core/rollout/state.ts';
import { dynaliteTable } from '../test/contracts/eventStoreWorlds.ts';
import { rolloutHistory } from '../test/contracts/rolloutHistory.ts';
import { castoreStore } from './eventStore/castoreStore.ts';
import { mutableFold } from './eventStore/mutableFold.ts';
import { sdkCalls } from './eventStore/sdkCalls.ts';
import type { BenchArguments } from './main.ts';

const goals = { append: 0.9, replay: 5, fold: 0.8 };

export async function run({ full }: BenchArguments): Promise<object> {
  const sizes = full
    ? { appends: 20, appendRounds: 200, replayed: 1500, replayRounds: 40, foldRounds: 81 }
    : { appends: 20, appendRounds: 60, replayed: 1500, replayRounds: 15, foldRounds: 31 };
  // First, while neither loop has met events of other shapes than the other has.
  const fold = await folding(sizes.replayed, sizes.foldRounds);
  const cloud = await dynaliteTable();
  try {
    const client = cloud.connect();
    const stores = { ours: new DynamoEventStore(client, cloud.table), peer: await castoreStore(client) };
    const append = await appending(stores, sizes.appends, sizes.appendRounds);
    const sdks = { ...stores, ours: new DynamoEventStore(sdkCalls(cloud.connect()), cloud.table) };
    const appendBySdk = await appending(sdks, sizes.appends, sizes.appendRounds / 2);
    const replay = await replaying(stores, sizes.replayed, sizes.replayRounds);
    show(sizes, append, replay, fold);
    showBySdk(appendBySdk);
    return { goals, append, appendBySdk, replay, fold };
  } finally {
    await cloud.close();
  }
}

type Stores = { readonly ours: DynamoEventStore; readonly peer: Awaited<ReturnType<typeof castoreStore>> };

/** Events of one rollout after the other, every second one taken back at its fifth step. */
function events(count: number): ServiceEvent[] {
  const all: ServiceEvent[] = [];
  for (let number = 1; all.length < count; number++) {
    all.push(...rolloutHistory(number, number % 2 === 0 ? 4 : undefined));
  }
  return all.slice(0, count);
}

/** Appends one event at a time; ours also keeps the state, the hash chain and the active index. */
function appenderOf(store: DynamoEventStore, stream: string, all: readonly ServiceEvent[]) {
  let state: ServiceState = initialState;
  let expected = 0;
  return async (count: number) => {
    for (const event of all.slice(expected, expected + count)) {
      state = evolve(state, event);
      const answer = await store.append(stream, {
        ...{ expected, events: [event], commandId: `${stream}#${expected}`, correlationId: 'bench' },
        ...{ actor: 'bench', snapshot: { schema: stateSchema, state }, active: true },
      });
      if (answer.outcome !== 'appended') throw new Error(`append ${expected} was answered ${answer.outcome}`);
      expected = answer.version;
    }
  };
}

function peerAppenderOf(store: Stores['peer'], stream: string, all: readonly ServiceEvent[]) {
  let version = 0;
  return async (count: number) => {
    for (const event of all.slice(version, version + count)) await store.push(stream, ++version, event);
  };
}

let streams = 0;

async function appending({ ours, peer }: Stores, count: number, rounds: number) {
  const all = events(count * (rounds + warmRounds));
  const stream = `appended-${++streams}`;
  const [append, push] = [appenderOf(ours, stream, all), peerAppenderOf(peer, stream, all)];
  return inTurns(
    rounds,
    count,
    () => append(count),
    () => push(count),
  );
}

async function replaying({ ours, peer }: Stores, count: number, rounds: number) {
  const all = events(count);
  await appenderOf(ours, 'replayed', all)(count);
  await peerAppenderOf(peer, 'replayed', all)(count);
  const expected = all.reduce(evolve, initialState);
  const replay = async () => {
    const events: ServiceEvent[] = [];
    for await (const { event } of ours.read('replayed')) events.push(event as ServiceEvent);
    return fold(initialState, events);
  };
  deepStrictEqual(await replay(), expected);
  deepStrictEqual(await peer.load('replayed'), expected);
  deepStrictEqual((await ours.head('replayed')).snapshot?.state, expected);
  const figures = await inTurns(rounds, count, replay, () => peer.load('replayed'));
  const head = () => ours.head('replayed');
  const state = await inTurns(rounds, 1, head, head);
  return { ...figures, stateMs: 1000 / state.ours };
}

/** A stream as long as the one that is replayed, its events as they come out of a store; again and again. */
async function folding(count: number, rounds: number) {
  const all = events(count).map((event): ServiceEvent => JSON.parse(JSON.stringify(event)));
  const ours = () => fold(initialState, all);
  const limit = () => mutableFold(all);
  deepStrictEqual(limit(), ours());
  const again = (run: () => unknown) => () => {
    for (let turn = 0; turn < foldsPerTurn; turn++) run();
  };
  return inTurns(rounds, count * foldsPerTurn, again(ours), again(limit));
}

/** About 15 ms: long against the clock of the CPU's time, short against what else the machine does. */
const foldsPerTurn = 300;
const warmRounds = 5;

type Figures = {
  readonly ours: number;
  readonly other: number;
  readonly ratio: number;
  /** The quartiles of the rounds' ratios, the median between them. */
  readonly ratioFrom: number;
  readonly ratioTo: number;
};

type Time = { readonly ms: number; readonly cpuMs: number };

/**
 * Runs both sides in turns, so that whatever else the machine does falls on both. Answers the median rate
 * of each, operations per second, and the median of the rounds' own ratios of CPU time: client and table are
 * this one process, and what others do on the machine is not counted.
 */
async function inTurns(
  rounds: number,
  operations: number,
  ours: () => unknown,
  other: () => unknown,
): Promise<Figures> {
  const times: { readonly ours: Time; readonly other: Time }[] = [];
  for (let round = 0; round < rounds + warmRounds; round++) {
    const first = round % 2 === 0 ? await timed(ours) : await timed(other);
    const second = round % 2 === 0 ? await timed(other) : await timed(ours);
    if (round < warmRounds) continue;
    times.push(round % 2 === 0 ? { ours: first, other: second } : { ours: second, other: first });
  }
  const ratios = times.map((time) => time.other.cpuMs / time.ours.cpuMs);
  return {
    ours: (1000 * operations) / median(times.map((time) => time.ours.ms)),
    other: (1000 * operations) / median(times.map((time) => time.other.ms)),
    ratio: median(ratios),
    ratioFrom: quantile(ratios, 1 / 4),
    ratioTo: quantile(ratios, 3 / 4),
  };
}

async function timed(run: () => unknown): Promise<Time> {
  const began = performance.now();
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return { ms: performance.now() - began, cpuMs: (user + system) / 1000 };
}

const median = (values: readonly number[]): number => quantile(values, 1 / 2);

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
}

function show(
  sizes: { readonly replayed: number },
  append: Figures,
  replay: Figures & { readonly stateMs: number },
  fold: Figures,
): void {
  const row = (what: string, { ours, other, ratio, ...quartiles }: Figures, goal: number) => {
    const cells = [ours, other].map((value) => Math.round(value).toLocaleString('en').padStart(12));
    const met = ratio >= goal ? 'met' : 'MISSED';
    const spread = `${quartiles.ratioFrom.toFixed(2)}–${quartiles.ratioTo.toFixed(2)}`.padStart(12);
    console.log(
      `${what.padEnd(34)}${cells.join('')}${ratio.toFixed(2).padStart(9)}${spread}   ≥ ${goal} ${met}`,
    );
  };
  console.log(
    `\n${'per second'.padEnd(34)}${'ours'.padStart(12)}${'other'.padStart(12)}${'ratio'.padStart(9)}${'quartiles'.padStart(12)}`,
  );
  row('append, one by one', append, goals.append);
  row(`replay ${sizes.replayed} events and fold`, replay, goals.replay);
  row('fold in memory', fold, goals.fold);
  console.log(
    'other: @castore/event-storage-adapter-dynamodb; for the fold, a loop that changes one object in place',
  );
  console.log(`state of a service with ${sizes.replayed} events, one read: ${replay.stateMs.toFixed(2)} ms`);
}

/** How much of the first row is the calls' doing, and how much the store's. */
function showBySdk({ ratio, ratioFrom, ratioTo }: Figures): void {
  const spread = `${ratioFrom.toFixed(2)}–${ratioTo.toFixed(2)}`;
  console.log(
    `ours makes its calls without the SDK's middleware; with it, append is ${ratio.toFixed(2)} (${spread})`,
  );
}
