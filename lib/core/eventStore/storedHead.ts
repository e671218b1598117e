/**
 * A stream's HEAD item: its newest events, the commands that made them, and the state they fold to.
 * Everything an append needs to know, and everything that decides what a lost race means.
 */

import type { Recorded } from '../../../events/recorded.ts';
import { invariant } from '../decision.ts';
import { type Commit, eventCount, placed, recordedOf } from './commit.ts';
import type { Digest } from './hashChain.ts';
import {
  chunkEventsMax,
  commandsKept,
  headBytesMax,
  headBytesUrgentMax,
  tailBytesMax,
  tailEventsMax,
} from './limits.ts';

export type Snapshot = { readonly schema: number; readonly state: unknown };

export type StoredHead = {
  readonly stream: string;
  readonly version: number;
  /** The version of the first event in the tail; `version` + 1 where the tail is empty. */
  readonly base: number;
  readonly commits: readonly Commit[];
  /** What each of `commits` takes as stored. */
  readonly commitBytes: readonly number[];
  /** The newest commands, oldest first, each with the version it led to. */
  readonly commands: readonly CommandMark[];
  /** The hash of the event at `version`; empty at version 0. */
  readonly hash: string;
  readonly snapshot: Snapshot | null;
  readonly snapshotBytes: number;
};

export type CommandMark = { readonly mark: string; readonly version: number };

export function emptyHead(stream: string): StoredHead {
  const none = { commits: [], commitBytes: [], commands: [] };
  return { stream, version: 0, base: 1, ...none, hash: '', snapshot: null, snapshotBytes: 0 };
}

/** A stream as lib/ports.ts `Head` shows it. */
export function viewOf(head: StoredHead) {
  const { stream, version, snapshot } = head;
  return { stream, version, snapshot, tail: tailOf(head) };
}

function tailOf(head: StoredHead): Recorded[] {
  return [...placed(head.base, head.commits)].flatMap(({ first, commit }) =>
    recordedOf(head.stream, first, commit),
  );
}

/**
 * Sixty bits of the id's hash: two of the sixteen that are compared agree by chance once in 10^17 appends.
 */
const commandMark = (digest: Digest, commandId: string): string => digest(commandId).slice(0, 10);

/**
 * What HEAD as found says to an append before, or instead of, writing: null when it may be written. A
 * command that stands in it already gets the first answer, whatever it expected; else another version is a
 * conflict.
 */
export function answerFrom(
  head: StoredHead,
  append: { readonly expected: number; readonly commandId: string },
  digest: Digest,
) {
  const repeated = repeatedAnswer(head, append.commandId, digest);
  if (repeated !== null) return repeated;
  return head.version === append.expected ? null : { outcome: 'conflict' as const, head: viewOf(head) };
}

function repeatedAnswer(head: StoredHead, commandId: string, digest: Digest) {
  for (const { first, commit } of placed(head.base, head.commits)) {
    if (commit.command !== commandId) continue;
    const version = first + commit.events.length - 1;
    return { outcome: 'repeated' as const, version, events: recordedOf(head.stream, first, commit) };
  }
  const mark = commandMark(digest, commandId);
  const kept = head.commands.find((command) => command.mark === mark);
  return kept === undefined
    ? null
    : { outcome: 'repeated' as const, version: kept.version, events: [] as Recorded[] };
}

/** What an append is about to add, in bytes as stored. */
export type Addition = {
  readonly events: number;
  readonly commitBytes: number;
  readonly snapshotBytes: number;
};

/**
 * Whether the tail moves to a chunk before this is added.
 * @throws InvariantBroken when it would be too much even for an empty tail
 */
export function mustCalve(head: StoredHead, add: Addition, urgent: boolean): boolean {
  const alone = headBytes(head.stream, [add.commitBytes], add.snapshotBytes);
  invariant(
    alone <= headBytesUrgentMax,
    `the HEAD of ${head.stream} would take ${alone} bytes and may take ${headBytesUrgentMax}: ` +
      `its snapshot takes ${add.snapshotBytes}, the append ${add.commitBytes}`,
  );
  if (head.commits.length === 0) return false;
  const bytes = [...head.commitBytes, add.commitBytes];
  const events = eventCount(head.commits) + add.events;
  const all = headBytes(head.stream, bytes, add.snapshotBytes);
  return urgent ? events > chunkEventsMax || all > headBytesUrgentMax : isFull(events, bytes, all);
}

/** Whether an urgent append left more in the tail than an ordinary one would have. */
export function mustCompact(head: StoredHead): boolean {
  const all = headBytes(head.stream, head.commitBytes, head.snapshotBytes);
  return head.commits.length > 0 && isFull(eventCount(head.commits), head.commitBytes, all);
}

function isFull(events: number, commitBytes: readonly number[], all: number): boolean {
  return events > tailEventsMax || sum(commitBytes) > tailBytesMax || all > headBytesMax;
}

/** HEAD once `commit` is added to it. */
export function withCommit(
  head: StoredHead,
  commit: Commit,
  bytes: { readonly commitBytes: number; readonly snapshotBytes: number },
  snapshot: Snapshot,
  digest: Digest,
): StoredHead {
  const version = head.version + commit.events.length;
  const mark = { mark: commandMark(digest, commit.command), version };
  return {
    ...head,
    version,
    commits: [...head.commits, commit],
    commitBytes: [...head.commitBytes, bytes.commitBytes],
    commands: [...head.commands, mark].slice(-commandsKept),
    hash: commit.events.at(-1)?.hash ?? head.hash,
    snapshot,
    snapshotBytes: bytes.snapshotBytes,
  };
}

/**
 * HEAD without the commits that a chunk holds up to and with `chunkEnd`. The chunk may be shorter than the
 * tail: one that an earlier writer left behind, before others appended, stays as it is.
 * @returns null where the chunk holds more than this HEAD knows: others have appended since it was read
 */
export function withoutChunk(head: StoredHead, chunkEnd: number): StoredHead | null {
  if (chunkEnd > head.version) return null;
  let commits = 0;
  let base = head.base;
  for (const commit of head.commits) {
    if (base > chunkEnd) break;
    base += commit.events.length;
    commits++;
  }
  invariant(
    base === chunkEnd + 1 && commits > 0,
    `the chunk of ${head.stream} at ${head.base} ends at ${chunkEnd}, where no append ends`,
  );
  return {
    ...head,
    base,
    commits: head.commits.slice(commits),
    commitBytes: head.commitBytes.slice(commits),
  };
}

/**
 * Names and small values of a HEAD: 48 bytes of names, 43 of hash, numbers of up to 6 digits and the list's
 * own 3.
 */
const fixedBytes = 128;

/** At most what DynamoDB counts for a HEAD with a full set of command marks. */
export function headBytes(stream: string, commitBytes: readonly number[], snapshotBytes: number): number {
  const marks = commandsKept * '0123456789:123456 '.length;
  return fixedBytes + stream.length + marks + sum(commitBytes) + commitBytes.length + snapshotBytes;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
