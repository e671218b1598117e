/** All that was ever appended to a stream, oldest first: its chunks, then the tail in HEAD. */

import type { DynamoDBClient, QueryCommandInput } from '@aws-sdk/client-dynamodb';
import { type Commit, eventCount, placed } from '../../core/eventStore/commit.ts';
import { chunkEventsMax } from '../../core/eventStore/limits.ts';
import { emptyHead, type StoredHead } from '../../core/eventStore/storedHead.ts';
import type { Calls } from './calls.ts';
import type { Heads } from './heads.ts';
import { chunkOf, headOf, namesIn, streamKey } from './items.ts';
import { LeanQuery } from './leanCommands.ts';
import { type Item, numberOf } from './stored.ts';

type Page = {
  readonly head: StoredHead;
  readonly commits: readonly { readonly first: number; readonly commit: Commit }[];
};

export class History {
  readonly #queries: Queries;
  readonly #heads: Heads;
  readonly #calls: Calls;

  constructor(queries: Queries, heads: Heads, calls: Calls) {
    this.#queries = queries;
    this.#heads = heads;
    this.#calls = calls;
  }

  /**
   * Commits from version `from` on, some of them before it; a commit may come twice. Every page names the
   * HEAD that the history ends with.
   * @throws EventStoreUnavailable
   */
  async *from(stream: string, from: number): AsyncGenerator<Page> {
    if (from <= 1) return yield* this.#whole(stream);
    yield* this.#rest(await this.#heads.read(stream, this.#calls.deadline()), from);
  }

  /**
   * One query, which HEAD opens: one round trip where there were two. Nobody says that a page shows its items
   * as of one moment, so a chunk that HEAD counts on may be missing, and is then asked for.
   */
  async *#whole(stream: string): AsyncGenerator<Page> {
    let head: StoredHead | undefined;
    let next = 1;
    for await (const items of this.#queries.pages(`reading ${stream}`, between(stream, 0, versionMax))) {
      const chunks = items.filter((item) => numberOf(item.sk) > 0);
      const found = items.find((item) => numberOf(item.sk) === 0);
      head ??= found === undefined ? emptyHead(stream) : headOf(found);
      const commits: Page['commits'][number][] = [];
      for (const { first, commits: some } of chunks.map(chunkOf)) {
        // What is not trimmed from HEAD yet is read there.
        if (first !== next || first >= head.base) break;
        next += eventCount(some);
        commits.push(...placed(first, some));
      }
      yield { head, commits };
    }
    if (head !== undefined) yield* this.#rest(head, next);
  }

  async *#rest(head: StoredHead, from: number): AsyncGenerator<Page> {
    if (from < head.base) {
      const query = between(head.stream, Math.max(1, from - chunkEventsMax + 1), head.base - 1);
      for await (const page of this.#queries.pages(`reading the chunks of ${head.stream}`, query)) {
        const commits = page.map(chunkOf).flatMap(({ first, commits: some }) => [...placed(first, some)]);
        yield { head, commits };
      }
    }
    yield { head, commits: [...placed(head.base, head.commits)] };
  }
}

/** Plans, which are no history, have negative sort keys. */
const versionMax = Number.MAX_SAFE_INTEGER;

function between(stream: string, low: number, high: number) {
  const condition = '#pk = :pk AND #sk BETWEEN :low AND :high';
  return {
    ConsistentRead: true,
    KeyConditionExpression: condition,
    ExpressionAttributeNames: namesIn(condition),
    ExpressionAttributeValues: {
      ':pk': { S: streamKey(stream) },
      ':low': { N: String(low) },
      ':high': { N: String(high) },
    },
  };
}

type Query = Omit<QueryCommandInput, 'TableName'>;

export class Queries {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #calls: Calls;

  constructor(client: DynamoDBClient, table: string, calls: Calls) {
    this.#client = client;
    this.#table = table;
    this.#calls = calls;
  }

  async *pages(what: string, query: Query): AsyncGenerator<readonly Item[]> {
    let after: Item | undefined;
    do {
      const start = after === undefined ? {} : { ExclusiveStartKey: after };
      const page = await this.#calls.make(what, () =>
        this.#client.send(new LeanQuery({ TableName: this.#table, ...query, ...start })),
      );
      yield page.Items ?? [];
      after = page.LastEvaluatedKey;
    } while (after !== undefined);
  }
}
