/**
 * A table's change stream: records in shards, in order per item. Between different items the order of one
 * shard may be shuffled on request, as DynamoDB promises order for one item only: a record that nobody has
 * read yet may be overtaken by another item's. Once read, a record keeps its place and its number.
 */
import { createHash } from 'node:crypto';
import type { Random } from '../random.ts';
import type { Item } from './engine.ts';

export type StreamViewType = 'KEYS_ONLY' | 'NEW_IMAGE' | 'OLD_IMAGE' | 'NEW_AND_OLD_IMAGES';

/** As the DynamoDB Streams API answers it and as functions receive it. */
export type StreamRecord = {
  readonly eventID: string;
  readonly eventName: 'INSERT' | 'MODIFY' | 'REMOVE';
  readonly eventVersion: '1.1';
  readonly eventSource: 'aws:dynamodb';
  readonly awsRegion: string;
  readonly dynamodb: {
    /** Seconds since the epoch. */
    readonly ApproximateCreationDateTime: number;
    readonly Keys: Item;
    readonly NewImage?: Item;
    readonly OldImage?: Item;
    readonly SequenceNumber: string;
    readonly SizeBytes: number;
    readonly StreamViewType: StreamViewType;
  };
};

/** A change before it has a number. */
export type Change = {
  readonly keys: Item;
  readonly before: Item | null;
  readonly after: Item | null;
  readonly at: number;
};

/** Null keeps the order of the writes across items, too. */
export type Shuffle = Random | null;

export class Shard {
  readonly id: string;
  readonly startingSequenceNumber: string;
  readonly #view: StreamViewType;
  readonly #region: string;
  readonly #shuffle: Shuffle;
  readonly #numbers: () => string;
  readonly #records: StreamRecord[] = [];
  #unread: Change[] = [];

  constructor(
    id: string,
    stream: { readonly view: StreamViewType; readonly region: string },
    chance: { readonly shuffle: Shuffle; readonly numbers: () => string },
  ) {
    this.id = id;
    this.#view = stream.view;
    this.#region = stream.region;
    this.#shuffle = chance.shuffle;
    this.#numbers = chance.numbers;
    this.startingSequenceNumber = chance.numbers();
  }

  append(change: Change): void {
    if (this.#shuffle === null) {
      this.#unread.push(change);
      return;
    }
    const key = JSON.stringify(change.keys);
    const last = this.#unread.findLastIndex((other) => JSON.stringify(other.keys) === key);
    const room = this.#unread.length - last; // places after the item's own newest record
    this.#unread.splice(last + 1 + Math.floor(this.#shuffle() * room), 0, change);
  }

  /** Where the stream ends now: the position of the next record. */
  get end(): number {
    return this.#records.length + this.#unread.length;
  }

  /** Records from a position on, at most `limit`. */
  read(position: number, limit: number): readonly StreamRecord[] {
    this.#number();
    return this.#records.slice(position, position + limit);
  }

  /** The position of a record's number; null when this shard has no such record. */
  positionOf(sequenceNumber: string): number | null {
    this.#number();
    const index = this.#records.findIndex(({ dynamodb }) => dynamodb.SequenceNumber === sequenceNumber);
    return index < 0 ? null : index;
  }

  #number(): void {
    const unread = this.#unread;
    this.#unread = [];
    for (const change of unread) this.#records.push(this.#record(change));
  }

  #record({ keys, before, after, at }: Change): StreamRecord {
    const sequenceNumber = this.#numbers();
    const news = this.#view === 'NEW_IMAGE' || this.#view === 'NEW_AND_OLD_IMAGES';
    const olds = this.#view === 'OLD_IMAGE' || this.#view === 'NEW_AND_OLD_IMAGES';
    const images = {
      ...(news && after !== null ? { NewImage: after } : {}),
      ...(olds && before !== null ? { OldImage: before } : {}),
    };
    return {
      eventID: createHash('md5').update(`${this.id}${sequenceNumber}`).digest('hex'),
      eventName: before === null ? 'INSERT' : after === null ? 'REMOVE' : 'MODIFY',
      eventVersion: '1.1',
      eventSource: 'aws:dynamodb',
      awsRegion: this.#region,
      dynamodb: {
        ApproximateCreationDateTime: Math.floor(at / 1000),
        Keys: keys,
        ...images,
        SequenceNumber: sequenceNumber,
        SizeBytes: JSON.stringify({ keys, ...images }).length,
        StreamViewType: this.#view,
      },
    };
  }
}

export class TableStream {
  readonly arn: string;
  readonly label: string;
  readonly table: string;
  readonly view: StreamViewType;
  readonly createdAt: number;
  readonly shards: readonly Shard[];
  enabled = true;
  readonly #listeners = new Set<() => void>();

  constructor(
    table: { readonly name: string; readonly arn: string; readonly region: string },
    options: {
      readonly view: StreamViewType;
      readonly at: number;
      readonly shards: number;
      readonly shuffle: Shuffle;
    },
  ) {
    this.table = table.name;
    this.label = new Date(options.at).toISOString().slice(0, 23);
    this.arn = `${table.arn}/stream/${this.label}`;
    this.view = options.view;
    this.createdAt = options.at;
    let sequence = 100_000_000_000_000_000_000n;
    const numbers = () => {
      sequence += 1n;
      return String(sequence);
    };
    this.shards = Array.from(
      { length: options.shards },
      (_, index) =>
        new Shard(
          `shardId-${String(options.at).padStart(20, '0')}-${String(index).padStart(8, '0')}`,
          { view: options.view, region: table.region },
          { shuffle: options.shuffle, numbers },
        ),
    );
  }

  /** Adds a change to its partition's shard, and tells who listens. */
  append(change: Change, partitionKey: unknown): void {
    const hash = createHash('md5').update(JSON.stringify(partitionKey)).digest().readUInt32BE();
    (this.shards[hash % this.shards.length] as Shard).append(change);
    for (const listener of [...this.#listeners]) listener();
  }

  /** Calls `listener` after every change; the returned function ends that. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
