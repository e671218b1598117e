/** The event store's lean commands on the wire, beside the SDK's own. */
import { hash } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deflateRawSync } from 'node:zlib';
import {
  DynamoDBClient,
  type DynamoDBClientConfig,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LeanGetItem, LeanPutItem, LeanQuery } from '../../lib/aws/eventStore/leanCommands.ts';
import { textOf } from '../../lib/aws/eventStore/stored.ts';
import { authorization } from '../../lib/aws/lean/signer.ts';

type Heard = { readonly url: string; readonly headers: IncomingHttpHeaders; readonly body: string };
type Answer = { readonly status?: number; readonly body: string; readonly headers?: Record<string, string> };

let heard: Heard[];
let answer: (request: Heard) => Answer;
let endpoint: string;
const clients: DynamoDBClient[] = [];

const server = createServer(async (request, response) => {
  const { url = '', headers } = request;
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const one = { url, headers, body: Buffer.concat(parts).toString() };
  heard.push(one);
  const { status = 200, body, headers: more = {} } = answer(one);
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0', ...more }).end(body);
});

beforeEach(async () => {
  heard = [];
  answer = () => ({ body: '{}' });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', sessionToken: 'token=/+' };

function connect(config: DynamoDBClientConfig = {}): DynamoDBClient {
  const client = new DynamoDBClient({
    ...{ region: 'eu-west-1', credentials: keys, endpoint, maxAttempts: 1 },
    ...config,
  });
  clients.push(client);
  return client;
}

const bytes = Buffer.from([0xff, 7, 0, 1]);
const put = {
  TableName: 'events',
  Item: { pk: { S: 'S#schön' }, sk: { N: '0' }, body: { B: bytes.subarray(1) } },
  ConditionExpression: 'attribute_not_exists(#v)',
  ExpressionAttributeNames: { '#v': 'v' },
  ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
};
const get = { TableName: 'events', Key: { pk: { S: 'S#a' }, sk: { N: '0' } }, ConsistentRead: true };
const query = {
  TableName: 'events',
  KeyConditionExpression: '#pk = :pk',
  ExpressionAttributeNames: { '#pk': 'pk' },
  ExpressionAttributeValues: { ':pk': { S: 'S#a' } },
  ExclusiveStartKey: { pk: { S: 'S#a' }, sk: { N: '17' } },
};

/** What the general form of the signature, held to AWS's own vectors, gives for a request as heard. */
function signatureOf({ headers, body }: Heard, credentials = keys): string {
  const names = /SignedHeaders=([^,]+)/.exec(headers.authorization ?? '')?.[1]?.split(';') ?? [];
  const signed = names.map((name) => [name, String(headers[name])] as const);
  const bodyHash = hash('sha256', body);
  const request = { method: 'POST', path: '/', query: [], headers: signed, bodyHash };
  const scope = { region: 'eu-west-1', service: 'dynamodb' };
  return authorization(request, String(headers['x-amz-date']), scope, { ...credentials, expiresAtMs: null });
}

describe('a lean command', () => {
  it.each([
    ['PutItem', new LeanPutItem(put), new PutItemCommand(put)],
    ['GetItem', new LeanGetItem(get), new GetItemCommand(get)],
    ['Query', new LeanQuery(query), new QueryCommand(query)],
  ])('(%s) says what the SDK says, signed', async (_, lean, sdks) => {
    const client = connect();
    await client.send(lean as never);
    await client.send(sdks as never);
    const [ours, theirs] = heard as [Heard, Heard];
    expect(JSON.parse(ours.body)).toEqual(JSON.parse(theirs.body));
    for (const name of ['host', 'content-type', 'x-amz-target', 'x-amz-security-token', 'content-length']) {
      expect(ours.headers[name]).toBe(theirs.headers[name]);
    }
    expect(ours.headers['user-agent']).toBeUndefined();
    expect(ours.headers.authorization).toBe(signatureOf(ours));
    for (const part of ['host', 'x-amz-date', 'x-amz-security-token', 'x-amz-target']) {
      expect(ours.headers.authorization).toContain(part);
    }
  });

  it('gives the items of an answer, whose bytes can be read', async () => {
    const text = 'schön, und lang genug für Bytes '.repeat(40);
    const deflated = deflateRawSync(text).toString('base64');
    answer = () => ({ body: JSON.stringify({ Item: { v: { N: '3' }, text: { B: deflated } } }) });
    const { Item: item } = await connect().send(new LeanGetItem(get));
    expect(item?.v).toEqual({ N: '3' });
    expect(textOf(item?.text)).toBe(text);
  });

  it('takes the credentials of the moment', async () => {
    let credentials = keys;
    const expiring = async () => ({ ...credentials, expiration: new Date(Date.now() + 1000) });
    const client = connect({ credentials: expiring });
    await client.send(new LeanGetItem(get));
    credentials = { ...keys, accessKeyId: 'AKIDNEXT', secretAccessKey: 'next' };
    await client.send(new LeanGetItem(get));
    await client.send(new LeanGetItem(get));
    expect(heard[0]?.headers.authorization).toContain('Credential=AKIDEXAMPLE/');
    const last = heard.at(-1) as Heard;
    expect(last.headers.authorization).toContain('Credential=AKIDNEXT/');
    expect(last.headers.authorization).toBe(signatureOf(last, credentials));
  });

  it('leaves an endpoint with a path to the SDK', async () => {
    await connect({ endpoint: `${endpoint}/dynamo` }).send(new LeanGetItem(get));
    expect(heard).toMatchObject([{ url: '/dynamo/', headers: { 'user-agent': expect.any(String) } }]);
  });
});

describe('a refusal', () => {
  const refused = (name: string, more: object = {}): string =>
    JSON.stringify({
      __type: `com.amazonaws.dynamodb.v20120810#${name}`,
      message: `it said ${name}`,
      ...more,
    });

  it('by a condition carries the item that stands there', async () => {
    const standing = { v: { N: '4' }, body: { B: Buffer.from('{}').toString('base64') } };
    const body = refused('ConditionalCheckFailedException', { Item: standing });
    answer = () => ({ status: 400, body });
    const attempt = connect().send(new LeanPutItem(put));
    await expect(attempt).rejects.toMatchObject({ name: 'ConditionalCheckFailedException', Item: standing });
    expect(heard).toHaveLength(1);
  });

  it.each([
    ['ProvisionedThroughputExceededException', 400],
    ['ResourceNotFoundException', 400],
    ['InternalServerError', 500],
  ])('(%s) has the name AWS gave it and is not sent again', async (name, status) => {
    answer = () => ({ status, body: refused(name) });
    await expect(connect({ maxAttempts: 3 }).send(new LeanPutItem(put))).rejects.toMatchObject({
      ...{ name, message: `it said ${name}` },
      $metadata: { httpStatusCode: status },
    });
    expect(heard).toHaveLength(1);
  });

  it('without a word is known by its status', async () => {
    answer = () => ({ status: 503, body: '<html>busy</html>' });
    await expect(connect().send(new LeanPutItem(put))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 503 },
    });
  });

  it('of a clock that is off is mended by the SDK, and the next call is right at once', async () => {
    const theirsMs = Date.now() + 3_600_000;
    const date = new Date(theirsMs).toUTCString();
    const dayAndHour = new Date(theirsMs).toISOString().replace(/[-:]/g, '').slice(0, 11);
    answer = ({ headers }) =>
      String(headers['x-amz-date']).startsWith(dayAndHour)
        ? { body: '{}', headers: { date } }
        : { status: 403, body: refused('InvalidSignatureException'), headers: { date } };
    const client = connect({ maxAttempts: 3 });
    await client.send(new LeanPutItem(put));
    const before = heard.length;
    await client.send(new LeanPutItem(put));
    expect(heard).toHaveLength(before + 1);
    expect(heard.at(-1)?.headers['user-agent']).toBeUndefined();
  });
});
