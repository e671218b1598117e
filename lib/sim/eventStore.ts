/**
 * The event store in memory. It takes the same steps as the one on DynamoDB, in the same order, and decides
 * with the same functions, so that a fault before or after any step leaves what it would leave there.
 * Nothing in it depends on time or chance.
 */

import { hash } from 'node:crypto';
import type { Recorded } from '../../events/recorded.ts';
import type { Minute } from '../core/analysis/minutes.ts';
import { invariant } from '../core/decision.ts';
import { type Commit, commitOf, frozen, placed, recordedOf } from '../core/eventStore/commit.ts';
import { canonical } from '../core/eventStore/hashChain.ts';
import {
  answerFrom,
  emptyHead,
  mustCalve,
  mustCompact,
  type StoredHead,
  viewOf,
  withCommit,
  withoutChunk,
} from '../core/eventStore/storedHead.ts';
import { chainStart, endChain, followChain } from '../core/eventStore/verifyChain.ts';
import { PlanDiffers } from '../core/outage.ts';
import type { Append, Appended, EventStore, Head } from '../ports.ts';
import { bodyBytes, stored, storedBytes } from './storedBytes.ts';

export type StoreStep =
  | 'read-head'
  | 'write-chunk'
  | 'write-head'
  | 'read-chunks'
  | 'write-beside'
  | 'read-beside';

/**
 * Called around every step. What it throws reaches the caller: `before`, nothing was done; `after`, the
 * step was done and its answer is lost. It may wait, and others go on meanwhile.
 */
export type StoreFault = (step: StoreStep, when: 'before' | 'after') => void | Promise<void>;

/** What several stores share as several processes share a table. */
export class SimTable {
  readonly heads = new Map<string, StoredHead>();
  /** By stream, then by first version. */
  readonly chunks = new Map<string, Map<number, readonly Commit[]>>();
  readonly plans = new Map<string, { readonly text: string; readonly plan: unknown }>();
  readonly blocks = new Map<string, Map<number, Block>>();
}

/** A block of minutes, each with a hash over all up to it. */
type Block = { readonly minutes: readonly Minute[]; readonly digests: readonly string[] };

export class SimEventStore implements EventStore {
  readonly #table: SimTable;
  readonly #fault: StoreFault;

  constructor(table = new SimTable(), fault: StoreFault = () => undefined) {
    this.#table = table;
    this.#fault = fault;
  }

  head(stream: string): Promise<Head> {
    return this.step('read-head', () => seen(this.#there(stream)));
  }

  async append(stream: string, append: Append): Promise<Appended> {
    const head = await this.#read(stream);
    const answer = answerFrom(head, append, sha256);
    if (answer !== null) return answer;

    const commit = commitOf(head, append, sha256, storedBytes);
    const snapshot = { schema: append.snapshot.schema, state: stored(append.snapshot.state) };
    const { active } = append;
    let ready = head;
    let next = withCommit(ready, commit, { snapshot, active }, sha256);
    while (mustCalve(ready, next, bodyBytes(next), append.urgent ?? false)) {
      const shorter = await this.#calve(ready);
      if (shorter === null) return lost(append, await this.#read(stream));
      ready = shorter;
      next = withCommit(ready, commit, { snapshot, active }, sha256);
    }
    const written = await this.step('write-head', () => {
      const there = this.#there(stream);
      if (there.version !== append.expected) return there;
      this.#table.heads.set(stream, next);
      return null;
    });
    if (written !== null) return lost(append, written);
    const events = recordedOf(stream, append.expected + 1, commit);
    return { outcome: 'appended', version: next.version, events };
  }

  async compact(stream: string): Promise<void> {
    const head = await this.#read(stream);
    if (!mustCompact(head, bodyBytes(head))) return;
    const shorter = await this.#calve(head);
    if (shorter === null) return this.compact(stream);
    await this.step('write-head', () => {
      const there = this.#table.heads.get(stream);
      if (there?.version !== head.version) return;
      this.#table.heads.set(stream, shorter);
    });
  }

  async *read(stream: string, from = 1): AsyncGenerator<Recorded> {
    const head = await this.#read(stream);
    let next = Math.max(1, from);
    for (const { first, commit } of await this.#history(head, next)) {
      for (const recorded of recordedOf(stream, first, commit)) {
        if (recorded.version < next) continue;
        invariant(recorded.version === next, `${stream} has no event ${next}: verify it`);
        next++;
        yield recorded;
      }
    }
    invariant(next > head.version, `${stream} has no event ${next}: verify it`);
  }

  async verify(stream: string): Promise<{ readonly version: number; readonly brokenAt: number | null }> {
    const head = await this.#read(stream);
    let chain = chainStart(stream);
    for (const { first, commit } of await this.#history(head, 1)) {
      chain = followChain(chain, first, commit, sha256);
    }
    return endChain(chain, head);
  }

  async keepPlan(stream: string, rolloutId: string, plan: unknown): Promise<string> {
    const text = canonical(plan);
    const kept = await this.step('write-beside', () => {
      const key = JSON.stringify([stream, rolloutId]);
      const there = this.#table.plans.get(key);
      if (there === undefined) this.#table.plans.set(key, { text, plan: frozen(JSON.parse(text)) });
      return there?.text ?? text;
    });
    if (kept !== text)
      throw new PlanDiffers(`${rolloutId} has another plan already: start a rollout under a new id`);
    return hash('sha256', text, 'hex');
  }

  plan(stream: string, rolloutId: string): Promise<unknown> {
    return this.step(
      'read-beside',
      () => this.#table.plans.get(JSON.stringify([stream, rolloutId]))?.plan ?? null,
    );
  }

  keepMinutes(rolloutId: string, block: number, minutes: readonly Minute[]): Promise<string> {
    return this.step('write-beside', () => {
      const blocks = this.#table.blocks.get(rolloutId) ?? new Map<number, Block>();
      const kept = blockOf(minutes, blocks.get(block));
      this.#table.blocks.set(rolloutId, blocks.set(block, kept));
      return kept.digests.at(-1) ?? '';
    });
  }

  minutes(rolloutId: string): Promise<readonly Minute[]> {
    return this.step('read-beside', () => {
      const blocks = [...(this.#table.blocks.get(rolloutId) ?? [])].sort(([one], [other]) => one - other);
      return ([] as readonly Minute[]).concat(...blocks.map(([, { minutes }]) => minutes));
    });
  }

  async *active(): AsyncGenerator<string> {
    const heads = await this.step('read-beside', () => [...this.#table.heads.values()]);
    const streams = heads.filter((head) => head.active).map((head) => head.stream);
    for (const stream of streams.sort()) yield stream;
  }

  #there(stream: string): StoredHead {
    return this.#table.heads.get(stream) ?? emptyHead(stream);
  }

  #read(stream: string): Promise<StoredHead> {
    return this.step('read-head', () => this.#there(stream));
  }

  /** HEAD without its tail, once a chunk holds it: ours, or the one that stood there. */
  #calve(head: StoredHead): Promise<StoredHead | null> {
    return this.step('write-chunk', () => {
      const chunks = this.#table.chunks.get(head.stream) ?? new Map<number, readonly Commit[]>();
      this.#table.chunks.set(head.stream, chunks);
      const commits = chunks.get(head.base) ?? head.commits;
      chunks.set(head.base, commits);
      const events = commits.reduce((sum, commit) => sum + commit.events.length, 0);
      return withoutChunk(head, head.base + events - 1);
    });
  }

  async #history(head: StoredHead, from: number) {
    const tail = [...placed(head.base, head.commits)];
    if (from >= head.base) return tail;
    const old = await this.step('read-chunks', () =>
      [...(this.#table.chunks.get(head.stream) ?? [])]
        .filter(([first]) => first < head.base)
        .sort(([one], [other]) => one - other)
        .flatMap(([first, commits]) => [...placed(first, commits)]),
    );
    return [...old, ...tail];
  }

  /** One way to the table and back. */
  protected async step<T>(step: StoreStep, run: () => T): Promise<T> {
    await this.#fault(step, 'before');
    const answer = run();
    await this.#fault(step, 'after');
    return answer;
  }
}

/** What a lost race means, seen from what won it. */
function lost(append: Append, head: StoredHead): Appended {
  return answerFrom(head, append, sha256) ?? { outcome: 'conflict', head: seen(head) };
}

/** A HEAD is replaced, never changed, so it is shown the same each time. */
const views = new WeakMap<StoredHead, Head>();

function seen(head: StoredHead): Head {
  const known = views.get(head);
  if (known !== undefined) return known;
  const view = viewOf(head);
  views.set(head, view);
  return view;
}

/** A block is kept again at every look at its rollout: what was in it is not hashed again. */
function blockOf(minutes: readonly Minute[], before: Block | undefined): Block {
  let same = 0;
  if (before !== undefined) while (same < minutes.length && before.minutes[same] === minutes[same]) same++;
  const digests = before?.digests.slice(0, same) ?? [];
  let last = digests.at(-1) ?? '';
  for (let nth = same; nth < minutes.length; nth++) {
    last = hash('sha256', last + JSON.stringify(minutes[nth]), 'hex');
    digests.push(last);
  }
  return { minutes: minutes.slice(), digests };
}

const sha256 = (text: string): string => hash('sha256', text, 'base64url');
