/** Writes entries to a table in full batches, each until the table has it. */
import { tableTarget } from '../../aws/lean/streamItems.ts';
import type { Entry, Sender, Timers } from '../../core/bridge/ports.ts';
import { CopyRefused } from './copyCheckpoint.ts';
import { Dispatcher } from './dispatcher.ts';
import { TargetMetrics } from './metrics.ts';
import type { Parcel } from './parcel.ts';

type Shipment = Parcel & { readonly done: () => void };

export type WriterDeps = {
  readonly sender: Sender;
  readonly timers: Timers;
  readonly chance: () => number;
  readonly log: (message: string) => void;
};

export class ItemWriter {
  readonly #timers: Timers;
  readonly #dispatcher: Dispatcher<Shipment>;
  #refusal: CopyRefused | null = null;

  constructor(table: string, { sender, timers, chance, log }: WriterDeps, inFlight: number) {
    this.#timers = timers;
    const deps = { sender, timers, chance, metrics: new TargetMetrics() };
    this.#dispatcher = new Dispatcher<Shipment>(tableTarget(table, inFlight), deps, {
      delivered: ({ done }) => done(),
      refused: (_, { code, message }) => {
        this.#refusal = new CopyRefused(`the table refuses an item: ${code}: ${message}`);
      },
      abandoned: () => undefined,
      circuit: (reason) =>
        log(reason === null ? `${table} takes items again` : `${table} refuses us: ${reason}`),
    });
  }

  /**
   * `done` is called once the table has it. @throws CopyRefused when the table has refused an item for good
   */
  write(entry: Entry, done: () => void): void {
    if (this.#refusal !== null) throw this.#refusal;
    const nowMs = this.#timers.now();
    this.#dispatcher.push({
      entry,
      lane: '',
      bytes: entry.bytes,
      queuedAtMs: nowMs,
      receivedAtMs: nowMs,
      attempts: 0,
      suspectSinceMs: 0,
      done,
    });
  }

  /** Resolves when everything is written. @throws CopyRefused */
  async end(): Promise<void> {
    this.#dispatcher.flush();
    await this.#dispatcher.whenIdle();
    if (this.#refusal !== null) throw this.#refusal;
  }

  /** Lets go of what is not written. */
  abandon(): void {
    this.#dispatcher.abandon();
  }
}
