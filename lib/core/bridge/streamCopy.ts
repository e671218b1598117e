/**
 * A JetStream stream as items of a DynamoDB table, and back: how a message is kept, what is hashed of it, how
 * far a copy has come, and which way it may go on from there.
 *
 * Table key: StreamName (S), SequenceNumber (N). One stream on one partition key is held to DynamoDB's 1000
 * writes a second until it splits, and keys that only grow do not split well; so a copy may spread over
 * `shards` partition keys `<stream>#<k>`, blocks of 100 sequences in turn.
 */

/** A message as a stream stores it. */
export type StoredMessage = {
  readonly sequence: number;
  readonly subject: string;
  /** When the stream stored it, ms since the epoch. */
  readonly storedAtMs: number;
  /** Header lines, each ended by CRLF; empty without headers. */
  readonly headers: string;
  readonly data: Uint8Array;
};

export type CopyName = { readonly stream: string; readonly shards: number };

/** Sequences with one partition key before the next one's turn. */
const SHARD_BLOCK = 100;
/** DynamoDB items end at 400 KB: larger payloads go on in further items, numbered in thousandths. */
export const PART_BYTES = 350_000;
/** Sequences hashed together. */
export const HASH_BLOCK = 1_000;

/** The partition key of a sequence. */
export function partitionOf({ stream, shards }: CopyName, sequence: number): string {
  return shards === 1 ? stream : `${stream}#${Math.floor(sequence / SHARD_BLOCK) % shards}`;
}

/** All partition keys of a copy. */
export function partitionsOf({ stream, shards }: CopyName): readonly string[] {
  return shards === 1 ? [stream] : Array.from({ length: shards }, (_, shard) => `${stream}#${shard}`);
}

/** Where the copy's own state is kept: beside the messages, under names no stream can have. */
export const checkpointKey = (stream: string) => ({ partition: `${stream}#copy`, sequence: '0' });
export const settingsKey = (stream: string) => ({ partition: `${stream}#copy`, sequence: '1' });
export const gapPartition = (stream: string) => `${stream}#gaps`;

/** The number under which part `part` of a message is kept; the first part is the message itself. */
export function partNumber(sequence: number, part: number): string {
  return part === 0 ? String(sequence) : `${sequence}.${String(part).padStart(3, '0')}`;
}

/** Hashed together, block after block, these lines and the payloads tell two copies apart. */
export function hashedHead(message: StoredMessage): string {
  const { sequence, subject, headers, data } = message;
  return `${sequence}\n${subject}\n${originalHeaders(headers)}\n${data.length}\n`;
}

/**
 * Headers that restoring adds, and the one it may have to rename to keep an id from being taken for a
 * repetition.
 */
export const STORED_AT = 'Switchback-Stored-At';
export const MESSAGE_ID = 'Nats-Msg-Id';
export const RENAMED_ID = 'Switchback-Msg-Id';
const EXPECTED = 'Nats-Expected-';

/** A stored message's header lines as they were before it was ever restored. */
export function originalHeaders(headers: string): string {
  if (headers === '') return '';
  let kept = '';
  for (const line of headers.split('\r\n')) {
    if (line === '' || line.startsWith(`${STORED_AT}:`) || line.startsWith(EXPECTED)) continue;
    kept += `${line.startsWith(`${RENAMED_ID}:`) ? MESSAGE_ID + line.slice(RENAMED_ID.length) : line}\r\n`;
  }
  return kept;
}

/** Header lines as pairs. */
export function headerPairs(headers: string): readonly (readonly [name: string, value: string])[] {
  return headers
    .split('\r\n')
    .filter((line) => line !== '')
    .map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
    });
}

/**
 * `backfill` and `tail` copy forward; `switched` means readers use the table; `returning` copies new items
 * back.
 */
export type CopyPhase = 'backfill' | 'tail' | 'verified' | 'switched' | 'returning' | 'undone';

const NEXT: Readonly<Record<CopyPhase, readonly CopyPhase[]>> = {
  backfill: ['tail', 'undone'],
  tail: ['verified', 'backfill', 'undone'],
  verified: ['tail', 'switched', 'undone'],
  switched: ['returning'],
  returning: ['tail', 'undone'],
  undone: ['backfill'],
};

/** Whether a copy in one phase may go to another. Staying is always allowed. */
export function mayGo(from: CopyPhase, to: CopyPhase): boolean {
  return from === to || NEXT[from].includes(to);
}

/**
 * How far a copy has come. Everything up to `floor` is in the table. `chain` is the hash over the complete
 * blocks up to `block`, which had `counted` messages: a copy that is resumed reads on from there and writes
 * at most one block's items again, which changes nothing.
 */
export type CopyCheckpoint = {
  readonly phase: CopyPhase;
  readonly shards: number;
  readonly floor: number;
  readonly count: number;
  readonly block: number;
  readonly counted: number;
  readonly chain: string;
  /** Raised by every run: an older run that still lives cannot write any more. */
  readonly run: number;
};

export const NOTHING_COPIED: Omit<CopyCheckpoint, 'shards'> = {
  phase: 'backfill',
  floor: 0,
  count: 0,
  block: -1,
  counted: 0,
  chain: '',
  run: 0,
};

export const blockOf = (sequence: number) => Math.floor(sequence / HASH_BLOCK);
export const firstOfBlock = (block: number) => Math.max(1, block * HASH_BLOCK);

/** Sequences that a stream has no message for any more. */
export type Gap = { readonly from: number; readonly through: number };
