/**
 * One reverse rule from a DynamoDB stream to JetStream: read by the one task that holds the lease,
 * checkpointed per shard in the bridge's register after JetStream has stored a page. After a crash the last
 * page may be published again, under the same message ids.
 */

import type { AwsClient } from '../../aws/lean/awsClient.ts';
import {
  type Change,
  type ChangePage,
  ChangeReader,
  type ShardPosition,
  StreamUnreadable,
} from '../../aws/lean/changeReader.ts';
import { backoffMs } from '../../core/bridge/failure.ts';
import type { ReverseRule } from '../../core/bridge/reverse.ts';
import { Lease } from '../../nats/lease.ts';
import type { Register } from '../../nats/register.ts';
import { publishReverse, type Route, type RouteDeps } from './queueRoute.ts';

export type ChangeSettings = {
  readonly arn: string;
  readonly start: 'oldest' | 'latest';
  readonly poll: number;
};
export type ChangeDeps = RouteDeps & {
  readonly register: Register;
  readonly owner: string;
  readonly leaseMs: number;
};

type Checkpoint = { readonly sequence: string | null; readonly ended: boolean };

const RETRY_BASE_MS = 200;
const RETRY_CAP_MS = 10_000;
/** New shards come every few hours; one that ended is followed up at once. */
const DISCOVER_MS = 30_000;
/** An iterator lives 15 minutes, a record 24 hours. */
const EXPIRED = 'ExpiredIteratorException';
const TRIMMED = 'TrimmedDataAccessException';

export class ChangeRoute implements Route {
  readonly #rule: ReverseRule;
  readonly #settings: ChangeSettings;
  readonly #reader: ChangeReader;
  readonly #deps: ChangeDeps;
  readonly #lease: Lease;
  readonly #reading = new Map<string, Promise<void>>();
  readonly #ended = new Set<string>();
  readonly #wake = new Set<() => void>();
  #fault: string | null = null;
  #stopped = false;
  #running: Promise<void> = Promise.resolve();

  constructor(rule: ReverseRule, settings: ChangeSettings, client: AwsClient, deps: ChangeDeps) {
    this.#rule = rule;
    this.#settings = settings;
    this.#reader = new ChangeReader(client, settings.arn);
    this.#deps = deps;
    const { register, timers, owner, leaseMs } = deps;
    this.#lease = new Lease(register, timers, { key: settings.arn, owner, leaseMs });
  }

  get fault(): string | null {
    return this.#fault;
  }

  async start(): Promise<void> {
    await this.#deps.register.ensure();
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const wake of this.#wake) wake();
    await this.#lease.release();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      if (!(await this.#lease.acquire(() => this.#wakeAll()))) return;
      this.#ended.clear();
      // Where nothing was read before, `latest` means now; shards that open later are read from their
      // beginning.
      for (let first = true; this.#mayRead; first = false) {
        await this.#retried(() => this.#discover(first));
        await this.#sleep(DISCOVER_MS);
      }
      await Promise.all(this.#reading.values());
    }
  }

  get #mayRead(): boolean {
    return !this.#stopped && this.#lease.held;
  }

  /** Starts reading every shard whose parent has been read to its end. */
  async #discover(first: boolean): Promise<void> {
    const shards = await this.#reader.shards();
    const listed = new Set(shards.map(({ id }) => id));
    for (const { id, parent } of shards) {
      if (this.#reading.has(id) || this.#ended.has(id)) continue;
      if (parent !== null && listed.has(parent) && !this.#ended.has(parent)) continue;
      const reading = this.#readShard(id, first).finally(() => {
        this.#reading.delete(id);
        this.#wakeAll();
      });
      this.#reading.set(id, reading);
    }
  }

  async #readShard(shard: string, first: boolean): Promise<void> {
    const key = `shard/${this.#settings.arn}/${shard}`;
    const registered = await this.#retried(() => this.#deps.register.get(key));
    let checkpoint = (registered?.value ?? null) as Checkpoint | null;
    let revision = registered?.revision ?? 0;
    let iterator: string | null = null;
    while (this.#mayRead && checkpoint?.ended !== true) {
      const page = await this.#page(
        shard,
        iterator,
        positionOf(checkpoint, first ? this.#settings.start : 'oldest'),
      );
      if (page === null || !(await this.#publish(page.changes))) return;
      const last = page.changes.at(-1);
      iterator = page.next;
      if (last === undefined && iterator !== null) {
        await this.#sleep(this.#settings.poll);
        continue;
      }
      const reached: Checkpoint = {
        sequence: last?.sequence ?? checkpoint?.sequence ?? null,
        ended: iterator === null,
      };
      const written = await this.#retried(() => this.#deps.register.put(key, reached, revision));
      // Somebody else has written it: the lease is theirs.
      if (written === null) return;
      revision = written;
      checkpoint = reached;
    }
    if (checkpoint?.ended) this.#ended.add(shard);
  }

  /** The next page; null when reading has to stop. */
  async #page(shard: string, iterator: string | null, position: ShardPosition): Promise<ChangePage | null> {
    let from: string | null = iterator;
    let at = position;
    while (this.#mayRead) {
      try {
        from ??= await this.#retried(() => this.#reader.iterator(shard, at));
        const held = from;
        return held === null ? null : await this.#retried(() => this.#reader.page(held));
      } catch (error) {
        if (!(error instanceof StreamUnreadable)) throw error;
        from = null;
        if (error.code === EXPIRED) continue;
        // What was behind the checkpoint is older than 24 hours and gone: that is a loss, and is said.
        this.#deps.log(
          `${this.#rule.name}: ${shard}: changes were lost (${error.message}); reading on from the oldest`,
        );
        at = 'oldest';
      }
    }
    return null;
  }

  /** Stores a page in JetStream: keys side by side, the changes of one key one after the other. */
  async #publish(changes: readonly Change[]): Promise<boolean> {
    this.#deps.metrics.received += changes.length;
    const keys = Map.groupBy(changes, ({ key }) => key);
    const results = await Promise.all([...keys.values()].map((list) => this.#publishInOrder(list)));
    return results.every((stored) => stored);
  }

  async #publishInOrder(changes: readonly Change[]): Promise<boolean> {
    for (const change of changes) if (!(await this.#publishOne(change))) return false;
    return true;
  }

  async #publishOne(change: Change): Promise<boolean> {
    const { publisher, metrics, chance, log, bury } = this.#deps;
    for (let attempt = 1; this.#mayRead; attempt++) {
      const { subject, published } = await publishReverse(this.#rule, change, publisher);
      if (published.outcome === 'stored') {
        metrics.published++;
        if (published.duplicate) metrics.duplicates++;
        return true;
      }
      if (published.outcome === 'refused' && published.permanent && bury !== null) {
        metrics.refused++;
        return bury(change, subject, published.code, published.message);
      }
      if (attempt === 1) log(`${this.#rule.name}: ${change.id} to ${subject}: ${published.message}`);
      await this.#sleep(backoffMs(attempt, RETRY_BASE_MS, RETRY_CAP_MS, chance()));
    }
    return false;
  }

  /** Again and again while the lease is held, then null; what is wrong with an iterator is thrown. */
  async #retried<T>(action: () => Promise<T>): Promise<T | null> {
    for (let attempt = 1; this.#mayRead; attempt++) {
      try {
        const result = await action();
        this.#fault = null;
        return result;
      } catch (error) {
        const code = error instanceof StreamUnreadable ? error.code : '';
        if (code === EXPIRED || code === TRIMMED) throw error;
        this.#fault = (error as Error).message;
        if (attempt === 1) this.#deps.log(`${this.#rule.name}: ${this.#fault}`);
        await this.#sleep(backoffMs(attempt, RETRY_BASE_MS, RETRY_CAP_MS, this.#deps.chance()));
      }
    }
    return null;
  }

  #wakeAll(): void {
    for (const wake of this.#wake) wake();
  }

  #sleep(ms: number): Promise<void> {
    if (!this.#mayRead) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        cancel();
        this.#wake.delete(wake);
        resolve();
      };
      const cancel = this.#deps.timers.schedule(ms, wake);
      this.#wake.add(wake);
    });
  }
}

function positionOf(checkpoint: Checkpoint | null, start: 'oldest' | 'latest'): ShardPosition {
  return checkpoint?.sequence === null || checkpoint === null ? start : { after: checkpoint.sequence };
}
