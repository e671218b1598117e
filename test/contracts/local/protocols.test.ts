import { gzipSync } from 'node:zlib';
import * as CloudWatch from '@aws-sdk/client-cloudwatch';
import * as Ecs from '@aws-sdk/client-ecs';
import * as Elb from '@aws-sdk/client-elastic-load-balancing-v2';
import * as Sns from '@aws-sdk/client-sns';
import * as Sqs from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Endpoint, PortInUse, type RequestEntry, startEndpoint } from '../../../lib/local/endpoint.ts';
import { type LocalService, ServiceError } from '../../../lib/local/service.ts';
import { awsCli, awsCliJson } from './awsCli.ts';

const at = new Date('2026-03-04T05:06:07Z');
const arn = 'arn:aws:elasticloadbalancing:eu-west-1:000000000000:listener/app/shop/1/2';

/** Services whose answers repeat what they understood: what comes back went through the wire twice. */
const services: LocalService[] = [
  {
    scope: 'ecs',
    sdk: Ecs,
    operations: {
      DescribeServices: ({ cluster, services: names }) => {
        if (cluster === 'gone') throw new ServiceError('ClusterNotFoundException', 'no such cluster');
        const one = (serviceName: string) => ({
          serviceName,
          status: 'ACTIVE',
          runningCount: 2,
          createdAt: at,
        });
        return { services: names.map(one), failures: [], notInTheSchema: true };
      },
    },
  },
  {
    scope: 'elasticloadbalancing',
    sdk: Elb,
    operations: {
      ModifyListener: ({ ListenerArn, DefaultActions }) => {
        if (ListenerArn === 'missing')
          throw new ServiceError('ListenerNotFoundException', 'no <such> listener');
        return { Listeners: [{ ListenerArn, Port: 80, DefaultActions }] };
      },
      DeleteListener: () => ({}),
    },
  },
  {
    scope: 'monitoring',
    sdk: CloudWatch,
    operations: {
      GetMetricData: ({ MetricDataQueries, StartTime }) => ({
        MetricDataResults: MetricDataQueries.map((query: CloudWatch.MetricDataQuery) => ({
          Id: query.Id,
          Label: query.MetricStat?.Metric?.Dimensions?.[0]?.Value ?? 'none',
          StatusCode: 'Complete',
          Timestamps: [StartTime],
          Values: [0.25],
        })),
      }),
    },
  },
  {
    scope: 'sns',
    sdk: Sns,
    operations: {
      Publish: ({ Message, MessageAttributes }) => ({
        MessageId: `${Message}|${Object.entries(MessageAttributes ?? {}).map(
          ([name, value]) => `${name}=${(value as Sns.MessageAttributeValue).StringValue}`,
        )}`,
      }),
    },
  },
  {
    scope: 'sqs',
    sdk: Sqs,
    operations: {
      GetQueueAttributes: ({ QueueUrl, AttributeNames }) => {
        if (QueueUrl.endsWith('gone')) throw new ServiceError('QueueDoesNotExist', 'no such queue');
        return { Attributes: Object.fromEntries(AttributeNames.map((name: string) => [name, QueueUrl])) };
      },
    },
  },
];

const log: RequestEntry[] = [];
let endpoint: Endpoint;
let client: { endpoint: string; region: string; maxAttempts: number };
beforeAll(async () => {
  endpoint = await startEndpoint({ services, onRequest: (entry) => log.push(entry), onBug: () => undefined });
  client = { endpoint: endpoint.url, region: 'eu-west-1', maxAttempts: 1 };
});
afterAll(() => endpoint.close());

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error) => error,
  );

describe('aws-json', () => {
  const describeServices = (input: Ecs.DescribeServicesCommandInput) =>
    new Ecs.ECSClient(client).send(new Ecs.DescribeServicesCommand(input));

  it('answers the SDK with dates and numbers as the schema types them', async () => {
    const { services: found, failures } = await describeServices({ cluster: 'c', services: ['web'] });
    expect(found).toEqual([{ serviceName: 'web', status: 'ACTIVE', runningCount: 2, createdAt: at }]);
    expect(failures).toEqual([]);
  });

  it('answers a modelled error as its class', async () => {
    const error = await failureOf(describeServices({ cluster: 'gone', services: ['web'] }));
    expect(error).toBeInstanceOf(Ecs.ClusterNotFoundException);
    expect(error.message).toBe('no such cluster');
  });

  it('refuses a call without a required member and names the member', async () => {
    const error = await failureOf(describeServices({ cluster: 'c' } as Ecs.DescribeServicesCommandInput));
    expect(error.name).toBe('ValidationException');
    expect(error.message).toContain("'services'");
  });

  it('says of an operation that AWS has and this cloud lacks that it is not emulated', async () => {
    const error = await failureOf(new Ecs.ECSClient(client).send(new Ecs.ListClustersCommand({})));
    expect(error.$metadata.httpStatusCode).toBe(501);
    expect(error.message).toBe('ecs:ListClusters exists on AWS, but is not emulated by the local cloud');
  });

  it('does not know an operation that no model has', async () => {
    const response = await fetch(endpoint.url, {
      method: 'POST',
      headers: {
        'x-amz-target': 'AmazonEC2ContainerServiceV20141113.MakeCoffee',
        authorization: 'AWS4-HMAC-SHA256 Credential=k/20260101/eu-west-1/ecs/aws4_request',
      },
      body: '{}',
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ __type: 'UnknownOperationException' });
  });

  it('answers awscli', async () => {
    const answer = await awsCliJson(
      endpoint.url,
      'ecs',
      'describe-services',
      '--cluster',
      'c',
      '--services',
      'web',
    );
    expect(answer.services[0]).toMatchObject({ serviceName: 'web', runningCount: 2 });
  });

  it('carries the Query error code for services that once spoke Query', async () => {
    const error = await failureOf(
      new Sqs.SQSClient(client).send(
        new Sqs.GetQueueAttributesCommand({ QueueUrl: `${endpoint.url}/0/gone`, AttributeNames: ['All'] }),
      ),
    );
    expect(error).toBeInstanceOf(Sqs.QueueDoesNotExist);
    expect(error.Code).toBe('AWS.SimpleQueueService.NonExistentQueue');
  });
});

it('unpacks a body that the client packed', async () => {
  const response = await fetch(endpoint.url, {
    method: 'POST',
    headers: {
      'content-encoding': 'gzip',
      'x-amz-target': 'AmazonEC2ContainerServiceV20141113.DescribeServices',
      authorization: 'AWS4-HMAC-SHA256 Credential=k/20260101/eu-west-1/ecs/aws4_request',
    },
    body: gzipSync('{"services":["packed"]}'),
  });
  expect(await response.json()).toMatchObject({ services: [{ serviceName: 'packed' }] });
});

describe('aws-query', () => {
  const forward = (listenerArn: string): Elb.ModifyListenerCommandInput => ({
    ListenerArn: listenerArn,
    DefaultActions: [
      {
        Type: 'forward',
        ForwardConfig: {
          TargetGroups: [
            { TargetGroupArn: 'blue', Weight: 90 },
            { TargetGroupArn: 'green', Weight: 10 },
          ],
          TargetGroupStickinessConfig: { Enabled: false },
        },
      },
    ],
  });
  const modify = (input: Elb.ModifyListenerCommandInput) =>
    new Elb.ElasticLoadBalancingV2Client(client).send(new Elb.ModifyListenerCommand(input));

  it('carries nested lists, numbers and booleans there and back', async () => {
    const { Listeners } = await modify(forward(arn));
    expect(Listeners).toEqual([{ ListenerArn: arn, Port: 80, DefaultActions: forward(arn).DefaultActions }]);
  });

  it('maps an error to the code that Query clients know, and escapes its message', async () => {
    const error = await failureOf(modify(forward('missing')));
    expect(error).toBeInstanceOf(Elb.ListenerNotFoundException);
    expect(error.message).toBe('no <such> listener');
  });

  it('answers an operation without result members', async () => {
    const elb = new Elb.ElasticLoadBalancingV2Client(client);
    const { $metadata } = await elb.send(new Elb.DeleteListenerCommand({ ListenerArn: arn }));
    expect($metadata.httpStatusCode).toBe(200);
  });

  it('carries maps and characters outside ASCII', async () => {
    const { MessageId } = await new Sns.SNSClient(client).send(
      new Sns.PublishCommand({
        TopicArn: 't',
        Message: 'hé <&>\r\n',
        MessageAttributes: { kind: { DataType: 'String', StringValue: 'x' } },
      }),
    );
    expect(MessageId).toBe('hé <&>\r\n|kind=x');
  });

  it('answers awscli, which speaks Query to SQS and CloudWatch too', async () => {
    const metric = { Namespace: 'n', MetricName: 'm', Dimensions: [{ Name: 'T', Value: 'tg' }] };
    const [elb, sqs, cloudWatch, missing] = await Promise.all([
      awsCliJson(
        endpoint.url,
        'elbv2',
        'modify-listener',
        '--listener-arn',
        arn,
        '--default-actions',
        'Type=forward,TargetGroupArn=blue',
      ),
      awsCliJson(
        endpoint.url,
        'sqs',
        'get-queue-attributes',
        '--queue-url',
        `${endpoint.url}/0/q`,
        '--attribute-names',
        'QueueArn',
        'DelaySeconds',
      ),
      awsCliJson(
        endpoint.url,
        'cloudwatch',
        'get-metric-data',
        '--start-time',
        at.toISOString(),
        '--end-time',
        at.toISOString(),
        '--metric-data-queries',
        JSON.stringify([{ Id: 'a', MetricStat: { Period: 60, Stat: 'Sum', Metric: metric } }]),
      ),
      awsCli(
        endpoint.url,
        'sqs',
        'get-queue-attributes',
        '--queue-url',
        `${endpoint.url}/0/gone`,
        '--attribute-names',
        'All',
      ),
    ]);
    expect(elb.Listeners[0].DefaultActions).toEqual([{ Type: 'forward', TargetGroupArn: 'blue' }]);
    expect(sqs.Attributes).toEqual({ QueueArn: `${endpoint.url}/0/q`, DelaySeconds: `${endpoint.url}/0/q` });
    expect(cloudWatch.MetricDataResults[0]).toMatchObject({ Id: 'a', Label: 'tg', Values: [0.25] });
    expect(missing.stderr).toContain('AWS.SimpleQueueService.NonExistentQueue');
  });

  it('serves the same service to the SDK in JSON', async () => {
    const { MetricDataResults } = await new CloudWatch.CloudWatchClient(client).send(
      new CloudWatch.GetMetricDataCommand({
        StartTime: at,
        EndTime: at,
        MetricDataQueries: [{ Id: 'e', Expression: 'm1' }],
      }),
    );
    expect(MetricDataResults?.[0]).toMatchObject({ Id: 'e', Timestamps: [at], Values: [0.25] });
  });
});

describe('the port', () => {
  it('tells each call with its caller, its size and its duration', async () => {
    log.length = 0;
    await new Ecs.ECSClient({
      ...client,
      customUserAgent: 'the-bench',
      credentials: { accessKeyId: 'AKIDX', secretAccessKey: 's' },
    }).send(new Ecs.DescribeServicesCommand({ cluster: 'c', services: ['web'] }));
    expect(log).toHaveLength(1);
    expect(log[0]).toMatchObject({
      service: 'ecs',
      operation: 'DescribeServices',
      status: 200,
      caller: 'AKIDX',
      fault: null,
      errorCode: null,
    });
    expect(log[0]?.userAgent).toContain('the-bench');
    expect(log[0]?.responseBytes).toBeGreaterThan(50);
    expect(log[0]?.durationMs).toBeGreaterThan(0);
  });

  it('names the services that are emulated when asked for another', async () => {
    const response = await fetch(endpoint.url, {
      headers: { authorization: 'AWS4-HMAC-SHA256 Credential=k/20260101/eu-west-1/kms/aws4_request' },
    });
    expect(response.status).toBe(501);
    expect(await response.text()).toContain(
      "the service 'kms' is not emulated here; these are: ecs, elasticloadbalancing",
    );
  });

  it('says in one sentence that it is taken', async () => {
    const error = await failureOf(startEndpoint({ services: [], port: endpoint.port }));
    expect(error).toBeInstanceOf(PortInUse);
    expect(error.message).toBe(
      `port ${endpoint.port} on 127.0.0.1 is in use: end what listens there, or choose another port`,
    );
  });

  it('answers its own health', async () => {
    const health = await (await fetch(`${endpoint.url}/_local/health`)).json();
    expect(health).toMatchObject({ status: 'ok', services: expect.arrayContaining(['ecs', 'sqs']) });
  });
});
