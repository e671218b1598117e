/** The protocols in which an operation is a method and a path. */
import * as Lambda from '@aws-sdk/client-lambda';
import * as Route53 from '@aws-sdk/client-route-53';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Endpoint, startEndpoint } from '../../../lib/local/endpoint.ts';
import { type LocalService, ServiceError } from '../../../lib/local/service.ts';
import { awsCliJson } from './awsCli.ts';

const at = new Date('2026-03-04T05:06:07Z');

/** Services whose answers repeat what they understood: what comes back went through the wire twice. */
const services: LocalService[] = [
  {
    scope: 'lambda',
    sdk: Lambda,
    operations: {
      Invoke: ({ FunctionName, Qualifier, InvocationType, Payload }) => ({
        StatusCode: 200,
        FunctionError: 'Unhandled',
        ExecutedVersion: Qualifier,
        Payload: Buffer.from(JSON.stringify({ FunctionName, InvocationType, payload: Payload?.toString() })),
      }),
      GetFunctionConfiguration: ({ FunctionName }) => {
        throw new ServiceError('ResourceNotFoundException', `Function not found: ${FunctionName}`, 404);
      },
      ListTags: ({ Resource }) => ({ Tags: { Resource } }),
      UntagResource: ({ Resource, TagKeys }) => {
        if (Resource !== 'arn:aws:lambda:x' || TagKeys.join() !== 'a,b') throw new Error('not as sent');
        return {};
      },
    },
  },
  {
    scope: 'route53',
    sdk: Route53,
    operations: {
      ChangeResourceRecordSets: ({ HostedZoneId, ChangeBatch }) => ({
        ChangeInfo: {
          Id: HostedZoneId,
          Status: 'INSYNC',
          SubmittedAt: at,
          Comment: JSON.stringify(ChangeBatch),
        },
      }),
      GetHostedZone: ({ Id }) => {
        throw new ServiceError('NoSuchHostedZone', `no zone ${Id}`, 404);
      },
    },
  },
];

let endpoint: Endpoint;
let client: { endpoint: string; region: string; maxAttempts: number };
beforeAll(async () => {
  endpoint = await startEndpoint({ services });
  client = { endpoint: endpoint.url, region: 'eu-west-1', maxAttempts: 1 };
});
afterAll(() => endpoint.close());

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error) => error,
  );

describe('rest-json', () => {
  it('gathers path, query, headers and raw payload, and answers in headers, status and payload', async () => {
    const lambda = new Lambda.LambdaClient(client);
    const { Payload, ...answer } = await lambda.send(
      new Lambda.InvokeCommand({
        FunctionName: 'arn:aws:lambda:eu-west-1:0:function:f',
        Qualifier: 'live',
        InvocationType: 'RequestResponse',
        Payload: '{"a":1}',
      }),
    );
    expect(answer).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled', ExecutedVersion: 'live' });
    expect(JSON.parse(Buffer.from(Payload as Uint8Array).toString())).toEqual({
      FunctionName: 'arn:aws:lambda:eu-west-1:0:function:f',
      InvocationType: 'RequestResponse',
      payload: '{"a":1}',
    });
  });

  it('answers a modelled error as its class with its status', async () => {
    const lambda = new Lambda.LambdaClient(client);
    const error = await failureOf(
      lambda.send(new Lambda.GetFunctionConfigurationCommand({ FunctionName: 'f' })),
    );
    expect(error).toBeInstanceOf(Lambda.ResourceNotFoundException);
    expect(error.$metadata.httpStatusCode).toBe(404);
  });

  it('reads repeated query parameters as a list and answers 204 with no body', async () => {
    const lambda = new Lambda.LambdaClient(client);
    const { Tags } = await lambda.send(new Lambda.ListTagsCommand({ Resource: 'arn:aws:lambda:x' }));
    expect(Tags).toEqual({ Resource: 'arn:aws:lambda:x' });
    const removed = await lambda.send(
      new Lambda.UntagResourceCommand({ Resource: 'arn:aws:lambda:x', TagKeys: ['a', 'b'] }),
    );
    expect(removed.$metadata.httpStatusCode).toBe(204);
  });
});

describe('rest-xml', () => {
  const change: Route53.ChangeBatch = {
    Comment: 'half & half',
    Changes: [
      {
        Action: 'UPSERT',
        ResourceRecordSet: {
          Name: 'api.example.com.',
          Type: 'A',
          SetIdentifier: 'stable',
          Weight: 128,
          TTL: 60,
          ResourceRecords: [{ Value: '10.0.0.1' }, { Value: '10.0.0.2' }],
        },
      },
    ],
  };

  it('carries a nested document there and its answer back', async () => {
    const route53 = new Route53.Route53Client(client);
    const { ChangeInfo } = await route53.send(
      new Route53.ChangeResourceRecordSetsCommand({ HostedZoneId: 'Z1', ChangeBatch: change }),
    );
    expect(ChangeInfo).toMatchObject({ Id: 'Z1', Status: 'INSYNC', SubmittedAt: at });
    expect(JSON.parse(ChangeInfo?.Comment ?? '')).toEqual(change);
  });

  it('answers errors as classes, and awscli', async () => {
    const route53 = new Route53.Route53Client(client);
    const error = await failureOf(route53.send(new Route53.GetHostedZoneCommand({ Id: 'Z9' })));
    expect(error).toBeInstanceOf(Route53.NoSuchHostedZone);
    const batch = JSON.stringify(change);
    const answer = await awsCliJson(
      endpoint.url,
      'route53',
      'change-resource-record-sets',
      '--hosted-zone-id',
      'Z1',
      '--change-batch',
      batch,
    );
    expect(JSON.parse(answer.ChangeInfo.Comment)).toEqual(change);
  });
});
