/**
 * The event store on one DynamoDB table. An append is one conditional write of the stream's HEAD item; a
 * tail that is full is first copied to a chunk, whose content depends on committed history alone, so that a
 * crash between the two, or a rival who does the same, changes nothing. Chunks are read up to HEAD's
 * `base`: an event that stands in both is read once.
 */

import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Recorded } from '../../../events/recorded.ts';
import type { Minute } from '../../core/analysis/minutes.ts';
import { invariant } from '../../core/decision.ts';
import { commitOf, recordedOf } from '../../core/eventStore/commit.ts';
import {
  answerFrom,
  emptyHead,
  mustCalve,
  mustCompact,
  type StoredHead,
  viewOf,
  withCommit,
  withoutChunk,
} from '../../core/eventStore/storedHead.ts';
import { chainStart, endChain, followChain } from '../../core/eventStore/verifyChain.ts';
import type { Append, Appended, EventStore, Head } from '../../ports.ts';
import { Beside } from './beside.ts';
import { type CallOptions, Calls } from './calls.ts';
import { Heads } from './heads.ts';
import { History, Queries } from './history.ts';
import { activeIndex, activeValue, namesIn, storedBody, streamKey } from './items.ts';
import { sha256, storedText } from './stored.ts';

/** HEADs as last seen, so that an append after a read needs no second read. */
const headsSeenMax = 256;
/** How often `compact` may lose against a writer before it leaves the tail to the next append. */
const compactAttemptsMax = 3;

export class DynamoEventStore implements EventStore {
  readonly #calls: Calls;
  readonly #heads: Heads;
  readonly #queries: Queries;
  readonly #history: History;
  readonly #beside: Beside;
  readonly #seen = new Map<string, StoredHead>();

  /** @param client best made with `maxAttempts: 1`: retries are counted here, against one deadline */
  constructor(client: DynamoDBClient, table: string, options: CallOptions = {}) {
    this.#calls = new Calls(options);
    this.#heads = new Heads(client, table, this.#calls);
    this.#queries = new Queries(client, table, this.#calls);
    this.#history = new History(this.#queries, this.#heads, this.#calls);
    this.#beside = new Beside(client, table, this.#calls);
  }

  /** @throws EventStoreUnavailable after 5 s, or 500 ms where it is urgent */
  async head(stream: string, { urgent = false } = {}): Promise<Head> {
    return viewOf(await this.#read(stream, this.#calls.deadline(urgent)));
  }

  /**
   * One conditional write; a chunk before it where the tail is full, and a read where this store has not seen
   * `expected`.
   * @throws EventStoreUnavailable after 5 s, or 500 ms where it is urgent: it may stand all the same
   */
  async append(stream: string, append: Append): Promise<Appended> {
    const deadline = this.#calls.deadline(append.urgent);
    const seen = this.#seen.get(stream);
    const head = seen?.version === append.expected ? seen : await this.#read(stream, deadline);
    const answer = answerFrom(head, append, sha256);
    if (answer !== null) return answer;

    const commit = commitOf(head, append, sha256, (text) => storedText(text).bytes);
    let ready = head;
    let next = withCommit(ready, commit, append, sha256);
    let body = storedBody(next);
    while (mustCalve(ready, next, body.bytes, append.urgent ?? false)) {
      const shorter = await this.#calve(ready, deadline);
      if (shorter === null) return lost(append, await this.#read(stream, deadline));
      ready = shorter;
      next = withCommit(ready, commit, append, sha256);
      body = storedBody(next);
    }
    const beat = await this.#heads.write(next, body.attribute, append.expected, deadline);
    this.#remember(beat ?? next);
    if (beat !== null) return lost(append, beat);
    return {
      outcome: 'appended',
      version: next.version,
      events: recordedOf(stream, append.expected + 1, commit),
    };
  }

  /** @throws EventStoreUnavailable */
  async compact(stream: string): Promise<void> {
    const deadline = this.#calls.deadline();
    for (let attempt = 0; attempt < compactAttemptsMax; attempt++) {
      const head = await this.#read(stream, deadline);
      if (!mustCompact(head, storedBody(head).bytes)) return;
      const shorter = await this.#calve(head, deadline);
      if (shorter === null) continue;
      const beat = await this.#heads.write(shorter, storedBody(shorter).attribute, head.version, deadline);
      this.#remember(beat ?? shorter);
      if (beat === null) return;
    }
  }

  /** @throws EventStoreUnavailable; InvariantBroken where an event is missing */
  async *read(stream: string, from = 1): AsyncGenerator<Recorded> {
    let next = Math.max(1, from);
    let version = 0;
    for await (const { head, commits } of this.#history.from(stream, next)) {
      version = head.version;
      for (const { first, commit } of commits) {
        for (const recorded of recordedOf(stream, first, commit)) {
          if (recorded.version < next) continue;
          invariant(recorded.version === next, `${stream} has no event ${next}: verify it`);
          next++;
          yield recorded;
        }
      }
    }
    invariant(next > version, `${stream} has no event ${next}: verify it`);
  }

  async verify(stream: string): Promise<{ readonly version: number; readonly brokenAt: number | null }> {
    let chain = chainStart(stream);
    let end: Pick<StoredHead, 'version' | 'hash'> = emptyHead(stream);
    for await (const { head, commits } of this.#history.from(stream, 1)) {
      end = head;
      for (const { first, commit } of commits) {
        if (first > chain.version) chain = followChain(chain, first, commit, sha256);
      }
    }
    return endChain(chain, end);
  }

  keepPlan(stream: string, rolloutId: string, plan: unknown): Promise<string> {
    return this.#beside.keepPlan(stream, rolloutId, plan);
  }

  plan(stream: string, rolloutId: string): Promise<unknown> {
    return this.#beside.plan(stream, rolloutId);
  }

  keepMinutes(rolloutId: string, block: number, minutes: readonly Minute[]): Promise<string> {
    return this.#beside.keepMinutes(rolloutId, block, minutes);
  }

  minutes(rolloutId: string): Promise<readonly Minute[]> {
    return this.#beside.minutes(rolloutId);
  }

  /**
   * By name, from the index: a stream may be missing for about a second after its append, or still be
   * there.
   */
  async *active(): AsyncGenerator<string> {
    const condition = '#active = :active';
    const query = {
      IndexName: activeIndex,
      KeyConditionExpression: condition,
      ExpressionAttributeNames: namesIn(condition),
      ExpressionAttributeValues: { ':active': { S: activeValue } },
    };
    for await (const page of this.#queries.pages('listing the active streams', query)) {
      for (const item of page) yield (item.pk?.S ?? '').slice(streamKey('').length);
    }
  }

  async #read(stream: string, deadline: number): Promise<StoredHead> {
    return this.#remember(await this.#heads.read(stream, deadline));
  }

  /** HEAD without its tail, once a chunk holds it; null where others have appended meanwhile. */
  async #calve(head: StoredHead, deadline: number): Promise<StoredHead | null> {
    return withoutChunk(head, await this.#heads.chunk(head, deadline));
  }

  #remember(head: StoredHead): StoredHead {
    this.#seen.delete(head.stream);
    this.#seen.set(head.stream, head);
    const oldest = this.#seen.keys().next();
    if (this.#seen.size > headsSeenMax && !oldest.done) this.#seen.delete(oldest.value);
    return head;
  }
}

/** What a lost race means, seen from what won it. */
function lost(append: Append, head: StoredHead): Appended {
  return answerFrom(head, append, sha256) ?? { outcome: 'conflict', head: viewOf(head) };
}
