/** `copy`, `verify`, `cut-over`, `undo` and `restore`: a stream's copy in DynamoDB as commands. */
import { ItemTable } from '../../aws/lean/itemTable.ts';
import type { Plan } from '../../core/bridge/plan.ts';
import type { Timers } from '../../core/bridge/ports.ts';
import type { CopyName } from '../../core/bridge/streamCopy.ts';
import { awsParts, type Environment, natsParts } from './parts.ts';
import { StreamCopy } from './streamCopy.ts';
import { restoreStream } from './streamRestore.ts';

const VERBS = ['copy', 'verify', 'cut-over', 'undo', 'restore'] as const;
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
  readonly signal: AbortSignal;
};

export type CopyContext = {
  readonly plan: Plan;
  readonly environment: Environment;
  readonly timers: Timers;
  readonly out: (line: string) => void;
};

export function isCopyVerb(word: string): word is CopyVerb {
  return VERBS.some((verb) => verb === word);
}

/** Runs the command and prints its report as one line of JSON; answers the exit code. */
export async function copyCommand(wanted: CopyArguments, context: CopyContext): Promise<number> {
  const { plan, environment, timers, out } = context;
  const { client, sender } = awsParts(plan.config.aws, environment, timers);
  const { link, publisher } = await natsParts(plan.config.nats, environment, timers);
  const table = new ItemTable(client, wanted.table);
  const name: CopyName = { stream: wanted.stream, shards: wanted.shards };
  const copy = new StreamCopy(name, { link, sender, table, timers, chance: Math.random, log: out });
  try {
    const report = await reportOf(wanted, copy, () =>
      restoreStream(name, wanted.as ?? name.stream, { link, publisher, table }),
    );
    out(JSON.stringify({ [wanted.verb]: name.stream, table: wanted.table, ...report }));
    return 'verified' in report && report.verified === false ? 1 : 0;
  } finally {
    publisher.close();
    sender.close();
    client.close();
    await link.close();
  }
}

async function reportOf(
  wanted: CopyArguments,
  copy: StreamCopy,
  restore: () => Promise<object>,
): Promise<object> {
  switch (wanted.verb) {
    case 'copy':
      return copy.run({ follow: wanted.follow, signal: wanted.signal });
    case 'verify':
      return copy.verify();
    case 'cut-over':
      return copy.cutOver();
    case 'undo':
      await copy.undo();
      return {};
    case 'restore':
      return restore();
  }
}
