import { namedAnswer, type Outcome } from './namedAnswer.ts';

/**
 * EventBridge, SQS, SNS and DynamoDB as strict as AWS about what a batch may hold, and stricter in telling:
 * every request that AWS would refuse or quietly lose is a violation. Keeps all it took, in order.
 */

export type Taken = {
  /** `bus`, queue, topic or table. */
  readonly address: string;
  readonly lane: string;
  readonly id: string;
  readonly body: string;
  readonly entry: Readonly<Record<string, unknown>>;
};

/** Per entry: null when taken, else the error code to answer with. */
export type EntryFault = (position: number, entry: Readonly<Record<string, unknown>>) => string | null;

export class Refusal extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

type Message = {
  MessageId: string;
  Body: string;
  group: string;
  dedup: string;
  attributes: object;
  receipts: number;
};
type Fields = Record<string, unknown>;

// biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these are what is looked for
const NOT_IN_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;
const SIZE_MAX = 1_048_576;

export class StrictServices {
  readonly violations: string[] = [];
  readonly taken: Taken[] = [];
  readonly queues = new Map<string, Message[]>();
  readonly tables = new Map<string, Map<string, Fields>>();
  /** Off for long runs: only `onTaken` is told. */
  keep = true;
  onTaken: (taken: Taken) => void = () => {};
  keysOf: Readonly<Record<string, readonly string[]>> = {};
  #serial = 0;
  readonly #deduplicated = new Map<string, string>();

  /** As if nothing had ever come. */
  forget(): void {
    this.violations.length = 0;
    this.taken.length = 0;
    this.queues.clear();
    this.tables.clear();
    this.#deduplicated.clear();
  }

  putEvents(input: Fields, fault: EntryFault): object {
    const entries = this.#entries(input.Entries, 10);
    let bytes = 0;
    for (const entry of entries) {
      for (const name of ['Source', 'DetailType', 'Detail'])
        bytes += Buffer.byteLength(String(entry[name] ?? ''));
      if (entry.Time !== undefined) bytes += 14;
    }
    if (bytes >= 1_000_001)
      this.#refuse('ValidationException', `total entry size ${bytes} is over the limit`);
    const results = entries.map((entry, position) => {
      const code = fault(position, entry) ?? this.#eventFault(entry);
      if (code !== null) return { ErrorCode: code, ErrorMessage: code };
      this.#take(String(entry.EventBusName), '', '', String(entry.Detail), entry);
      return { EventId: this.#next('e') };
    });
    return { FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length, Entries: results };
  }

  #eventFault(entry: Fields): string | null {
    const type = String(entry.DetailType ?? '');
    if (type.length > 128 || type.length === 0)
      this.violations.push(`DetailType of ${type.length} characters is discarded`);
    const detail = parsed(String(entry.Detail));
    const isObject = typeof detail === 'object' && detail !== null && !Array.isArray(detail);
    return isObject ? null : 'MalformedDetail';
  }

  sendMessageBatch(input: Fields, fault: EntryFault): object {
    const queue = String(input.QueueUrl).split('/').pop() as string;
    const outcomes = this.#queueBatch(queue, input.Entries, 'MessageBody', fault, (message) => {
      const messages = this.queues.get(queue) ?? [];
      this.queues.set(queue, messages);
      messages.push(message);
    });
    return namedAnswer(outcomes);
  }

  publishBatch(topic: string, entries: readonly Fields[], fault: EntryFault): readonly Outcome[] {
    return this.#queueBatch(topic, entries, 'Message', fault, () => {});
  }

  #queueBatch(
    address: string,
    given: unknown,
    bodyField: string,
    fault: EntryFault,
    store: (message: Message) => void,
  ): readonly Outcome[] {
    const entries = this.#entries(given, 10);
    const fifo = address.endsWith('.fifo');
    if (new Set(entries.map(({ Id }) => Id)).size !== entries.length) {
      this.#refuse('BatchEntryIdsNotDistinct', 'ids are not distinct');
    }
    const bytes = entries.reduce((sum, entry) => sum + Buffer.byteLength(String(entry[bodyField])), 0);
    if (bytes > SIZE_MAX) this.#refuse('BatchRequestTooLong', `${bytes} bytes`);
    return entries.map((entry, position) => {
      const id = String(entry.Id);
      const body = String(entry[bodyField]);
      const group = String(entry.MessageGroupId ?? '');
      const dedup = String(entry.MessageDeduplicationId ?? '');
      const code = fault(position, entry) ?? this.#messageFault(body, fifo, group, dedup);
      if (code !== null) return { id, code, messageId: '', body };
      const known = fifo ? this.#deduplicated.get(`${address} ${dedup}`) : undefined;
      if (known !== undefined) return { id, code: null, messageId: known, body };
      const messageId = this.#next('m');
      if (fifo) this.#deduplicated.set(`${address} ${dedup}`, messageId);
      this.#take(address, group, dedup, body, entry);
      store({
        MessageId: messageId,
        Body: body,
        group,
        dedup,
        attributes: (entry.MessageAttributes as object) ?? {},
        receipts: 0,
      });
      return { id, code: null, messageId, body };
    });
  }

  #messageFault(body: string, fifo: boolean, group: string, dedup: string): string | null {
    if (body === '' || NOT_IN_XML.test(body)) return 'InvalidMessageContents';
    if (!fifo) return null;
    for (const id of [group, dedup]) {
      if (!/^[!-~]{1,128}$/.test(id)) this.violations.push(`'${id}' is no group or deduplication id`);
    }
    return null;
  }

  receiveMessage(input: Fields): object {
    const messages = this.queues.get(String(input.QueueUrl).split('/').pop() as string) ?? [];
    const visible = messages
      .filter((message) => message.receipts === 0)
      .slice(0, Number(input.MaxNumberOfMessages ?? 1));
    for (const message of visible) message.receipts++;
    return {
      Messages: visible.map(({ MessageId, Body, group, dedup, attributes }) => ({
        MessageId,
        ReceiptHandle: `r-${MessageId}`,
        Body,
        Attributes: group === '' ? {} : { MessageGroupId: group, MessageDeduplicationId: dedup },
        MessageAttributes: attributes,
      })),
    };
  }

  /** Makes received messages visible again, as when their visibility timeout passes. */
  redeliver(queue: string): void {
    for (const message of this.queues.get(queue) ?? []) message.receipts = 0;
  }

  deleteMessageBatch(input: Fields): object {
    const queue = String(input.QueueUrl).split('/').pop() as string;
    const handles = new Set(this.#entries(input.Entries, 10).map(({ ReceiptHandle }) => ReceiptHandle));
    const left = (this.queues.get(queue) ?? []).filter(({ MessageId }) => !handles.has(`r-${MessageId}`));
    this.queues.set(queue, left);
    return { Successful: this.#entries(input.Entries, 10).map(({ Id }) => ({ Id })), Failed: [] };
  }

  batchWriteItem(input: Fields, fault: EntryFault): object {
    const [table, requests] = Object.entries(input.RequestItems as Fields)[0] as [string, unknown];
    const entries = this.#entries(requests, 25) as { PutRequest: { Item: Record<string, Fields> } }[];
    const keys = this.keysOf[table] ?? ['pk', 'sk'];
    const keyed = entries.map(({ PutRequest }) =>
      JSON.stringify(keys.map((name) => Object.values(PutRequest.Item[name] ?? {})[0])),
    );
    if (new Set(keyed).size !== keyed.length)
      this.#refuse('ValidationException', 'Provided list of item keys contains duplicates');
    const items = this.tables.get(table) ?? new Map<string, Fields>();
    this.tables.set(table, items);
    const left = entries.filter((entry, position) => {
      if (fault(position, entry) !== null) return true;
      const key = keyed[position] as string;
      items.set(key, entry.PutRequest.Item);
      this.#take(table, key, key, JSON.stringify(entry.PutRequest.Item), entry);
      return false;
    });
    return { UnprocessedItems: left.length === 0 ? {} : { [table]: left } };
  }

  #entries(given: unknown, max: number): Fields[] {
    const entries = given as Fields[];
    if (!Array.isArray(entries) || entries.length === 0) this.#refuse('EmptyBatchRequest', 'no entries');
    if (entries.length > max) this.#refuse('TooManyEntriesInBatchRequest', `${entries.length} entries`);
    return entries;
  }

  #take(address: string, lane: string, id: string, body: string, entry: Fields): void {
    const taken = { address, lane, id, body, entry };
    if (this.keep) this.taken.push(taken);
    this.onTaken(taken);
  }

  #refuse(code: string, message: string): never {
    this.violations.push(`${code}: ${message}`);
    throw new Refusal(code, message);
  }

  #next(prefix: string): string {
    return `${prefix}-${++this.#serial}`;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
