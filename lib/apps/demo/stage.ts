/** Everything the story needs, started in order, each with one line; and all of it stopped again. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { parseDocument } from 'yaml';
import type { EcsAlbTarget } from '../../../events/target.ts';
import { realClock } from '../../asl/clock.ts';
import { DynamoEventStore } from '../../aws/eventStore/dynamoEventStore.ts';
import { startLocalCloud } from '../../local/cloud.ts';
import { type Endpoint, given, openShop, watchShop } from './account.ts';
import type { DemoArguments } from './arguments.ts';
import { bundlePath, deployStack, packageStack } from './compiledStack.ts';
import { type Shoppers, sendShoppers } from './shoppers.ts';

/** Tasks of the shop, and visits a second. */
const tasks = 2;
const visitsPerSecond = 60;

const stackName = 'switchback-dev';

export type Stage = {
  readonly at: Endpoint;
  readonly target: EcsAlbTarget;
  readonly store: DynamoEventStore;
  readonly bus: EventBridgeClient;
  /** The bus that requests are put on. */
  readonly busName: string;
  readonly shoppers: Shoppers;
  readonly seed: number;
  /** Commands to try while everything runs. */
  readonly hints: readonly string[];
  close(): Promise<void>;
};

export async function openStage(
  root: string,
  options: DemoArguments,
  say: (line: string) => void,
): Promise<Stage> {
  const cloud = await startLocalCloud({
    port: options.port,
    clock: realClock,
    seed: options.seed,
    metricPeriodSeconds: 1,
    codePath: bundlePath(root),
  });
  const url = `http://127.0.0.1:${options.port}`;
  say(`a small AWS listens on ${url}`);
  const at: Endpoint = {
    endpoint: url,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  };
  try {
    const shopUrl = `http://127.0.0.1:${options.shopPort}/`;
    const target = await openShop(at, options.shopPort, tasks);
    // Packaged while the shop becomes healthy.
    const [template] = await Promise.all([
      packageFor(root, target),
      watchShop(at, target).then(() => answering(shopUrl)),
    ]);
    say(`the shop, v1 on ${tasks} tasks behind a weighted balancer, answers on ${shopUrl}`);
    const outputs = await deployStack(at, stackName, template);
    say(`Switchback is deployed: the stack ${stackName}, from the template that sls package makes`);
    const shoppers = sendShoppers(shopUrl, visitsPerSecond);
    say(`${visitsPerSecond} visits a second begin`);
    return {
      at,
      target,
      store: new DynamoEventStore(new DynamoDBClient(at), given(outputs.EventTableName)),
      bus: new EventBridgeClient(at),
      busName: given(outputs.EventBusName),
      shoppers,
      seed: options.seed,
      hints: hintsFor(url, shopUrl, target),
      close: async () => {
        shoppers.stop();
        await cloud.close();
      },
    };
  } catch (error) {
    await cloud.close();
    throw error;
  }
}

/** The template, from the example's configuration with this account's ARNs; its bundles carry the same. */
function packageFor(root: string, target: EcsAlbTarget): Promise<string> {
  const document = parseDocument(readFileSync(join(root, 'examples/shop/switchback.yml'), 'utf8'));
  document.setIn(['services', 'shop', 'target'], target);
  const work = '.switchback/demo';
  mkdirSync(join(root, work), { recursive: true });
  const configuration = `${work}/switchback.yml`;
  writeFileSync(join(root, configuration), String(document));
  return packageStack(root, { work, configuration, stage: 'dev' });
}

/** Resolves once the shop answers through the balancer. */
async function answering(url: string): Promise<void> {
  for (let tries = 0; tries < 150; tries++) {
    const status = await fetch(url).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`the shop did not answer on ${url} within 30 s: see whether something else uses its port`);
}

const hintsFor = (url: string, shopUrl: string, target: EcsAlbTarget): readonly string[] => {
  const aws = `AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_DEFAULT_REGION=eu-west-1 /usr/bin/aws --endpoint-url ${url}`;
  return [
    `curl -s ${shopUrl}`,
    `${aws} ecs describe-services --cluster shop --services shop-blue shop-green`,
    `${aws} elbv2 describe-rules --rule-arns ${target.ruleArn}`,
    `${aws} cloudwatch describe-alarms`,
    `${aws} dynamodb query --table-name switchback-dev-events --key-condition-expression 'pk = :s' --expression-attribute-values '{":s":{"S":"S#service/shop"}}'`,
    `${aws} stepfunctions list-executions --state-machine-arn arn:aws:states:eu-west-1:000000000000:stateMachine:switchback-dev-rollout`,
    `${aws} events put-events --entries '[{"EventBusName":"switchback-dev","Source":"me","DetailType":"Switchback Rollout Requested","Detail":"{\\"service\\":\\"shop\\",\\"revision\\":\\"shop:1\\"}"}]'`,
  ];
};
