/**
 * News of the event table: in order for each stream, in any order between them, at least once, again from the
 * first that failed. A stream that cannot be got past does not hold up those in another shard.
 */
import type { Delivery } from '../ports.ts';
import type { Faults } from './faults.ts';
import { seedOf } from './random.ts';
import type { SimClock } from './simClock.ts';

const shardsMax = 2;
const batchMax = 10;
const pollMs = 150;
const againMs = 1000;

export type NumberedDelivery = Delivery & { readonly sequenceNumber: string };

type Waiting = NumberedDelivery & { readonly toldAt: number };

/**
 * Answers the sequence number of the first that failed, null where none did; throws when the whole batch did.
 */
export type Receive = (deliveries: readonly NumberedDelivery[]) => Promise<string | null>;

export class TableStream {
  readonly #clock: SimClock;
  readonly #faults: Faults;
  readonly #receive: Receive;
  readonly #shards: { waiting: Waiting[]; busy: boolean }[];
  #count = 0;

  constructor(clock: SimClock, faults: Faults, receive: Receive) {
    this.#clock = clock;
    this.#faults = faults;
    this.#receive = receive;
    this.#shards = Array.from({ length: shardsMax }, () => ({ waiting: [], busy: false }));
  }

  /** Deliveries that are not dealt with yet. */
  get open(): number {
    return this.#shards.reduce((sum, { waiting }) => sum + waiting.length, 0);
  }

  tell(delivery: Delivery): void {
    const nth = seedOf(0, delivery.stream) % shardsMax;
    const shard = this.#shards[nth];
    if (shard === undefined) return;
    shard.waiting.push({ ...delivery, sequenceNumber: String(++this.#count), toldAt: this.#clock.now() });
    const hit = this.#faults.meet('stream', 'deliver.stream');
    this.#clock.schedule(pollMs + (hit?.kind === 'delay' ? hit.ms : 0), () => this.#poll(nth));
    if (hit?.kind === 'duplicate') {
      const again = shard.waiting.at(-1);
      if (again !== undefined)
        this.#clock.schedule(pollMs + hit.ms, () =>
          this.#receive([this.#aged(again)]).catch(() => undefined),
        );
    }
  }

  #aged({ toldAt, ...delivery }: Waiting): NumberedDelivery {
    return { ...delivery, ageSeconds: (this.#clock.now() - toldAt) / 1000 };
  }

  #poll(nth: number): void {
    const shard = this.#shards[nth];
    if (shard === undefined || shard.busy || shard.waiting.length === 0) return;
    shard.busy = true;
    const batch = shard.waiting.slice(0, batchMax);
    const done = (count: number) => {
      shard.waiting.splice(0, count);
      shard.busy = false;
      if (shard.waiting.length > 0)
        this.#clock.schedule(count === batch.length ? pollMs : againMs, () => this.#poll(nth));
    };
    this.#receive(batch.map((one) => this.#aged(one))).then(
      (failed) => {
        const at = batch.findIndex(({ sequenceNumber }) => sequenceNumber === failed);
        done(at < 0 ? batch.length : at);
      },
      () => done(0),
    );
  }
}
