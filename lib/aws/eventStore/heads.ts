/** The calls on a stream's HEAD and chunks, each one conditional on what its writer saw. */

import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { Commit } from '../../core/eventStore/commit.ts';
import { emptyHead, type StoredHead } from '../../core/eventStore/storedHead.ts';
import { type Calls, isConditionFailure } from './calls.ts';
import { activeValue, chunkItem, headOf, itemKey, marksText, namesIn, streamKey } from './items.ts';
import { type Item, numberOf, storedText } from './stored.ts';

/** What one append writes: HEAD as it will be, and how it comes to be from what is there. */
export type HeadWrite = {
  readonly next: StoredHead;
  readonly expected: number;
  /** Commits to put behind those that are there, or in their place. */
  readonly tail: { readonly how: 'add' | 'replace'; readonly commits: readonly AttributeValue[] };
  readonly snapshot: AttributeValue;
  readonly added: number;
  readonly active: boolean;
};

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

  /** @returns null when it is written, else HEAD as it is */
  async write(write: HeadWrite, deadline: number): Promise<StoredHead | null> {
    const { next, expected, tail } = write;
    const commits = tail.how === 'add' ? 'list_append(#commits, :commits)' : ':commits, #base = :base';
    const update =
      'SET #v = :v, #hash = :hash, #ids = :ids, #snapshot = :snapshot, #schema = :schema, ' +
      `#added = :added, #commits = ${commits}${write.active ? ', #active = :active' : ' REMOVE #active'}`;
    const condition = expected === 0 ? 'attribute_not_exists(#pk)' : '#v = :expected';
    return this.#update(
      next.stream,
      update,
      condition,
      {
        ':v': { N: String(next.version) },
        ':hash': { S: next.hash },
        ':ids': { S: marksText(next.commands) },
        ':snapshot': write.snapshot,
        ':schema': { N: String(next.snapshot?.schema ?? 0) },
        ':added': { N: String(write.added) },
        ':commits': { L: [...tail.commits] },
        ...(tail.how === 'add' ? {} : { ':base': { N: String(next.base) } }),
        ...(write.active ? { ':active': { S: activeValue } } : {}),
        ...(expected === 0 ? {} : { ':expected': { N: String(expected) } }),
      },
      deadline,
    );
  }

  /** Takes what a chunk holds out of the tail. @returns false when others have appended meanwhile */
  async shorten(shorter: StoredHead, deadline: number): Promise<boolean> {
    const beat = await this.#update(
      shorter.stream,
      'SET #base = :base, #commits = :commits, #added = :none',
      '#v = :v',
      {
        ':base': { N: String(shorter.base) },
        ':commits': { L: shorter.commits.map(storedCommit) },
        ':none': { N: '0' },
        ':v': { N: String(shorter.version) },
      },
      deadline,
    );
    return beat === null;
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
              ConditionExpression: 'attribute_not_exists(#pk)',
              ExpressionAttributeNames: { '#pk': 'pk' },
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

  async #update(
    stream: string,
    update: string,
    condition: string,
    values: Item,
    deadline: number,
  ): Promise<StoredHead | null> {
    try {
      await this.#calls.make(
        `appending to ${stream}`,
        (options) =>
          this.#client.send(
            new UpdateItemCommand({
              TableName: this.#table,
              Key: itemKey(streamKey(stream)),
              UpdateExpression: update,
              ConditionExpression: condition,
              ExpressionAttributeNames: namesIn(update, condition),
              ExpressionAttributeValues: values,
              ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
            }),
            options,
          ),
        deadline,
      );
      return null;
    } catch (error) {
      if (!isConditionFailure(error)) throw error;
      // AWS says what stands there in the same answer; stand-ins for it often do not.
      return error.Item === undefined ? this.read(stream, deadline) : headOf(error.Item);
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

export const storedCommit = (commit: Commit): AttributeValue => storedText(JSON.stringify(commit)).attribute;
