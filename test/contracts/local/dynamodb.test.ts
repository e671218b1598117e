import {
  ConditionalCheckFailedException,
  CreateBackupCommand,
  CreateTableCommand,
  type CreateTableCommandInput,
  DeleteItemCommand,
  DeleteTableCommand,
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  GetItemCommand,
  IdempotentParameterMismatchException,
  ListTagsOfResourceCommand,
  PutItemCommand,
  QueryCommand,
  ResourceNotFoundException,
  RestoreTableFromBackupCommand,
  TransactGetItemsCommand,
  TransactionCanceledException,
  TransactWriteItemsCommand,
  type TransactWriteItemsCommandInput,
  UpdateContinuousBackupsCommand,
  UpdateItemCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListStreamsCommand,
  type ShardIteratorType,
} from '@aws-sdk/client-dynamodb-streams';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../lib/asl/clock.ts';
import { dynamodbService } from '../../../lib/local/dynamodb/dynamodbService.ts';
import { dynamodbStreamsService } from '../../../lib/local/dynamodb/streamsService.ts';
import { Tables, type TablesOptions } from '../../../lib/local/dynamodb/tables.ts';
import { type Endpoint, startEndpoint } from '../../../lib/local/endpoint.ts';
import { awsCli, awsCliJson } from './awsCli.ts';

let clock: VirtualClock;
let endpoint: Endpoint;
let db: DynamoDBClient;
let streams: DynamoDBStreamsClient;

async function start(options: Partial<TablesOptions> = {}) {
  clock = new VirtualClock();
  const tables = new Tables({ region: 'eu-west-1', account: '000000000000', clock, ...options });
  endpoint = await startEndpoint({
    services: [dynamodbService(tables), dynamodbStreamsService(tables)],
    clock,
  });
  const client = { endpoint: endpoint.url, region: 'eu-west-1', maxAttempts: 1 };
  db = new DynamoDBClient(client);
  streams = new DynamoDBStreamsClient(client);
}
beforeEach(() => start());
afterEach(() => endpoint.close());

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error) => error,
  );
const create = (TableName: string, more: Partial<CreateTableCommandInput> = {}) =>
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
const key = (pk: string, sk = 0) => ({ pk: { S: pk }, sk: { N: String(sk) } });
const put = (pk: string, version: number, sk = 0) =>
  db.send(
    new PutItemCommand({ TableName: 'store', Item: { ...key(pk, sk), version: { N: String(version) } } }),
  );
const get = async (pk: string, sk = 0) =>
  (await db.send(new GetItemCommand({ TableName: 'store', Key: key(pk, sk), ConsistentRead: true }))).Item;

describe('items', () => {
  it('answers a failed condition with the item that failed it', async () => {
    await create('store');
    await put('a', 7);
    const append = (expected: number) =>
      db.send(
        new UpdateItemCommand({
          TableName: 'store',
          Key: key('a'),
          UpdateExpression: 'SET version = :next',
          ConditionExpression: 'version = :expected',
          ExpressionAttributeValues: {
            ':next': { N: String(expected + 1) },
            ':expected': { N: String(expected) },
          },
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      );
    const error = await failureOf(append(3));
    expect(error).toBeInstanceOf(ConditionalCheckFailedException);
    expect(error.Item).toEqual({ ...key('a'), version: { N: '7' } });
    await append(7);
    expect(await get('a')).toMatchObject({ version: { N: '8' } });
  });

  it('keeps bytes as bytes, also in what a failed condition returns', async () => {
    await create('store');
    const Item = { ...key('a'), blob: { B: new Uint8Array([0, 255, 10]) } };
    await db.send(new PutItemCommand({ TableName: 'store', Item }));
    const guarded = new PutItemCommand({
      TableName: 'store',
      Item,
      ConditionExpression: 'attribute_not_exists(pk)',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    const error = await failureOf(db.send(guarded));
    expect([...error.Item.blob.B]).toEqual([0, 255, 10]);
  });

  it('lets one of twenty racing conditional writers win', async () => {
    await create('store');
    const attempts = Array.from({ length: 20 }, () =>
      db.send(
        new PutItemCommand({
          TableName: 'store',
          Item: key('race'),
          ConditionExpression: 'attribute_not_exists(pk)',
        }),
      ),
    );
    const results = await Promise.allSettled(attempts);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('queries a partition in key order', async () => {
    await create('store');
    for (const sk of [3, -1, 2]) await put('a', sk, sk);
    const { Items } = await db.send(
      new QueryCommand({
        TableName: 'store',
        KeyConditionExpression: 'pk = :p AND sk >= :s',
        ExpressionAttributeValues: { ':p': { S: 'a' }, ':s': { N: '0' } },
        ScanIndexForward: false,
      }),
    );
    expect(Items?.map(({ sk }) => sk?.N)).toEqual(['3', '2']);
  });
});

describe('transactions', () => {
  const write = (
    TransactItems: TransactWriteItemsCommandInput['TransactItems'],
    ClientRequestToken?: string,
  ) => db.send(new TransactWriteItemsCommand({ TransactItems, ClientRequestToken }));
  const fresh = (pk: string, returns: 'ALL_OLD' | 'NONE' = 'NONE') => ({
    Put: {
      TableName: 'store',
      Item: { ...key(pk), version: { N: '1' } },
      ConditionExpression: 'attribute_not_exists(pk)',
      ReturnValuesOnConditionCheckFailure: returns,
    },
  });

  it('applies all actions or none and says which condition failed', async () => {
    await create('store');
    await put('old', 5);
    const error = await failureOf(
      write([
        fresh('new'),
        {
          Update: {
            TableName: 'store',
            Key: key('x'),
            UpdateExpression: 'SET a = :a',
            ExpressionAttributeValues: { ':a': { S: '1' } },
          },
        },
        fresh('old', 'ALL_OLD'),
      ]),
    );
    expect(error).toBeInstanceOf(TransactionCanceledException);
    expect(error.CancellationReasons).toMatchObject([
      { Code: 'None' },
      { Code: 'None' },
      { Code: 'ConditionalCheckFailed', Item: { ...key('old'), version: { N: '5' } } },
    ]);
    expect(await get('new')).toBeUndefined();
    expect(await get('x')).toBeUndefined();
    await write([fresh('new'), { Delete: { TableName: 'store', Key: key('old') } }]);
    expect(await get('new')).toBeDefined();
    expect(await get('old')).toBeUndefined();
  });

  it('checks conditions on items it does not write', async () => {
    await create('store');
    await put('guard', 1);
    const check = (version: string) => ({
      ConditionCheck: {
        TableName: 'store',
        Key: key('guard'),
        ConditionExpression: 'version = :v',
        ExpressionAttributeValues: { ':v': { N: version } },
      },
    });
    await write([check('1'), fresh('a')]);
    const error = await failureOf(write([check('2'), fresh('b')]));
    expect(error.CancellationReasons.map(({ Code }: { Code: string }) => Code)).toEqual([
      'ConditionalCheckFailed',
      'None',
    ]);
    expect(await get('guard')).toMatchObject({ version: { N: '1' } });
  });

  it('takes a repeated client token once, and refuses it for something else', async () => {
    await create('store');
    await write([fresh('a')], 'token');
    await write([fresh('a')], 'token');
    expect(await failureOf(write([fresh('b')], 'token'))).toBeInstanceOf(
      IdempotentParameterMismatchException,
    );
    await clock.advance(600_000);
    await write([fresh('b')], 'token');
  });

  it('refuses two actions on one item, and more than a hundred', async () => {
    await create('store');
    expect((await failureOf(write([fresh('a'), fresh('a')]))).message).toContain(
      'multiple operations on one item',
    );
    const many = Array.from({ length: 101 }, (_, index) => fresh(`m${index}`));
    expect((await failureOf(write(many))).message).toContain('less than or equal to 100');
  });

  it('reads several items at one moment', async () => {
    await create('store');
    await put('a', 1);
    const Get = (pk: string) => ({ Get: { TableName: 'store', Key: key(pk) } });
    const { Responses } = await db.send(
      new TransactGetItemsCommand({ TransactItems: [Get('a'), Get('none')] }),
    );
    expect(Responses).toEqual([{ Item: { ...key('a'), version: { N: '1' } } }, {}]);
  });
});

describe('tables', () => {
  it('keeps TTL, point-in-time recovery and tags', async () => {
    const { TableDescription } = await create('store', { Tags: [{ Key: 'stage', Value: 'dev' }] });
    const TimeToLiveSpecification = { Enabled: true, AttributeName: 'expires' };
    await db.send(new UpdateTimeToLiveCommand({ TableName: 'store', TimeToLiveSpecification }));
    const ttl = await db.send(new DescribeTimeToLiveCommand({ TableName: 'store' }));
    expect(ttl.TimeToLiveDescription).toEqual({ TimeToLiveStatus: 'ENABLED', AttributeName: 'expires' });
    const PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled: true };
    await db.send(
      new UpdateContinuousBackupsCommand({ TableName: 'store', PointInTimeRecoverySpecification }),
    );
    const backups = await db.send(new DescribeContinuousBackupsCommand({ TableName: 'store' }));
    expect(backups.ContinuousBackupsDescription?.PointInTimeRecoveryDescription).toMatchObject({
      PointInTimeRecoveryStatus: 'ENABLED',
    });
    const ResourceArn = TableDescription?.TableArn;
    expect((await db.send(new ListTagsOfResourceCommand({ ResourceArn }))).Tags).toEqual([
      { Key: 'stage', Value: 'dev' },
    ]);
  });

  it('does not delete a protected table', async () => {
    await create('store', { DeletionProtectionEnabled: true });
    const remove = () => db.send(new DeleteTableCommand({ TableName: 'store' }));
    expect((await failureOf(remove())).message).toContain('protected against deletion');
    await db.send(new UpdateTableCommand({ TableName: 'store', DeletionProtectionEnabled: false }));
    await remove();
    const gone = await failureOf(db.send(new DescribeTableCommand({ TableName: 'store' })));
    expect(gone).toBeInstanceOf(ResourceNotFoundException);
  });

  it('restores a backup into a new table as it was', async () => {
    await create('store', {
      GlobalSecondaryIndexes: [
        {
          IndexName: 'by-sk',
          KeySchema: [{ AttributeName: 'sk', KeyType: 'HASH' }],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
    });
    for (let n = 0; n < 5; n++) await put('a', n, n);
    const { BackupDetails } = await db.send(
      new CreateBackupCommand({ TableName: 'store', BackupName: 'before' }),
    );
    await put('a', 99, 0);
    const BackupArn = BackupDetails?.BackupArn;
    await db.send(new RestoreTableFromBackupCommand({ TargetTableName: 'restored', BackupArn }));
    const { Table } = await db.send(new DescribeTableCommand({ TableName: 'restored' }));
    expect(Table).toMatchObject({ TableStatus: 'ACTIVE', ItemCount: 5 });
    const { Items } = await db.send(
      new QueryCommand({
        TableName: 'restored',
        IndexName: 'by-sk',
        KeyConditionExpression: 'sk = :s',
        ExpressionAttributeValues: { ':s': { N: '0' } },
      }),
    );
    expect(Items?.map(({ version }) => version?.N)).toEqual(['0']);
  });
});

describe('streams', () => {
  const StreamSpecification = { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' as const };

  async function readAll(type: ShardIteratorType = 'TRIM_HORIZON', limit = 1000) {
    const { Streams } = await streams.send(new ListStreamsCommand({ TableName: 'store' }));
    const StreamArn = Streams?.at(-1)?.StreamArn;
    const { StreamDescription } = await streams.send(new DescribeStreamCommand({ StreamArn }));
    const all = [];
    for (const { ShardId } of StreamDescription?.Shards ?? []) {
      let { ShardIterator } = await streams.send(
        new GetShardIteratorCommand({ StreamArn, ShardId, ShardIteratorType: type }),
      );
      for (let more = true; more; ) {
        const page = await streams.send(new GetRecordsCommand({ ShardIterator, Limit: limit }));
        all.push(...(page.Records ?? []));
        more = (page.Records ?? []).length > 0;
        ShardIterator = page.NextShardIterator;
      }
    }
    return all;
  }

  it('tells inserts, changes and removals with both images, and no writes that changed nothing', async () => {
    await create('store', { StreamSpecification });
    await put('a', 1);
    await put('a', 1);
    await put('a', 2);
    await db.send(new DeleteItemCommand({ TableName: 'store', Key: key('a') }));
    await db.send(new DeleteItemCommand({ TableName: 'store', Key: key('a') }));
    const records = await readAll('TRIM_HORIZON', 2);
    expect(records.map(({ eventName }) => eventName)).toEqual(['INSERT', 'MODIFY', 'REMOVE']);
    expect(records[1]?.dynamodb).toMatchObject({
      Keys: key('a'),
      OldImage: { version: { N: '1' } },
      NewImage: { version: { N: '2' } },
      StreamViewType: 'NEW_AND_OLD_IMAGES',
    });
    const numbers = records.map(({ dynamodb }) => BigInt(dynamodb?.SequenceNumber ?? 0));
    expect([...numbers].sort((a, b) => (a < b ? -1 : 1))).toEqual(numbers);
  });

  it('tells of a transaction only when it was applied', async () => {
    await create('store', { StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' } });
    await put('old', 1);
    const Put = (pk: string) => ({
      TableName: 'store',
      Item: key(pk),
      ConditionExpression: 'attribute_not_exists(pk)',
    });
    await failureOf(
      db.send(new TransactWriteItemsCommand({ TransactItems: [{ Put: Put('a') }, { Put: Put('old') }] })),
    );
    await db.send(new TransactWriteItemsCommand({ TransactItems: [{ Put: Put('b') }, { Put: Put('c') }] }));
    const records = await readAll();
    expect(records.map(({ dynamodb }) => dynamodb?.Keys?.pk?.S)).toEqual(['old', 'b', 'c']);
    expect(records[0]?.dynamodb?.OldImage).toBeUndefined();
  });

  it('starts at the end when asked for the latest', async () => {
    const { TableDescription } = await create('store', { StreamSpecification });
    await put('a', 1);
    const StreamArn = TableDescription?.LatestStreamArn;
    const { StreamDescription } = await streams.send(new DescribeStreamCommand({ StreamArn }));
    const ShardId = StreamDescription?.Shards?.[0]?.ShardId;
    const latest = await streams.send(
      new GetShardIteratorCommand({ StreamArn, ShardId, ShardIteratorType: 'LATEST' }),
    );
    await put('b', 1);
    const { Records } = await streams.send(new GetRecordsCommand({ ShardIterator: latest.ShardIterator }));
    expect(Records?.map(({ dynamodb }) => dynamodb?.Keys?.pk?.S)).toEqual(['b']);
  });

  it('shuffles items among each other on request, never one item in itself', async () => {
    await endpoint.close();
    await start({ shuffleSeed: 7 });
    await create('store', { StreamSpecification });
    for (let version = 1; version <= 10; version++) for (const pk of ['a', 'b', 'c']) await put(pk, version);
    const seen = (await readAll()).map(
      ({ dynamodb }) => `${dynamodb?.Keys?.pk?.S}${dynamodb?.NewImage?.version?.N}`,
    );
    for (const pk of ['a', 'b', 'c']) {
      const versions = seen.filter((name) => name.startsWith(pk)).map((name) => Number(name.slice(1)));
      expect(versions).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    }
    expect(seen.slice(0, 3)).not.toEqual(['a1', 'b1', 'c1']);
    expect((await readAll()).map(({ dynamodb }) => dynamodb?.Keys?.pk?.S)).toEqual(
      seen.map((name) => name[0]),
    );
  });

  it('spreads partitions over several shards on request', async () => {
    await endpoint.close();
    await start({ streamShards: 4 });
    const { TableDescription } = await create('store', { StreamSpecification });
    for (let n = 0; n < 20; n++) await put(`p${n}`, 1);
    const StreamArn = TableDescription?.LatestStreamArn;
    const { StreamDescription } = await streams.send(new DescribeStreamCommand({ StreamArn }));
    expect(StreamDescription?.Shards).toHaveLength(4);
    expect(await readAll()).toHaveLength(20);
  });
});

describe('awscli', () => {
  it('creates a table with a stream, writes and reads, and sees a failed condition', async () => {
    const columns = ['AttributeName=pk,AttributeType=S'];
    await awsCliJson(
      endpoint.url,
      ...['dynamodb', 'create-table', '--table-name', 'cli', '--billing-mode', 'PAY_PER_REQUEST'],
      ...['--attribute-definitions', ...columns, '--key-schema', 'AttributeName=pk,KeyType=HASH'],
      ...['--stream-specification', 'StreamEnabled=true,StreamViewType=NEW_IMAGE'],
    );
    const item = [
      'dynamodb',
      'put-item',
      '--table-name',
      'cli',
      '--item',
      '{"pk":{"S":"x"},"n":{"N":"1.50"}}',
    ];
    expect(await awsCli(endpoint.url, ...item)).toMatchObject({ code: 0 });
    const [refused, read, listed] = await Promise.all([
      awsCli(endpoint.url, ...item, '--condition-expression', 'attribute_not_exists(pk)'),
      awsCliJson(endpoint.url, 'dynamodb', 'get-item', '--table-name', 'cli', '--key', '{"pk":{"S":"x"}}'),
      awsCliJson(endpoint.url, 'dynamodbstreams', 'list-streams', '--table-name', 'cli'),
    ]);
    expect(refused.stderr).toContain('ConditionalCheckFailedException');
    expect(read).toEqual({ Item: { pk: { S: 'x' }, n: { N: '1.5' } } });
    expect(listed.Streams[0].StreamArn).toContain('table/cli/stream/');
  });
});
