import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  APIGatewayClient,
  CreateDeploymentCommand,
  CreateRestApiCommand,
  GetResourcesCommand,
  PutIntegrationCommand,
  PutMethodCommand,
} from '@aws-sdk/client-api-gateway';
import { CloudWatchClient, PutMetricAlarmCommand, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { CreateTableCommand, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import {
  CreateEventSourceMappingCommand,
  CreateFunctionCommand,
  InvokeCommand,
  LambdaClient,
} from '@aws-sdk/client-lambda';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand, GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { build } from 'esbuild';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../lib/asl/clock.ts';
import { type LocalCloud, startLocalCloud } from '../../../lib/local/cloud.ts';
import type { RequestEntry } from '../../../lib/local/endpoint.ts';
import { eventually } from './eventually.ts';

const folder = mkdtempSync(join(tmpdir(), 'cloud-'));
let clock: VirtualClock;
let cloud: LocalCloud;
let client: { endpoint: string; region: string };
const log: RequestEntry[] = [];

/** One function for every story: it publishes what it was given, through the SDK, and obeys `fail`. */
const source = `
  import { SNSClient, PublishCommand } from '@aws-sdk/client-sns';
  const sns = new SNSClient({});
  export const handler = async (event) => {
    if (event.fail) throw Object.assign(new Error('as asked'), { name: event.fail });
    await sns.send(new PublishCommand({ TopicArn: process.env.TOPIC, Message: JSON.stringify(event) }));
    return { published: true };
  };`;

beforeAll(async () => {
  clock = new VirtualClock();
  cloud = await startLocalCloud({ clock, onRequest: (entry) => log.push(entry) });
  client = { endpoint: cloud.url, region: 'eu-west-1' };
  const S3Key = join(folder, 'index.mjs');
  await build({
    stdin: { contents: source, resolveDir: process.cwd() },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: S3Key,
    banner: {
      js: `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`,
    },
    logLevel: 'error',
  });
  const { TopicArn } = await new SNSClient(client).send(new CreateTopicCommand({ Name: 'told' }));
  const Endpoint = await queueArn('told');
  await new SNSClient(client).send(
    new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint, Attributes: { RawMessageDelivery: 'true' } }),
  );
  await new LambdaClient(client).send(
    new CreateFunctionCommand({
      FunctionName: 'teller',
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      Role: 'arn:aws:iam::000000000000:role/teller',
      Timeout: 30,
      Environment: { Variables: { TOPIC: TopicArn as string } },
      Code: { S3Bucket: 'hot-reload', S3Key },
    }),
  );
});
beforeEach(() => {
  log.length = 0;
});
afterAll(async () => {
  await cloud.close();
  rmSync(folder, { recursive: true });
});

async function queueArn(QueueName: string): Promise<string> {
  const sqs = new SQSClient(client);
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName }));
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
  );
  return Attributes?.QueueArn as string;
}

/** The next thing that the function told, waited for in real time. */
// biome-ignore lint/suspicious/noExplicitAny: whatever event the function was given
async function told(): Promise<any> {
  const queue = cloud.queues.byName('told');
  await eventually(() => queue.counts().visible).toBeGreaterThan(0);
  const [received] = await queue.receive({ max: 1 });
  queue.delete(received?.receiptHandle ?? '');
  return JSON.parse(received?.message.body ?? '');
}

describe('the local cloud', () => {
  it('takes an alarm from its metric through EventBridge and a queue to a function', async () => {
    const QueueArn = await queueArn('alarms');
    const events = new EventBridgeClient(client);
    const EventPattern = JSON.stringify({
      source: ['aws.cloudwatch'],
      detail: { state: { value: ['ALARM'] } },
    });
    await events.send(new PutRuleCommand({ Name: 'alarms', EventPattern }));
    await events.send(new PutTargetsCommand({ Rule: 'alarms', Targets: [{ Id: 'q', Arn: QueueArn }] }));
    await new LambdaClient(client).send(
      new CreateEventSourceMappingCommand({ FunctionName: 'teller', EventSourceArn: QueueArn, BatchSize: 1 }),
    );
    const watch = new CloudWatchClient(client);
    const metric = { Namespace: 'shop', MetricName: 'errors' };
    await watch.send(
      new PutMetricAlarmCommand({
        ...metric,
        AlarmName: 'shop-errors',
        Statistic: 'Sum',
        Period: 10,
        EvaluationPeriods: 1,
        Threshold: 5,
        ComparisonOperator: 'GreaterThanThreshold',
      }),
    );
    await watch.send(
      new PutMetricDataCommand({
        Namespace: 'shop',
        MetricData: [
          { MetricName: 'errors', Value: 9, StorageResolution: 1, Timestamp: new Date(clock.now()) },
        ],
      }),
    );
    await clock.advance(30_000);
    const { Records } = await told();
    const event = JSON.parse(Records[0].body);
    expect(event).toMatchObject({
      source: 'aws.cloudwatch',
      'detail-type': 'CloudWatch Alarm State Change',
      detail: { alarmName: 'shop-errors', state: { value: 'ALARM' } },
    });
  });

  it('takes a write from a table stream to a function', async () => {
    const db = new DynamoDBClient(client);
    const { TableDescription } = await db.send(
      new CreateTableCommand({
        TableName: 'store',
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
        StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' },
      }),
    );
    const EventSourceArn = TableDescription?.LatestStreamArn;
    await new LambdaClient(client).send(
      new CreateEventSourceMappingCommand({
        FunctionName: 'teller',
        EventSourceArn,
        StartingPosition: 'TRIM_HORIZON',
      }),
    );
    await db.send(new PutItemCommand({ TableName: 'store', Item: { pk: { S: 'a' } } }));
    await clock.advance(250);
    const { Records } = await told();
    expect(Records[0]).toMatchObject({ eventName: 'INSERT', dynamodb: { NewImage: { pk: { S: 'a' } } } });
  });

  it('runs functions from state machines, and names their errors there', async () => {
    const sfn = new SFNClient(client);
    const definition = JSON.stringify({
      QueryLanguage: 'JSONata',
      StartAt: 'Tell',
      States: {
        Tell: {
          Type: 'Task',
          Resource: 'arn:aws:states:::lambda:invoke',
          Arguments: { FunctionName: 'teller', Payload: '{% $states.input %}' },
          Output: '{% $states.result.Payload %}',
          TimeoutSeconds: 60,
          Catch: [{ ErrorEquals: ['NotToday'], Output: 'caught', Next: 'Done' }],
          End: true,
        },
        Done: { Type: 'Succeed' },
      },
    });
    const { stateMachineArn } = await sfn.send(
      new CreateStateMachineCommand({ name: 'm', definition, roleArn: 'arn:aws:iam::000000000000:role/m' }),
    );
    const run = async (input: object) => {
      const { executionArn } = await sfn.send(
        new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) }),
      );
      await eventually(
        async () => (await sfn.send(new DescribeExecutionCommand({ executionArn }))).status,
      ).toBe('SUCCEEDED');
      return (await sfn.send(new DescribeExecutionCommand({ executionArn }))).output;
    };
    expect(JSON.parse((await run({ n: 1 })) ?? '')).toEqual({ published: true });
    expect(await told()).toEqual({ n: 1 });
    expect(await run({ fail: 'NotToday' })).toBe('"caught"');
  });

  it('serves a function through a stage of an API', async () => {
    const S3Key = join(folder, 'web.mjs');
    writeFileSync(
      S3Key,
      'export const handler = async ({ path }) => ({ statusCode: 201, body: `saw ${path}` });',
    );
    const { FunctionArn } = await new LambdaClient(client).send(
      new CreateFunctionCommand({
        FunctionName: 'web',
        Runtime: 'nodejs24.x',
        Handler: 'web.handler',
        Role: 'arn:aws:iam::000000000000:role/web',
        Code: { S3Bucket: 'hot-reload', S3Key },
      }),
    );
    const api = new APIGatewayClient(client);
    const { id: restApiId } = await api.send(new CreateRestApiCommand({ name: 'shop' }));
    const { items } = await api.send(new GetResourcesCommand({ restApiId }));
    const method = { restApiId, resourceId: items?.[0]?.id, httpMethod: 'GET' };
    await api.send(new PutMethodCommand({ ...method, authorizationType: 'NONE' }));
    const uri = `arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/${FunctionArn}/invocations`;
    await api.send(
      new PutIntegrationCommand({ ...method, type: 'AWS_PROXY', integrationHttpMethod: 'POST', uri }),
    );
    await api.send(new CreateDeploymentCommand({ restApiId, stageName: 'dev' }));
    const answer = await fetch(`${await cloud.apiGateway.urlOf(restApiId ?? '', 'dev')}/`);
    expect([answer.status, await answer.text()]).toEqual([201, 'saw /']);
  });

  it('counts every call with its caller, and carries the trace of the first through the rest', async () => {
    const Root = '1-67891233-abcdef012345678912345678';
    const lambda = new LambdaClient(client);
    lambda.middlewareStack.add(
      (next) => async (call) => {
        (call.request as { headers: Record<string, string> }).headers['x-amzn-trace-id'] =
          `Root=${Root};Parent=53995c3f42cd8ad8;Sampled=1`;
        return next(call);
      },
      { step: 'build' },
    );
    await lambda.send(new InvokeCommand({ FunctionName: 'teller', Payload: '{"traced":true}' }));
    await told();
    const calls = log.map(({ service, operation, status, traceId, caller }) => ({
      call: `${service}:${operation}`,
      status,
      root: traceId?.includes(Root) ?? false,
      byFunction: caller.startsWith('fn-teller-'),
    }));
    expect(calls).toEqual([
      { call: 'sns:Publish', status: 200, root: true, byFunction: true },
      { call: 'lambda:Invoke', status: 200, root: true, byFunction: false },
    ]);
  });
});

describe('the local cloud by itself', () => {
  const main = (...args: string[]) => {
    const child = spawn(process.execPath, ['lib/local/main.ts', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        output += chunk;
      });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    return { child, ended, output: () => output };
  };

  it('answers until it is interrupted', async () => {
    const { child, ended, output } = main('--port', '0');
    await eventually(output).toMatch(/the local cloud answers at (\S+)/);
    const url = /answers at (\S+)/.exec(output())?.[1];
    expect((await fetch(`${url}/_local/health`)).status).toBe(200);
    child.kill('SIGINT');
    expect(await ended).toBe(0);
  });

  it('says in one sentence what it cannot do, and ends with 1', async () => {
    const [taken, wrong] = [main('--port', String(cloud.port)), main('--port', '70000')];
    expect(await taken.ended).toBe(1);
    expect(taken.output()).toBe(
      `port ${cloud.port} on 127.0.0.1 is in use: end what listens there, or choose another port\n`,
    );
    expect(await wrong.ended).toBe(1);
    expect(wrong.output()).toMatch(/^--port must be a whole number from 0 to 65535, not 70000; usage: .*\n$/);
  });
});
