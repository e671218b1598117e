/**
 * One run of a copy: reads ahead, writes many batches at a time, and moves the checkpoint over what is
 * written.
 */
import { gapEntry, messageEntries } from '../../aws/lean/streamItems.ts';
import type { Timers } from '../../core/bridge/ports.ts';
import {
  type CopyName,
  type CopyPhase,
  firstOfBlock,
  type StoredMessage,
} from '../../core/bridge/streamCopy.ts';
import { Watermark } from '../../core/bridge/watermark.ts';
import type { StreamReader } from '../../nats/streamReader.ts';
import { BlockChain, type ChainLink } from './blockChain.ts';
import type { CheckpointKeeper } from './copyCheckpoint.ts';
import { ItemWriter, type WriterDeps } from './itemWriter.ts';

export type CopyOptions = {
  /** Goes on with what is stored from now on, until the signal. */
  readonly follow: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Write requests under way. */
  readonly inFlight?: number | undefined;
};

export type CopyReport = {
  readonly phase: CopyPhase;
  /** Everything up to this sequence is in the table. */
  readonly floor: number;
  /** Messages in the table. */
  readonly count: number;
  /** Ranges of sequences that the stream had no message for, found by this run. */
  readonly gaps: number;
};

const READ_MAX = 1_000;
const WAIT_MS = 250;
/**
 * Messages, and their bytes, that are read and not yet written: more than twice what 32 requests hold. With
 * 10 000, and 4 000 in the reader, a copy takes a tenth more CPU time: the collector has them to carry.
 */
const OPEN_MAX = 2_000;
const OPEN_BYTES_MAX = 64 * 1024 * 1024;
const CHECKPOINT_MS = 1_000;
const POLL_MS = 2;
const IN_FLIGHT = 32;

/** How many messages had been counted when this one was read. */
type Counted = { readonly count: number };

export class CopyRun {
  readonly #name: CopyName;
  readonly #timers: Timers;
  readonly #keeper: CheckpointKeeper;
  readonly #reader: StreamReader;
  readonly #options: CopyOptions;
  readonly #writer: ItemWriter;
  readonly #written = new Watermark<Counted>();
  readonly #chain: BlockChain;
  /** Complete blocks that the floor has not passed yet. */
  #links: ChainLink[] = [];
  #link: ChainLink;
  #last: number;
  #count: number;
  #open = 0;
  #openBytes = 0;
  #gaps = 0;
  #savedAtMs = 0;

  constructor(
    name: CopyName,
    table: string,
    deps: WriterDeps,
    keeper: CheckpointKeeper,
    reader: StreamReader,
    options: CopyOptions,
  ) {
    const { block, counted, chain } = keeper.current;
    this.#name = name;
    this.#timers = deps.timers;
    this.#keeper = keeper;
    this.#reader = reader;
    this.#options = options;
    this.#writer = new ItemWriter(table, deps, options.inFlight ?? IN_FLIGHT);
    this.#link = { block, counted, chain };
    this.#chain = new BlockChain(this.#link);
    this.#last = firstOfBlock(block + 1) - 1;
    this.#count = counted;
  }

  /** @throws CopyRefused, TableUnavailable */
  async run(): Promise<CopyReport> {
    const { follow, signal } = this.#options;
    try {
      while (signal?.aborted !== true) {
        const messages = await this.#reader.read(READ_MAX, WAIT_MS);
        for (const message of messages) this.#take(message);
        if (this.#reader.caughtUp) {
          await this.#writer.end();
          await this.#save('tail');
          if (!follow) break;
        }
        await this.#room();
        if (this.#timers.now() - this.#savedAtMs > CHECKPOINT_MS)
          await this.#save(this.#keeper.current.phase);
      }
      await this.#writer.end();
      await this.#save(this.#keeper.current.phase);
    } finally {
      this.#writer.abandon();
    }
    const { phase, floor, count } = this.#keeper.current;
    return { phase, floor, count, gaps: this.#gaps };
  }

  #take(message: StoredMessage): void {
    const { sequence } = message;
    const gap = { from: this.#last + 1, through: sequence - 1 };
    const missing = gap.through >= gap.from;
    this.#last = sequence;
    this.#count++;
    const link = this.#chain.add(message);
    if (link !== null) this.#links.push(link);
    const entries = messageEntries(this.#name, message);
    // The gap before a message belongs to it: the floor does not pass one without the other.
    const all = missing ? [...entries, gapEntry(this.#name, gap)] : entries;
    if (missing) this.#gaps++;
    this.#written.open(sequence, { count: this.#count });
    this.#open++;
    this.#openBytes += message.data.length;
    let left = all.length;
    for (const entry of all) {
      this.#writer.write(entry, () => {
        if (--left > 0) return;
        this.#open--;
        this.#openBytes -= message.data.length;
        this.#written.settle(sequence);
      });
    }
  }

  /** Waits until enough is written to read on. */
  async #room(): Promise<void> {
    while (this.#open > OPEN_MAX || this.#openBytes > OPEN_BYTES_MAX) {
      await new Promise<void>((resolve) => this.#timers.schedule(POLL_MS, resolve));
    }
  }

  async #save(phase: CopyPhase): Promise<void> {
    this.#savedAtMs = this.#timers.now();
    const floor = Math.max(this.#written.floor, this.#keeper.current.floor);
    const count = Math.max(this.#written.floorItem?.count ?? 0, this.#keeper.current.count);
    while (this.#links[0] !== undefined && firstOfBlock(this.#links[0].block + 1) - 1 <= floor) {
      this.#link = this.#links.shift() as ChainLink;
    }
    if (floor === this.#keeper.current.floor && phase === this.#keeper.current.phase) return;
    await this.#keeper.advance({ phase, floor, count, ...this.#link });
  }
}
