/**
 * Copies a JetStream stream into a DynamoDB table, and follows it: a step that can be run, undone and
 * verified. Items are keyed by stream and sequence, so writing one again changes nothing: at least once is
 * exactly once here.
 */
import type { ItemTable } from '../../aws/lean/itemTable.ts';
import { deleteEntry, readMessages } from '../../aws/lean/streamItems.ts';
import type { Sender, Timers } from '../../core/bridge/ports.ts';
import {
  blockOf,
  type CopyCheckpoint,
  type CopyName,
  type CopyPhase,
  firstOfBlock,
  gapPartition,
  HASH_BLOCK,
  NOTHING_COPIED,
  partitionsOf,
  settingsKey,
} from '../../core/bridge/streamCopy.ts';
import type { NatsLink } from '../../nats/natsLink.ts';
import { answered } from '../../nats/patience.ts';
import { StreamReader } from '../../nats/streamReader.ts';
import { blockDigest } from './blockChain.ts';
import { BlockSource } from './blockSource.ts';
import { CheckpointKeeper, CopyRefused, refusalOf } from './copyCheckpoint.ts';
import { type CopyOptions, type CopyReport, CopyRun } from './copyRun.ts';
import { ItemWriter } from './itemWriter.ts';
import { keepSettings } from './streamRestore.ts';

export type CopyDeps = {
  readonly link: NatsLink;
  readonly sender: Sender;
  readonly table: ItemTable;
  readonly timers: Timers;
  readonly chance: () => number;
  readonly log: (message: string) => void;
};

export type Mismatch = {
  readonly from: number;
  readonly through: number;
  readonly inStream: number;
  readonly inTable: number;
};
export type VerifyReport = {
  readonly verified: boolean;
  readonly messages: number;
  /** Blocks whose messages differ. */
  readonly mismatches: readonly Mismatch[];
  /** Messages kept in the table that the stream has dropped by its own limits since. */
  readonly keptLonger: number;
};

const IN_FLIGHT = 32;
/** A run looks at its checkpoint every second, and half a second is for what is under way. */
const OVERTAKEN_MS = 1_500;

export class StreamCopy {
  readonly #deps: CopyDeps;
  readonly #name: CopyName;

  constructor(name: CopyName, deps: CopyDeps) {
    this.#name = name;
    this.#deps = deps;
  }

  /**
   * Copies from where the last run got to until the stream's end, or on and on.
   * @throws CopyRefused, TableUnavailable, or what NATS answers
   */
  async run(options: CopyOptions): Promise<CopyReport> {
    const keeper = await CheckpointKeeper.take(this.#deps.table, this.#name, 'backfill').catch((error) => {
      if (!(error instanceof CopyRefused)) throw error;
      return CheckpointKeeper.take(this.#deps.table, this.#name, 'tail');
    });
    const { link, table, timers, log } = this.#deps;
    const patience = { timers, log, stopped: () => options.signal?.aborted === true };
    await answered(() => keepSettings(this.#name, table, link), patience);
    const { block } = keeper.current;
    const reader = new StreamReader(link, timers, this.#name.stream, firstOfBlock(block + 1));
    await answered(() => reader.open(), patience);
    try {
      return await new CopyRun(this.#name, this.#deps.table.name, this.#deps, keeper, reader, options).run();
    } finally {
      await reader.close();
    }
  }

  /**
   * Compares both sides block by block, up to where the copy has come, and marks the copy verified when all
   * agree.
   * @throws TableUnavailable, CopyRefused, or what NATS answers
   */
  async verify(): Promise<VerifyReport> {
    const { link, timers, table } = this.#deps;
    const keeper = await CheckpointKeeper.take(table, this.#name, 'tail');
    const { floor } = keeper.current;
    const { state } = await link.api.streams.info(this.#name.stream);
    const reader = new StreamReader(link, timers, this.#name.stream, 1);
    await reader.open();
    const mismatches: Mismatch[] = [];
    let messages = 0;
    let keptLonger = 0;
    try {
      const source = new BlockSource(reader, floor);
      for (let block = 0; block <= blockOf(floor); block++) {
        const theirs = await source.block(block);
        const all = await readMessages(table, this.#name, firstOfBlock(block), (block + 1) * HASH_BLOCK);
        const ours = all.filter(({ sequence }) => sequence >= state.first_seq && sequence <= floor);
        keptLonger += all.filter(({ sequence }) => sequence < state.first_seq).length;
        messages += theirs.length;
        if (blockDigest(theirs) === blockDigest(ours)) continue;
        const through = (block + 1) * HASH_BLOCK - 1;
        mismatches.push({
          from: firstOfBlock(block),
          through,
          inStream: theirs.length,
          inTable: ours.length,
        });
      }
    } finally {
      await reader.close();
    }
    if (mismatches.length === 0) await keeper.advance({ phase: 'verified' });
    return { verified: mismatches.length === 0, messages, mismatches, keptLonger };
  }

  /** How far it has come; null when there is no copy. @throws TableUnavailable */
  checkpoint(): Promise<CopyCheckpoint | null> {
    return CheckpointKeeper.read(this.#deps.table, this.#name);
  }

  /** The stream's newest sequence; waits for NATS until the signal. @throws what NATS answers */
  async lastSequence(signal?: AbortSignal): Promise<number> {
    const { link, timers, log } = this.#deps;
    const patience = { timers, log, stopped: () => signal?.aborted === true };
    const { state } = await answered(() => link.api.streams.info(this.#name.stream), patience);
    return state.last_seq;
  }

  /** Why readers cannot go over to the table yet, in a sentence; null when they can. */
  async cutOverRefusal(): Promise<string | null> {
    const { stream, shards } = this.#name;
    const known = (await this.checkpoint()) ?? { ...NOTHING_COPIED, shards };
    const last = await this.lastSequence();
    if (known.phase !== 'switched' && last > known.floor)
      return `${stream} goes to ${last} and its copy to ${known.floor}: stop what writes to it, copy and verify`;
    return refusalOf(known, this.#name, 'switched');
  }

  /**
   * Readers go over to the table: from now on the copy takes nothing from the stream any more, and the way
   * back is a restore. Whoever writes to the stream has to have stopped.
   * @throws CopyRefused when it is not verified, or when messages came since; TableUnavailable
   */
  async cutOver(): Promise<{ readonly phase: CopyPhase; readonly floor: number }> {
    const refusal = await this.cutOverRefusal();
    if (refusal !== null) throw new CopyRefused(refusal, true);
    const keeper = await CheckpointKeeper.take(this.#deps.table, this.#name, 'switched');
    return { phase: keeper.current.phase, floor: keeper.current.floor };
  }

  /**
   * Takes the copy back: deletes every item of it. The stream is untouched.
   * @param overtaken another run may still be copying: it notices at its next checkpoint, and what it writes
   *   until then goes as well
   * @throws CopyRefused, TableUnavailable
   */
  async undo({ overtaken = false } = {}): Promise<void> {
    const { table, timers } = this.#deps;
    const keeper = await CheckpointKeeper.take(table, this.#name, 'undone');
    await this.#deleteAll();
    for (let left = overtaken ? 1 : 0; left > 0; ) {
      await new Promise<void>((resolve) => timers.schedule(OVERTAKEN_MS, resolve));
      left = await this.#deleteAll();
    }
    await table.remove(settingsKey(this.#name.stream));
    await keeper.advance({ floor: 0, count: 0, block: -1, counted: 0, chain: '' });
  }

  /** @returns how many items there were */
  async #deleteAll(): Promise<number> {
    const { table } = this.#deps;
    const writer = new ItemWriter(table.name, this.#deps, IN_FLIGHT);
    let count = 0;
    for (const partition of [...partitionsOf(this.#name), gapPartition(this.#name.stream)]) {
      for await (const page of table.range(partition, '0', '9007199254740992')) {
        for (const item of page) writer.write(deleteEntry(item), () => {});
        count += page.length;
      }
    }
    await writer.end();
    return count;
  }
}
