/**
 * The shop, and Switchback deployed beside it by its compiled template: what `sls deploy` would make, made
 * here.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CloudWatchClient, SetAlarmStateCommand } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { parseDocument } from 'yaml';
import type { ServiceEvent } from '../../../events/service.ts';
import { type Endpoint, openShop, registerShop, watchShop } from '../../../lib/apps/demo/account.ts';
import { bundlePath, deployStack } from '../../../lib/apps/demo/compiledStack.ts';
import { sendShoppers } from '../../../lib/apps/demo/shoppers.ts';
import { DynamoEventStore } from '../../../lib/aws/eventStore/dynamoEventStore.ts';
import type { Plan } from '../../../lib/core/rollout/plan.ts';
import type { ServiceState } from '../../../lib/core/rollout/state.ts';
import { startLocalCloud } from '../../../lib/local/cloud.ts';
import { freePort } from '../../../lib/local/freePort.ts';
import { repositoryRoot as root } from '../../tidy/plant.ts';
import { until } from '../../until.ts';
import { packagedConfiguration, type Template } from './packaged.ts';

const stackName = 'switchback-dev';
const stream = 'service/shop';

/** One step to half of the traffic, one to all: long enough to do something in between. */
const strategy = {
  kind: 'canary',
  stepPercentMax: 60,
  finalFromPercent: 40,
  steps: [{ weight: 50, bakeSeconds: 3 }, { weight: 100 }],
  finalBakeSeconds: 1,
};

/** @param change what is different in the template, before it is deployed */
export async function openDeployedShop(change: (template: Template) => void = () => undefined) {
  const lines: string[] = [];
  const cloud = await startLocalCloud({
    seed: 1,
    metricPeriodSeconds: 1,
    codePath: bundlePath(root),
    onFunctionLog: ({ functionName, line }) => lines.push(`${functionName} ${line}`),
  });
  const at: Endpoint = {
    endpoint: cloud.url,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };
  try {
    const port = await freePort();
    const target = await openShop(at, port, 1, 1);
    await watchShop(at, target);
    await plantSecret(at);
    const { template, dist } = await packagedConfiguration('dev', 'deployed', configurationFor(target));
    const deploy = (changed: Template) => deployStack(at, stackName, JSON.stringify(changed));
    const first = structuredClone(template) as Template;
    change(first);
    const outputs = await deploy(first);
    const shoppers = sendShoppers(`http://127.0.0.1:${port}/`, 20);
    const store = new DynamoEventStore(new DynamoDBClient(at), outputs.EventTableName ?? '');
    const state = async () => (await store.head(stream)).snapshot?.state as ServiceState | undefined;
    const recorded = () => Array.fromAsync(store.read(stream));
    return {
      ...{ at, outputs, template },
      /** Folder of the bundles. */
      dist,
      /** What the functions printed. */
      lines,
      deploy,
      events: async () => (await recorded()).map(({ event }) => event as ServiceEvent),
      /** Who is recorded with the first event of this type. */
      actor: async (type: string) => (await recorded()).find(({ event }) => event.type === type)?.actor,
      plan: (rolloutId: string) => store.plan(stream, rolloutId) as Promise<Plan>,
      /** @throws Error with the newest events when the phase is not met in time */
      phase: (phase: string) =>
        until(`phase ${phase}`, async () => (await state())?.rollout.phase === phase || null, 50_000).catch(
          async ({ message }: Error) => {
            const newest = (await recorded())
              .slice(-12)
              .map(({ event }) => JSON.stringify(event).slice(0, 200));
            throw new Error([message, ...newest, ...lines.slice(-12)].join('\n'));
          },
        ),
      async request(version: string, Source = 'shop.pipeline') {
        const revision = await registerShop(at, version, 'none');
        const Detail = JSON.stringify({ service: 'shop', revision, rolloutId: version, requestedBy: 'anna' });
        const DetailType = 'Switchback Rollout Requested';
        const Entries = [{ EventBusName: outputs.EventBusName, Source, DetailType, Detail }];
        await new EventBridgeClient(at).send(new PutEventsCommand({ Entries }));
      },
      ring: (AlarmName: string) =>
        new CloudWatchClient(at).send(
          new SetAlarmStateCommand({ AlarmName, StateValue: 'ALARM', StateReason: 'the test says so' }),
        ),
      close: () => {
        shoppers.stop();
        return cloud.close();
      },
    };
  } catch (error) {
    await cloud.close();
    throw error;
  }
}

/**
 * Where the people who are told live: nobody is to read it anywhere but in the secret and the subscription.
 */
export const plantedSecret = 'planted-4711@oncall.example';

const plantSecret = (at: Endpoint) =>
  new SecretsManagerClient(at).send(
    new CreateSecretCommand({ Name: 'oncall', SecretString: JSON.stringify({ mail: plantedSecret }) }),
  );

/** The example's configuration with this cloud's addresses. */
function configurationFor(target: object): string {
  const document = parseDocument(readFileSync(join(root, 'examples/shop/switchback.yml'), 'utf8'));
  document.setIn(['services', 'shop', 'target'], target);
  document.setIn(['services', 'shop', 'strategy'], document.createNode(strategy));
  document.setIn(['services', 'shop', 'slo'], document.createNode({ burnAlarms: true }));
  // On a busy machine real answers are slow, and that is not what is tried here.
  const alarms = ['blue', 'green'].map((slot) => ({ name: `shop-${slot}-errors`, slot }));
  document.setIn(['services', 'shop', 'alarms'], document.createNode(alarms));
  document.setIn(['services', 'shop', 'analysis', 'dryRun'], ['p95', 'mann', 'latency', 'slow', 'tail']);
  const told = { protocol: 'email', endpoint: { secret: 'oncall', key: 'mail' } };
  document.set('notifications', document.createNode([told]));
  const path = '.switchback/packaged/deployed.yml';
  mkdirSync(join(root, '.switchback/packaged'), { recursive: true });
  writeFileSync(join(root, path), String(document));
  return path;
}
