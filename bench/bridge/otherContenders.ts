/** The way back, and a stream into a table: ours and the libraries'. */
import { BatchWriteItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { StreamCopy } from '../../lib/apps/bridge/streamCopy.ts';
import { realClock } from '../../lib/asl/clock.ts';
import { ItemTable } from '../../lib/aws/lean/itemTable.ts';
import type { StoredMessage } from '../../lib/core/bridge/streamCopy.ts';
import { NatsLink } from '../../lib/nats/natsLink.ts';
import { JetStreamPublisher } from '../../lib/nats/publisher.ts';
import { StreamReader } from '../../lib/nats/streamReader.ts';
import { type Contender, leanClient, leanSender, REGION } from './round.ts';

/** Our publisher with message ids: the way back. */
export const publishOurs: Contender = async (order) => {
  const link = await NatsLink.open({ servers: [order.nats], name: 'bench' }, {});
  const publisher = new JetStreamPublisher(link.nats, realClock, { window: 1_024, timeoutMs: 10_000 });
  const data = Buffer.from('x'.repeat(128));
  return {
    async start() {
      await inLoops(1_024, order.count, async (n) => {
        const msgId = `${order.stream}.${n}`;
        const answer = await publisher.publish({
          subject: 'bench.k.x',
          msgId,
          data,
          headers: [],
          stream: null,
        });
        if (answer.outcome !== 'stored') throw new Error(answer.message);
      });
      return undefined;
    },
    async end() {
      publisher.close();
      await link.close();
    },
  };
};

/** The client library's publish with message ids, 256 at a time: more is slower (reference measurements). */
export const publishLibrary: Contender = async (order) => {
  const nats = await connect({ servers: order.nats });
  const js = jetstream(nats);
  const data = Buffer.from('x'.repeat(128));
  return {
    async start() {
      await inLoops(256, order.count, async (n) => {
        await js.publish('bench.k.x', data, { msgID: `${order.stream}.${n}` });
      });
      return undefined;
    },
    end: () => nats.close(),
  };
};

async function inLoops(width: number, count: number, action: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const loop = async () => {
    while (next < count) await action(next++);
  };
  await Promise.all(Array.from({ length: width }, loop));
}

const TABLE = 'streams';

/** A stream copied to a table as `bridge copy` does it: hashes, checkpoints and all. */
export const copyOurs: Contender = async (order) => {
  const link = await NatsLink.open({ servers: [order.nats], name: 'bench' }, {});
  const client = leanClient(order);
  const sender = leanSender(client);
  const table = new ItemTable(client, TABLE);
  const deps = { link, sender, table, timers: realClock, chance: Math.random, log: console.error };
  const copy = new StreamCopy({ stream: order.stream, shards: 1 }, deps);
  return {
    async start() {
      const { count } = await copy.run({ follow: false, inFlight: order.inFlight });
      if (count !== order.count) throw new Error(`${count} were written`);
      return undefined;
    },
    async end() {
      sender.close();
      await link.close();
    },
  };
};

/** The same stream read by the same reader, written by the AWS SDK: 25 items a request, as many in flight. */
export const copySdk: Contender = async (order) => {
  const link = await NatsLink.open({ servers: [order.nats], name: 'bench' }, {});
  const client = new DynamoDBClient({
    region: REGION,
    endpoint: order.endpoint,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    requestHandler: { httpAgent: { maxSockets: 256 }, httpsAgent: { maxSockets: 256 } },
  });
  const reader = new StreamReader(link, realClock, order.stream, 1);
  return {
    async start() {
      await reader.open();
      const underWay = new Set<Promise<void>>();
      let rest: StoredMessage[] = [];
      for (let read = 0; read < order.count; ) {
        const messages = await reader.read(1_000, 1_000);
        read += messages.length;
        rest.push(...messages);
        while (rest.length >= 25 || (read === order.count && rest.length > 0)) {
          while (underWay.size >= order.inFlight) await Promise.race(underWay);
          const sending: Promise<void> = putBySdk(client, order.stream, rest.slice(0, 25)).finally(() =>
            underWay.delete(sending),
          );
          underWay.add(sending);
          rest = rest.slice(25);
        }
      }
      await Promise.all(underWay);
      return undefined;
    },
    async end() {
      await reader.close();
      client.destroy();
      await link.close();
    },
  };
};

async function putBySdk(
  client: DynamoDBClient,
  stream: string,
  messages: readonly StoredMessage[],
): Promise<void> {
  const requests = messages.map((message) => ({
    PutRequest: {
      Item: {
        StreamName: { S: stream },
        SequenceNumber: { N: String(message.sequence) },
        Subject: { S: message.subject },
        StoredAt: { N: String(message.storedAtMs) },
        Data: { B: message.data },
      },
    },
  }));
  const command = new BatchWriteItemCommand({ RequestItems: { [TABLE]: requests } });
  const { UnprocessedItems = {} } = await client.send(command);
  if (Object.keys(UnprocessedItems).length > 0) throw new Error('items were not processed');
}
