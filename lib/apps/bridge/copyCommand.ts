/** `copy`, `verify`, `cut-over`, `undo`, `restore` and `history`: a stream's copy in DynamoDB as commands. */
import { randomUUID } from 'node:crypto';
import { ItemTable } from '../../aws/lean/itemTable.ts';
import type { Plan } from '../../core/bridge/plan.ts';
import type { Timers } from '../../core/bridge/ports.ts';
import type { CopyName } from '../../core/bridge/streamCopy.ts';
import { CopyRefused } from './copyCheckpoint.ts';
import { CopyOperations, copyHistory, type OperationVerb } from './copyOperations.ts';
import { type CopyRecord, openRecord } from './copyRecord.ts';
import { type AwsParts, awsParts, type Environment, natsParts } from './parts.ts';
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
  /** `copy`: one that is not equal stays as it is until a person has looked; else it is taken back. */
  readonly hold: boolean;
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
  const { plan, environment, timers } = context;
  const aws = awsParts(plan.config.aws, environment, timers);
  const table = new ItemTable(aws.client, wanted.table);
  const record = await openRecord(wanted.events, table, aws.options);
  try {
    const { verb } = wanted;
    if (verb !== 'history') return await copyWith({ ...wanted, verb }, context, { aws, table, record });
    const name = { stream: wanted.stream, shards: wanted.shards };
    for await (const line of copyHistory(record.store, name, wanted.table)) context.out(line);
    return 0;
  } finally {
    record.close();
    aws.sender.close();
    aws.client.close();
  }
}

type Sides = { readonly aws: AwsParts; readonly table: ItemTable; readonly record: CopyRecord };

async function copyWith(
  wanted: CopyArguments & { readonly verb: OperationVerb },
  { plan, environment, timers, out, note }: CopyContext,
  { aws, table, record }: Sides,
): Promise<number> {
  const { verb, stream, shards, follow, hold, signal, as } = wanted;
  const connecting = natsParts(plan.config.nats, environment, timers);
  const nats = await Promise.race([connecting, aborted(signal)]);
  if (nats === null) {
    connecting.then(({ link }) => link.close()).catch(() => undefined);
    throw new CopyRefused('stopped while waiting for NATS: nothing was done', true);
  }
  const { link, publisher } = nats;
  const { sender } = aws;
  const name: CopyName = { stream, shards };
  const copy = new StreamCopy(name, { link, sender, table, timers, chance: Math.random, log: out });
  const operations = new CopyOperations(
    ...([name, wanted.table] as const),
    { copy, restore: (into) => restoreStream(name, into, { link, publisher, table }) },
    { store: record.store, clock: timers, note, run: randomUUID(), by: environment.USER ?? 'bridge' },
    { follow, signal },
  );
  try {
    const { code, report } = await operations.run(verb, { as, hold });
    out(JSON.stringify({ [verb]: stream, table: wanted.table, ...report }));
    return code;
  } finally {
    publisher.close();
    await link.close();
  }
}

/** Resolves with null once the signal is given. */
function aborted(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    signal.addEventListener('abort', () => resolve(null), { once: true });
  });
}
