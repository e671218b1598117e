import { DeleteItemCommand, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import {
  DescribeStreamCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListStreamsCommand,
  type ShardIteratorType,
} from '@aws-sdk/client-dynamodb-streams';
import { describe, expect, it } from 'vitest';
import { create, db, failureOf, key, put, reopen, streams, useDesk } from './dynamodbDesk.ts';

useDesk();

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
    await reopen({ shuffleSeed: 7 });
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
    await reopen({ streamShards: 4 });
    const { TableDescription } = await create('store', { StreamSpecification });
    for (let n = 0; n < 20; n++) await put(`p${n}`, 1);
    const StreamArn = TableDescription?.LatestStreamArn;
    const { StreamDescription } = await streams.send(new DescribeStreamCommand({ StreamArn }));
    expect(StreamDescription?.Shards).toHaveLength(4);
    expect(await readAll()).toHaveLength(20);
  });
});
