/**
 * A stream's HEAD item: its newest events, the commands that made them, and the state they fold to.
 * Everything an append needs to know, and everything that decides what a lost race means.
 */

import type { Recorded } from '../../../events/recorded.ts';
import { invariant } from '../decision.ts';
import { type Commit, eventCount, placed, recordedOf } from './commit.ts';
import type { Digest } from './hashChain.ts';
import { chunkEventsMax, commandsKept, headBytesMax, headBytesUrgentMax, tailEventsMax } from './limits.ts';

export type Snapshot = { readonly schema: number; readonly state: unknown };

export type StoredHead = {
  readonly stream: string;
  readonly version: number;
  /** The version of the first event in the tail; `version` + 1 where the tail is empty. */
  readonly base: number;
  readonly commits: readonly Commit[];
  /** The newest commands, oldest first, each with the version it led to. */
  readonly commands: readonly CommandMark[];
  /** The hash of the event at `version`; empty at version 0. */
  readonly hash: string;
  readonly snapshot: Snapshot | null;
  /** Whether the stream is in the index of streams with something under way. */
  readonly active: boolean;
};

export type CommandMark = { readonly mark: string; readonly version: number };

export function emptyHead(stream: string): StoredHead {
  const none = { commits: [], commands: [], hash: '', snapshot: null };
  return { stream, version: 0, base: 1, ...none, active: false };
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

/**
 * Whether the tail of `head` moves to a chunk before HEAD becomes `next`.
 * @param bodyBytes what `next` takes as stored, but for its key, version and names
 * @throws InvariantBroken when it takes too much even with nothing else in the tail
 */
export function mustCalve(head: StoredHead, next: StoredHead, bodyBytes: number, urgent: boolean): boolean {
  const bytes = headBytes(head.stream, bodyBytes);
  if (head.commits.length > 0) {
    return urgent
      ? eventCount(next.commits) > chunkEventsMax || bytes > headBytesUrgentMax
      : isFull(next.commits, bytes);
  }
  invariant(
    bytes <= headBytesUrgentMax,
    `the HEAD of ${head.stream} would take ${bytes} bytes and may take ${headBytesUrgentMax}: ` +
      `keep its state small and append less at once`,
  );
  return false;
}

/** Whether an urgent append left more in the tail than an ordinary one would have. */
export function mustCompact(head: StoredHead, bodyBytes: number): boolean {
  return head.commits.length > 0 && isFull(head.commits, headBytes(head.stream, bodyBytes));
}

const isFull = (commits: readonly Commit[], bytes: number): boolean =>
  eventCount(commits) > tailEventsMax || bytes > headBytesMax;

/** HEAD once `commit` is added to it. */
export function withCommit(
  head: StoredHead,
  commit: Commit,
  append: { readonly snapshot: Snapshot; readonly active: boolean },
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
    snapshot: append.snapshot,
    active: append.active,
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
  return { ...head, base, commits: head.commits.slice(commits) };
}

/** Names of attributes 24 bytes, small values 20, types of the newest events up to 100. */
const fixedBytes = 144;

/** At most what DynamoDB counts for a HEAD. */
export const headBytes = (stream: string, bodyBytes: number): number =>
  fixedBytes + stream.length + bodyBytes;
