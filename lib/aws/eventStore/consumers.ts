/**
 * How far consumers have come, and which outside effects were begun and done. One small item each, every
 * write conditional, so that two deliveries of the same event cannot both move a checkpoint.
 */

import {
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterFailure, type Checkpoint, newCheckpoint } from '../../core/eventStore/consumer.ts';
import type { Consumers, Effects, Tokens } from '../../ports.ts';
import { type CallOptions, Calls, isConditionFailure } from './calls.ts';
import { itemKey, namesIn } from './items.ts';
import { type Item, numberOf } from './stored.ts';

export class DynamoConsumers implements Consumers {
  readonly #items: SmallItems;

  constructor(client: DynamoDBClient, table: string, options: CallOptions = {}) {
    this.#items = new SmallItems(client, table, options);
  }

  async checkpoint(consumer: string, stream: string): Promise<Checkpoint> {
    const item = await this.#items.get(consumerKey(consumer, stream));
    if (item === undefined) return newCheckpoint;
    return {
      version: numberOf(item.v),
      failures: numberOf(item.failures),
      why: item.why?.S ?? null,
      parked: item.parked?.BOOL ?? false,
    };
  }

  advance(consumer: string, stream: string, from: number, to: number): Promise<boolean> {
    // A failure before the first success makes the item at version 0.
    const isAt = from === 0 ? 'attribute_not_exists(#v) OR #v = :from' : '#v = :from';
    return this.#items.update(
      consumerKey(consumer, stream),
      'SET #v = :to, #failures = :none REMOVE #why',
      isAt,
      { ':to': { N: String(to) }, ':from': { N: String(from) }, ':none': { N: '0' } },
    );
  }

  async failed(
    consumer: string,
    stream: string,
    version: number,
    why: string,
    ageSeconds?: number,
  ): Promise<Checkpoint> {
    for (;;) {
      const found = await this.checkpoint(consumer, stream);
      const next = afterFailure(found, version, why, ageSeconds);
      if (next === found) return found;
      const counted = await this.#items.update(
        consumerKey(consumer, stream),
        'SET #v = :v, #failures = :failures, #why = :why, #parked = :parked',
        'attribute_not_exists(#v) OR (#v = :v AND #failures = :found)',
        {
          ':v': { N: String(next.version) },
          ':failures': { N: String(next.failures) },
          ':found': { N: String(found.failures) },
          ':why': { S: why },
          ':parked': { BOOL: next.parked },
        },
      );
      if (counted) return next;
    }
  }

  async unpark(consumer: string, stream: string): Promise<void> {
    const update = 'SET #parked = :no, #failures = :none';
    const values = { ':no': { BOOL: false }, ':none': { N: '0' } };
    await this.#items.update(consumerKey(consumer, stream), update, 'attribute_exists(#v)', values);
  }
}

/** Effects and tokens are forgotten after thirty days; the table's time to live is on `ttl`. */
const ttlSeconds = 30 * 24 * 3600;

export class DynamoEffects implements Effects {
  readonly #items: SmallItems;
  readonly #now: () => number;

  constructor(client: DynamoDBClient, table: string, options: CallOptions = {}) {
    this.#items = new SmallItems(client, table, options);
    this.#now = options.now ?? Date.now;
  }

  async intend(stream: string, version: number, effect: string): Promise<'new' | 'open' | 'done'> {
    const pk = effectKey(stream, version, effect);
    const first = await this.#items.update(
      pk,
      'SET #status = :intent, #ttl = :ttl',
      'attribute_not_exists(#status)',
      { ':intent': { S: 'intent' }, ':ttl': { N: String(expiry(this.#now())) } },
    );
    if (first) return 'new';
    return (await this.#items.get(pk))?.status?.S === 'done' ? 'done' : 'open';
  }

  async done(stream: string, version: number, effect: string): Promise<void> {
    await this.#items.update(effectKey(stream, version, effect), 'SET #status = :done', null, {
      ':done': { S: 'done' },
    });
  }
}

export class DynamoTokens implements Tokens {
  readonly #items: SmallItems;
  readonly #now: () => number;

  constructor(client: DynamoDBClient, table: string, options: CallOptions = {}) {
    this.#items = new SmallItems(client, table, options);
    this.#now = options.now ?? Date.now;
  }

  async keep(stream: string, rolloutId: string, token: string): Promise<void> {
    await this.#items.put({
      ...itemKey(effectKey(stream, rolloutId, 'token')),
      token: { S: token },
      ttl: { N: String(expiry(this.#now())) },
    });
  }

  async find(stream: string, rolloutId: string): Promise<string | null> {
    return (await this.#items.get(effectKey(stream, rolloutId, 'token')))?.token?.S ?? null;
  }
}

const expiry = (nowMs: number): number => Math.floor(nowMs / 1000) + ttlSeconds;
const consumerKey = (consumer: string, stream: string): string => `C#${consumer}#${stream}`;
const effectKey = (stream: string, version: number | string, effect: string): string =>
  `E#${stream}#${version}#${effect}`;

/** The calls that items of their own partition need. */
class SmallItems {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #calls: Calls;

  constructor(client: DynamoDBClient, table: string, options: CallOptions) {
    this.#client = client;
    this.#table = table;
    this.#calls = new Calls(options);
  }

  async get(pk: string): Promise<Item | undefined> {
    const input = { TableName: this.#table, Key: itemKey(pk), ConsistentRead: true };
    const { Item: item } = await this.#calls.make(`reading ${pk}`, () =>
      this.#client.send(new GetItemCommand(input)),
    );
    return item;
  }

  async put(item: Item): Promise<void> {
    await this.#calls.make(`writing ${item.pk?.S}`, () =>
      this.#client.send(new PutItemCommand({ TableName: this.#table, Item: item })),
    );
  }

  /** @returns false when the condition does not hold */
  async update(pk: string, update: string, condition: string | null, values: Item): Promise<boolean> {
    const input = {
      TableName: this.#table,
      Key: itemKey(pk),
      UpdateExpression: update,
      ExpressionAttributeNames: namesIn(update, condition ?? ''),
      ExpressionAttributeValues: values,
      ...(condition === null ? {} : { ConditionExpression: condition }),
    };
    try {
      await this.#calls.make(`writing ${pk}`, () => this.#client.send(new UpdateItemCommand(input)));
      return true;
    } catch (error) {
      if (isConditionFailure(error)) return false;
      throw error;
    }
  }
}
