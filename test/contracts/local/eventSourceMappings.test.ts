import {
  CreateTableCommand,
  DynamoDBClient,
  PutItemCommand,
  type StreamViewType,
} from '@aws-sdk/client-dynamodb';
import {
  CreateEventSourceMappingCommand,
  type CreateEventSourceMappingCommandInput,
  DeleteEventSourceMappingCommand,
  GetEventSourceMappingCommand,
  ListEventSourceMappingsCommand,
  ResourceConflictException,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TablesOptions } from '../../../lib/local/dynamodb/tables.ts';
import { eventually } from './eventually.ts';
import { type LambdaWorld, place, startLambdaWorld } from './lambdaWorld.ts';

let world: LambdaWorld;
const start = async (options: Partial<TablesOptions> = {}) => {
  world = await startLambdaWorld(options);
};
beforeEach(() => start());
afterEach(() => world.close());

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error) => error,
  );
const map = async (input: CreateEventSourceMappingCommandInput) =>
  (await world.client.send(new CreateEventSourceMappingCommand(input))).UUID as string;
/** What the function printed, one JSON value a line. */
const printed = (name: string) =>
  world.lambda.logs.of(name).flatMap(({ line }) => (line.startsWith('#') ? [JSON.parse(line.slice(1))] : []));
const calls = (name: string) =>
  world.lambda.logs.of(name).filter(({ line }) => line.startsWith('END')).length;
/** Prints through the raw stream, so that the line is what the test reads. */
const print = 'const print = (value) => process.stdout.write("#" + JSON.stringify(value) + "\\n");';
const queue = (name: string, attributes: Record<string, string> = {}) =>
  world.queues.create(name, attributes, place);

describe('a queue', () => {
  it('feeds a function and loses what it did', async () => {
    const q = queue('q');
    await world.create(
      'reads',
      `${print} export const handler = async ({ Records }) => Records.forEach(print);`,
    );
    const UUID = await map({ FunctionName: 'reads', EventSourceArn: q.arn });
    q.send({ body: 'one', attributes: { kind: { DataType: 'String', StringValue: 'x' } } });
    await eventually(() => printed('reads')).toHaveLength(1);
    expect(printed('reads')[0]).toMatchObject({
      body: 'one',
      attributes: { ApproximateReceiveCount: '1' },
      messageAttributes: { kind: { stringValue: 'x', dataType: 'String' } },
      eventSource: 'aws:sqs',
      eventSourceARN: q.arn,
      awsRegion: 'eu-west-1',
    });
    await eventually(() => q.size).toBe(0);
    const mapping = await world.client.send(new GetEventSourceMappingCommand({ UUID }));
    expect(mapping).toMatchObject({ State: 'Enabled', LastProcessingResult: 'OK', BatchSize: 10 });
  });

  it('keeps what a function failed, and gives it up by its redrive policy', async () => {
    const dead = queue('dead');
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 2 });
    const q = queue('q', { VisibilityTimeout: '5', RedrivePolicy });
    await world.create('fails', 'export const handler = async () => { throw new Error("no"); };');
    await map({ FunctionName: 'fails', EventSourceArn: q.arn });
    q.send({ body: 'poison' });
    await eventually(() => calls('fails')).toBe(1);
    await world.clock.advance(5_000);
    await eventually(() => calls('fails')).toBe(2);
    await world.clock.advance(5_000);
    await eventually(() => dead.size).toBe(1);
    expect(calls('fails')).toBe(2);
  });

  it('keeps only the items that the function names', async () => {
    const q = queue('q', { VisibilityTimeout: '30' });
    await world.create(
      'partly',
      `${print} export const handler = async ({ Records }) => {
         print(Records.map(({ body }) => body));
         const first = ({ attributes }) => attributes.ApproximateReceiveCount === '1';
         const failed = Records.filter((record) => record.body === 'bad' && first(record));
         return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
       };`,
    );
    const options = {
      BatchSize: 3,
      MaximumBatchingWindowInSeconds: 10,
      FunctionResponseTypes: ['ReportBatchItemFailures' as const],
    };
    await map({ FunctionName: 'partly', EventSourceArn: q.arn, ...options });
    for (const body of ['good', 'bad', 'fine']) q.send({ body });
    await eventually(() => printed('partly')).toEqual([['good', 'bad', 'fine']]);
    await eventually(() => q.size).toBe(1);
    await world.clock.advance(30_000);
    await world.clock.advance(10_000);
    await eventually(() => printed('partly')).toEqual([['good', 'bad', 'fine'], ['bad']]);
    await eventually(() => q.size).toBe(0);
  });

  it('waits for a batch to fill until its window ends, and drops what no filter wants', async () => {
    const q = queue('q');
    await world.create(
      'filtered',
      `${print} export const handler = async ({ Records }) => print(Records.map(({ body }) => body));`,
    );
    const FilterCriteria = { Filters: [{ Pattern: '{"body":{"kind":["alarm"]}}' }] };
    await map({
      FunctionName: 'filtered',
      EventSourceArn: q.arn,
      MaximumBatchingWindowInSeconds: 3,
      FilterCriteria,
    });
    q.send({ body: '{"kind":"alarm","n":1}' });
    q.send({ body: '{"kind":"other"}' });
    await world.clock.advance(2_000);
    q.send({ body: '{"kind":"alarm","n":2}' });
    expect(printed('filtered')).toEqual([]);
    await world.clock.advance(1_000);
    await eventually(() => printed('filtered')).toEqual([
      ['{"kind":"alarm","n":1}', '{"kind":"alarm","n":2}'],
    ]);
    await eventually(() => q.size).toBe(0);
  });

  it('keeps the groups of a FIFO queue in order', async () => {
    const q = queue('q.fifo', { FifoQueue: 'true', ContentBasedDeduplication: 'true' });
    await world.create(
      'ordered',
      `${print} export const handler = async ({ Records }) => {
         await new Promise((done) => setTimeout(done, 5 * Math.random()));
         Records.forEach(({ body }) => print(body));
       };`,
    );
    await map({ FunctionName: 'ordered', EventSourceArn: q.arn, BatchSize: 2 });
    for (let n = 1; n <= 6; n++)
      for (const groupId of ['a', 'b']) q.send({ body: `${groupId}${n}`, groupId });
    await eventually(() => printed('ordered')).toHaveLength(12);
    for (const group of ['a', 'b']) {
      expect(printed('ordered').filter((body: string) => body.startsWith(group))).toEqual(
        [1, 2, 3, 4, 5, 6].map((n) => `${group}${n}`),
      );
    }
  });

  it('stops feeding while its mapping is disabled, and when it is deleted', async () => {
    const q = queue('q');
    await world.create(
      'stops',
      `${print} export const handler = async ({ Records }) => Records.forEach(({ body }) => print(body));`,
    );
    const UUID = await map({ FunctionName: 'stops', EventSourceArn: q.arn });
    expect(await failureOf(map({ FunctionName: 'stops', EventSourceArn: q.arn }))).toBeInstanceOf(
      ResourceConflictException,
    );
    await world.client.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false }));
    q.send({ body: 'one' });
    await world.clock.advance(1_000);
    expect(q.counts().visible).toBe(1);
    await world.client.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: true }));
    await eventually(() => printed('stops')).toEqual(['one']);
    await world.client.send(new DeleteEventSourceMappingCommand({ UUID }));
    q.send({ body: 'two' });
    expect(q.counts().visible).toBe(1);
    const { EventSourceMappings } = await world.client.send(new ListEventSourceMappingsCommand({}));
    expect(EventSourceMappings).toEqual([]);
  });
});

describe('a stream', () => {
  let db: DynamoDBClient;
  async function table(view: StreamViewType = 'NEW_IMAGE'): Promise<string> {
    db = new DynamoDBClient({ endpoint: world.endpoint.url, region: 'eu-west-1' });
    const { TableDescription } = await db.send(
      new CreateTableCommand({
        TableName: 'store',
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
        StreamSpecification: { StreamEnabled: true, StreamViewType: view },
      }),
    );
    return TableDescription?.LatestStreamArn as string;
  }
  const put = (pk: string, n: number) =>
    db.send(new PutItemCommand({ TableName: 'store', Item: { pk: { S: pk }, n: { N: String(n) } } }));
  /** Lets the mapping ask its shards once more: it does so only when it has ended what it was doing. */
  const nextPoll = async () => {
    await eventually(() => world.clock.nextAt).not.toBeNull();
    await world.clock.advance(250);
  };
  const reader = (name: string, body: string) =>
    world.create(
      name,
      `${print} export const handler = async ({ Records }) => {
         const seen = Records.map(({ dynamodb }) => dynamodb.Keys.pk.S + dynamodb.NewImage.n.N);
         print(seen); ${body}
       };`,
    );
  const fail = (item: string) => `if (seen.includes('${item}')) throw new Error('not ${item}');`;
  const streamMap = (
    FunctionName: string,
    EventSourceArn: string,
    more: Partial<CreateEventSourceMappingCommandInput> = {},
  ) => map({ FunctionName, EventSourceArn, StartingPosition: 'TRIM_HORIZON', ...more });

  it('feeds a function in batches, in order', async () => {
    const stream = await table();
    await reader('reads', '');
    await streamMap('reads', stream, { BatchSize: 2 });
    for (let n = 1; n <= 3; n++) await put('a', n);
    await nextPoll();
    await eventually(() => printed('reads')).toEqual([['a1', 'a2']]);
    await nextPoll();
    await eventually(() => printed('reads')).toEqual([['a1', 'a2'], ['a3']]);
  });

  it('passes only what a filter wants', async () => {
    const stream = await table();
    await put('before', 0);
    await reader('wants', '');
    const Filters = [
      { Pattern: '{"eventName":["INSERT"],"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"S#"}]}}}}' },
    ];
    await streamMap('wants', stream, { FilterCriteria: { Filters } });
    for (const pk of ['S#1', 'other', 'S#2']) await put(pk, 1);
    await put('S#1', 2);
    await nextPoll();
    await eventually(() => printed('wants')).toEqual([['S#11', 'S#21']]);
  });

  it('starts at the latest record when told to', async () => {
    const stream = await table();
    await put('a', 1);
    await reader('latest', '');
    await streamMap('latest', stream, { StartingPosition: 'LATEST' });
    await put('a', 2);
    await nextPoll();
    await eventually(() => printed('latest')).toEqual([['a2']]);
  });

  it('holds a shard up while its batch fails, and gives it up after the retries', async () => {
    const stream = await table();
    const failed = queue('failed');
    await reader('held', fail('a1'));
    const DestinationConfig = { OnFailure: { Destination: failed.arn } };
    await streamMap('held', stream, { BatchSize: 1, MaximumRetryAttempts: 2, DestinationConfig });
    await put('a', 1);
    await put('b', 1);
    await nextPoll();
    await eventually(() => calls('held')).toBe(1);
    await eventually(() => world.clock.nextAt).toBe(world.clock.now() + 1_000);
    await world.clock.advance(1_000);
    await eventually(() => calls('held')).toBe(2);
    await eventually(() => world.clock.nextAt).toBe(world.clock.now() + 2_000);
    await world.clock.advance(2_000);
    await eventually(() => failed.size).toBe(1);
    await nextPoll();
    await eventually(() => printed('held')).toEqual([['a1'], ['a1'], ['a1'], ['b1']]);
    const [record] = await failed.receive({ max: 1 });
    expect(JSON.parse(record?.message.body ?? '')).toMatchObject({
      requestContext: { condition: 'RetryAttemptsExhausted', approximateInvokeCount: 3 },
      DDBStreamBatchInfo: { batchSize: 1, streamArn: stream },
    });
  });

  it('halves a failing batch until the bad record stands alone', async () => {
    const stream = await table();
    const failed = queue('failed');
    await reader('halves', fail('c1'));
    const DestinationConfig = { OnFailure: { Destination: failed.arn } };
    await streamMap('halves', stream, {
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: 0,
      DestinationConfig,
    });
    for (const pk of ['a', 'b', 'c', 'd']) await put(pk, 1);
    await nextPoll();
    await eventually(() => failed.size).toBe(1);
    await eventually(() => printed('halves')).toEqual([
      ['a1', 'b1', 'c1', 'd1'],
      ['a1', 'b1'],
      ['c1', 'd1'],
      ['c1'],
      ['d1'],
    ]);
  });

  it('goes on from the first failed record when the function names it', async () => {
    const stream = await table();
    await reader(
      'names',
      `const bad = Records[seen.indexOf('b1')];
       const again = globalThis.tried; globalThis.tried = true;
       const batchItemFailures = bad && !again ? [{ itemIdentifier: bad.dynamodb.SequenceNumber }] : [];
       return { batchItemFailures };`,
    );
    await streamMap('names', stream, { FunctionResponseTypes: ['ReportBatchItemFailures'] });
    for (const pk of ['a', 'b', 'c']) await put(pk, 1);
    await nextPoll();
    await eventually(() => printed('names')).toEqual([
      ['a1', 'b1', 'c1'],
      ['b1', 'c1'],
    ]);
  });

  it('keeps each item in order when items are shuffled among each other', async () => {
    await world.close();
    await start({ shuffleSeed: 11 });
    const stream = await table();
    await reader('shuffled', '');
    await streamMap('shuffled', stream, { BatchSize: 7 });
    for (let n = 1; n <= 6; n++) for (const pk of ['a', 'b', 'c']) await put(pk, n);
    for (const count of [1, 2, 3]) {
      await nextPoll();
      await eventually(() => calls('shuffled')).toBe(count);
    }
    const seen: string[] = printed('shuffled').flat();
    expect(seen).toHaveLength(18);
    for (const pk of ['a', 'b', 'c']) {
      expect(seen.filter((item) => item.startsWith(pk))).toEqual([1, 2, 3, 4, 5, 6].map((n) => `${pk}${n}`));
    }
    expect(seen).not.toEqual([1, 2, 3, 4, 5, 6].flatMap((n) => ['a', 'b', 'c'].map((pk) => `${pk}${n}`)));
  });

  it('goes on where it stopped after its mapping was disabled', async () => {
    const stream = await table();
    await reader('resumes', '');
    const UUID = await streamMap('resumes', stream);
    await put('a', 1);
    await nextPoll();
    await eventually(() => printed('resumes')).toEqual([['a1']]);
    await eventually(() => world.clock.nextAt).toBeNull();
    await world.client.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false }));
    await put('a', 2);
    await world.clock.advance(1_000);
    expect(printed('resumes')).toEqual([['a1']]);
    await world.client.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: true }));
    await nextPoll();
    await eventually(() => printed('resumes')).toEqual([['a1'], ['a2']]);
  });
});
