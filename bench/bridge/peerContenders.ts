/** What one could pick instead: the client library's consumer with the AWS SDK. */
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { type JsMsg, jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { type Contender, durable, REGION } from './round.ts';
import type { RoundOrder } from './roundOrder.ts';

/**
 * The shape everybody writes first: the client library's consumer, batches of ten, the AWS SDK, one ack each.
 */
export const consumeAndSdk: Contender = async (order) => {
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
export const oneByOneAndSdk: Contender = async (order) => {
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

/** The client library's consumer without sending, one ack each. */
export const consumeNoSend: Contender = async (order) => {
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
