/**
 * Reads a DynamoDB stream over the lean client, shard by shard, parents before children, so that the changes
 * of an item come in their order. Where it got to is the caller's to remember.
 */
import type { ReverseMessage } from '../../core/bridge/reverse.ts';
import type { AwsClient, CallResult, Operation } from './awsClient.ts';

const operation = (name: string): Operation => ({
  service: 'dynamodb',
  hostPrefix: 'streams.dynamodb',
  contentType: 'application/x-amz-json-1.0',
  target: `DynamoDBStreams_20120810.${name}`,
});
const DESCRIBE = operation('DescribeStream');
const ITERATOR = operation('GetShardIterator');
const RECORDS = operation('GetRecords');

/** The stream cannot be read; `code` is the service's. */
export class StreamUnreadable extends Error {
  override readonly name = 'StreamUnreadable';
  readonly code: string;

  constructor(code: string, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

export type Shard = { readonly id: string; readonly parent: string | null };

/** Where to begin in a shard. */
export type ShardPosition = 'oldest' | 'latest' | { readonly after: string };

export type Change = ReverseMessage & {
  /** The record's number in its shard. */
  readonly sequence: string;
  /** The item's key: changes of one key keep their order. */
  readonly key: string;
};

export type ChangePage = {
  readonly changes: readonly Change[];
  /** Null when the shard has ended. */
  readonly next: string | null;
};

type RawShard = { readonly ShardId: string; readonly ParentShardId?: string };
type Attributes = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
type RawRecord = {
  readonly eventID: string;
  readonly eventName: string;
  readonly dynamodb: {
    readonly SequenceNumber: string;
    readonly ApproximateCreationDateTime?: number;
    readonly Keys?: Attributes;
    readonly NewImage?: Attributes;
    readonly OldImage?: Attributes;
  };
};

export class ChangeReader {
  readonly #client: AwsClient;
  readonly #arn: string;
  readonly #table: string;

  /** @param arn `arn:aws:dynamodb:<region>:<account>:table/<table>/stream/<label>` */
  constructor(client: AwsClient, arn: string) {
    this.#client = client;
    this.#arn = arn;
    this.#table = /:table\/([^/]+)\//.exec(arn)?.[1] ?? arn;
  }

  /** All shards that still have records. @throws StreamUnreadable */
  async shards(): Promise<readonly Shard[]> {
    const shards: Shard[] = [];
    let from: string | undefined;
    do {
      const start = from === undefined ? {} : { ExclusiveStartShardId: from };
      const answer = JSON.parse(await this.#call(DESCRIBE, { StreamArn: this.#arn, ...start })) as {
        StreamDescription: { Shards?: RawShard[]; LastEvaluatedShardId?: string };
      };
      const { Shards = [], LastEvaluatedShardId } = answer.StreamDescription;
      shards.push(
        ...Shards.map(({ ShardId, ParentShardId }) => ({ id: ShardId, parent: ParentShardId ?? null })),
      );
      from = LastEvaluatedShardId;
    } while (from !== undefined);
    return shards;
  }

  /** @throws StreamUnreadable */
  async iterator(shard: string, position: ShardPosition): Promise<string> {
    const where =
      typeof position === 'object'
        ? { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: position.after }
        : { ShardIteratorType: position === 'oldest' ? 'TRIM_HORIZON' : 'LATEST' };
    const body = await this.#call(ITERATOR, { StreamArn: this.#arn, ShardId: shard, ...where });
    return (JSON.parse(body) as { ShardIterator: string }).ShardIterator;
  }

  /** @throws StreamUnreadable */
  async page(iterator: string): Promise<ChangePage> {
    const body = await this.#call(RECORDS, { ShardIterator: iterator, Limit: 1000 });
    const { Records = [], NextShardIterator } = JSON.parse(body) as {
      Records?: RawRecord[];
      NextShardIterator?: string;
    };
    return { changes: Records.map((record) => this.#change(record)), next: NextShardIterator ?? null };
  }

  #change({ eventID, eventName, dynamodb }: RawRecord): Change {
    const keys = plain(dynamodb.Keys);
    const seconds = dynamodb.ApproximateCreationDateTime;
    const document = {
      id: eventID,
      eventName,
      table: this.#table,
      ...(seconds === undefined ? {} : { time: new Date(seconds * 1000).toISOString() }),
      keys,
      ...(dynamodb.NewImage === undefined ? {} : { new: plain(dynamodb.NewImage) }),
      ...(dynamodb.OldImage === undefined ? {} : { old: plain(dynamodb.OldImage) }),
    };
    const body = JSON.stringify(document);
    return {
      sequence: dynamodb.SequenceNumber,
      key: JSON.stringify(keys),
      id: `${this.#table}:${eventID}`,
      group: '',
      attribute: (name) => ({ eventName, table: this.#table })[name] ?? '',
      body,
      bytes: () => Buffer.from(body),
      json: () => document,
    };
  }

  async #call(operation: Operation, input: object): Promise<string> {
    const result: CallResult = await this.#client.call(operation, JSON.stringify(input));
    if (result.ok) return result.body;
    throw new StreamUnreadable(result.code || String(result.status), result.message);
  }
}

/**
 * DynamoDB's typed JSON as plain JSON. Numbers beyond 2^53 stay text, binary stays base64, sets become lists.
 */
function plain(attributes: Attributes = {}): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, plainValue(value)]));
}

function plainValue(value: Readonly<Record<string, unknown>>): unknown {
  const [type, held] = Object.entries(value)[0] ?? ['NULL', true];
  switch (type) {
    case 'N':
      return plainNumber(String(held));
    case 'NS':
      return (held as string[]).map(plainNumber);
    case 'M':
      return plain(held as Attributes);
    case 'L':
      return (held as Readonly<Record<string, unknown>>[]).map(plainValue);
    case 'NULL':
      return null;
    default:
      return held;
  }
}

function plainNumber(text: string): number | string {
  const number = Number(text);
  return Number.isSafeInteger(number) || String(number) === text ? number : text;
}
