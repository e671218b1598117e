/**
 * What a table has besides its items, and dynalite does not keep: its stream, TTL, tags, deletion protection,
 * point-in-time recovery and backups. All calls of the service go through here.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../asl/clock.ts';
import type { Place } from '../cloudEvent.ts';
import { seededRandom } from '../random.ts';
import { ServiceError } from '../service.ts';
import { Engine, type Input, type Item, type Output, type Table, type Write } from './engine.ts';
import { Gate } from './gate.ts';
import { type StreamViewType, TableStream } from './tableStream.ts';
import { Transactions } from './transactions.ts';

export type TablesOptions = Place & {
  readonly clock: Clock;
  /** Shards of a stream; 1 when absent. AWS gives a new on-demand table four partitions. */
  readonly streamShards?: number;
  /** Seeds the order between different items of a stream; absent, they keep the order of their writes. */
  readonly shuffleSeed?: number;
};

/** A table's settings beyond dynalite's. */
export type Extras = {
  /** The primary key's attributes, partition key first. */
  readonly keys: readonly string[];
  itemCount: number;
  stream: TableStream | null;
  ttlAttribute: string | null;
  deletionProtected: boolean;
  recoverable: boolean;
  tags: Readonly<Record<string, string>>;
  encryption: Readonly<Record<string, unknown>> | null;
  tableClass: string | null;
};

type StreamSpecification = { readonly StreamEnabled?: boolean; readonly StreamViewType?: StreamViewType };

export class Tables {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly place: Place;
  readonly #options: TablesOptions;
  readonly #gate = new Gate();
  readonly #transactions: Transactions;
  readonly #extras = new Map<string, Extras>();
  /** Every stream there was, newest last: a stream outlives its table for a day on AWS. */
  readonly streams: TableStream[] = [];

  constructor(options: TablesOptions) {
    this.#options = options;
    this.clock = options.clock;
    this.place = { region: options.region, account: options.account };
    this.engine = new Engine(options);
    this.#transactions = new Transactions(this.engine, options.clock);
  }

  /** One of dynalite's own operations; its writes go into the table's stream. */
  run(operation: string, input: Input): Promise<Output> {
    return this.#gate.shared(() => this.engine.run(operation, named(input), (write) => this.#record(write)));
  }

  transactWrite(input: Input): Promise<void> {
    return this.#gate.exclusive(async () => {
      const items = (input.TransactItems ?? []) as readonly Readonly<Record<string, Input>>[];
      const plain = items.map((item) =>
        Object.fromEntries(Object.entries(item).map(([kind, one]) => [kind, named(one)])),
      );
      for (const write of await this.#transactions.write({ ...input, TransactItems: plain }))
        this.#record(write);
    });
  }

  transactGet(input: Input): Promise<Output> {
    return this.#gate.exclusive(() => this.#transactions.get(input));
  }

  async create(input: Input): Promise<Output> {
    const name = String(input.TableName);
    const { TableDescription } = await this.#gate.shared(() => this.engine.run('CreateTable', input));
    const answer = structuredClone(TableDescription);
    await this.#until(name, (table) => table?.TableStatus === 'ACTIVE');
    const extras: Extras = {
      keys: (TableDescription as Table).KeySchema.map(({ AttributeName }) => AttributeName),
      itemCount: 0,
      stream: null,
      ttlAttribute: null,
      deletionProtected: input.DeletionProtectionEnabled === true,
      recoverable: false,
      tags: tagsOf(input.Tags),
      encryption: (input.SSESpecification as Extras['encryption']) ?? null,
      tableClass: (input.TableClass as string) ?? null,
    };
    this.#extras.set(name, extras);
    this.#setStream(
      name,
      answer.TableArn,
      extras,
      input.StreamSpecification as StreamSpecification | undefined,
    );
    return { TableDescription: this.#described(answer, extras) };
  }

  async update(input: Input): Promise<Output> {
    const {
      TableName,
      StreamSpecification,
      DeletionProtectionEnabled,
      TableClass,
      SSESpecification,
      ...rest
    } = named(input);
    const name = String(TableName);
    const table = await this.require(name);
    const extras = this.extras(name);
    if (typeof DeletionProtectionEnabled === 'boolean') extras.deletionProtected = DeletionProtectionEnabled;
    if (typeof TableClass === 'string') extras.tableClass = TableClass;
    if (SSESpecification !== undefined) extras.encryption = SSESpecification as Extras['encryption'];
    this.#setStream(name, table.TableArn, extras, StreamSpecification as StreamSpecification | undefined);
    const own = ['BillingMode', 'ProvisionedThroughput', 'GlobalSecondaryIndexUpdates'];
    if (!own.some((member) => rest[member] !== undefined))
      return { TableDescription: this.#described(table, extras) };
    const { TableDescription } = await this.run('UpdateTable', { TableName, ...rest });
    await this.#until(name, (updated) => updated?.TableStatus === 'ACTIVE');
    return { TableDescription: this.#described(TableDescription, extras) };
  }

  async delete(input: Input): Promise<Output> {
    const name = String(named(input).TableName);
    await this.require(name);
    const extras = this.extras(name);
    if (extras.deletionProtected) {
      const sentence = 'Resource cannot be deleted as it is currently protected against deletion.';
      throw new ServiceError('ValidationException', `${sentence} Disable deletion protection first.`);
    }
    const answer = await this.run('DeleteTable', { TableName: name });
    await this.#until(name, (table) => table === null);
    if (extras.stream !== null) extras.stream.enabled = false;
    this.#extras.delete(name);
    return answer;
  }

  async describe(input: Input): Promise<Output> {
    const name = String(named(input).TableName);
    return { Table: this.#described(await this.require(name), this.extras(name)) };
  }

  /** @throws ServiceError ResourceNotFoundException */
  async require(name: string): Promise<Table> {
    const table = await this.engine.table(name);
    if (table !== null) return table;
    const sentence = `Requested resource not found: Table: ${name} not found`;
    throw new ServiceError('ResourceNotFoundException', sentence);
  }

  /** A known table's settings; ask `require` first. */
  extras(name: string): Extras {
    const extras = this.#extras.get(name);
    if (extras === undefined) throw new ServiceError('ResourceNotFoundException', `Table: ${name} not found`);
    return extras;
  }

  /** The newest stream of this ARN; null when there is none. */
  stream(arn: string): TableStream | null {
    return this.streams.find((stream) => stream.arn === arn) ?? null;
  }

  #setStream(name: string, arn: string, extras: Extras, wanted: StreamSpecification | undefined): void {
    if (wanted === undefined) return;
    if (wanted.StreamEnabled === false) {
      if (extras.stream !== null) extras.stream.enabled = false;
      extras.stream = null;
      return;
    }
    if (extras.stream !== null) {
      throw new ServiceError(
        'ValidationException',
        `Table already has an enabled stream: TableName: ${name}`,
      );
    }
    const { shuffleSeed, streamShards } = this.#options;
    extras.stream = new TableStream(
      { name, arn, region: this.place.region },
      {
        view: wanted.StreamViewType ?? 'NEW_AND_OLD_IMAGES',
        at: this.clock.now() + this.streams.length, // the label tells two streams of one table apart
        shards: streamShards ?? 1,
        shuffle: shuffleSeed === undefined ? null : seededRandom(shuffleSeed),
      },
    );
    this.streams.push(extras.stream);
  }

  /** Puts a write into the table's stream; writing an item that is there already changes nothing. */
  #record({ table, before, after }: Write): void {
    const extras = this.#extras.get(table);
    const item = after ?? before;
    if (extras === undefined || item === null) return;
    if (before === null) extras.itemCount += 1;
    if (after === null) extras.itemCount -= 1;
    if (extras.stream === null || (before !== null && after !== null && same(before, after))) return;
    const keys = Object.fromEntries(extras.keys.map((attribute) => [attribute, item[attribute]]));
    extras.stream.append({ keys, before, after, at: this.clock.now() }, item[extras.keys[0] as string]);
  }

  #described(table: Table, extras: Extras): Output {
    const { stream } = extras;
    return {
      ...table,
      ItemCount: extras.itemCount,
      DeletionProtectionEnabled: extras.deletionProtected,
      ...(stream === null ? {} : describedStream(stream)),
      ...(extras.encryption === null ? {} : { SSEDescription: { Status: 'ENABLED', SSEType: 'KMS' } }),
      ...(extras.tableClass === null ? {} : { TableClassSummary: { TableClass: extras.tableClass } }),
    };
  }

  /** dynalite changes a table's status on a timer of no length; callers see the change at once. */
  async #until(name: string, reached: (table: Table | null) => boolean): Promise<void> {
    for (let turns = 0; turns < 10_000; turns++) {
      if (reached(await this.engine.table(name))) return;
      await new Promise((resolve) => setImmediate(resolve));
    }
    throw new Error(`table ${name} did not change its status`);
  }
}

/** A table may be named by its ARN. */
function named(input: Input): Input {
  const { TableName } = input;
  if (typeof TableName !== 'string' || !TableName.startsWith('arn:')) return input;
  return { ...input, TableName: TableName.split('/')[1] };
}

const describedStream = (stream: TableStream) => ({
  LatestStreamArn: stream.arn,
  LatestStreamLabel: stream.label,
  StreamSpecification: { StreamEnabled: true, StreamViewType: stream.view },
});

/** Tags as the API lists them, as a record. */
export function tagsOf(tags: unknown): Record<string, string> {
  const list = (tags ?? []) as readonly { readonly Key: string; readonly Value: string }[];
  return Object.fromEntries(list.map(({ Key, Value }) => [Key, Value]));
}

/** Compared as JSON, because dynalite's items have prototypes of different kinds. */
const same = (a: Item, b: Item) =>
  isDeepStrictEqual(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b)));
