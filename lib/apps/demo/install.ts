/**
 * Switchback in the account: the event table and its stream, the queues and topics, the functions from
 * `dist/`, the two machines and the rules that bring alarms, deployments and requests to them.
 */
import { readFileSync } from 'node:fs';
import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import { CreateEventSourceMappingCommand, CreateFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { CreateStateMachineCommand, SFNClient } from '@aws-sdk/client-sfn';
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand, GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { createEventTable } from '../../aws/eventStore/eventTable.ts';
import { type Endpoint, given } from './account.ts';

const table = 'switchback-events';
const account = '000000000000';

/** Functions and how long one may run, seconds. */
const functions: Readonly<Record<string, number>> = {
  'start-rollout': 30,
  'prepare-canary': 30,
  'shift-traffic': 60,
  'evaluate-canary': 30,
  'promote-canary': 60,
  'roll-back': 60,
  'request-approval': 15,
  'on-alarm': 10,
  'on-deployment': 10,
  'publish-events': 30,
  operate: 30,
  'record-intents': 10,
  reconcile: 50,
  'fall-back': 120,
  'start-migration': 30,
  'step-migration': 60,
  'operate-migration': 60,
};

export type Redelivery = {
  /** After which a message that was not dealt with comes again. */
  readonly visibilitySeconds: number;
  /** How often, before it becomes a dead letter. */
  readonly receivesMax: number;
};

/** @param dist folder of the bundles */
export async function installSwitchback(
  at: Endpoint,
  dist: string,
  redelivery: Redelivery = { visibilitySeconds: 10, receivesMax: 20 },
): Promise<void> {
  const dynamo = new DynamoDBClient(at);
  await createEventTable(dynamo, table);
  const { Table } = await dynamo.send(new DescribeTableCommand({ TableName: table }));
  const queues = await makeQueues(new SQSClient(at), redelivery);
  const topics = await makeTopics(new SNSClient(at), queues.alarms.arn);
  const arnOf = (name: string) => `arn:aws:lambda:${at.region}:${account}:function:switchback-${name}`;
  const machineArn = (name: string) =>
    `arn:aws:states:${at.region}:${account}:stateMachine:switchback-${name}`;
  const lambda = new LambdaClient(at);
  await makeFunctions(lambda, dist, {
    EVENT_TABLE: table,
    EVENT_BUS: 'default',
    TOPIC: topics.notifications,
    INTENT_QUEUE: queues.intents.url,
    ROLLOUT_MACHINE: machineArn('rollout'),
    ROLLBACK_MACHINE: machineArn('rollback'),
    MIGRATION_MACHINE: machineArn('migration'),
    STAGE: 'dev',
  });
  const machines = new SFNClient(at);
  for (const name of ['rollout', 'rollback', 'migration']) {
    await machines.send(
      new CreateStateMachineCommand({
        name: `switchback-${name}`,
        roleArn: `arn:aws:iam::${account}:role/switchback-${name}`,
        definition: definitionOf(name, arnOf),
      }),
    );
  }
  await drain(lambda, 'switchback-on-alarm', queues.alarms.arn);
  await drain(lambda, 'switchback-on-deployment', queues.deployments.arn);
  await drain(lambda, 'switchback-record-intents', queues.intents.arn);
  await follow(lambda, 'switchback-publish-events', given(Table?.LatestStreamArn));
  await wireEvents(at, arnOf, { alarms: queues.alarms.arn, deployments: queues.deployments.arn });
}

async function makeFunctions(
  lambda: LambdaClient,
  dist: string,
  Variables: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [name, Timeout] of Object.entries(functions)) {
    await lambda.send(
      new CreateFunctionCommand({
        FunctionName: `switchback-${name}`,
        Runtime: 'nodejs24.x',
        Handler: 'index.handler',
        Role: `arn:aws:iam::${account}:role/switchback-${name}`,
        Code: { S3Bucket: 'hot-reload', S3Key: `${dist}/${name}/index.mjs` },
        Timeout,
        MemorySize: 512,
        Environment: { Variables },
      }),
    );
  }
}

/** The machine as it stands in statemachines/, with the functions' ARNs in place of their names. */
function definitionOf(name: string, arnOf: (name: string) => string): string {
  const text = readFileSync(new URL(`../../../statemachines/${name}.asl.json`, import.meta.url), 'utf8');
  const kebab = (camel: string) => camel.replace(/(?<=.)[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
  return text.replace(/\$\{(\w+)\}/g, (_, substitution: string) => arnOf(kebab(substitution)));
}

type Queue = { readonly url: string; readonly arn: string };

async function makeQueues(sqs: SQSClient, { visibilitySeconds, receivesMax }: Redelivery) {
  const attributes = { VisibilityTimeout: String(visibilitySeconds) };
  const dead = await makeQueue(sqs, 'switchback-dead-letters', {});
  const redrive = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: receivesMax });
  const redriven = { ...attributes, RedrivePolicy: redrive };
  return {
    alarms: await makeQueue(sqs, 'switchback-alarms', redriven),
    deployments: await makeQueue(sqs, 'switchback-deployments', redriven),
    intents: await makeQueue(sqs, 'switchback-intents.fifo', { ...attributes, FifoQueue: 'true' }),
  };
}

async function makeQueue(
  sqs: SQSClient,
  QueueName: string,
  Attributes: Readonly<Record<string, string>>,
): Promise<Queue> {
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
  const made = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
  return { url: given(QueueUrl), arn: given(made.Attributes?.QueueArn) };
}

/**
 * Alarms whose action is a topic come the same way as those on the event bus; people subscribe to the other.
 */
async function makeTopics(
  sns: SNSClient,
  alarmQueueArn: string,
): Promise<{ readonly notifications: string }> {
  const alarms = await sns.send(new CreateTopicCommand({ Name: 'switchback-alarms' }));
  await sns.send(
    new SubscribeCommand({ TopicArn: alarms.TopicArn, Protocol: 'sqs', Endpoint: alarmQueueArn }),
  );
  const notifications = await sns.send(new CreateTopicCommand({ Name: 'switchback-notifications' }));
  return { notifications: given(notifications.TopicArn) };
}

async function drain(lambda: LambdaClient, FunctionName: string, EventSourceArn: string): Promise<void> {
  await lambda.send(
    new CreateEventSourceMappingCommand({
      FunctionName,
      EventSourceArn,
      BatchSize: 10,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    }),
  );
}

/** Chunks, plans, minutes and checkpoints are nobody's news. */
const headItems = { dynamodb: { Keys: { pk: { S: [{ prefix: 'S#' }] }, sk: { N: ['0'] } } } };

async function follow(lambda: LambdaClient, FunctionName: string, EventSourceArn: string): Promise<void> {
  await lambda.send(
    new CreateEventSourceMappingCommand({
      FunctionName,
      EventSourceArn,
      StartingPosition: 'TRIM_HORIZON',
      BatchSize: 25,
      FilterCriteria: { Filters: [{ Pattern: JSON.stringify(headItems) }] },
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      BisectBatchOnFunctionError: true,
    }),
  );
}

/**
 * What may be trouble, as the rules of a deployed stack have it: tasks change all day, and that wakes nobody.
 */
const deploymentNews = {
  source: ['aws.ecs', 'aws.codedeploy'],
  'detail-type': [
    ...['ECS Task State Change', 'ECS Deployment State Change'],
    'CodeDeploy Deployment State-change Notification',
  ],
  detail: {
    $or: [
      { lastStatus: ['STOPPED'] },
      { healthStatus: ['UNHEALTHY'] },
      { eventName: ['SERVICE_DEPLOYMENT_IN_PROGRESS', 'SERVICE_DEPLOYMENT_FAILED'] },
      { state: ['FAILURE', 'STOP'] },
    ],
  },
};

async function wireEvents(
  at: Endpoint,
  arnOf: (name: string) => string,
  queues: { readonly alarms: string; readonly deployments: string },
): Promise<void> {
  const events = new EventBridgeClient(at);
  const rule = async (Name: string, pattern: unknown, Arn: string) => {
    await events.send(new PutRuleCommand({ Name, EventPattern: JSON.stringify(pattern) }));
    await events.send(new PutTargetsCommand({ Rule: Name, Targets: [{ Id: 'switchback', Arn }] }));
  };
  await rule(
    'switchback-alarms',
    { source: ['aws.cloudwatch'], 'detail-type': ['CloudWatch Alarm State Change'] },
    queues.alarms,
  );
  await rule('switchback-deployments', deploymentNews, queues.deployments);
  await rule(
    'switchback-requests',
    { 'detail-type': ['Switchback Rollout Requested'] },
    arnOf('start-rollout'),
  );
  await rule(
    'switchback-operations',
    { 'detail-type': ['Switchback Operation Requested'] },
    arnOf('operate'),
  );
  await rule(
    'switchback-migrations',
    { 'detail-type': ['Switchback Migration Requested'] },
    arnOf('start-migration'),
  );
  await rule(
    'switchback-migration-operations',
    { 'detail-type': ['Switchback Migration Operation Requested'] },
    arnOf('operate-migration'),
  );
  await events.send(
    new PutRuleCommand({ Name: 'switchback-reconcile', ScheduleExpression: 'rate(1 minute)' }),
  );
  await events.send(
    new PutTargetsCommand({
      Rule: 'switchback-reconcile',
      Targets: [{ Id: 'switchback', Arn: arnOf('reconcile') }],
    }),
  );
}
