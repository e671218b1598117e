/** The calls on a stream's HEAD and chunks, each one conditional on what its writer saw. */

import type { AttributeValue, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { emptyHead, type StoredHead } from '../../core/eventStore/storedHead.ts';
import { type Calls, isConditionFailure } from './calls.ts';
import { chunkItem, headItem, headOf, itemKey, streamKey } from './items.ts';
import { LeanGetItem, LeanPutItem } from './leanCommands.ts';
import { type Item, numberOf } from './stored.ts';

export class Heads {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #calls: Calls;

  constructor(client: DynamoDBClient, table: string, calls: Calls) {
    this.#client = client;
    this.#table = table;
    this.#calls = calls;
  }

  async read(stream: string, deadline: number): Promise<StoredHead> {
    const item = await this.#get(streamKey(stream), 0, deadline);
    return item === undefined ? emptyHead(stream) : headOf(item);
  }

  /**
   * Puts HEAD where `expected` still is the newest version.
   * @returns null when it is written, else HEAD as it is
   */
  async write(
    next: StoredHead,
    body: AttributeValue,
    expected: number,
    deadline: number,
  ): Promise<StoredHead | null> {
    const isExpected =
      expected === 0
        ? { ConditionExpression: 'attribute_not_exists(#v)' }
        : {
            ConditionExpression: '#v = :expected',
            ExpressionAttributeValues: { ':expected': { N: String(expected) } },
          };
    const put = {
      TableName: this.#table,
      Item: headItem(next, body),
      ...isExpected,
      ExpressionAttributeNames: { '#v': 'v' },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    } as const;
    try {
      await this.#calls.make(
        `writing the HEAD of ${next.stream}`,
        () => this.#client.send(new LeanPutItem(put)),
        deadline,
      );
      return null;
    } catch (error) {
      if (!isConditionFailure(error)) throw error;
      // AWS says what stands there in the same answer; stand-ins for it often do not.
      return error.Item === undefined ? this.read(next.stream, deadline) : headOf(error.Item);
    }
  }

  /**
   * Copies the tail to a chunk, or finds the one that stands there.
   * @returns the version of the chunk's last event
   */
  async chunk(head: StoredHead, deadline: number): Promise<number> {
    try {
      await this.#calls.make(
        `copying the tail of ${head.stream} to a chunk`,
        () =>
          this.#client.send(
            new LeanPutItem({
              TableName: this.#table,
              Item: chunkItem(head),
              ConditionExpression: 'attribute_not_exists(#n)',
              ExpressionAttributeNames: { '#n': 'n' },
              ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
            }),
          ),
        deadline,
      );
      return head.version;
    } catch (error) {
      if (!isConditionFailure(error)) throw error;
      const found = error.Item ?? (await this.#get(streamKey(head.stream), head.base, deadline));
      return head.base + numberOf(found?.n) - 1;
    }
  }

  async #get(pk: string, sk: number, deadline: number): Promise<Item | undefined> {
    const { Item: item } = await this.#calls.make(
      `reading ${pk}`,
      () =>
        this.#client.send(
          new LeanGetItem({ TableName: this.#table, Key: itemKey(pk, sk), ConsistentRead: true }),
        ),
      deadline,
    );
    return item;
  }
}
