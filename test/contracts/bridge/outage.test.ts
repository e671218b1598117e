/**
 * Whole pieces fail: nats-server killed, the sink gone, one request in a hundred going wrong. Nothing is
 * lost.
 */

import { jetstreamManager } from '@nats-io/jetstream';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JetStreamApi } from '../../../lib/nats/natsLink.ts';
import { deliveryCheck, faultsFrom } from './deliveryCheck.ts';
import { eventually, NatsServer } from './natsServer.ts';
import { configuration, type Document, EVENT, FIFO, RETRY, type Rig, settled, startBridge } from './rig.ts';
import { StrictSink } from './strictSink.ts';

let server: NatsServer;
let nats: NatsConnection;
let api: JetStreamApi;
let sink: StrictSink;
const rigs: Rig[] = [];

beforeEach(async () => {
  server = await NatsServer.start();
  nats = await server.connect();
  api = await jetstreamManager(nats);
  sink = await StrictSink.start({ verify: false });
});
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.die();
  await sink.down();
  await server.stop();
});

async function start(changes: Document = {}, source: Document = {}): Promise<Rig> {
  const rig = await startBridge(configuration(server, sink, changes, source));
  rigs.push(rig);
  return rig;
}

const LANES = 50;

/** Publishes numbered messages over many lanes, and waits until the stream has them. */
async function publish(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const head = headers();
    head.set('Nats-Msg-Id', `m${i}`);
    nats.publish(`mig.lane${i % LANES}.x`, `{"n":${i}}`, { headers: head });
    if (i % 2_000 === 1_999) await nats.flush();
  }
  await nats.flush();
  await eventually(async () => (await api.streams.info('MIG')).state.last_seq >= count, 'all are stored');
}

const limits = { ratePerSec: 5_000 };
const fifo = { rules: [{ match: 'mig.>', to: FIFO, retry: RETRY, limits }] };
const plain = { rules: [{ match: 'mig.>', to: EVENT, retry: RETRY, limits }] };
const MODES = [
  ['lanes, explicit acknowledgements', fifo, {}],
  ['lanes, a watermark', fifo, { ack: 'watermark' }],
  ['events, explicit acknowledgements', plain, {}],
  ['events, a watermark', plain, { ack: 'watermark' }],
  ['events, a shared consumer', plain, { owner: 'shared' }],
] as const;

describe.each(MODES)('%s', (_, rules, source) => {
  it('survive nats-server being killed three times: all arrive, lanes in order', async () => {
    const check = deliveryCheck(sink, LANES);
    const rig = await start({ ...rules, ...{ lease: '30s' } }, source);
    await publish(6_000);
    for (const share of [0.2, 0.5, 0.8]) {
      await eventually(() => check.arrived > 6_000 * share, `${share} have arrived`);
      await server.down('SIGKILL');
      await server.up();
      await eventually(() => rig.link.connected, 'connected again');
    }
    await settled(rig);
    expect(check.verdict(6_000)).toEqual({ lost: 0, disorder: 0, foreign: 0 });
  });
});

/** On a machine that does much else. */
const SLOW_MS = 240_000;

describe('20 000 messages with one request in a hundred going wrong', () => {
  it.each([
    ['FIFO lanes', fifo, {}],
    [
      'FIFO lanes in batches by watermark',
      { rules: [{ ...fifo.rules[0], order: 'strict' }] },
      { ack: 'watermark' },
    ],
    ['events', plain, {}],
  ] as const)(
    '%s: none lost, lanes in order, nothing put aside',
    async (_, rules, source) => {
      const check = deliveryCheck(sink, LANES);
      sink.fault = faultsFrom(7, 0.01);
      const rig = await start(
        { ...rules, aws: { region: 'eu-west-1', endpoint: sink.url, timeout: '300ms' } },
        source,
      );
      await publish(20_000);
      await settled(rig);
      expect(check.verdict(20_000)).toEqual({ lost: 0, disorder: 0, foreign: 0 });
      expect(sink.services.violations).toEqual([]);
      expect(rig.metrics.deadLetters).toBe(0);
      expect(rig.metrics.target(rig.bridge.plan.targets[0]?.key ?? '').retried).toBeGreaterThan(20);
    },
    SLOW_MS,
  );
});

describe('AWS gone', () => {
  it('for far longer than ackWait: nothing is put aside, and all arrives after, nothing twice', async () => {
    const check = deliveryCheck(sink, LANES);
    const rig = await start(fifo, { ackWait: '300ms' });
    await sink.down();
    await publish(2_000);
    const since = Date.now();
    await eventually(() => Date.now() - since > 2_000, 'a while');
    expect(check.arrived).toBe(0);
    expect(rig.metrics.deadLetters).toBe(0);
    await sink.up();
    await settled(rig);
    expect(check.verdict(2_000)).toEqual({ lost: 0, disorder: 0, foreign: 0 });
    expect(check.duplicates).toBe(0);
  });
});
