/**
 * The compiled template in the local cloud: a rollout, an alarm, and the controller changed in mid-rollout.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CloudFormationClient, DeleteStackCommand } from '@aws-sdk/client-cloudformation';
import { DescribeTableCommand, DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { DescribeRuleCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  SFNClient,
} from '@aws-sdk/client-sfn';
import { ListSubscriptionsCommand, SNSClient } from '@aws-sdk/client-sns';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { smokeCheck } from '../../../lib/apps/smoke/smokeCheck.ts';
import { until } from '../../until.ts';
import { openDeployedShop, plantedSecret } from './deployedShop.ts';
import { packagingMs } from './packaged.ts';

type Shop = Awaited<ReturnType<typeof openDeployedShop>>;

/** The definition that a version before this one was deployed with, as it stood then. */
const previous = (machine: string) =>
  readFileSync(join(import.meta.dirname, 'previous', `${machine}.asl.json`), 'utf8');

let shop: Shop;
beforeAll(async () => {
  shop = await openDeployedShop((template) => {
    for (const [id, machine] of [
      ['RolloutMachine', 'rollout'],
      ['RollbackMachine', 'rollback'],
    ] as const) {
      const resource = template.Resources[id];
      if (resource !== undefined) resource.Properties.DefinitionString = previous(machine);
    }
  });
}, packagingMs);
afterAll(() => shop?.close());

const execution = async (machine: string, name: string) =>
  new SFNClient(shop.at).send(
    new DescribeExecutionCommand({
      executionArn: `arn:aws:states:eu-west-1:000000000000:execution:switchback-dev-${machine}:${name}`,
    }),
  );

/** The whole service burns: an alarm of its objective, not of a slot. */
const heardBurning = async () =>
  (await shop.events()).some(
    (event) =>
      event.type === 'AlarmReceived' && event.alarm === 'switchback-dev-shop-burn' && event.state === 'ALARM',
  );

const typesOf = async () => (await shop.events()).map(({ type }) => type);

describe('Switchback as it is deployed', () => {
  it('stands, as the smoke check finds by harmless questions', async () => {
    const findings = await smokeCheck({ region: 'eu-west-1', endpoint: shop.at.endpoint }, 'dev');
    expect(findings.filter(({ ok }) => !ok)).toEqual([]);
    expect(findings.map(({ what }) => what)).toContain('fall-back says what it would do');
    const none = await smokeCheck({ region: 'eu-west-1', endpoint: shop.at.endpoint }, 'gone');
    expect(none.map(({ ok, what }) => [ok, what])).toEqual([[false, 'stack switchback-gone']]);
  });

  it('is changed in mid-rollout: the execution under way ends on its own definition, with the new functions', async () => {
    await shop.request('v2');
    await shop.phase('baking');
    await shop.deploy(shop.template);
    await until('the end of the rollout', async () => (await typesOf()).includes('RolloutCompleted'), 50_000);
    // What the function recorded stands before its answer has come to the machine.
    const isOver = async () => (await execution('rollout', 'v2')).status !== 'RUNNING';
    await until('the end of its execution', isOver, 10_000);

    const { stateMachineVersionArn, status } = await execution('rollout', 'v2');
    expect(await shop.actor('RolloutStarted')).toBe('anna, as shop.pipeline of 000000000000');
    expect([stateMachineVersionArn?.split(':').at(-1), status]).toEqual(['1', 'SUCCEEDED']);
  });

  it('begins the next rollout on the new definition, with what Parameter Store says by then, and takes it back when an alarm rings', async () => {
    const parameter = '/switchback/dev/shop/rollbackWindowSeconds';
    await new SSMClient(shop.at).send(
      new PutParameterCommand({ Name: parameter, Value: '45', Type: 'String' }),
    );
    await shop.request('v3');
    await shop.phase('baking');
    expect(await shop.plan('v3')).toMatchObject({
      settings: { rollbackWindowSeconds: 45 },
      laid: [{ key: 'rollbackWindowSeconds', place: `parameter ${parameter}` }],
    });
    // Both windows of a pair: the composite rings, and is heard although it is nobody's action.
    await shop.ring('switchback-dev-shop-burn-fast-long');
    expect(await heardBurning()).toBe(false);
    await shop.ring('switchback-dev-shop-burn-fast-short');
    await until('the burn alarm in the record', heardBurning, 50_000);
    await shop.ring('shop-blue-errors');
    await shop.phase('rolled-back');
    const rollout = await execution('rollout', 'v3');
    expect(rollout.stateMachineVersionArn?.split(':').at(-1)).toBe('2');
    expect(await typesOf()).toContain('RollbackCompleted');
  });

  it('has the alarm rule, and so wakes for the alarms that are configured and for no other', async () => {
    const { EventPattern = '' } = await new EventBridgeClient(shop.at).send(
      new DescribeRuleCommand({ Name: 'switchback-dev-alarms-1' }),
    );
    const names = JSON.parse(EventPattern).detail.alarmName;
    expect(names).toContain('shop-blue-errors');
    expect(names).toContain('switchback-dev-shop-burn');
    expect(names).toHaveLength(3);
  });

  it('never shows a secret: not in the template, the bundles, the record, the logs or the executions', async () => {
    const { Subscriptions = [] } = await new SNSClient(shop.at).send(new ListSubscriptionsCommand({}));
    expect(Subscriptions.map(({ Endpoint }) => Endpoint)).toContain(plantedSecret);

    // A secret among the plain values: the next rollout is refused, and says so without it.
    const Name = '/switchback/dev/shop/evaluateSeconds';
    const secret = { Name, Value: plantedSecret, Type: 'SecureString' } as const;
    await new SSMClient(shop.at).send(new PutParameterCommand(secret));
    await shop.request('v4');
    const refused = () => shop.lines.find((line) => line.includes('configuration-refused'));
    expect(await until('the refusal', refused, 50_000)).toContain(`parameter ${Name}: is a secret`);

    const { Items = [] } = await new DynamoDBClient(shop.at).send(
      new ScanCommand({ TableName: shop.outputs.EventTableName }),
    );
    expect(Items.length).toBeGreaterThan(5);
    const bundles = readdirSync(shop.dist)
      .filter((verb) => existsSync(join(shop.dist, verb, 'index.mjs')))
      .map((verb) => readFileSync(join(shop.dist, verb, 'index.mjs'), 'utf8'));
    expect(bundles.length).toBeGreaterThan(10);
    const everywhere = [
      JSON.stringify(shop.template),
      ...bundles,
      ...shop.lines,
      ...(await histories()),
      ...Items.map((item) => JSON.stringify(item)),
    ];
    expect(everywhere.filter((text) => text.includes('planted-4711'))).toEqual([]);
  });
});

describe('Switchback as it is taken away', () => {
  it('leaves the record and its key behind, and nothing that acts', async () => {
    const cloudFormation = new CloudFormationClient(shop.at);
    await cloudFormation.send(new DeleteStackCommand({ StackName: 'switchback-dev' }));
    const { Table } = await new DynamoDBClient(shop.at).send(
      new DescribeTableCommand({ TableName: shop.outputs.EventTableName }),
    );
    expect([Table?.TableStatus, (Table?.ItemCount ?? 0) > 5]).toEqual(['ACTIVE', true]);
    expect((await shop.events()).length).toBeGreaterThan(5);
    const { Functions } = await new LambdaClient(shop.at).send(new ListFunctionsCommand({}));
    expect(Functions).toEqual([]);
  });
});

/** What Step Functions keeps of every execution. */
async function histories(): Promise<readonly string[]> {
  const client = new SFNClient(shop.at);
  const told: string[] = [];
  for (const machine of ['rollout', 'rollback']) {
    const stateMachineArn = `arn:aws:states:eu-west-1:000000000000:stateMachine:switchback-dev-${machine}`;
    const { executions = [] } = await client.send(new ListExecutionsCommand({ stateMachineArn }));
    for (const { executionArn } of executions) {
      const history = await client.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1000 }));
      told.push(JSON.stringify(history.events));
    }
  }
  expect(told.length).toBeGreaterThan(1);
  return told;
}
