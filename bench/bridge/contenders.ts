/** What is measured: the bridge, the peers one could pick instead, and the limits of machine and client. */
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { type JsMsg, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { Bridge } from '../../lib/apps/bridge/bridge.ts';
import { BridgeMetrics } from '../../lib/apps/bridge/metrics.ts';
import { realClock } from '../../lib/asl/clock.ts';
import { AwsClient } from '../../lib/aws/lean/awsClient.ts';
import { CredentialKeeper } from '../../lib/aws/lean/credentials.ts';
import { LeanSender } from '../../lib/aws/lean/leanSender.ts';
import { SdkSender } from '../../lib/aws/sdkSender.ts';
import { type Plan, planOf } from '../../lib/core/bridge/plan.ts';
import type { Sender } from '../../lib/core/bridge/ports.ts';
import { JetStreamSource } from '../../lib/nats/jetstreamSource.ts';
import { NatsLink } from '../../lib/nats/natsLink.ts';
import { JetStreamPublisher } from '../../lib/nats/publisher.ts';
import { Register } from '../../lib/nats/register.ts';
import type { RoundOrder } from './roundOrder.ts';

/** A round is prepared, then started on the clock, then cleaned up. */
export type Round = { start(): Promise<readonly number[] | undefined>; end(): Promise<void> };
export type Contender = (order: RoundOrder) => Promise<Round>;

const REGION = 'eu-west-1';
const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test', sessionToken: null, expiresAtMs: null };
const LIMITS = { eventbridge: 1_000_000, sqs: 1_048_576, sns: 262_144 };

function planFor(order: RoundOrder, ack: 'explicit' | 'watermark'): Plan {
  const result = planOf({
    version: 1,
    nats: { servers: [order.nats] },
    aws: { region: REGION, endpoint: order.endpoint },
    lease: '5s',
    sources: [{ stream: order.stream, durable: 'bench', ack, owner: 'single' }],
    rules: [
      {
        match: 'bench.>',
        to: { eventbridge: { bus: 'b', source: 'bench', detailType: 'Found', detail: 'raw' } },
        limits: { inFlight: order.inFlight },
      },
    ],
    dlq: { sqs: 'dead' },
  });
  if ('faults' in result) throw new Error(JSON.stringify(result.faults));
  return result.plan;
}

function leanClient(order: RoundOrder): AwsClient {
  const keeper = new CredentialKeeper(async () => CREDENTIALS, realClock);
  const options = { region: REGION, endpoint: order.endpoint, timeoutMs: 30_000, ca: order.ca ?? undefined };
  return new AwsClient(options, keeper, realClock);
}

const ours =
  (ack: 'explicit' | 'watermark', senderOf: (order: RoundOrder) => Sender): Contender =>
  async (order) => {
    const plan = planFor(order, ack);
    const link = await NatsLink.open(plan.config.nats, {});
    const timers = realClock;
    const publisher = new JetStreamPublisher(link.nats, timers, { window: 1_024, timeoutMs: 5_000 });
    const metrics = new BridgeMetrics(timers.now());
    const sender = senderOf(order);
    const deps = {
      link,
      sender,
      publisher,
      timers,
      metrics,
      log: console.error,
      chance: Math.random,
      owner: String(process.pid),
    };
    const bridge = new Bridge(plan, { ...deps, register: new Register(link, publisher) });
    return {
      async start() {
        await bridge.start();
        const done = async () => {
          const info = await link.api.consumers.info(order.stream, 'bench').catch(() => null);
          return info !== null && info.num_pending === 0 && info.num_ack_pending === 0;
        };
        while (metrics.delivered < order.count) await pause(2);
        while (!(await done())) await pause(2);
        return undefined;
      },
      async end() {
        await bridge.drain(1_000);
        publisher.close();
        sender.close();
        await link.close();
      },
    };
  };

const lean = (order: RoundOrder) => new LeanSender(leanClient(order), LIMITS, null);
const sdk = (order: RoundOrder) =>
  new SdkSender({ region: REGION, endpoint: order.endpoint, timeoutMs: 30_000, limits: LIMITS });

/**
 * The shape everybody writes first: the client library's consumer, batches of ten, the AWS SDK, one ack each.
 */
const consumeAndSdk: Contender = async (order) => {
  const nats = await connect({ servers: order.nats });
  await durable(order);
  const consumer = await jetstream(nats).consumers.get(order.stream, 'bench');
  const client = sdkClient(order);
  return {
    async start() {
      const messages = await consumer.consume({ max_messages: 1_000 });
      const pool = sendingPool(client, order.inFlight);
      let batch: JsMsg[] = [];
      let seen = 0;
      for await (const message of messages) {
        batch.push(message);
        if (batch.length === 10) {
          await pool.send(batch);
          batch = [];
        }
        if (++seen === order.count) break;
      }
      if (batch.length > 0) await pool.send(batch);
      await pool.end();
      await nats.flush();
      return undefined;
    },
    async end() {
      client.destroy();
      await nats.close();
    },
  };
};

/** Redpanda Connect's shape: its pull input asks for one message at a time (Fetch(1)), its output batches. */
const oneByOneAndSdk: Contender = async (order) => {
  const nats = await connect({ servers: order.nats });
  await durable(order);
  const consumer = await jetstream(nats).consumers.get(order.stream, 'bench');
  const client = sdkClient(order);
  return {
    async start() {
      const pool = sendingPool(client, order.inFlight);
      let batch: JsMsg[] = [];
      for (let seen = 0; seen < order.count; seen++) {
        const message = await consumer.next({ expires: 5_000 });
        if (message === null) throw new Error('nothing came');
        batch.push(message);
        if (batch.length < 10) continue;
        await pool.send(batch);
        batch = [];
      }
      if (batch.length > 0) await pool.send(batch);
      await pool.end();
      await nats.flush();
      return undefined;
    },
    async end() {
      client.destroy();
      await nats.close();
    },
  };
};

/** Our source without sending: what reading and acknowledging alone cost. */
const noSend =
  (ack: 'explicit' | 'watermark'): Contender =>
  async (order) => {
    const plan = planFor(order, ack);
    const link = await NatsLink.open(plan.config.nats, {});
    const [config] = plan.config.sources;
    if (config === undefined || 'core' in config) throw new Error('no stream');
    const source = new JetStreamSource(link, realClock, {
      config,
      credits: order.inFlight * 40,
      ordered: false,
      log: console.error,
    });
    return {
      async start() {
        let seen = 0;
        await new Promise<void>((resolve, reject) => {
          source
            .start((message) => {
              // Touches what a rule would touch.
              if (message.text() === undefined) reject(new Error('no text'));
              source.settle(message, 'done');
              if (++seen === order.count) resolve();
            })
            .catch(reject);
        });
        await link.flush();
        return undefined;
      },
      async end() {
        await source.stop();
        await link.close();
      },
    };
  };

/** The client library's consumer without sending, one ack each. */
const consumeNoSend: Contender = async (order) => {
  const nats = await connect({ servers: order.nats });
  await durable(order);
  const consumer = await jetstream(nats).consumers.get(order.stream, 'bench');
  return {
    async start() {
      let seen = 0;
      for await (const message of await consumer.consume({ max_messages: 1_000 })) {
        message.ack();
        if (++seen === order.count) break;
      }
      await nats.flush();
      return undefined;
    },
    end: () => nats.close(),
  };
};

/** Our sender with batches that are ready: what signing and sockets alone cost. */
const sendOnly: Contender = async (order) => {
  const plan = planFor(order, 'explicit');
  const [target] = plan.targets;
  if (target === undefined) throw new Error('no target');
  const sender = lean(order);
  const json = `{"EventBusName":"b","Source":"bench","DetailType":"Found","Detail":${JSON.stringify(JSON.stringify({ pad: 'x'.repeat(118) }))}}`;
  const batch = Array.from({ length: 10 }, () => ({ json, bytes: 140, key: '' }));
  return {
    async start() {
      let left = order.count / 10;
      const loop = async () => {
        while (left-- > 0) {
          const answer = await sender.send(target, batch);
          if (answer.kind !== 'taken') throw new Error(answer.failure.message);
        }
      };
      await Promise.all(Array.from({ length: order.inFlight }, loop));
      return undefined;
    },
    async end() {
      sender.close();
    },
  };
};

async function durable(order: RoundOrder): Promise<void> {
  const nats = await connect({ servers: order.nats });
  const api = await jetstreamManager(nats);
  await api.consumers.add(order.stream, {
    durable_name: 'bench',
    ack_policy: 'explicit',
    max_ack_pending: 20_000,
    ack_wait: 30e9,
  });
  await nats.close();
}

const sdkClient = (order: RoundOrder) =>
  new EventBridgeClient({
    region: REGION,
    endpoint: order.endpoint,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    requestHandler: { httpAgent: { maxSockets: 256 }, httpsAgent: { maxSockets: 256 } },
  });

function sendingPool(client: EventBridgeClient, inFlight: number) {
  const underWay = new Set<Promise<void>>();
  const put = async (messages: readonly JsMsg[]) => {
    const Entries = messages.map((message) => ({
      EventBusName: 'b',
      Source: 'bench',
      DetailType: 'Found',
      Detail: message.string(),
    }));
    const { FailedEntryCount } = await client.send(new PutEventsCommand({ Entries }));
    if (FailedEntryCount !== 0) throw new Error('entries failed');
    for (const message of messages) message.ack();
  };
  return {
    async send(messages: readonly JsMsg[]): Promise<void> {
      while (underWay.size >= inFlight) await Promise.race(underWay);
      const sending: Promise<void> = put(messages).finally(() => underWay.delete(sending));
      underWay.add(sending);
    },
    end: () => Promise.all(underWay),
  };
}

const pause = (ms: number) => new Promise<void>((go) => setTimeout(() => go(), ms));

export const contenders: Readonly<Record<string, Contender>> = {
  'bridge, explicit': ours('explicit', lean),
  'bridge, watermark': ours('watermark', lean),
  'bridge, AWS SDK': ours('explicit', sdk),
  'consume() + AWS SDK': consumeAndSdk,
  'one at a time + AWS SDK': oneByOneAndSdk,
  'no send, explicit': noSend('explicit'),
  'no send, watermark': noSend('watermark'),
  'consume(), no send': consumeNoSend,
  'send only': sendOnly,
};
