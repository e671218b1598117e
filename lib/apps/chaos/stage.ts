/**
 * What chaos comes over: the local cloud, a shop of real processes with real visitors, and Switchback as it
 * is deployed, with bakes of seconds. Its own calls are signed `people`; only functions' calls are struck.
 */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { GetQueueUrlCommand, SetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { parseDocument } from 'yaml';
import type { EcsAlbTarget } from '../../../events/target.ts';
import { DynamoEventStore } from '../../aws/eventStore/dynamoEventStore.ts';
import { awsTraffic } from '../../aws/targets.ts';
import { type LocalCloud, startLocalCloud } from '../../local/cloud.ts';
import { freePort } from '../../local/freePort.ts';
import type { Traffic } from '../../ports.ts';
import { type Endpoint, openShop, watchShop } from '../demo/account.ts';
import { bundlePath, deployStack, packageStack } from '../demo/compiledStack.ts';
import { type Shoppers, sendShoppers } from '../demo/shoppers.ts';

export type Stage = {
  readonly cloud: LocalCloud;
  readonly at: Endpoint;
  readonly target: EcsAlbTarget;
  readonly store: DynamoEventStore;
  readonly traffic: Traffic;
  readonly shoppers: Shoppers;
  /** What the functions printed, oldest first. */
  readonly lines: readonly string[];
  close(): Promise<void>;
};

/** The stack and whatever it names. */
export const stack = 'switchback-dev';
export const service = 'shop';
export const stream = `service/${service}`;

/** Enough for the smallest step to have its sample within a bake. */
const visitsPerSecond = 20;

/** Small bakes and windows: one rollout takes seconds, and a late write may land in all of it. */
const haste = {
  strategy: {
    kind: 'canary',
    stepPercentMax: 60,
    finalFromPercent: 40,
    steps: [{ weight: 25, bakeSeconds: 2 }, { weight: 60, bakeSeconds: 2 }, { weight: 100 }],
    finalBakeSeconds: 2,
  },
  evaluateSeconds: 1,
  rollbackWindowSeconds: 6,
  scaleDownDelaySeconds: 1,
  shiftTimeoutSeconds: 3,
  coolOffSeconds: 2,
  rollbacksPerDayMax: 5,
  whileActive: 'queue',
};

/** A machine that is busy with trouble is no finding: who checks waits. */
export const patience = { deadlineMs: 60_000, attemptMs: 20_000 };

export async function openStage(root: string, seed: number): Promise<Stage> {
  const lines: string[] = [];
  const cloud = await startLocalCloud({
    seed,
    metricPeriodSeconds: 1,
    codePath: bundlePath(root),
    onFunctionLog: ({ functionName, line }) => void lines.push(`${functionName} ${line}`),
  });
  const credentials = { accessKeyId: 'people', secretAccessKey: 'people' };
  const at: Endpoint = { endpoint: cloud.url, region: 'eu-west-1', credentials };
  const port = await freePort();
  const target = await openShop(at, port, 1, 1);
  await watchShop(at, target);
  const work = `.switchback/chaos-${seed}`;
  await deployStack(at, stack, await packaged(root, work, target));
  await hasten(at);
  const shoppers = sendShoppers(`http://127.0.0.1:${port}/`, visitsPerSecond);
  return {
    cloud,
    at,
    target,
    store: new DynamoEventStore(new DynamoDBClient(at), `${stack}-events`, patience),
    traffic: awsTraffic(new ElasticLoadBalancingV2Client(at), async () => undefined),
    shoppers,
    lines,
    async close() {
      shoppers.stop();
      await cloud.close();
      rmSync(join(root, work), { recursive: true, force: true });
    },
  };
}

/** The template, from the example's configuration in haste; its bundles carry the same. */
function packaged(root: string, work: string, target: EcsAlbTarget): Promise<string> {
  const document = parseDocument(readFileSync(join(root, 'examples/shop/switchback.yml'), 'utf8'));
  document.setIn(['services', service, 'target'], target);
  for (const [key, value] of Object.entries(haste)) {
    document.setIn(['services', service, key], document.createNode(value));
  }
  mkdirSync(join(root, work), { recursive: true });
  const configuration = `${work}/switchback.yml`;
  writeFileSync(join(root, configuration), String(document));
  return packageStack(root, { work, configuration, stage: 'dev' });
}

/** What a killed function had taken from a queue comes again at once, not after half a minute. */
async function hasten(at: Endpoint): Promise<void> {
  const sqs = new SQSClient(at);
  for (const name of ['alarms', 'deployments', 'intents.fifo']) {
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: `${stack}-${name}` }));
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { VisibilityTimeout: '3' } }));
  }
}
