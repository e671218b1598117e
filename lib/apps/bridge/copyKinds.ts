/** A stream's copy in a table, and readers going over to it, as kinds of operations. */
import type { CopyName } from '../../core/bridge/streamCopy.ts';
import type { Effect, Kinds, OperationKind, StepCall } from '../../core/operations/kind.ts';
import { CopyRefused } from './copyCheckpoint.ts';
import type { Mismatch, StreamCopy, VerifyReport } from './streamCopy.ts';
import type { RestoreReport } from './streamRestore.ts';

export const streamCopy = 'stream-copy';
export const streamCutOver = 'stream-cut-over';

/** What both kinds are given: `stream`, `table` and `shards`. */
export const copyArguments = ({ stream, shards }: CopyName, table: string) => ({
  ...{ stream, table, shards: String(shards) },
});

export type Copying = {
  readonly copy: StreamCopy;
  readonly restore: () => Promise<RestoreReport>;
};

export type CopyRunning = {
  readonly open: (given: StepCall['arguments']) => Copying;
  /** Goes on with what is stored later, until the signal. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
  /** Another run had begun to copy and may still do. */
  readonly overtaken: boolean;
  /** Hears what a part has found, in figures. */
  readonly report: (figures: object) => void;
};

export function copyKinds(running: CopyRunning): Kinds {
  return { [streamCopy]: copyKind(running), [streamCutOver]: cutOverKind(running) };
}

/** Into the table and equal there; back is the table without it. The stream is never touched. */
function copyKind({ open, follow, signal, overtaken, report }: CopyRunning): OperationKind {
  return {
    apply: ({ arguments: given }) =>
      unlessTurnedAway(async () => {
        const copied = await open(given).copy.run({ follow, signal });
        report(copied);
        const { phase, floor, count, gaps } = copied;
        const evidence = `${count} messages up to sequence ${floor}, ${gaps} gaps found by this run`;
        const isShort = phase === 'backfill' || (signal.aborted && !follow);
        return isShort ? stopped(`the copy has ${evidence}`) : { outcome: 'done', evidence };
      }),
    verify: ({ arguments: given }) =>
      unlessTurnedAway(async () => {
        if (signal.aborted) return stopped('what was copied is not verified yet');
        const found = await open(given).copy.verify();
        report(found.verified ? { phase: 'verified', ...found } : found);
        return found.verified
          ? { outcome: 'done', evidence: equalSentence(found) }
          : { outcome: 'failed', reason: differenceSentence(found.mismatches) };
      }),
    inverse: ({ arguments: given }) =>
      unlessTurnedAway(async () => {
        await open(given).copy.undo({ overtaken });
        return { outcome: 'done', evidence: 'every item of the copy is deleted, the stream is as it was' };
      }),
  };
}

/** Readers on the table, and nothing in the stream that it lacks; back is the stream in the lead again. */
function cutOverKind({ open, report }: CopyRunning): OperationKind {
  return {
    apply: ({ arguments: given }) =>
      unlessTurnedAway(async () => {
        const { phase, floor } = await open(given).copy.cutOver();
        report({ phase, floor });
        return { outcome: 'done', evidence: `readers use the table, which goes to sequence ${floor}` };
      }),
    async verify({ arguments: given }) {
      const { copy } = open(given);
      const last = await copy.lastSequence();
      const { phase, floor } = (await copy.checkpoint()) ?? { phase: 'undone', floor: 0 };
      if (phase !== 'switched')
        return { outcome: 'failed', reason: `the copy is '${phase}', not 'switched'` };
      if (last <= floor) return { outcome: 'done', evidence: 'the stream got nothing since' };
      const reason = `${given.stream} goes to ${last} and the table took it up to ${floor}: something still writes`;
      return { outcome: 'failed', reason };
    },
    inverse: ({ arguments: given }) =>
      unlessTurnedAway(async () => {
        const { copy, restore } = open(given);
        const { phase } = (await copy.checkpoint()) ?? { phase: 'undone' };
        if (phase !== 'switched' && phase !== 'returning')
          return { outcome: 'done', evidence: 'the stream leads: readers do not use the table' };
        const restored = await restore();
        report(restored);
        const { written, next } = restored;
        const evidence = `${written} messages went back, the stream leads again and goes on with sequence ${next}`;
        return { outcome: 'done', evidence };
      }),
  };
}

const stopped = (why: string): Effect => ({ outcome: 'interrupted', why: `stopped: ${why}` });

/** What the copy itself refuses for good is a failure; an outage goes on to whoever runs the operation. */
async function unlessTurnedAway(effect: () => Promise<Effect>): Promise<Effect> {
  try {
    return await effect();
  } catch (error) {
    if (!(error instanceof CopyRefused)) throw error;
    const { message } = error;
    return error.turnedAway
      ? { outcome: 'interrupted', why: message }
      : { outcome: 'failed', reason: message };
  }
}

const equalSentence = ({ messages, keptLonger }: VerifyReport): string =>
  `${messages} messages are equal on both sides${keptLonger > 0 ? `, ${keptLonger} older ones are kept` : ''}`;

function differenceSentence(mismatches: readonly Mismatch[]): string {
  const [first] = mismatches;
  if (first === undefined) return 'the two sides differ';
  const { from, through, inStream, inTable } = first;
  const more = mismatches.length > 1 ? `, and so do ${mismatches.length - 1} other blocks` : '';
  return (
    `sequences ${from}–${through} differ${more}: ` +
    `${inStream} messages in the stream, ${inTable} in the table`
  );
}
