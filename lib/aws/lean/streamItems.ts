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
  const partition = partitionOf(name, message.sequence);
  const parts = Math.ceil(message.data.length / PART_BYTES);
  if (parts <= 1) return [new MessageEntry(partition, message, 0, 1)];
  return Array.from({ length: parts }, (_, part) => new MessageEntry(partition, message, part, parts));
}

export function gapEntry(name: CopyName, { from, through }: Gap): Entry {
  const partition = gapPartition(name.stream);
  const number = String(from);
  const json = `${putHead(partition, number)},"Through":{"N":"${through}"}${PUT_END}`;
  return { json, bytes: 100, key: keyText(partition, number) };
}

/**
 * A message's item, or one part of it. Its text is made when it is sent: thousands wait for that, and texts
 * made before give the collector more to carry.
 */
class MessageEntry implements Entry {
  readonly bytes: number;
  readonly #partition: string;
  readonly #message: StoredMessage;
  readonly #part: number;
  readonly #parts: number;

  constructor(partition: string, message: StoredMessage, part: number, parts: number) {
    this.bytes = Math.min(PART_BYTES, message.data.length - part * PART_BYTES) + 200;
    this.#partition = partition;
    this.#message = message;
    this.#part = part;
    this.#parts = parts;
  }

  get json(): string {
    const { sequence, subject, storedAtMs, headers, data } = this.#message;
    const part = this.#part;
    let json = putHead(this.#partition, partNumber(sequence, part));
    if (part === 0) {
      json += `,"Subject":{"S":${JSON.stringify(subject)}},"StoredAt":{"N":"${storedAtMs}"}`;
      if (headers !== '') json += `,"Headers":{"S":${JSON.stringify(headers)}}`;
      if (this.#parts > 1) json += `,"Parts":{"N":"${this.#parts}"}`;
    }
    // DynamoDB takes no empty binary as a key, but does as a value; leaving it out is shorter.
    if (data.length > 0) json += `,"Data":{"B":"${base64(data, part * PART_BYTES)}"}`;
    return json + PUT_END;
  }

  get key(): string {
    return keyText(this.#partition, partNumber(this.#message.sequence, this.#part));
  }
}

function base64(data: Uint8Array, from: number): string {
  const bytes = Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return bytes.toString('base64', from, from + PART_BYTES);
}

/** An item with its key, open for more attributes. */
const putHead = (partition: string, number: string) =>
  `{"PutRequest":{"Item":{"StreamName":{"S":${JSON.stringify(partition)}},"SequenceNumber":{"N":"${number}"}`;
const PUT_END = '}}}';

/** As `keyOf` writes it: an item that comes back unprocessed has to be found again. */
const keyText = (partition: string, number: string) => `[${JSON.stringify(partition)},"${number}"]`;

export function deleteEntry(item: Item): Entry {
  const partition = String(item.StreamName?.S);
  const number = String(item.SequenceNumber?.N);
  const key = `{"StreamName":{"S":${JSON.stringify(partition)}},"SequenceNumber":{"N":"${number}"}}`;
  return { json: `{"DeleteRequest":{"Key":${key}}}`, bytes: 100, key: keyText(partition, number) };
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
