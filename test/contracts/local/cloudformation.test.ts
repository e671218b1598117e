import {
  AlreadyExistsException,
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStackResourcesCommand,
  DescribeStacksCommand,
  UpdateStackCommand,
  ValidateTemplateCommand,
} from '@aws-sdk/client-cloudformation';
import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ListStateMachineVersionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import { GetQueueAttributesCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../lib/asl/clock.ts';
import { type LocalCloud, startLocalCloud } from '../../../lib/local/cloud.ts';
import { awsCliJson } from './awsCli.ts';

let cloud: LocalCloud;
let settings: { endpoint: string; region: string; maxAttempts: number };
let client: CloudFormationClient;
beforeEach(async () => {
  cloud = await startLocalCloud({ clock: new VirtualClock(), seed: 1 });
  settings = { endpoint: cloud.url, region: 'eu-west-1', maxAttempts: 1 };
  client = new CloudFormationClient(settings);
});
afterEach(() => cloud.close());

type Resources = Readonly<Record<string, unknown>>;

const body = (Resources: Resources, more: object = {}) => JSON.stringify({ Resources, ...more });
const create = (TemplateBody: string, more: object = {}) =>
  client.send(new CreateStackCommand({ StackName: 'one', TemplateBody, ...more }));
const update = (TemplateBody: string, more: object = {}) =>
  client.send(new UpdateStackCommand({ StackName: 'one', TemplateBody, ...more }));
const stack = async (StackName = 'one') =>
  (await client.send(new DescribeStacksCommand({ StackName }))).Stacks?.[0];
const physicalId = async (LogicalResourceId: string) =>
  (await client.send(new DescribeStackResourcesCommand({ StackName: 'one', LogicalResourceId })))
    .StackResources?.[0]?.PhysicalResourceId;
const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error) => error as Error,
  );

const queue = (Properties: object = {}) => ({ Type: 'AWS::SQS::Queue', Properties });
const orders = {
  Dead: queue({ QueueName: 'dead' }),
  Orders: queue({
    QueueName: 'orders',
    VisibilityTimeout: 7,
    RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': ['Dead', 'Arn'] }, maxReceiveCount: 3 },
  }),
};
const attributesOf = async (name: string) =>
  (
    await new SQSClient(settings).send(
      new GetQueueAttributesCommand({
        QueueUrl: `${cloud.url}/000000000000/${name}`,
        AttributeNames: ['All'],
      }),
    )
  ).Attributes;

describe('a stack', () => {
  it('is made of the other services, each resource after what it refers to', async () => {
    const outputs = { Outputs: { Url: { Value: { Ref: 'Orders' }, Description: 'where orders go' } } };
    await create(body({ Orders: orders.Orders, Dead: orders.Dead }, outputs));
    expect(await stack()).toMatchObject({
      StackStatus: 'CREATE_COMPLETE',
      Outputs: [
        { OutputKey: 'Url', OutputValue: `${cloud.url}/000000000000/orders`, Description: 'where orders go' },
      ],
    });
    const arn = 'arn:aws:sqs:eu-west-1:000000000000:dead';
    const { VisibilityTimeout, RedrivePolicy = '' } = (await attributesOf('orders')) ?? {};
    expect(VisibilityTimeout).toBe('7');
    expect(JSON.parse(RedrivePolicy)).toEqual({ deadLetterTargetArn: arn, maxReceiveCount: 3 });
    const made = await client.send(new DescribeStackEventsCommand({ StackName: 'one' }));
    const complete = made.StackEvents?.filter(({ ResourceStatus }) => ResourceStatus === 'CREATE_COMPLETE');
    expect(complete?.map(({ LogicalResourceId }) => LogicalResourceId)).toEqual(['one', 'Orders', 'Dead']);
  });

  it('resolves parameters, conditions and text, and leaves out what a condition takes away', async () => {
    const template = body(
      {
        Orders: queue({
          QueueName: { 'Fn::Sub': '${Stage}-orders-${AWS::Region}' },
          VisibilityTimeout: { 'Fn::If': ['IsProd', 60, { Ref: 'AWS::NoValue' }] },
        }),
        Extra: { ...queue(), Condition: 'IsProd' },
      },
      {
        Parameters: { Stage: { Type: 'String', Default: 'dev', AllowedValues: ['dev', 'prod'] } },
        Conditions: { IsProd: { 'Fn::Equals': [{ Ref: 'Stage' }, 'prod'] } },
        Outputs: {
          Account: { Value: { 'Fn::Select': [4, { 'Fn::Split': [':', { 'Fn::GetAtt': 'Orders.Arn' }] }] } },
          Joined: { Value: { 'Fn::Join': ['-', ['a', { Ref: 'Stage' }]] }, Export: { Name: 'joined' } },
        },
      },
    );
    await create(template, { Parameters: [{ ParameterKey: 'Stage', ParameterValue: 'prod' }] });
    expect((await attributesOf('prod-orders-eu-west-1'))?.VisibilityTimeout).toBe('60');
    expect((await stack())?.Outputs?.map(({ OutputValue }) => OutputValue)).toEqual([
      '000000000000',
      'a-prod',
    ]);
    await update(template, { Parameters: [{ ParameterKey: 'Stage', ParameterValue: 'dev' }] });
    expect((await attributesOf('dev-orders-eu-west-1'))?.VisibilityTimeout).toBe('30');
    expect(await physicalId('Extra')).toBeUndefined();
    expect(await failureOf(attributesOf('prod-orders-eu-west-1'))).toMatchObject({
      name: 'QueueDoesNotExist',
    });
  });

  it('changes in place what can be, replaces what cannot, deletes what is gone, and leaves the rest alone', async () => {
    await create(body(orders));
    const before = await physicalId('Orders');
    await update(body({ ...orders, Orders: queue({ QueueName: 'orders', VisibilityTimeout: 8 }) }));
    expect(await physicalId('Orders')).toBe(before);
    expect((await attributesOf('orders'))?.VisibilityTimeout).toBe('8');
    await update(body({ Orders: queue({ QueueName: 'renamed' }) }));
    expect(await physicalId('Orders')).toContain('renamed');
    for (const name of ['orders', 'dead']) {
      expect(await failureOf(attributesOf(name))).toMatchObject({ name: 'QueueDoesNotExist' });
    }
    const same = body({ Orders: queue({ QueueName: 'renamed' }) });
    expect((await failureOf(update(same)))?.message).toBe('No updates are to be performed.');
  });

  it('that cannot be made is taken away again, with the reason', async () => {
    const wrong = { ...queue({ QueueName: 'bad', VisibilityTimeout: 99_999 }), DependsOn: 'Dead' };
    await create(body({ Dead: orders.Dead, Bad: wrong }));
    expect(await stack()).toMatchObject({
      StackStatus: 'ROLLBACK_COMPLETE',
      StackStatusReason: 'Bad: Invalid value for the parameter VisibilityTimeout.',
    });
    expect(await failureOf(attributesOf('dead'))).toMatchObject({ name: 'QueueDoesNotExist' });
  });

  it('whose change fails is as it was before', async () => {
    await create(body({ Dead: orders.Dead }));
    await update(
      body({ Dead: queue({ QueueName: 'dead', VisibilityTimeout: 5 }), Bad: queue({ DelaySeconds: 9999 }) }),
    );
    expect((await stack())?.StackStatus).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect((await attributesOf('dead'))?.VisibilityTimeout).not.toBe('5');
    expect(await physicalId('Bad')).toBeUndefined();
  });

  it('that is deleted takes its resources along, but for those it retains', async () => {
    const table = {
      Type: 'AWS::DynamoDB::Table',
      DeletionPolicy: 'Retain',
      Properties: {
        TableName: 'record',
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
        StreamSpecification: { StreamViewType: 'NEW_IMAGE' },
      },
    };
    await create(body({ ...orders, Record: table }));
    const id = (await stack())?.StackId;
    await client.send(new DeleteStackCommand({ StackName: 'one' }));
    expect(await failureOf(stack())).toMatchObject({ message: 'Stack with id one does not exist' });
    expect((await stack(id))?.StackStatus).toBe('DELETE_COMPLETE');
    expect(await failureOf(attributesOf('orders'))).toMatchObject({ name: 'QueueDoesNotExist' });
    const { Table } = await new DynamoDBClient(settings).send(
      new DescribeTableCommand({ TableName: 'record' }),
    );
    expect(Table?.LatestStreamArn).toContain('record/stream');
  });

  it('of the same name is refused, and so is a template that cannot be right', async () => {
    await create(body(orders));
    expect(await failureOf(create(body(orders)))).toBeInstanceOf(AlreadyExistsException);
    const refused = async (TemplateBody: string) =>
      (await failureOf(client.send(new ValidateTemplateCommand({ TemplateBody }))))?.message;
    expect(await refused('{')).toContain('JSON not well-formed');
    expect(await refused('{}')).toContain('At least one Resources member must be defined');
    expect(await refused(body({ A: queue({ QueueName: { Ref: 'Gone' } }) }))).toContain(
      'Unresolved resource dependencies [Gone] in the Resources block',
    );
    const circle = {
      A: queue({
        RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': ['B', 'Arn'] }, maxReceiveCount: 1 },
      }),
      B: { ...queue(), DependsOn: 'A' },
    };
    const second = client.send(new CreateStackCommand({ StackName: 'two', TemplateBody: body(circle) }));
    await second.catch(() => undefined);
    expect((await stack('two'))?.StackStatusReason).toContain(
      'Circular dependency between resources: [A, B]',
    );
    const unknown = client.send(
      new CreateStackCommand({ StackName: 'three', TemplateBody: body({ A: { Type: 'AWS::Moon::Base' } }) }),
    );
    await unknown;
    expect((await stack('three'))?.StackStatusReason).toContain(
      'Unrecognized resource types: [AWS::Moon::Base]',
    );
  });
});

describe('what is made', () => {
  it('works together: a rule of the stack brings an event of its bus to its queue', async () => {
    await create(
      body({
        Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: 'shop' } },
        Orders: queue({ QueueName: 'orders' }),
        Rule: {
          Type: 'AWS::Events::Rule',
          Properties: {
            EventBusName: { Ref: 'Bus' },
            EventPattern: { source: ['shop'] },
            Targets: [{ Id: 'queue', Arn: { 'Fn::GetAtt': ['Orders', 'Arn'] } }],
          },
        },
      }),
    );
    const Entries = [{ EventBusName: 'shop', Source: 'shop', DetailType: 'Ordered', Detail: '{}' }];
    await new EventBridgeClient(settings).send(new PutEventsCommand({ Entries }));
    const { Messages } = await new SQSClient(settings).send(
      new ReceiveMessageCommand({ QueueUrl: `${cloud.url}/000000000000/orders` }),
    );
    expect(JSON.parse(Messages?.[0]?.Body ?? '')).toMatchObject({ 'detail-type': 'Ordered' });
  });

  it('keeps the version of a machine that an update replaces, and moves the alias to the new one', async () => {
    const machine = (seconds: number) => ({
      Machine: {
        Type: 'AWS::StepFunctions::StateMachine',
        Properties: {
          StateMachineName: 'waits',
          RoleArn: 'arn:aws:iam::000000000000:role/waits',
          DefinitionString: JSON.stringify({
            QueryLanguage: 'JSONata',
            StartAt: 'Wait',
            States: { Wait: { Type: 'Wait', Seconds: seconds, End: true } },
          }),
        },
      },
      Version: {
        Type: 'AWS::StepFunctions::StateMachineVersion',
        UpdateReplacePolicy: 'Retain',
        Properties: {
          StateMachineArn: { Ref: 'Machine' },
          StateMachineRevisionId: { 'Fn::GetAtt': ['Machine', 'StateMachineRevisionId'] },
        },
      },
      Live: {
        Type: 'AWS::StepFunctions::StateMachineAlias',
        Properties: {
          Name: 'live',
          DeploymentPreference: { Type: 'ALL_AT_ONCE', StateMachineVersionArn: { Ref: 'Version' } },
        },
      },
    });
    await create(body(machine(1)));
    await update(body(machine(2)));
    expect((await stack())?.StackStatus).toBe('UPDATE_COMPLETE');
    const stateMachineArn = 'arn:aws:states:eu-west-1:000000000000:stateMachine:waits';
    const { stateMachineVersions } = await new SFNClient(settings).send(
      new ListStateMachineVersionsCommand({ stateMachineArn }),
    );
    expect(stateMachineVersions?.map(({ stateMachineVersionArn }) => stateMachineVersionArn)).toEqual([
      `${stateMachineArn}:2`,
      `${stateMachineArn}:1`,
    ]);
    expect(await physicalId('Live')).toBe(`${stateMachineArn}:live`);
  });
});

describe('a dynamic reference', () => {
  const ssm = () => new SSMClient(settings);
  const describedBy = async () => (await attributesOf('orders'))?.VisibilityTimeout;

  it('is replaced by what it names when the resource is made, and the template keeps it', async () => {
    await ssm().send(new PutParameterCommand({ Name: '/q/seconds', Value: '11', Type: 'String' }));
    const SecretString = JSON.stringify({ name: 'orders' });
    await new SecretsManagerClient(settings).send(new CreateSecretCommand({ Name: 'q', SecretString }));
    const template = body({
      Orders: queue({
        QueueName: '{{resolve:secretsmanager:q:SecretString:name}}',
        VisibilityTimeout: '{{resolve:ssm:/q/seconds}}',
      }),
    });
    await create(template);
    expect((await stack())?.StackStatus).toBe('CREATE_COMPLETE');
    expect(await describedBy()).toBe('11');
  });

  it('that leads nowhere makes nothing', async () => {
    await create(body({ Orders: queue({ QueueName: '{{resolve:ssm:/gone}}' }) }));
    const { StackStatus, StackStatusReason } = (await stack()) ?? {};
    expect(StackStatus).toBe('ROLLBACK_COMPLETE');
    expect(StackStatusReason).toContain('Orders: Parameter /gone not found');
  });
});

describe('awscli', () => {
  it('makes a stack and is told its outputs', async () => {
    const template = body(
      { Orders: queue({ QueueName: 'orders' }) },
      { Outputs: { Url: { Value: { Ref: 'Orders' } } } },
    );
    await awsCliJson(
      cloud.url,
      'cloudformation',
      'create-stack',
      '--stack-name',
      'cli',
      '--template-body',
      template,
    );
    const { Stacks } = (await awsCliJson(cloud.url, 'cloudformation', 'describe-stacks')) as {
      Stacks: { StackName: string; Outputs: { OutputValue: string }[] }[];
    };
    expect(Stacks.map(({ StackName }) => StackName)).toEqual(['cli']);
    expect(Stacks[0]?.Outputs[0]?.OutputValue).toContain('/orders');
  });
});
