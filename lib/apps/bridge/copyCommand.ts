/** `copy`, `verify`, `cut-over`, `undo`, `restore` and `history`: a stream's copy in DynamoDB as commands. */
import { randomUUID } from 'node:crypto';
import { ItemTable } from '../../aws/lean/itemTable.ts';
import type { Plan } from '../../core/bridge/plan.ts';
import type { Timers } from '../../core/bridge/ports.ts';
import type { CopyName } from '../../core/bridge/streamCopy.ts';
import { CopyOperations } from './copyOperations.ts';
import { openRecord } from './copyRecord.ts';
import { awsParts, type Environment, natsParts } from './parts.ts';
import { StreamCopy } from './streamCopy.ts';
import { restoreStream } from './streamRestore.ts';

const VERBS = ['copy', 'verify', 'cut-over', 'undo', 'restore', 'history'] as const;
export type CopyVerb = (typeof VERBS)[number];

export type CopyArguments = {
  readonly verb: CopyVerb;
  readonly stream: string;
  readonly table: string;
  readonly shards: number;
  /** `copy`: goes on with what is stored later, until the signal. */
  readonly follow: boolean;
  /** `restore`: the stream to write, when it is to be called differently. */
  readonly as: string | undefined;
  /** The event table that records it; without one, the record is kept beside the copy. */
  readonly events: string | undefined;
  readonly signal: AbortSignal;
};

export type CopyContext = {
  readonly plan: Plan;
  readonly environment: Environment;
  readonly timers: Timers;
  readonly out: (line: string) => void;
  /** Hears how it goes on, in sentences. */
  readonly note: (line: string) => void;
};

export function isCopyVerb(word: string): word is CopyVerb {
  return VERBS.some((verb) => verb === word);
}

/** Runs the command and prints its report as one line of JSON; answers the exit code. */
export async function copyCommand(wanted: CopyArguments, context: CopyContext): Promise<number> {
  const { plan, environment, timers, out, note } = context;
  const { client, sender, options } = awsParts(plan.config.aws, environment, timers);
  const table = new ItemTable(client, wanted.table);
  const record = await openRecord(wanted.events, table, options);
  const { link, publisher } = await natsParts(plan.config.nats, environment, timers);
  const name: CopyName = { stream: wanted.stream, shards: wanted.shards };
  const copy = new StreamCopy(name, { link, sender, table, timers, chance: Math.random, log: out });
  const operations = new CopyOperations(
    ...[name, wanted.table],
    { copy, restore: (as) => restoreStream(name, as, { link, publisher, table }) },
    { store: record.store, clock: timers, note, run: randomUUID(), by: environment.USER ?? 'bridge' },
    { follow: wanted.follow, signal: wanted.signal },
  );
  try {
    if (wanted.verb === 'history') {
      for await (const line of operations.history()) out(line);
      return 0;
    }
    const { code, report } = await operations.run(wanted.verb, wanted.as);
    out(JSON.stringify({ [wanted.verb]: name.stream, table: wanted.table, ...report }));
    return code;
  } finally {
    publisher.close();
    sender.close();
    client.close();
    record.close();
    await link.close();
  }
}
