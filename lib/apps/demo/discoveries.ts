/**
 * What MisterSmith's agents say to each other, and where the bridge takes it: discoveries are published on
 * NATS all through the story and have to arrive as events on the bus, orders in a FIFO queue. The bridge is a
 * process of its own with the example's own rules.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  CreateEventBusCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import { CreateTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { headers } from '@nats-io/transport-node';
import { parse } from 'yaml';
import { freePort } from '../../local/freePort.ts';
import type { Endpoint } from './account.ts';
import { type LocalNats, startNats } from './natsServer.ts';

export type Discoveries = {
  /** Discoveries published so far. */
  readonly said: number;
  /** Ends the agents' talk, waits until all of it has arrived, and says what did. */
  ended(): Promise<Carried>;
  close(): Promise<void>;
};
export type Carried = { readonly said: number; readonly arrived: number; readonly example: string };

const agents = 3;
const kinds = ['insight', 'anomaly', 'pattern'] as const;
/** Discoveries a second, all agents together. */
const perSecond = 20;
const arrivalSecondsMax = 30;
const readySecondsMax = 30;
const queues = ['mistersmith-bridge-dlq', 'mistersmith-migration-events', 'mistersmith-discoveries'];
const fifos = ['mistersmith-orders.fifo', 'mistersmith-commands.fifo'];

/** @throws Error where there is no nats-server, or the bridge does not become ready */
export async function openDiscoveries(root: string, at: Endpoint): Promise<Discoveries> {
  const local = await startNats(root);
  try {
    const topic = await makeDestinations(at);
    const bridge = await startBridge(root, at, local, topic);
    const talk = beginTalk(local);
    const arrivals = countArrivals(at);
    return {
      get said() {
        return talk.said;
      },
      async ended() {
        talk.stop();
        for (let second = 0; second < arrivalSecondsMax && arrivals.ids.size < talk.said; second++)
          await new Promise((resolve) => setTimeout(resolve, 1_000));
        return { said: talk.said, arrived: arrivals.ids.size, example: arrivals.example };
      },
      async close() {
        talk.stop();
        arrivals.stop();
        if (bridge.exitCode === null) {
          const exit = once(bridge, 'exit');
          bridge.kill('SIGTERM');
          await exit;
        }
        await local.close();
      },
    };
  } catch (error) {
    await local.close();
    throw error;
  }
}

/** What examples/mistersmith/bridge.yml names, and a queue that hears every discovery. Answers the topic. */
async function makeDestinations(at: Endpoint): Promise<string> {
  const sqs = new SQSClient(at);
  for (const QueueName of queues) await sqs.send(new CreateQueueCommand({ QueueName }));
  for (const QueueName of fifos)
    await sqs.send(new CreateQueueCommand({ QueueName, Attributes: { FifoQueue: 'true' } }));
  const { TopicArn = '' } = await new SNSClient(at).send(
    new CreateTopicCommand({ Name: 'mistersmith-urgent' }),
  );
  await new DynamoDBClient(at).send(
    new CreateTableCommand({
      TableName: 'MisterSmithDiscoveryCache',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'CacheKey', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'CacheKey', KeyType: 'HASH' }],
    }),
  );
  const events = new EventBridgeClient(at);
  const bus = { EventBusName: 'mistersmith' };
  const rule = { ...bus, Name: 'discoveries' };
  await events.send(new CreateEventBusCommand({ Name: bus.EventBusName }));
  const pattern = { 'detail-type': [{ prefix: 'Discovery' }] };
  await events.send(new PutRuleCommand({ ...rule, EventPattern: JSON.stringify(pattern) }));
  const heard = TopicArn.replace(':sns:', ':sqs:').replace('urgent', 'discoveries');
  await events.send(
    new PutTargetsCommand({ ...bus, Rule: rule.Name, Targets: [{ Id: 'heard', Arn: heard }] }),
  );
  return TopicArn;
}

/** The example's rules; only where NATS and AWS are is different here. */
async function startBridge(
  root: string,
  at: Endpoint,
  { url }: LocalNats,
  topic: string,
): Promise<ChildProcess> {
  const text = readFileSync(join(root, 'examples/mistersmith/bridge.yml'), 'utf8');
  // Short polls: a bridge that drains waits for the ones under way.
  const here = text
    .replaceAll(/arn:aws:sns:[\w:-]+/g, topic)
    .replaceAll(/(queue: [\w.-]+) \}/g, '$1, wait: 1s }');
  const written = parse(here);
  const port = await freePort();
  const { auth: _, ...nats } = written.nats;
  const changes = {
    nats: { ...nats, servers: [url] },
    aws: { region: at.region, endpoint: at.endpoint },
    http: { host: '127.0.0.1', port },
  };
  const work = join(root, '.switchback');
  mkdirSync(work, { recursive: true });
  const file = join(work, 'mistersmith-bridge.yml');
  writeFileSync(file, JSON.stringify({ ...written, ...changes }));
  const { accessKeyId, secretAccessKey } = at.credentials;
  const env = { ...process.env, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  const main = join(root, 'lib/apps/bridge/main.ts');
  const child = spawn(process.execPath, [main, 'run', '--config', file], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout?.on('data', (chunk) => {
    said = (said + chunk).slice(-2_000);
  });
  for (let tries = 0; tries < readySecondsMax * 10 && child.exitCode === null; tries++) {
    const status = await fetch(`http://127.0.0.1:${port}/ready`).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 200) return child;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  child.kill('SIGKILL');
  throw new Error(`the bridge is not ready within ${readySecondsMax} s: ${said}`);
}

/** Agents that find something all the time, each with an id that no two discoveries share. */
function beginTalk({ nats }: LocalNats): { readonly said: number; stop(): void } {
  let said = 0;
  const timer = setInterval(() => {
    const head = headers();
    head.set('Nats-Msg-Id', `discovery-${said}`);
    const subject = `discoveries.agent-${said % agents}.${kinds[said % kinds.length]}`;
    nats.publish(subject, JSON.stringify({ found: said, at: Date.now() }), { headers: head });
    said++;
  }, 1_000 / perSecond);
  return {
    get said() {
      return said;
    },
    stop: () => clearInterval(timer),
  };
}

type Arrivals = { readonly ids: ReadonlySet<string>; readonly example: string; stop(): void };

/** Counts the different discoveries that come as events. */
function countArrivals(at: Endpoint): Arrivals {
  const sqs = new SQSClient(at);
  const ids = new Set<string>();
  let example = '';
  let stopped = false;
  const poll = async () => {
    const url = await queueUrl(sqs, 'mistersmith-discoveries');
    while (!stopped) {
      const receive = new ReceiveMessageCommand({
        QueueUrl: url,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: 1,
      });
      const { Messages = [] } = await sqs.send(receive);
      for (const { Body = '{}' } of Messages) {
        const event = JSON.parse(Body);
        ids.add(event.detail.id);
        example = `${event['detail-type']} from ${event.source}`;
      }
      if (Messages.length === 0) continue;
      const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
      await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries }));
    }
  };
  // The cloud ends before the last poll does; what arrived by then is counted.
  poll().catch(() => undefined);
  return {
    ids,
    get example() {
      return example;
    },
    stop() {
      stopped = true;
    },
  };
}

async function queueUrl(sqs: SQSClient, QueueName: string): Promise<string> {
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName }));
  return QueueUrl;
}
