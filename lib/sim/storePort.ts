/**
 * The event store as one instance reaches it: every step over the wire, every operation with its deadline.
 */
import { EventStoreUnavailable } from '../core/outage.ts';
import type { Append, Appended, EventStore, Head } from '../ports.ts';
import { SimEventStore, type SimTable, type StoreStep } from './eventStore.ts';
import type { Instance } from './instance.ts';
import type { Wire } from './wire.ts';

/** What the store on DynamoDB gives an operation, and an urgent one. */
const deadlineMs = 5000;
const urgentDeadlineMs = 500;

const callOf = {
  'read-head': 'store.read-head',
  'write-chunk': 'store.write-chunk',
  'write-head': 'store.write-head',
  'read-chunks': 'store.read-chunks',
  'write-beside': 'store.write-beside',
  'read-beside': 'store.read-beside',
} as const satisfies Record<StoreStep, string>;

/** @param written called after a write of a HEAD, whoever's it was */
export const simStore = (wire: Wire, who: Instance, table: SimTable, written: () => void): EventStore =>
  new WiredStore(wire, who, table, written);

class WiredStore extends SimEventStore {
  readonly #wire: Wire;
  readonly #who: Instance;
  readonly #written: () => void;

  constructor(wire: Wire, who: Instance, table: SimTable, written: () => void) {
    super(table);
    this.#wire = wire;
    this.#who = who;
    this.#written = written;
  }

  override head(stream: string, { urgent = false } = {}): Promise<Head> {
    return this.#inTime(() => `reading ${stream}`, urgent, super.head(stream));
  }

  override append(stream: string, append: Append): Promise<Appended> {
    const urgent = append.urgent === true;
    return this.#inTime(() => `appending to ${stream}`, urgent, super.append(stream, append));
  }

  protected override step<T>(step: StoreStep, run: () => T): Promise<T> {
    const answer = (): T => {
      const done = run();
      if (step === 'write-head') this.#written();
      return done;
    };
    return this.#wire.ask(this.#who, callOf[step], answer, step !== 'write-head');
  }

  /** An append whose answer does not come in time may stand all the same, or come to stand later. */
  #inTime<T>(what: () => string, urgent: boolean, answer: Promise<T>): Promise<T> {
    const ms = urgent ? urgentDeadlineMs : deadlineMs;
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => {
        cancel();
        // Whoever is dead by then hears nothing.
        if (this.#who.alive) reject(error);
      };
      const cancel = this.#wire.clock.schedule(ms, () =>
        fail(new EventStoreUnavailable(`${what()} took longer than ${ms} ms`)),
      );
      answer.then((value) => {
        cancel();
        resolve(value);
      }, fail);
    });
  }
}
