/** The calls on a stream's HEAD and chunks, each one conditional on what its writer saw. */

import {
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { emptyHead, type StoredHead } from '../../core/eventStore/storedHead.ts';
import { type Calls, isConditionFailure } from './calls.ts';
import { chunkItem, headItem, headOf, itemKey, namesIn, storedTail, streamKey, type Texts } from './items.ts';
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
    expected: number,
    texts: Texts,
    active: boolean,
    deadline: number,
  ): Promise<StoredHead | null> {
    const put = {
      TableName: this.#table,
      Item: headItem(next, texts, active),
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      ...(expected === 0
        ? { ConditionExpression: 'attribute_not_exists(#v)', ExpressionAttributeNames: versionName }
        : {
            ConditionExpression: '#v = :expected',
            ExpressionAttributeNames: versionName,
            ExpressionAttributeValues: { ':expected': { N: String(expected) } },
          }),
    } as const;
    try {
      await this.#calls.make(
        `appending to ${next.stream}`,
        (options) => this.#client.send(new PutItemCommand(put), options),
        deadline,
      );
      return null;
    } catch (error) {
      if (!isConditionFailure(error)) throw error;
      // AWS says what stands there in the same answer; stand-ins for it often do not.
      return error.Item === undefined ? this.read(next.stream, deadline) : headOf(error.Item);
    }
  }

  /** Takes what a chunk holds out of the tail. @returns false when others have appended meanwhile */
  async shorten(shorter: StoredHead, deadline: number): Promise<boolean> {
    const update = 'SET #base = :base, #commits = :commits';
    const condition = '#v = :v';
    try {
      await this.#calls.make(
        `compacting ${shorter.stream}`,
        (options) =>
          this.#client.send(
            new UpdateItemCommand({
              TableName: this.#table,
              Key: itemKey(streamKey(shorter.stream)),
              UpdateExpression: update,
              ConditionExpression: condition,
              ExpressionAttributeNames: namesIn(update, condition),
              ExpressionAttributeValues: {
                ':base': { N: String(shorter.base) },
                ':commits': storedTail(shorter.commits).attribute,
                ':v': { N: String(shorter.version) },
              },
            }),
            options,
          ),
        deadline,
      );
      return true;
    } catch (error) {
      if (isConditionFailure(error)) return false;
      throw error;
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
        (options) =>
          this.#client.send(
            new PutItemCommand({
              TableName: this.#table,
              Item: chunkItem(head),
              ConditionExpression: 'attribute_not_exists(#n)',
              ExpressionAttributeNames: { '#n': 'n' },
              ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
            }),
            options,
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
      (options) =>
        this.#client.send(
          new GetItemCommand({ TableName: this.#table, Key: itemKey(pk, sk), ConsistentRead: true }),
          options,
        ),
      deadline,
    );
    return item;
  }
}

const versionName = { '#v': 'v' };
