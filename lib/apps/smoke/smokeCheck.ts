/**
 * Whether a stage stands, asked through its stack's outputs: harmless questions only, each answered with one
 * line. Functions are asked to do what changes nothing: reconcile looks, the fire exit says what it would do.
 */
import {
  CloudFormationClient,
  DescribeStackResourcesCommand,
  DescribeStacksCommand,
} from '@aws-sdk/client-cloudformation';
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetFunctionConfigurationCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DescribeStateMachineAliasCommand, SFNClient } from '@aws-sdk/client-sfn';
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';

/** How the account is reached: nothing but the region in AWS, an endpoint as well in the local cloud. */
export type Reach = { readonly region: string; readonly endpoint?: string };

export type Finding = { readonly what: string; readonly ok: boolean; readonly said: string };

type Stage = {
  readonly reach: Reach;
  readonly stage: string;
  readonly outputs: Readonly<Record<string, string>>;
};

/** @returns what was asked and answered; all `ok`: the stage stands */
export async function smokeCheck(reach: Reach, stage: string): Promise<readonly Finding[]> {
  const StackName = `switchback-${stage}`;
  const cloudFormation = new CloudFormationClient(reach);
  const stack = await ask(`stack ${StackName}`, async () => {
    const { Stacks } = await cloudFormation.send(new DescribeStacksCommand({ StackName }));
    const status = Stacks?.[0]?.StackStatus ?? 'missing';
    return {
      ok: /^(?:CREATE|UPDATE)_COMPLETE$/.test(status),
      said: status,
      found: Stacks?.[0]?.Outputs ?? [],
    };
  });
  if (!stack.ok) return [stack];
  const outputs = Object.fromEntries(
    (stack.found ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]),
  );
  const { StackResources = [] } = await cloudFormation.send(new DescribeStackResourcesCommand({ StackName }));
  const made = (type: string) =>
    StackResources.flatMap(({ ResourceType, PhysicalResourceId = '' }) =>
      ResourceType === type ? [PhysicalResourceId] : [],
    );
  const asked: Stage = { reach, stage, outputs };
  return [
    { what: stack.what, ok: stack.ok, said: stack.said },
    await record(asked),
    ...(await Promise.all(made('AWS::Lambda::Function').map((name) => loaded(reach, name)))),
    await reconcile(asked),
    await fireExit(asked),
    ...(await Promise.all(made('AWS::StepFunctions::StateMachineAlias').map((arn) => machine(reach, arn)))),
    await deadLetters(asked),
    await ownAlarms(asked),
  ].map(({ what, ok, said }) => ({ what, ok, said }));
}

async function ask<T extends { readonly ok: boolean; readonly said: string }>(
  what: string,
  question: () => Promise<T>,
): Promise<Finding & Partial<Omit<T, 'ok' | 'said'>>> {
  try {
    return { what, ...(await question()) };
  } catch (error) {
    const { name, message } = error as Error;
    return { what, ok: false, said: `${name}: ${message}` } as Finding & Partial<Omit<T, 'ok' | 'said'>>;
  }
}

const record = ({ reach, outputs }: Stage) =>
  ask('the event table', async () => {
    const TableName = outputs.EventTableName ?? '';
    const { Table } = await new DynamoDBClient(reach).send(new DescribeTableCommand({ TableName }));
    const streams = Table?.StreamSpecification?.StreamViewType;
    return {
      ok: Table?.TableStatus === 'ACTIVE' && streams === 'NEW_IMAGE',
      said: `${TableName}: ${Table?.TableStatus}`,
    };
  });

const loaded = (reach: Reach, FunctionName: string) =>
  ask(`function ${FunctionName}`, async () => {
    const { State, LastUpdateStatus } = await new LambdaClient(reach).send(
      new GetFunctionConfigurationCommand({ FunctionName }),
    );
    return {
      ok: State === 'Active' && LastUpdateStatus === 'Successful',
      said: `${State}, ${LastUpdateStatus}`,
    };
  });

async function invoke({ reach, stage }: Stage, verb: string, payload: object) {
  const { FunctionError, Payload = new Uint8Array() } = await new LambdaClient(reach).send(
    new InvokeCommand({
      FunctionName: `switchback-${stage}-${verb}`,
      Payload: Buffer.from(JSON.stringify(payload)),
    }),
  );
  return { ok: FunctionError === undefined, said: Buffer.from(Payload).toString().slice(0, 200) };
}

/** It reads the event store and, with nothing under way, does nothing. */
const reconcile = (stage: Stage) =>
  ask('reconcile looks', () => invoke(stage, 'reconcile', { id: 'smoke-check' }));

const fireExit = (stage: Stage) =>
  ask('fall-back says what it would do', () =>
    invoke(stage, 'fall-back', { why: 'smoke check', by: 'smoke check', dryRun: true }),
  );

const machine = (reach: Reach, stateMachineAliasArn: string) =>
  ask(`machine ${stateMachineAliasArn.split(':').slice(-2).join(':')}`, async () => {
    const { routingConfiguration = [] } = await new SFNClient(reach).send(
      new DescribeStateMachineAliasCommand({ stateMachineAliasArn }),
    );
    const [route] = routingConfiguration;
    return { ok: route?.weight === 100, said: `version ${route?.stateMachineVersionArn?.split(':').at(-1)}` };
  });

const deadLetters = ({ reach, outputs }: Stage) =>
  ask('dead letters', async () => {
    const { Attributes } = await new SQSClient(reach).send(
      new GetQueueAttributesCommand({
        QueueUrl: outputs.DeadLettersUrl,
        AttributeNames: ['ApproximateNumberOfMessages'],
      }),
    );
    const waiting = Number(Attributes?.ApproximateNumberOfMessages ?? Number.NaN);
    return { ok: waiting === 0, said: `${waiting} waiting` };
  });

/** Young alarms have no data yet, which is not an alarm. */
const ownAlarms = ({ reach, stage }: Stage) =>
  ask('the controller’s own alarms', async () => {
    const { MetricAlarms = [] } = await new CloudWatchClient(reach).send(
      new DescribeAlarmsCommand({ AlarmNamePrefix: `switchback-${stage}-`, StateValue: 'ALARM' }),
    );
    // A service that burns its budget is not the controller's trouble.
    const own = MetricAlarms.flatMap(({ AlarmName = '' }) => (/-burn-/.test(AlarmName) ? [] : [AlarmName]));
    // It is new: a function that runs once a minute has not run for five.
    const ringing = own.filter((name) => !name.endsWith('-reconcile-errors'));
    return { ok: ringing.length === 0, said: ringing.length === 0 ? 'quiet' : ringing.join(', ') };
  });
