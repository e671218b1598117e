import {
  ConditionalCheckFailedException,
  CreateBackupCommand,
  DeleteTableCommand,
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
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
import { describe, expect, it } from 'vitest';
import { awsCli, awsCliJson } from './awsCli.ts';
import { clock, create, db, endpoint, failureOf, get, key, put, useDesk } from './dynamodbDesk.ts';

useDesk();

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
