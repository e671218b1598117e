/**
 * One event table's items into another, so that the deployed table goes back to a moment under its own name,
 * with its own stream. HEADs are written last: who reads meanwhile finds nothing that leads nowhere.
 */
import {
  type AttributeValue,
  BatchWriteItemCommand,
  type DynamoDBClient,
  ScanCommand,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import { DynamoEventStore } from '../../aws/eventStore/dynamoEventStore.ts';

type Item = Record<string, AttributeValue>;
type Tables = { readonly from: string; readonly to: string };

export type Difference = {
  /** In either table. */
  readonly items: number;
  readonly toWrite: number;
  /** Came after the moment that is gone back to. */
  readonly toDelete: number;
  /** Streams of the deployed table with something under way. */
  readonly underWay: readonly string[];
};

/** What a copy would change. @throws Error where a table cannot be read */
export async function difference(client: DynamoDBClient, tables: Tables): Promise<Difference> {
  const before = new Map<string, string>();
  for await (const item of itemsOf(client, tables.to)) before.set(keyOf(item), textOf(item));
  let [toWrite, kept] = [0, 0];
  for await (const item of itemsOf(client, tables.from)) {
    const there = before.get(keyOf(item));
    if (there !== undefined) kept += 1;
    if (there !== textOf(item)) toWrite += 1;
  }
  const underWay = await Array.fromAsync(new DynamoEventStore(client, tables.to).active());
  return { items: before.size + toWrite, toWrite, toDelete: before.size - kept, underWay };
}

/** @returns streams whose hash chain does not follow afterwards; none when all is well */
export async function copyTable(client: DynamoDBClient, { from, to }: Tables): Promise<readonly string[]> {
  const kept = new Set<string>();
  for (const heads of [false, true]) {
    const puts: WriteRequest[] = [];
    for await (const Item of itemsOf(client, from)) {
      if (isHead(Item) !== heads) continue;
      kept.add(keyOf(Item));
      puts.push({ PutRequest: { Item } });
      if (puts.length === batchMax) await write(client, to, puts.splice(0));
    }
    await write(client, to, puts);
  }
  const gone: WriteRequest[] = [];
  const streams: string[] = [];
  for await (const item of itemsOf(client, to)) {
    const { pk, sk } = item;
    if (!kept.has(keyOf(item)) && pk !== undefined && sk !== undefined) {
      gone.push({ DeleteRequest: { Key: { pk, sk } } });
    } else if (isHead(item)) streams.push((pk?.S ?? '').slice('S#'.length));
  }
  while (gone.length > 0) await write(client, to, gone.splice(0, batchMax));
  const store = new DynamoEventStore(client, to);
  const broken: string[] = [];
  for (const stream of streams) {
    const { brokenAt } = await store.verify(stream);
    if (brokenAt !== null) broken.push(`${stream} from version ${brokenAt}`);
  }
  return broken;
}

/** BatchWriteItem takes so many. */
const batchMax = 25;

/** DynamoDB hands back what it had no capacity for; a new table may take its time. */
const triesMax = 20;

async function write(
  client: DynamoDBClient,
  table: string,
  requests: readonly WriteRequest[],
): Promise<void> {
  let left = [...requests];
  for (let tries = 0; left.length > 0; tries++) {
    if (tries === triesMax) throw new Error(`${table}: takes no more items; the same command again goes on`);
    const { UnprocessedItems } = await client.send(
      new BatchWriteItemCommand({ RequestItems: { [table]: left } }),
    );
    left = UnprocessedItems?.[table] ?? [];
    if (left.length > 0) await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** Math.min(tries, 6)));
  }
}

async function* itemsOf(client: DynamoDBClient, TableName: string): AsyncIterable<Item> {
  let ExclusiveStartKey: Item | undefined;
  do {
    const page = await client.send(new ScanCommand({ TableName, ConsistentRead: true, ExclusiveStartKey }));
    yield* page.Items ?? [];
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey !== undefined);
}

const keyOf = ({ pk, sk }: Item): string => `${pk?.S}\n${sk?.N}`;
const isHead = ({ pk, sk }: Item): boolean => sk?.N === '0' && (pk?.S ?? '').startsWith('S#');
const textOf = (item: Item): string =>
  JSON.stringify(Object.fromEntries(Object.entries(item).sort(([one], [other]) => (one < other ? -1 : 1))));
