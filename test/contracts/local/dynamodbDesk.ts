/** DynamoDB behind a real endpoint, started anew for each test, and a table as the tests use it. */
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { afterEach, beforeEach } from 'vitest';
import { VirtualClock } from '../../../lib/asl/clock.ts';
import { dynamodbService } from '../../../lib/local/dynamodb/dynamodbService.ts';
import { dynamodbStreamsService } from '../../../lib/local/dynamodb/streamsService.ts';
import { Tables, type TablesOptions } from '../../../lib/local/dynamodb/tables.ts';
import { type Endpoint, startEndpoint } from '../../../lib/local/endpoint.ts';

export let clock: VirtualClock;
export let endpoint: Endpoint;
export let db: DynamoDBClient;
export let streams: DynamoDBStreamsClient;

async function open(options: Partial<TablesOptions> = {}) {
  clock = new VirtualClock();
  const tables = new Tables({ region: 'eu-west-1', account: '000000000000', clock, ...options });
  const services = [dynamodbService(tables), dynamodbStreamsService(tables)];
  endpoint = await startEndpoint({ services, clock });
  const client = { endpoint: endpoint.url, region: 'eu-west-1', maxAttempts: 1 };
  db = new DynamoDBClient(client);
  streams = new DynamoDBStreamsClient(client);
}

/** Opens a new desk for each test of the file. */
export function useDesk(): void {
  beforeEach(() => open());
  afterEach(() => endpoint.close());
}

/** Opens the desk again with other settings. */
export async function reopen(options: Partial<TablesOptions>): Promise<void> {
  await endpoint.close();
  await open(options);
}

export const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error) => error,
  );
export const create = (TableName: string, more: Partial<CreateTableCommandInput> = {}) =>
  db.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'N' },
      ],
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      ...more,
    }),
  );
export const key = (pk: string, sk = 0) => ({ pk: { S: pk }, sk: { N: String(sk) } });
export const put = (pk: string, version: number, sk = 0) =>
  db.send(
    new PutItemCommand({ TableName: 'store', Item: { ...key(pk, sk), version: { N: String(version) } } }),
  );
export const get = async (pk: string, sk = 0) =>
  (await db.send(new GetItemCommand({ TableName: 'store', Key: key(pk, sk), ConsistentRead: true }))).Item;
