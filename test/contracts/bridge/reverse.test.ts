/** The way back, over the local cloud and a real nats-server. */
import {
  CreateTableCommand,
  DynamoDBClient,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { jetstreamManager, RetentionPolicy } from '@nats-io/jetstream';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Runtime } from '../../../lib/apps/bridge/runtime.ts';
import { realClock } from '../../../lib/asl/clock.ts';
import { type LocalCloud, startLocalCloud } from '../../../lib/local/cloud.ts';
import type { JetStreamApi } from '../../../lib/nats/natsLink.ts';
import { eventually, NatsServer } from './natsServer.ts';
import { type Document, planFrom } from './rig.ts';
import { REGION } from './strictSink.ts';

let server: NatsServer;
let cloud: LocalCloud;
let nats: NatsConnection;
let api: JetStreamApi;
let queues: SQSClient;
let tables: DynamoDBClient;
const running: Runtime[] = [];
const logs: string[] = [];
const got: Msg[] = [];
let serial = 0;

beforeAll(async () => {
  server = await NatsServer.start();
  nats = await server.connect();
  api = await jetstreamManager(nats);
  cloud = await startLocalCloud();
  const config = {
    endpoint: cloud.url,
    region: REGION,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };
  queues = new SQSClient(config);
  tables = new DynamoDBClient(config);
  nats.subscribe('cmd.>', { callback: (_, message) => void got.push(message) });
  await api.streams.add({
    name: 'CMD',
    subjects: ['cmd.>'],
    retention: RetentionPolicy.Limits,
    max_msg_size: 50_000,
  });
});
afterAll(async () => {
  queues.destroy();
  tables.destroy();
  await cloud.close();
  await server.stop();
});
afterEach(async () => {
  for (const runtime of running.splice(0)) await runtime.drain();
  got.length = 0;
  await api.streams.purge('CMD');
});

const environment = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };

async function start(...reverse: Document[]): Promise<Runtime> {
  const document = {
    version: 1,
    nats: { servers: [server.url] },
    aws: { region: REGION, endpoint: cloud.url },
    http: { host: '127.0.0.1', port: 0 },
    lease: '800ms',
    reverse,
  };
  const log = (message: string) => void logs.push(message);
  const options = {
    plan: planFrom(document),
    environment,
    timers: realClock,
    version: '0',
    log,
    report: () => {},
  };
  const runtime = await Runtime.start(options);
  running.push(runtime);
  return runtime;
}

async function queue(
  suffix = '',
  attributes: Record<string, string> = {},
): Promise<{ name: string; url: string }> {
  const name = `q${++serial}${suffix}`;
  const { QueueUrl } = await queues.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }));
  return { name, url: QueueUrl as string };
}

async function emptied(url: string): Promise<void> {
  const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
  await eventually(
    async () => {
      const { Attributes = {} } = await queues.send(
        new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: [...names] }),
      );
      return names.every((name) => Attributes[name] === '0');
    },
    `the queue is empty; ${logs.slice(-3).join(' | ')}`,
  );
}

const poll = { wait: '1s', visibility: '2s', pollers: 1 };

describe('from SQS', () => {
  it('messages are stored under the subject of the rule, with their id, and deleted only then', async () => {
    const { name, url } = await queue();
    await start({
      from: { sqs: { queue: name, ...poll } },
      subject: 'cmd.{{attr(service)}}.{{json(/action)}}',
      headers: { 'x-from': 'sqs' },
    });
    const { MessageId } = await queues.send(
      new SendMessageCommand({
        QueueUrl: url,
        MessageBody: '{"action":"stop it"}',
        MessageAttributes: { service: { DataType: 'String', StringValue: 'agent.3' } },
      }),
    );
    await emptied(url);
    expect(got.map(({ subject }) => subject)).toEqual(['cmd.agent_3.stop_it']);
    expect(got[0]?.string()).toBe('{"action":"stop it"}');
    expect(got[0]?.headers?.get('Nats-Msg-Id')).toBe(MessageId);
    expect(got[0]?.headers?.get('x-from')).toBe('sqs');
    expect((await api.streams.info('CMD')).state.messages).toBe(1);
  });

  it('the groups of a FIFO queue keep their order', async () => {
    const { name, url } = await queue('.fifo', { FifoQueue: 'true', ContentBasedDeduplication: 'true' });
    await start({ from: { sqs: { queue: name, ...poll } }, subject: 'cmd.{{group}}' });
    for (let batch = 0; batch < 4; batch++) {
      const Entries = Array.from({ length: 10 }, (_, i) => ({
        Id: String(i),
        MessageBody: `${batch * 10 + i}`,
        MessageGroupId: `g${i % 3}`,
      }));
      await queues.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
    }
    await emptied(url);
    expect(got).toHaveLength(40);
    for (const group of ['cmd.g0', 'cmd.g1', 'cmd.g2']) {
      const numbers = got
        .filter(({ subject }) => subject === group)
        .map((message) => Number(message.string()));
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    }
  });

  it('a message that JetStream will never take is put aside with its reason', async () => {
    const { name, url } = await queue();
    const dead = await queue();
    await start({ from: { sqs: { queue: name, ...poll } }, subject: 'cmd.x', dlq: { sqs: dead.name } });
    await queues.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'x'.repeat(60_000) }));
    await emptied(url);
    const { Attributes } = await queues.send(
      new GetQueueAttributesCommand({ QueueUrl: dead.url, AttributeNames: ['ApproximateNumberOfMessages'] }),
    );
    expect(Attributes?.ApproximateNumberOfMessages).toBe('1');
    expect(got).toHaveLength(1);
    expect((await api.streams.info('CMD')).state.messages).toBe(0);
  });

  it('nothing is lost while no stream takes the subject, and the fault is seen', async () => {
    const { name, url } = await queue();
    const runtime = await start({ from: { sqs: { queue: name, ...poll } }, subject: 'late.x' });
    await queues.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'patience' }));
    await eventually(
      () => logs.some((line) => line.includes('no stream takes the subject')),
      'the refusal is logged',
    );
    await api.streams.add({ name: 'LATE', subjects: ['late.>'] });
    await emptied(url);
    expect((await api.streams.info('LATE')).state.messages).toBe(1);
    expect(runtime.bridge.phase).toBe('running');
  });
});

describe('from EventBridge through a queue', () => {
  it('the event gives id, fields and what is picked of it', async () => {
    const { name, url } = await queue();
    const pick = { service: '{{json(/detail/service)}}', type: '{{attr(detail-type)}}' };
    await start({
      from: { eventbridge: { queue: name, ...poll } },
      subject: 'cmd.{{kebab(attr(detail-type))}}',
      data: { pick },
    });
    const event = {
      id: 'ev-1',
      'detail-type': 'Rollout Completed',
      source: 'switchback',
      detail: { service: { name: 'a' } },
    };
    await queues.send(new SendMessageCommand({ QueueUrl: url, MessageBody: JSON.stringify(event) }));
    await emptied(url);
    expect(got.map((m) => [m.subject, m.headers?.get('Nats-Msg-Id'), m.json()])).toEqual([
      ['cmd.rollout-completed', 'ev-1', { service: { name: 'a' }, type: 'Rollout Completed' }],
    ]);
  });
});

describe('from a DynamoDB stream', () => {
  async function table(): Promise<{ name: string; arn: string }> {
    const name = `table${++serial}`;
    const { TableDescription } = await tables.send(
      new CreateTableCommand({
        TableName: name,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
        StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
      }),
    );
    return { name, arn: TableDescription?.LatestStreamArn as string };
  }
  const put = (name: string, pk: string, n: number) =>
    tables.send(
      new PutItemCommand({
        TableName: name,
        Item: { pk: { S: pk }, n: { N: String(n) }, m: { M: { b: { BOOL: true } } } },
      }),
    );
  const rule = (arn: string) => ({
    from: { dynamodbStream: { arn, poll: '20ms' } },
    subject: 'cmd.{{attr(table)}}.{{lower(attr(eventName))}}.{{json(/keys/pk)}}',
  });

  it('every change arrives once, the changes of an item in their order, as plain JSON', async () => {
    const { name, arn } = await table();
    for (let n = 0; n < 30; n++) await put(name, `item${n % 3}`, n);
    await start(rule(arn));
    await tables.send(
      new UpdateItemCommand({
        TableName: name,
        Key: { pk: { S: 'item0' } },
        UpdateExpression: 'SET n = :n',
        ExpressionAttributeValues: { ':n': { N: '99' } },
      }),
    );
    await eventually(
      () => got.length === 31,
      `31 changes, ${got.length} so far; ${logs.slice(-3).join(' | ')}`,
    );
    expect(new Set(got.map((m) => m.headers?.get('Nats-Msg-Id'))).size).toBe(31);
    for (const pk of ['item0', 'item1', 'item2']) {
      const numbers = got
        .filter(({ subject }) => subject.endsWith(pk))
        .map((m) => (m.json() as { new: { n: number } }).new.n);
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    }
    expect(got[0]?.json()).toMatchObject({
      eventName: 'INSERT',
      table: name,
      new: { pk: 'item0', n: 0, m: { b: true } },
    });
  });

  it('goes on where it stopped, whoever reads', async () => {
    const { name, arn } = await table();
    await put(name, 'a', 1);
    const first = await start(rule(arn));
    await eventually(() => got.length === 1, 'the first change');
    await first.drain();
    running.splice(0);
    await put(name, 'a', 2);
    await Promise.all([start(rule(arn)), start(rule(arn))]);
    await eventually(() => got.length >= 2, 'the second change');
    await put(name, 'a', 3);
    await eventually(() => got.length >= 3, 'the third change');
    expect(got.map((m) => (m.json() as { new: { n: number } }).new.n)).toEqual([1, 2, 3]);
  });
});
