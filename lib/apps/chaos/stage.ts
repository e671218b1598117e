/**
 * What chaos comes over: the local cloud, two shops of real processes with real visitors, one of which needs
 * the other, and Switchback as it is deployed, with bakes of seconds. Its own calls are signed `people`; only
 * functions' calls are struck.
 */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ApplicationAutoScalingClient,
  RegisterScalableTargetCommand,
} from '@aws-sdk/client-application-auto-scaling';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { GetQueueUrlCommand, SetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { parse } from 'yaml';
import type { EcsAlbTarget } from '../../../events/target.ts';
import { DynamoEventStore } from '../../aws/eventStore/dynamoEventStore.ts';
import { awsTraffic } from '../../aws/targets.ts';
import { type LocalCloud, startLocalCloud } from '../../local/cloud.ts';
import { freePort } from '../../local/freePort.ts';
import type { Traffic } from '../../ports.ts';
import { type Endpoint, openShop, watchShop } from '../demo/account.ts';
import { bundlePath, deployStack, packageStack } from '../demo/compiledStack.ts';
import { type Shoppers, sendShoppers } from '../demo/shoppers.ts';

export type Shop = {
  readonly service: string;
  readonly stream: string;
  readonly target: EcsAlbTarget;
  readonly shoppers: Shoppers;
};

export type Stage = {
  readonly cloud: LocalCloud;
  readonly at: Endpoint;
  readonly shops: readonly Shop[];
  readonly store: DynamoEventStore;
  readonly traffic: Traffic;
  /** What the functions printed, oldest first; whoever has read them takes them out. */
  readonly lines: string[];
  close(): Promise<void>;
};

/** The stack and whatever it names. */
export const stack = 'switchback-dev';

/** Each service with those it needs. */
const dependencies: Readonly<Record<string, readonly string[]>> = { shop: [], till: ['shop'] };
const services = Object.keys(dependencies);

/** Enough for the smallest step to have its sample within a bake. */
const visitsPerSecond = 15;

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
  const work = `.switchback/chaos-${seed}`;
  const shops: Shop[] = [];
  try {
    for (const service of services) shops.push(await openUp(at, service));
    const targets = new Map(shops.map(({ service, target }) => [service, target]));
    await deployStack(at, stack, await packaged(root, work, targets));
  } catch (error) {
    await cloud.close();
    throw error;
  }
  await hasten(at);
  return {
    cloud,
    at,
    shops,
    store: new DynamoEventStore(new DynamoDBClient(at), `${stack}-events`, patience),
    traffic: awsTraffic(new ElasticLoadBalancingV2Client(at), async () => undefined),
    lines,
    async close() {
      for (const { shoppers } of shops) shoppers.stop();
      await cloud.close();
      rmSync(join(root, work), { recursive: true, force: true });
    },
  };
}

/** A service with its alarms, its bounds for scaling, and people who come. */
async function openUp(at: Endpoint, service: string): Promise<Shop> {
  const port = await freePort();
  const target = await openShop(at, port, 1, 1, service);
  await watchShop(at, target, service);
  for (const name of Object.values(target.services)) {
    await new ApplicationAutoScalingClient(at).send(
      new RegisterScalableTargetCommand({
        ServiceNamespace: 'ecs',
        ScalableDimension: 'ecs:service:DesiredCount',
        ResourceId: `service/${target.cluster}/${name}`,
        MinCapacity: 0,
        MaxCapacity: 3,
      }),
    );
  }
  const shoppers = sendShoppers(`http://127.0.0.1:${port}/`, visitsPerSecond);
  return { service, stream: `service/${service}`, target, shoppers };
}

/** The template, from the example's configuration in haste; its bundles carry the same. */
function packaged(root: string, work: string, targets: ReadonlyMap<string, EcsAlbTarget>): Promise<string> {
  const example = parse(readFileSync(join(root, 'examples/shop/switchback.yml'), 'utf8'));
  const configured = services.map((service) => {
    const alarms = (example.services.shop.alarms as readonly { name: string }[]).map((alarm) => ({
      ...alarm,
      name: alarm.name.replace(/^shop/, service),
    }));
    const own = { target: targets.get(service), alarms, dependsOn: dependencies[service] };
    return [service, { ...example.services.shop, ...haste, ...own }];
  });
  mkdirSync(join(root, work), { recursive: true });
  const configuration = `${work}/switchback.yml`;
  writeFileSync(
    join(root, configuration),
    JSON.stringify({ ...example, services: Object.fromEntries(configured) }),
  );
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
