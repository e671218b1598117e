/**
 * dynalite without its HTTP server: its checks and its actions, called in process on its own store. What one
 * call reads and writes is observed under dynalite's item lock, so the images are exactly those of the write
 * and their order per item is the order of the writes.
 */
import { createRequire } from 'node:module';
import type { Place } from '../cloudEvent.ts';
import { ServiceError } from '../service.ts';

/** An item or key as JSON on the wire: `{ pk: { S: 'a' } }`. */
export type Item = Readonly<Record<string, unknown>>;
export type Table = {
  readonly TableName: string;
  readonly TableArn: string;
  readonly TableStatus: string;
  readonly KeySchema: readonly { readonly AttributeName: string; readonly KeyType: 'HASH' | 'RANGE' }[];
  readonly [member: string]: unknown;
};
export type Input = Readonly<Record<string, unknown>>;
// biome-ignore lint/suspicious/noExplicitAny: the wire's own JSON
export type Output = any;

/** One item written: null before it existed, null after it was deleted. */
export type Write = { readonly table: string; readonly before: Item | null; readonly after: Item | null };
export type OnWrite = (write: Write) => void;

type Callback = (error: unknown, value?: Output) => void;
type ItemStore = {
  get(key: string, callback: Callback): void;
  put(key: string, value: Item, callback: Callback): void;
  del(key: string, callback: Callback): void;
};
type Store = {
  readonly tableDb: { awsAccountId: string; awsRegion: string };
  readonly db: { close(): Promise<void> };
  getItemDb(table: string): ItemStore;
  getTable(name: string, checkStatus: boolean, callback: Callback): void;
};
type Checks = { readonly types: object; readonly custom?: unknown };
type DynaliteError = { readonly statusCode: number; readonly body: Record<string, unknown> };

const require = createRequire(import.meta.url);
const database = require('dynalite/db') as {
  create(options: object): Store;
  checkConditional(data: object, item: Item | null): DynaliteError | null | undefined;
};
const validations = require('dynalite/validations') as {
  checkTypes(data: object, types: object): Record<string, unknown>;
  checkValidations(data: object, types: object, custom: unknown, store: Store): void;
};
const lowerFirst = (name: string) => name.charAt(0).toLowerCase() + name.slice(1);
const checksOf = (operation: string) => require(`dynalite/validations/${lowerFirst(operation)}`) as Checks;
const actionOf = (operation: string) =>
  require(`dynalite/actions/${lowerFirst(operation)}`) as (
    store: Store,
    data: object,
    callback: Callback,
  ) => void;

export class Engine {
  readonly #store: Store;
  readonly #running = new Set<Promise<unknown>>();
  #closed = false;

  constructor({ region, account }: Place) {
    this.#store = database.create({ createTableMs: 0, updateTableMs: 0, deleteTableMs: 0 });
    this.#store.tableDb.awsRegion = region;
    this.#store.tableDb.awsAccountId = account;
  }

  /** Runs one operation that dynalite knows. @throws ServiceError */
  run(operation: string, input: Input, onWrite?: OnWrite): Promise<Output> {
    const data = this.#check(operation, input);
    const seen = new Map<string, Item | null>();
    const store = observe(this.#store, seen, onWrite);
    return this.#whileOpen((resolve, reject) => {
      actionOf(operation)(store, data, (error, output) => {
        if (!error) return resolve(output);
        // dynalite does not know this parameter; the item is the one its own check has read.
        const returnsOld = input.ReturnValuesOnConditionCheckFailure === 'ALL_OLD';
        reject(asServiceError(error, returnsOld ? ([...seen.values()][0] ?? null) : null));
      });
    });
  }

  /** Checks a condition without writing. @throws ServiceError ConditionalCheckFailedException */
  async checkCondition(input: Input): Promise<void> {
    const data = this.#check('DeleteItem', input);
    const item = await this.get(String(input.TableName), input.Key as Item);
    const failed = database.checkConditional(data, item);
    const returnsOld = input.ReturnValuesOnConditionCheckFailure === 'ALL_OLD';
    if (failed) throw asServiceError(failed, returnsOld ? item : null);
  }

  async get(table: string, key: Item): Promise<Item | null> {
    const { Item: item } = await this.run('GetItem', { TableName: table, Key: key, ConsistentRead: true });
    return item ?? null;
  }

  /** The table as dynalite keeps it; null when there is none. */
  table(name: string): Promise<Table | null> {
    return this.#whileOpen((resolve) => {
      this.#store.getTable(name, false, (error, table) => resolve(error ? null : table));
    });
  }

  /** What runs is waited for: dynalite throws past everybody where its database goes away beneath it. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#running);
    await this.#store.db.close();
  }

  async #whileOpen<T>(
    begin: (resolve: (value: T) => void, reject: (error: unknown) => void) => void,
  ): Promise<T> {
    if (this.#closed) throw new ServiceError('ServiceUnavailable', 'The local cloud is closing.', 503);
    const running = new Promise<T>(begin);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  #check(operation: string, input: Input): Record<string, unknown> {
    const checks = checksOf(operation);
    try {
      const data = validations.checkTypes({ ...input }, checks.types);
      validations.checkValidations(data, checks.types, checks.custom, this.#store);
      return data;
    } catch (error) {
      throw asServiceError(error, null);
    }
  }
}

/** The store for one call: what it reads of an item is remembered in `seen`, what it writes is told. */
function observe(store: Store, seen: Map<string, Item | null>, onWrite: OnWrite | undefined): Store {
  const observed = Object.create(store) as Store;
  observed.getItemDb = (table) => {
    const items = store.getItemDb(table);
    const told = (key: string, after: Item | null, callback: Callback): Callback => {
      return (error) => {
        if (!error) onWrite?.({ table, before: seen.get(`${table}\n${key}`) ?? null, after });
        callback(error);
      };
    };
    const facade = Object.create(items) as ItemStore;
    facade.get = (key, callback) =>
      items.get(key, (error, item) => {
        seen.set(`${table}\n${key}`, item ?? null);
        callback(error, item);
      });
    facade.put = (key, value, callback) => items.put(key, value, told(key, value, callback));
    facade.del = (key, callback) => items.del(key, told(key, null, callback));
    return facade;
  };
  return observed;
}

function asServiceError(error: unknown, item: Item | null): unknown {
  const { statusCode, body } = error as Partial<DynaliteError>;
  if (statusCode === undefined || body === undefined) return error;
  const { __type, message, Message, ...members } = body;
  const code = String(__type).split('#').at(-1) as string;
  const failed = code === 'ConditionalCheckFailedException' && item !== null;
  const text = String(message ?? Message ?? code);
  return new ServiceError(code, text, statusCode, failed ? { ...members, Item: item } : members);
}
