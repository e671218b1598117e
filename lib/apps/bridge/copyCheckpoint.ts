/** The copy's own item in the table: how far it has come, held by one run at a time. */
import { type Item, type ItemTable, TableUnavailable } from '../../aws/lean/itemTable.ts';
import {
  type CopyCheckpoint,
  type CopyName,
  type CopyPhase,
  checkpointKey,
  mayGo,
  NOTHING_COPIED,
} from '../../core/bridge/streamCopy.ts';

/** The copy cannot do this, or cannot go on. */
export class CopyRefused extends Error {
  override readonly name = 'CopyRefused';
  /** Nothing is wrong with the copy: its phase forbids this, or another run has taken it over. */
  readonly turnedAway: boolean;

  constructor(message: string, turnedAway = false) {
    super(message);
    this.turnedAway = turnedAway;
  }
}

/** Why a copy as it stands cannot become `phase`, in a sentence; null when it can. */
export function refusalOf(known: CopyCheckpoint | null, name: CopyName, phase: CopyPhase): string | null {
  if (known === null) return null;
  if (known.shards !== name.shards)
    return `the copy of ${name.stream} has ${known.shards} shards, not ${name.shards}`;
  return mayGo(known.phase, phase) ? null : `a copy that is '${known.phase}' cannot become '${phase}'`;
}

export class CheckpointKeeper {
  readonly #table: ItemTable;
  readonly #name: CopyName;
  #current: CopyCheckpoint;

  private constructor(table: ItemTable, name: CopyName, current: CopyCheckpoint) {
    this.#table = table;
    this.#name = name;
    this.#current = current;
  }

  get current(): CopyCheckpoint {
    return this.#current;
  }

  /** The checkpoint as it is; null when there is no copy. @throws TableUnavailable */
  static async read(table: ItemTable, name: CopyName): Promise<CopyCheckpoint | null> {
    const item = await table.get(checkpointKey(name.stream));
    return item === null ? null : checkpointOf(item);
  }

  /**
   * Takes the copy over for a new run; an older run that still lives can write no more.
   * @throws CopyRefused, TableUnavailable
   */
  static async take(table: ItemTable, name: CopyName, phase: CopyPhase): Promise<CheckpointKeeper> {
    const known = await CheckpointKeeper.read(table, name);
    const before = known ?? { ...NOTHING_COPIED, shards: name.shards };
    const refusal = refusalOf(before, name, phase);
    if (refusal !== null) throw new CopyRefused(refusal, true);
    const from =
      before.phase === 'undone' ? { ...NOTHING_COPIED, shards: name.shards, run: before.run } : before;
    const keeper = new CheckpointKeeper(table, name, from);
    await keeper.#put({ ...from, phase, run: before.run + 1 }, known === null ? null : before.run);
    return keeper;
  }

  /** @throws CopyRefused when another run has taken over; TableUnavailable */
  async advance(progress: Partial<Omit<CopyCheckpoint, 'run' | 'shards'>>): Promise<void> {
    const refusal = refusalOf(this.#current, this.#name, progress.phase ?? this.#current.phase);
    if (refusal !== null) throw new CopyRefused(refusal, true);
    await this.#put({ ...this.#current, ...progress }, this.#current.run);
  }

  async #put(next: CopyCheckpoint, run: number | null): Promise<void> {
    const guard = run === null ? null : { name: 'Run', number: run };
    const item = itemOf(this.#name, next);
    let written = await this.#table.put(item, guard);
    // An answer that was lost looks like somebody else's write: look whose it is.
    if (!written)
      written = JSON.stringify(await CheckpointKeeper.read(this.#table, this.#name)) === JSON.stringify(next);
    if (!written) throw new CopyRefused(`another run has taken over the copy of ${this.#name.stream}`, true);
    this.#current = next;
  }
}

function itemOf({ stream }: CopyName, checkpoint: CopyCheckpoint): Item {
  const key = checkpointKey(stream);
  const { phase, chain, run, ...numbers } = checkpoint;
  return {
    StreamName: { S: key.partition },
    SequenceNumber: { N: key.sequence },
    Phase: { S: phase },
    Chain: { S: chain },
    Run: { N: String(run) },
    Shards: { N: String(numbers.shards) },
    Floor: { N: String(numbers.floor) },
    Count: { N: String(numbers.count) },
    Block: { N: String(numbers.block) },
    Counted: { N: String(numbers.counted) },
  };
}

function checkpointOf(item: Item): CopyCheckpoint {
  const number = (name: string) => {
    const value = Number(item[name]?.N);
    if (!Number.isFinite(value))
      throw new TableUnavailable('BadCheckpoint', `the checkpoint has no number '${name}'`);
    return value;
  };
  return {
    phase: (item.Phase?.S ?? 'backfill') as CopyPhase,
    shards: number('Shards'),
    floor: number('Floor'),
    count: number('Count'),
    block: number('Block'),
    counted: number('Counted'),
    chain: item.Chain?.S ?? '',
    run: number('Run'),
  };
}
