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
  /** What `commits` take as stored. */
  readonly tailBytes: number;
  /** The newest commands, oldest first, each with the version it led to. */
  readonly commands: readonly CommandMark[];
  /** The hash of the event at `version`; empty at version 0. */
  readonly hash: string;
  readonly snapshot: Snapshot | null;
  readonly snapshotBytes: number;
};

export type CommandMark = { readonly mark: string; readonly version: number };

export function emptyHead(stream: string): StoredHead {
  const none = { commits: [], commands: [], hash: '', snapshot: null };
  return { stream, version: 0, base: 1, ...none, tailBytes: 0, snapshotBytes: 0 };
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

/** The tail and the state as an append would leave them, in bytes as stored. */
export type Sizes = { readonly tailBytes: number; readonly snapshotBytes: number };

/**
 * Whether the tail moves to a chunk before `events` more are added to it.
 * @param sizes with those events
 * @throws InvariantBroken when they are too much even for a HEAD with nothing else in its tail
 */
export function mustCalve(head: StoredHead, events: number, sizes: Sizes, urgent: boolean): boolean {
  const all = headBytes(head.stream, sizes);
  const most = urgent ? headBytesUrgentMax : headBytesMax;
  if (head.commits.length > 0) {
    const inTail = eventCount(head.commits) + events;
    return urgent ? inTail > chunkEventsMax || all > most : isFull(inTail, sizes.tailBytes, all);
  }
  invariant(
    all <= headBytesUrgentMax,
    `the HEAD of ${head.stream} would take ${all} bytes and may take ${headBytesUrgentMax}: ` +
      `its snapshot takes ${sizes.snapshotBytes}, the append ${sizes.tailBytes}`,
  );
  return false;
}

/** Whether an urgent append left more in the tail than an ordinary one would have. */
export function mustCompact(head: StoredHead): boolean {
  return (
    head.commits.length > 0 && isFull(eventCount(head.commits), head.tailBytes, headBytes(head.stream, head))
  );
}

const isFull = (events: number, tailBytes: number, all: number): boolean =>
  events > tailEventsMax || tailBytes > tailBytesMax || all > headBytesMax;

/** HEAD once `commit` is added to it. */
export function withCommit(
  head: StoredHead,
  commit: Commit,
  sizes: Sizes,
  snapshot: Snapshot,
  digest: Digest,
): StoredHead {
  const version = head.version + commit.events.length;
  const mark = { mark: commandMark(digest, commit.command), version };
  return {
    ...head,
    version,
    commits: [...head.commits, commit],
    commands: [...head.commands, mark].slice(-commandsKept),
    hash: commit.events.at(-1)?.hash ?? head.hash,
    snapshot,
    ...sizes,
  };
}

/**
 * HEAD without the commits that a chunk holds up to and with `chunkEnd`. The chunk may be shorter than the
 * tail: one that an earlier writer left behind, before others appended, stays as it is.
 * @returns null where the chunk holds more than this HEAD knows: others have appended since it was read
 */
export function withoutChunk(
  head: StoredHead,
  chunkEnd: number,
  tailBytes: (commits: readonly Commit[]) => number,
): StoredHead | null {
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
  const left = head.commits.slice(commits);
  return { ...head, base, commits: left, tailBytes: tailBytes(left) };
}

/** Names of attributes 60 bytes, hash 43, five numbers of up to 6 digits, types of the newest events up to 100. */
const fixedBytes = 240;

/** At most what DynamoDB counts for a HEAD with a full set of command marks. */
export function headBytes(stream: string, { tailBytes, snapshotBytes }: Sizes): number {
  const marks = commandsKept * '0123456789:123456 '.length;
  return fixedBytes + stream.length + marks + tailBytes + snapshotBytes;
}
