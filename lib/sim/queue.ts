/**
 * A queue whose messages are handed to a function, as SQS and Lambda do it together: at least once, again
 * after the visibility timeout when the function failed. In a FIFO queue a group waits for its first message.
 */
import type { Faults } from './faults.ts';
import type { SimClock } from './simClock.ts';

type Message = {
  readonly id: string;
  readonly body: string;
  readonly group: string | null;
  receives: number;
  state: 'waiting' | 'in-flight' | 'done';
};

export type QueueRecord = { readonly messageId: string; readonly body: string };

/** Answers the ids of those that failed; throws when the whole batch did. */
export type Consume = (records: readonly QueueRecord[]) => Promise<readonly string[]>;

const batchMax = 10;
/** From a message that can be seen to the function that gets it. */
const pollMs = 20;

export type QueueSettings = { readonly name: string; readonly visibilityMs: number; readonly fifo: boolean };

export class SimQueue {
  readonly settings: QueueSettings;
  readonly #clock: SimClock;
  readonly #faults: Faults;
  readonly #consume: Consume;
  readonly #messages: Message[] = [];
  readonly #deduplicated = new Map<string, number>();
  #count = 0;

  constructor(clock: SimClock, faults: Faults, settings: QueueSettings, consume: Consume) {
    this.#clock = clock;
    this.#faults = faults;
    this.settings = settings;
    this.#consume = consume;
  }

  /** Messages that are not dealt with yet. */
  get open(): readonly { readonly body: string; readonly receives: number }[] {
    return this.#messages;
  }

  /** @param deduplicationId the same one within five minutes is one message */
  send(body: string, group: string | null = null, deduplicationId: string | null = null): void {
    const now = this.#clock.now();
    if (deduplicationId !== null) {
      if (now - (this.#deduplicated.get(deduplicationId) ?? Number.NEGATIVE_INFINITY) < 300_000) return;
      this.#deduplicated.set(deduplicationId, now);
    }
    const id = `${this.settings.name}-${++this.#count}`;
    const message: Message = { id, body, group, receives: 0, state: 'waiting' };
    this.#messages.push(message);
    const hit = this.#faults.meet('queue', `deliver.${this.settings.name}`);
    this.#clock.schedule(pollMs + (hit?.kind === 'delay' ? hit.ms : 0), () => this.#poll());
    // A standard queue may hand out a message twice, also at the same time.
    if (hit?.kind === 'duplicate' && !this.settings.fifo)
      this.#clock.schedule(pollMs + hit.ms, () =>
        this.#consume([{ messageId: id, body }]).catch(() => undefined),
      );
  }

  #poll(): void {
    const batch: Message[] = [];
    const groups = new Set(
      this.#messages
        .filter(({ state, group }) => state === 'in-flight' && group !== null)
        .map(({ group }) => group),
    );
    for (const message of this.#messages) {
      if (message.state !== 'waiting' || batch.length === batchMax) continue;
      if (message.group !== null && groups.has(message.group)) continue;
      batch.push(message);
    }
    if (batch.length === 0) return;
    for (const message of batch) {
      message.state = 'in-flight';
      message.receives++;
    }
    const since = this.#clock.now();
    this.#consume(batch.map(({ id: messageId, body }) => ({ messageId, body }))).then(
      (failed) => this.#settle(batch, new Set(failed), since),
      () => this.#settle(batch, new Set(batch.map(({ id }) => id)), since),
    );
  }

  #settle(batch: readonly Message[], failed: ReadonlySet<string>, since: number): void {
    const visibleAfter = Math.max(0, since + this.settings.visibilityMs - this.#clock.now());
    for (const message of batch) {
      if (!failed.has(message.id)) {
        message.state = 'done';
        this.#messages.splice(this.#messages.indexOf(message), 1);
        continue;
      }
      this.#clock.schedule(visibleAfter, () => {
        message.state = 'waiting';
        this.#poll();
      });
    }
    if (this.#messages.some(({ state }) => state === 'waiting'))
      this.#clock.schedule(pollMs, () => this.#poll());
  }
}
