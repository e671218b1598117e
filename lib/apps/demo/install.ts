/**
 * Switchback in the account: the event table, the trigger queue, the functions from `dist/`, the two machines and
 * the rules that bring alarms and requests to them.
 */
import { readFileSync } from 'node:fs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import { CreateEventSourceMappingCommand, CreateFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { CreateStateMachineCommand, SFNClient } from '@aws-sdk/client-sfn';
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
  operate: 30,
  'record-intents': 10,
  reconcile: 50,
  'fall-back': 120,
};

/**
 * @param dist folder of the bundles
 * @param alarmVisibilitySeconds after which an alarm that was not dealt with comes again
 */
export async function installSwitchback(
  at: Endpoint,
  dist: string,
  alarmVisibilitySeconds = 10,
): Promise<void> {
  await createEventTable(new DynamoDBClient(at), table);
  const sqs = new SQSClient(at);
  const alarms = await makeQueue(sqs, 'switchback-alarms', alarmVisibilitySeconds);
  const intents = await makeQueue(sqs, 'switchback-intents.fifo', alarmVisibilitySeconds);
  const arnOf = (name: string) => `arn:aws:lambda:${at.region}:${account}:function:switchback-${name}`;
  const machineArn = (name: string) =>
    `arn:aws:states:${at.region}:${account}:stateMachine:switchback-${name}`;
  const lambda = new LambdaClient(at);
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
        Environment: {
          Variables: {
            EVENT_TABLE: table,
            EVENT_BUS: 'default',
            INTENT_QUEUE: intents.url,
            ROLLOUT_MACHINE: machineArn('rollout'),
            ROLLBACK_MACHINE: machineArn('rollback'),
          },
        },
      }),
    );
  }
  const machines = new SFNClient(at);
  for (const name of ['rollout', 'rollback']) {
    await machines.send(
      new CreateStateMachineCommand({
        name: `switchback-${name}`,
        roleArn: `arn:aws:iam::${account}:role/switchback-${name}`,
        definition: definitionOf(name, arnOf),
      }),
    );
  }
  await drain(lambda, 'switchback-on-alarm', alarms.arn);
  await drain(lambda, 'switchback-record-intents', intents.arn);
  await wireEvents(at, arnOf, alarms.arn);
}

/** The machine as it stands in statemachines/, with the functions' ARNs in place of their names. */
function definitionOf(name: string, arnOf: (name: string) => string): string {
  const text = readFileSync(new URL(`../../../statemachines/${name}.asl.json`, import.meta.url), 'utf8');
  const kebab = (camel: string) => camel.replace(/(?<=.)[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
  return text.replace(/\$\{(\w+)\}/g, (_, substitution: string) => arnOf(kebab(substitution)));
}

async function makeQueue(
  sqs: SQSClient,
  name: string,
  visibilitySeconds: number,
): Promise<{ readonly url: string; readonly arn: string }> {
  const fifo = name.endsWith('.fifo') ? { FifoQueue: 'true' } : {};
  const { QueueUrl } = await sqs.send(
    new CreateQueueCommand({
      QueueName: name,
      Attributes: { VisibilityTimeout: String(visibilitySeconds), ...fifo },
    }),
  );
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
  );
  return { url: given(QueueUrl), arn: given(Attributes?.QueueArn) };
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

async function wireEvents(
  at: Endpoint,
  arnOf: (name: string) => string,
  alarmQueueArn: string,
): Promise<void> {
  const events = new EventBridgeClient(at);
  const rule = async (Name: string, pattern: unknown, Arn: string) => {
    await events.send(new PutRuleCommand({ Name, EventPattern: JSON.stringify(pattern) }));
    await events.send(new PutTargetsCommand({ Rule: Name, Targets: [{ Id: 'switchback', Arn }] }));
  };
  await rule(
    'switchback-alarms',
    { source: ['aws.cloudwatch'], 'detail-type': ['CloudWatch Alarm State Change'] },
    alarmQueueArn,
  );
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
