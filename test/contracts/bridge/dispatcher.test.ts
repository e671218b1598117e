/** A dispatcher on a virtual clock: what one entry's long trouble means for the others. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Dispatcher } from '../../../lib/apps/bridge/dispatcher.ts';
import { TargetMetrics } from '../../../lib/apps/bridge/metrics.ts';
import type { Parcel } from '../../../lib/apps/bridge/parcel.ts';
import { VirtualClock } from '../../../lib/asl/clock.ts';
import type { Answer, Entry, Sender } from '../../../lib/core/bridge/ports.ts';
import { FIFO, planFrom } from './rig.ts';

let clock: VirtualClock;
let delivered: string[];
let dispatcher: Dispatcher<Parcel>;
/** Entries that fail, each alone, for as long as they are in here. */
let troubled: Set<string>;

const failure = { kind: 'retry', code: 'InternalFailure', message: '' } as const;

const sender: Sender = {
  fault: null,
  entryOf: () => ({ refused: 'NotHere', message: '' }),
  async send(_, entries: readonly Entry[]): Promise<Answer> {
    const failed = new Map(
      entries.flatMap(({ json }, at) => (troubled.has(json) ? [[at, failure] as const] : [])),
    );
    return { kind: 'taken', failed: failed.size === 0 ? null : failed };
  },
  close: () => undefined,
};

beforeEach(() => {
  clock = new VirtualClock();
  delivered = [];
  troubled = new Set();
  const document = {
    version: 1,
    nats: { servers: ['nats://nowhere'] },
    sources: [{ stream: 'S', durable: 'd', owner: 'single' }],
    rules: [{ match: 's.>', to: FIFO }],
    dlq: { sqs: 'dead' },
  };
  const [spec] = planFrom(document).targets;
  if (spec === undefined) throw new Error('no target');
  const deps = { sender, timers: clock, chance: () => 1, metrics: new TargetMetrics() };
  dispatcher = new Dispatcher(spec, deps, {
    delivered: ({ entry }) => delivered.push(entry.json),
    refused: ({ entry }) => delivered.push(`refused ${entry.json}`),
    abandoned: ({ entry }) => delivered.push(`abandoned ${entry.json}`),
    circuit: () => undefined,
  });
});
afterEach(() => dispatcher.abandon());

function push(lane: string, json: string): void {
  const now = { queuedAtMs: clock.now(), receivedAtMs: clock.now() };
  const entry = { json, bytes: json.length, key: '' };
  dispatcher.push({ entry, lane, bytes: json.length, ...now, attempts: 0, suspectSinceMs: 0 });
}

it('what waits in a lane goes out although the batch before it still has an entry in trouble', async () => {
  troubled.add('a1');
  for (const message of ['a1', 'b1', 'a2', 'b2', 'b3']) push(message.slice(0, 1), message);
  await clock.advance(60_000);
  expect(delivered).toEqual(['b1', 'b2', 'b3']);
  troubled.clear();
  await clock.advance(60_000);
  expect(delivered).toEqual(['b1', 'b2', 'b3', 'a1', 'a2']);
});

it('an entry is put aside when its attempts and its budget are gone, and its lane goes on', async () => {
  troubled.add('a1');
  for (const message of ['a1', 'a2', 'b1']) push(message.slice(0, 1), message);
  await clock.advance(14 * 60_000);
  expect(delivered).toEqual(['b1']);
  await clock.advance(2 * 60_000);
  expect(delivered).toEqual(['b1', 'refused a1', 'a2']);
});

it('is not idle in the turn in which something was pushed', async () => {
  push('a', 'a1');
  await Promise.all([dispatcher.whenIdle(), clock.advance(1_000)]);
  expect(delivered).toEqual(['a1']);
});

it('ends what was pushed in the turn in which it gives up, each once: sent, or abandoned', async () => {
  for (let n = 0; n < 25; n++) push(`lane${n}`, `${n}`);
  dispatcher.abandon();
  await clock.advance(60_000);
  const ended = delivered.map((end) => Number(end.replace('abandoned ', ''))).sort((a, b) => a - b);
  expect(ended).toEqual(Array.from({ length: 25 }, (_, n) => n));
  expect(delivered).toContain('abandoned 24');
});
