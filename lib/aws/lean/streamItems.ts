/** Stored messages as DynamoDB items: written as batch entries, read back from queries. */
import type { Entry } from '../../core/bridge/ports.ts';
import {
  type CopyName,
  type Gap,
  gapPartition,
  PART_BYTES,
  partitionOf,
  partitionsOf,
  partNumber,
  type StoredMessage,
} from '../../core/bridge/streamCopy.ts';
import type { TargetSpec } from '../../core/bridge/target.ts';
import type { Item, ItemTable } from './itemTable.ts';

const KEYS = ['StreamName', 'SequenceNumber'] as const;

/** The table as a dispatcher's target: batches of 25, retried for as long as it takes. */
export function tableTarget(table: string, inFlight: number): TargetSpec {
  return {
    key: `dynamodb:${table}`,
    kind: 'dynamodb',
    address: table,
    keys: KEYS,
    order: 'none',
    // 25 items of 400 KB stay under the 16 MB of a request.
    batch: { max: 25, bytes: 12_000_000, lingerMs: 5 },
    limits: { inFlight, ratePerSec: null },
    retry: { attempts: 8, budgetMs: 0, baseMs: 50, capMs: 10_000, exhausted: 'wait' },
  };
}

/** The entries of one message: one, or several when its payload is larger than an item. */
export function messageEntries(name: CopyName, message: StoredMessage): readonly Entry[] {
  const { sequence, data } = message;
  const partition = partitionOf(name, sequence);
  const buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const parts = Math.max(1, Math.ceil(data.length / PART_BYTES));
  const headers = message.headers === '' ? '' : `,"Headers":{"S":${JSON.stringify(message.headers)}}`;
  const subject = JSON.stringify(message.subject);
  const about = `,"Subject":{"S":${subject}},"StoredAt":{"N":"${message.storedAtMs}"}${headers}`;
  if (parts === 1)
    return [entryOf(partition, String(sequence), `${about}${dataOf(buffer)}`, data.length + 200)];
  return Array.from({ length: parts }, (_, part) => {
    const piece = buffer.subarray(part * PART_BYTES, (part + 1) * PART_BYTES);
    const first = part === 0 ? `${about},"Parts":{"N":"${parts}"}` : '';
    return entryOf(partition, partNumber(sequence, part), `${first}${dataOf(piece)}`, piece.length + 200);
  });
}

export function gapEntry(name: CopyName, { from, through }: Gap): Entry {
  return entryOf(gapPartition(name.stream), String(from), `,"Through":{"N":"${through}"}`, 100);
}

/** DynamoDB takes no empty binary as a key, but does as a value; leaving it out is shorter. */
const dataOf = (data: Buffer) => (data.length === 0 ? '' : `,"Data":{"B":"${data.toString('base64')}"}`);

function entryOf(partition: string, number: string, rest: string, bytes: number): Entry {
  const name = JSON.stringify(partition);
  // The key is written as `keyOf` writes it: an item that comes back unprocessed has to be found again.
  return {
    json: `{"PutRequest":{"Item":{"StreamName":{"S":${name}},"SequenceNumber":{"N":"${number}"}${rest}}}}`,
    bytes,
    key: `[${name},"${number}"]`,
  };
}

export function deleteEntry(item: Item): Entry {
  const partition = String(item.StreamName?.S);
  const number = String(item.SequenceNumber?.N);
  const key = `{"StreamName":{"S":${JSON.stringify(partition)}},"SequenceNumber":{"N":"${number}"}}`;
  return { json: `{"DeleteRequest":{"Key":${key}}}`, bytes: 100, key: JSON.stringify([partition, number]) };
}

/**
 * The messages with sequences from `from` up to, not including, `before`, in order. @throws TableUnavailable
 */
export async function readMessages(
  table: ItemTable,
  name: CopyName,
  from: number,
  before: number,
): Promise<readonly StoredMessage[]> {
  const partitions = await Promise.all(
    partitionsOf(name).map(async (partition) => {
      const items: Item[] = [];
      for await (const page of table.range(partition, String(from), String(before))) items.push(...page);
      return messagesOf(items);
    }),
  );
  return partitions.flat().sort((a, b) => a.sequence - b.sequence);
}

/** Puts the parts of messages together; items are in order of their numbers. */
function messagesOf(items: readonly Item[]): readonly StoredMessage[] {
  const messages: { message: StoredMessage; pieces: Buffer[] }[] = [];
  for (const item of items) {
    const number = Number(item.SequenceNumber?.N);
    const data = Buffer.from(item.Data?.B ?? '', 'base64');
    const last = messages.at(-1);
    if (!Number.isInteger(number)) {
      last?.pieces.push(data);
      continue;
    }
    const message = {
      sequence: number,
      subject: item.Subject?.S ?? '',
      storedAtMs: Number(item.StoredAt?.N),
      headers: item.Headers?.S ?? '',
      data,
    };
    messages.push({ message, pieces: [data] });
  }
  return messages.map(({ message, pieces }) =>
    pieces.length === 1 ? message : { ...message, data: Buffer.concat(pieces) },
  );
}

/** Gaps with their first sequence from `from` up to, not including, `before`. @throws TableUnavailable */
export async function readGaps(
  table: ItemTable,
  name: CopyName,
  from: number,
  before: number,
): Promise<readonly Gap[]> {
  const gaps: Gap[] = [];
  for await (const page of table.range(gapPartition(name.stream), String(from), String(before))) {
    for (const item of page)
      gaps.push({ from: Number(item.SequenceNumber?.N), through: Number(item.Through?.N) });
  }
  return gaps;
}
