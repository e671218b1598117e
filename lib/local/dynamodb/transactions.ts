/**
 * TransactWriteItems and TransactGetItems over single calls: run alone behind the gate, applied one by one,
 * and taken back when one of them fails. Limits: DynamoDB API reference, TransactWriteItems.
 */
import type { Clock } from '../../asl/clock.ts';
import { ServiceError } from '../service.ts';
import type { Engine, Input, Item, Output, Write } from './engine.ts';

const itemsMax = 100;
const bytesMax = 4 * 1024 * 1024;
/** A client token is remembered for ten minutes. */
const tokenMs = 600_000;

type Action = { readonly kind: 'Put' | 'Update' | 'Delete' | 'ConditionCheck'; readonly input: Input };
type Reason = { readonly Code: string; readonly Message?: string; readonly Item?: unknown };

export class Transactions {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #tokens = new Map<string, { readonly print: string; readonly until: number }>();

  constructor(engine: Engine, clock: Clock) {
    this.#engine = engine;
    this.#clock = clock;
  }

  /** Applies all or nothing and answers what was written. The caller sees to it that nothing else runs. */
  async write(input: Input): Promise<readonly Write[]> {
    const print = JSON.stringify(input.TransactItems);
    if (this.#repeated(input.ClientRequestToken, print)) return [];
    const actions = await this.#actions(input.TransactItems, Buffer.byteLength(print));
    const writes: Write[] = [];
    const reasons: Reason[] = [];
    for (const { kind, input: one } of actions) {
      try {
        if (kind === 'ConditionCheck') await this.#engine.checkCondition(one);
        else await this.#engine.run(`${kind}Item`, one, (write) => writes.push(write));
        reasons.push({ Code: 'None' });
      } catch (error) {
        const reason = reasonOf(error);
        if (reason === null) {
          await this.#undo(writes);
          throw error;
        }
        reasons.push(reason);
      }
    }
    if (reasons.some(({ Code }) => Code !== 'None')) {
      await this.#undo(writes);
      const codes = reasons.map(({ Code }) => Code).join(', ');
      const sentence = 'Transaction cancelled, please refer cancellation reasons for specific reasons';
      const members = { CancellationReasons: reasons };
      throw new ServiceError('TransactionCanceledException', `${sentence} [${codes}]`, 400, members);
    }
    if (typeof input.ClientRequestToken === 'string') {
      this.#tokens.set(input.ClientRequestToken, { print, until: this.#clock.now() + tokenMs });
    }
    return writes;
  }

  async get(input: Input): Promise<Output> {
    const gets = (input.TransactItems ?? []) as readonly { readonly Get: Input }[];
    if (gets.length < 1 || gets.length > itemsMax) throw countError(gets.length);
    const Responses = [];
    for (const { Get } of gets) {
      const { Item: item } = await this.#engine.run('GetItem', { ...Get, ConsistentRead: true });
      Responses.push(item === undefined ? {} : { Item: item });
    }
    return { Responses };
  }

  #repeated(token: unknown, print: string): boolean {
    const earlier = typeof token === 'string' ? this.#tokens.get(token) : undefined;
    if (earlier === undefined || earlier.until <= this.#clock.now()) return false;
    if (earlier.print === print) return true;
    const sentence = 'The request uses the same client token as a previous, but non-identical request.';
    throw new ServiceError('IdempotentParameterMismatchException', sentence);
  }

  async #actions(items: unknown, bytes: number): Promise<readonly Action[]> {
    const given = (items ?? []) as readonly Readonly<Record<string, Input>>[];
    if (given.length < 1 || given.length > itemsMax) throw countError(given.length);
    if (bytes > bytesMax)
      throw validation('Collection size limit exceeded: a transaction holds 4 MB at most');
    const actions = given.map((item): Action => {
      const [entry, second] = Object.entries(item);
      if (entry === undefined || second !== undefined) {
        throw validation('TransactItems can only contain one of Check, Put, Update or Delete');
      }
      return { kind: entry[0] as Action['kind'], input: entry[1] };
    });
    const keys = await Promise.all(actions.map((action) => this.#keyOf(action)));
    if (new Set(keys).size < keys.length) {
      throw validation('Transaction request cannot include multiple operations on one item');
    }
    return actions;
  }

  async #keyOf({ input }: Action): Promise<string> {
    const name = String(input.TableName);
    const table = await this.#engine.table(name);
    const names = (table?.KeySchema ?? []).map(({ AttributeName }) => AttributeName);
    const from = (input.Key ?? input.Item ?? {}) as Item;
    return JSON.stringify([name, ...names.map((attribute) => from[attribute])]);
  }

  async #undo(writes: readonly Write[]): Promise<void> {
    for (const { table, before, after } of writes.toReversed()) {
      if (before !== null) {
        await this.#engine.run('PutItem', { TableName: table, Item: before });
        continue;
      }
      const schema = (await this.#engine.table(table))?.KeySchema ?? [];
      const key = Object.fromEntries(
        schema.map(({ AttributeName }) => [AttributeName, after?.[AttributeName]]),
      );
      await this.#engine.run('DeleteItem', { TableName: table, Key: key });
    }
  }
}

/** Why one action fails the transaction; null for what is no reason but an error of the whole request. */
function reasonOf(error: unknown): Reason | null {
  if (!(error instanceof ServiceError)) return null;
  if (error.name === 'ConditionalCheckFailedException') {
    const { Item: item } = error.members;
    return {
      Code: 'ConditionalCheckFailed',
      Message: 'The conditional request failed',
      ...(item === undefined ? {} : { Item: item }),
    };
  }
  return null;
}

const validation = (message: string) => new ServiceError('ValidationException', message);
const countError = (count: number) =>
  validation(
    `1 validation error detected: Value of length ${count} at 'transactItems' failed to satisfy ` +
      `constraint: Member must have length less than or equal to ${itemsMax} and greater than or equal to 1`,
  );
