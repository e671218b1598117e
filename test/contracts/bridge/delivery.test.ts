/** The failure table of docs/bridge.md, row by row, over a real nats-server and the strict sink. */

import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { JetStreamApi } from '../../../lib/nats/natsLink.ts';
import { eventually, NatsServer } from './natsServer.ts';
import { sorted, upTo } from './numbers.ts';
import { configuration, type Document, EVENT, FIFO, RETRY, type Rig, settled, startBridge } from './rig.ts';
import { Refusal } from './strictServices.ts';
import { StrictSink } from './strictSink.ts';

let server: NatsServer;
let nats: NatsConnection;
let sink: StrictSink;
let api: JetStreamApi;
const rigs: Rig[] = [];

beforeAll(async () => {
  server = await NatsServer.start();
  nats = await server.connect();
  api = await jetstreamManager(nats);
});
afterAll(() => server.stop());
beforeEach(async () => {
  sink = await StrictSink.start();
  sink.services.keysOf = { items: ['pk', 'sk'] };
});
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.die();
  await sink.down();
  for (const name of await api.streams.names().next()) await api.streams.delete(name);
});

async function start(changes: Document = {}, source: Document = {}): Promise<Rig> {
  const rig = await startBridge(configuration(server, sink, changes, source));
  rigs.push(rig);
  return rig;
}

/** Publishes `{"n":i}` on `mig.lane<i % lanes>.x`, ids m0, m1 …; waits until the stream has them. */
async function publish(count: number, lanes = 1, from = 0): Promise<void> {
  for (let i = from; i < from + count; i++) {
    const head = headers();
    head.set('Nats-Msg-Id', `m${i}`);
    nats.publish(`mig.lane${i % lanes}.x`, JSON.stringify({ n: i }), { headers: head });
  }
  await nats.flush();
  // The server has read them; the stream may still be storing.
  const stored = async () => (await api.streams.info('MIG')).state.last_seq >= from + count;
  await eventually(stored, `${count} messages are stored`);
}

/** The numbers that arrived at an address, in order. */
const numbers = (address: string) =>
  sink.services.taken
    .filter((taken) => taken.address === address)
    .map(({ body }) => JSON.parse(body))
    .map((body) => (body.data ?? body).n as number);
const dead = () =>
  sink.services.taken.filter(({ address }) => address === 'dead').map(({ body }) => JSON.parse(body));

describe('messages', () => {
  it('published to a stream arrive as EventBridge events, each once, in full batches', async () => {
    const rig = await start();
    await publish(500);
    await settled(rig);
    expect(sorted(numbers('main'))).toEqual(upTo(500));
    expect(sink.services.violations).toEqual([]);
    expect(sink.operations.get('PutEvents')).toBeLessThan(70);
    expect(sink.services.taken[0]?.entry).toMatchObject({ Source: 'nats.mig', DetailType: 'Found' });
    expect(JSON.parse(String(sink.services.taken[0]?.entry.Detail))).toMatchObject({
      id: 'm0',
      subject: 'mig.lane0.x',
      stream: 'MIG',
      seq: 1,
      encoding: 'json',
      data: { n: 0 },
    });
  });

  it('keep their order per lane on the way to a FIFO queue', async () => {
    const rig = await start({ rules: [{ match: 'mig.>', to: FIFO, retry: RETRY }] });
    await publish(600, 7);
    await settled(rig);
    for (const lane of upTo(7)) {
      const inLane = sink.services.taken
        .filter((t) => t.lane === `lane${lane}`)
        .map(({ body }) => JSON.parse(body).n);
      expect(inLane).toEqual(upTo(600).filter((n) => n % 7 === lane));
    }
    expect(sink.services.violations).toEqual([]);
  });

  it('go to every matching rule with match: all, and are acknowledged only when all have them', async () => {
    const rules = [
      { match: 'mig.>', to: EVENT, retry: RETRY },
      { match: 'mig.lane0.*', to: { sqs: { queue: 'plain' } }, retry: RETRY },
      {
        match: 'mig.>',
        to: {
          dynamodb: {
            table: 'items',
            key: ['pk', 'sk'],
            item: { pk: '{{token(2)}}', sk: { number: '{{seq}}' } },
          },
        },
        retry: RETRY,
      },
    ];
    sink.fault = ({ operation }) => (operation === 'SendMessageBatch' ? { kind: 'reset' } : null);
    const rig = await start({ match: 'all', rules });
    await publish(40, 2);
    await eventually(
      () => numbers('main').length === 40 && sink.services.tables.get('items')?.size === 40,
      'two of three',
    );
    const pending = async () => (await api.consumers.info('MIG', 'bridge')).num_ack_pending;
    await eventually(async () => (await pending()) === 20, 'those without a second rule are acknowledged');
    sink.fault = () => null;
    await settled(rig);
    expect(sorted(numbers('plain'))).toEqual(upTo(40).filter((n) => n % 2 === 0));
    expect(sorted(numbers('main'))).toEqual(upTo(40));
  });

  it('that no rule takes are put aside with the reason, or dropped and counted', async () => {
    const rules = [{ match: 'mig.lane0.x', to: 'drop' }];
    const rig = await start({ rules });
    await publish(6, 2);
    await settled(rig);
    expect(dead().map(({ reason, data }) => [reason.code, JSON.parse(data).n])).toEqual([
      ['NoRule', 1],
      ['NoRule', 3],
      ['NoRule', 5],
    ]);
    expect(rig.metrics.rule('rule 1').dropped).toBe(3);
    expect(rig.metrics.unmatched).toBe(3);
  });

  it('of any bytes arrive whole: text, JSON, binary, empty, a megabyte', async () => {
    const rules = [
      {
        match: 'mig.>',
        to: { sqs: { queue: 'plain', attributes: { subject: '{{subject}}' } } },
        retry: RETRY,
      },
    ];
    const rig = await start({ rules });
    const payloads = [
      Buffer.from('grün 😀'),
      Buffer.from([0xff, 0xfe, 0x00]),
      Buffer.from('x'.repeat(1_000_000)),
      Buffer.from('a\u0001b'),
    ];
    for (const [i, payload] of payloads.entries()) nats.publish(`mig.p${i}.x`, payload);
    await publish(0, 1, payloads.length);
    await settled(rig);
    const got = new Map(
      sink.services.taken.map(({ body, entry }) => {
        const attributes = entry.MessageAttributes as Record<string, { StringValue: string }>;
        const encoding = attributes.encoding?.StringValue === 'base64' ? 'base64' : 'utf8';
        return [attributes.subject?.StringValue, Buffer.from(body, encoding)] as const;
      }),
    );
    for (const [i, payload] of payloads.entries()) expect(got.get(`mig.p${i}.x`)?.equals(payload)).toBe(true);
    expect(sink.services.violations).toEqual([]);
  });
});

describe('when a whole request fails', () => {
  it.each([
    ['by reset', { kind: 'reset' }],
    ['by reset after the work', { kind: 'reset-after' }],
    ['by half an answer', { kind: 'half' }],
    ['by silence', { kind: 'stall' }],
    ['with 500', { kind: 'status', status: 500, code: 'InternalFailure' }],
    ['by throttling', { kind: 'status', status: 400, code: 'ThrottlingException' }],
  ] as const)('%s, the batch is sent again in place: nothing lost, lanes in order', async (_, fault) => {
    sink.fault = ({ number }) => (number % 3 === 0 && number < 12 ? fault : null);
    const rig = await start({
      rules: [{ match: 'mig.>', to: FIFO, retry: RETRY, limits: { inFlight: 4, ratePerSec: 500 } }],
    });
    await publish(120, 5);
    await settled(rig);
    expect(numbers('orders.fifo')).toHaveLength(120);
    for (const lane of upTo(5)) {
      const inLane = sink.services.taken
        .filter((t) => t.lane === `lane${lane}`)
        .map(({ body }) => JSON.parse(body).n);
      expect(inLane).toEqual(upTo(120).filter((n) => n % 5 === lane));
    }
    expect(dead()).toEqual([]);
  });

  it('for longer than ackWait, the server is kept from delivering again', async () => {
    sink.fault = () => ({ kind: 'reset' });
    const rig = await start({}, { ackWait: '400ms' });
    await publish(20);
    await eventually(() => rig.bridge.open === 20, 'the bridge has them');
    const since = Date.now();
    await eventually(() => Date.now() - since > 1_500, 'several times ackWait has passed');
    sink.fault = () => null;
    await settled(rig);
    expect(sorted(numbers('main'))).toEqual(upTo(20));
    expect(rig.bridge.intakes[0]?.state.redelivered).toBe(0);
  });

  it('as such and for good, the one entry to blame is found and put aside, the others arrive', async () => {
    sink.fault = () => null;
    const refuse = sink.services.putEvents.bind(sink.services);
    sink.services.putEvents = (input, fault) => {
      if (JSON.stringify(input).includes('\\"n\\":13}')) throw new Refusal('ValidationException', 'thirteen');
      return refuse(input, fault);
    };
    const rig = await start();
    await publish(40);
    await settled(rig);
    expect(sorted(numbers('main'))).toEqual(upTo(40).filter((n) => n !== 13));
    expect(dead()).toMatchObject([
      { id: 'm13', reason: { code: 'ValidationException', rule: 'rule 1', target: 'eventbridge:main' } },
    ]);
  });
});

describe('when entries of a request fail', () => {
  it.each(upTo(10))(
    'at position %d, the others are acknowledged and only that one is sent again',
    async (position) => {
      const seen = new Map<string, number>();
      sink.fault = ({ number }) =>
        number === 1
          ? { kind: 'entries', fails: (at) => (at === position ? 'InternalFailure' : null) }
          : null;
      sink.services.onTaken = ({ body }) => seen.set(body, (seen.get(body) ?? 0) + 1);
      const rig = await start({
        rules: [{ match: 'mig.>', to: EVENT, retry: RETRY, limits: { inFlight: 1 } }],
      });
      await publish(10);
      await settled(rig);
      expect(sorted(numbers('main'))).toEqual(upTo(10));
      expect([...seen.values()].every((times) => times === 1)).toBe(true);
      expect(rig.metrics.target('eventbridge:main').retried).toBe(1);
    },
  );

  it('for good, payload, reason and headers are in the dead-letter queue before the server hears of it', async () => {
    sink.fault = ({ operation }) => {
      if (operation === 'PutEvents')
        return { kind: 'entries', fails: (at) => (at === 1 ? 'MalformedDetail' : null) };
      return { kind: 'status', status: 500, code: 'InternalFailure' };
    };
    const rig = await start();
    await publish(3);
    await eventually(
      () => (sink.operations.get('SendMessageBatch') ?? 0) + (sink.operations.get('GetQueueUrl') ?? 0) > 2,
      'the queue is tried again and again',
    );
    const info = await rig.link.api.consumers.info('MIG', 'bridge');
    expect(info.num_ack_pending).toBe(1);
    sink.fault = () => null;
    await settled(rig);
    expect(dead()).toMatchObject([
      {
        id: 'm1',
        subject: 'mig.lane0.x',
        stream: 'MIG',
        seq: 2,
        headers: { 'Nats-Msg-Id': ['m1'] },
        data: '{"n":1}',
        reason: { code: 'MalformedDetail', attempts: 1 },
      },
    ]);
  });

  it('again and again while others pass, the entry is parked after its attempts', async () => {
    sink.fault = ({ operation }) =>
      operation === 'PutEvents'
        ? {
            kind: 'entries',
            fails: (_, entry) => (String(entry.Detail).includes('"n":7}') ? 'InternalFailure' : null),
          }
        : null;
    const rig = await start({ rules: [{ match: 'mig.>', to: EVENT, retry: { ...RETRY, attempts: 3 } }] });
    await publish(20);
    await settled(rig);
    expect(dead()).toMatchObject([{ id: 'm7', reason: { code: 'InternalFailure', attempts: 3 } }]);
    expect(sorted(numbers('main'))).toEqual(upTo(20).filter((n) => n !== 7));
  });

  it('by throttling, it is waited out without counting as an attempt', async () => {
    let refusals = 0;
    sink.fault = () => (++refusals <= 6 ? { kind: 'entries', fails: () => 'ThrottlingException' } : null);
    const rig = await start({
      rules: [
        {
          match: 'mig.>',
          to: EVENT,
          retry: { ...RETRY, attempts: 2 },
          limits: { inFlight: 1, ratePerSec: 200 },
        },
      ],
    });
    await publish(10);
    await settled(rig);
    expect(sorted(numbers('main'))).toEqual(upTo(10));
    expect(dead()).toEqual([]);
    expect(rig.metrics.target('eventbridge:main').throttled).toBeGreaterThanOrEqual(6);
  });
});

describe('when the target refuses us altogether', () => {
  it.each(['AccessDeniedException', 'ResourceNotFoundException', 'UnrecognizedClientException'])(
    '(%s), the circuit opens, nothing more is taken, nothing is put aside, and it closes by itself',
    async (code) => {
      sink.fault = () => ({ kind: 'status', status: 400, code });
      const rig = await start(
        { rules: [{ match: 'mig.>', to: EVENT, retry: RETRY }] },
        { maxAckPending: 500 },
      );
      await publish(100);
      await eventually(() => rig.bridge.carrier.blockedBy.length === 1, 'the circuit opens');
      expect(rig.bridge.carrier.blockedBy[0]).toMatchObject({
        target: 'eventbridge:main',
        reason: expect.stringContaining(code),
      });
      await publish(2_000, 1, 100);
      const info = await rig.link.api.consumers.info('MIG', 'bridge');
      expect(info.num_pending).toBeGreaterThan(1_000);
      expect(sink.operations.get('PutEvents')).toBeLessThan(80);
      sink.fault = () => null;
      await settled(rig);
      expect(new Set(numbers('main')).size).toBe(2_100);
      expect(dead()).toEqual([]);
      expect(rig.bridge.carrier.blockedBy).toEqual([]);
    },
  );
});

describe('a message delivered again', () => {
  it('after its acknowledgement was lost is acknowledged without being sent again', async () => {
    const rig = await start({}, { ackWait: '300ms' });
    // The bridge's acknowledgements go nowhere for a while.
    const publishing = rig.link.nats.publish.bind(rig.link.nats);
    let lost = 0;
    rig.link.nats.publish = (subject, ...rest) => {
      if (subject.startsWith('$JS.ACK.') && lost < 10) lost++;
      else publishing(subject, ...rest);
    };
    await publish(10);
    await settled(rig);
    expect(lost).toBe(10);
    expect(rig.bridge.intakes[0]?.state.redelivered).toBe(10);
    expect(sorted(numbers('main'))).toEqual(upTo(10));
  });

  it('more often than allowed is put aside', async () => {
    await api.streams.add({ name: 'MIG', subjects: ['mig.>'] });
    await api.consumers.add('MIG', {
      durable_name: 'bridge',
      ack_policy: AckPolicy.Explicit,
      ack_wait: 1e9,
      max_deliver: -1,
    });
    await publish(1);
    const consumer = await jetstream(nats).consumers.get('MIG', 'bridge');
    for (let i = 0; i < 3; i++) (await consumer.next())?.nak();
    const rig = await start({}, { maxDeliver: 3 });
    await settled(rig);
    expect(dead()).toMatchObject([{ reason: { code: 'DeliveredTooOften', attempts: 0 } }]);
  });
});

describe('stopping', () => {
  it('takes nothing more, sends what lingers, acknowledges, and gives back nothing that can still go', async () => {
    const rig = await start({ rules: [{ match: 'mig.>', to: EVENT, batch: { linger: '1m' } }] });
    await publish(7);
    await eventually(() => rig.bridge.open === 7, 'seven linger');
    expect(await rig.drain()).toBe(0);
    rigs.splice(0);
    expect(sorted(numbers('main'))).toEqual(upTo(7));
    const next = await start();
    await settled(next);
    expect(next.bridge.intakes[0]?.state.redelivered).toBe(0);
    expect(numbers('main')).toHaveLength(7);
  });

  it('gives back at once what cannot be sent in time, for the next one to take', async () => {
    sink.fault = () => ({ kind: 'reset' });
    // nats-server 2.9.10 keeps one of them until ackWait, when the first comes back and no request is open.
    const rig = await start({}, { ackWait: '2s', owner: 'shared' });
    await publish(30);
    await eventually(() => rig.bridge.open === 30, 'thirty in hand');
    expect(await rig.drain(100)).toBe(30);
    rigs.splice(0);
    sink.fault = () => null;
    const next = await start({}, { ackWait: '2s', owner: 'shared' });
    await settled(next);
    expect(sorted(numbers('main'))).toEqual(upTo(30));
  });
});
