/** What one append added to a stream, in the form it is stored in: who and why once, then its events. */

import { type Recorded, schemaVersions, upcast, upcasts } from '../../../events/recorded.ts';
import { invariant } from '../decision.ts';
import { chainHash, type Digest } from './hashChain.ts';
import { chunkEventsMax, eventBytesMax } from './limits.ts';

export type StoredEvent = {
  readonly hash: string;
  /** Left out where it is 1. */
  readonly schema?: number;
  readonly event: Recorded['event'];
};

export type Commit = {
  readonly command: string;
  readonly correlation: string;
  readonly actor: string;
  readonly events: readonly StoredEvent[];
};

/** What an append says of its events; lib/ports.ts `Append` is one. */
export type CommitRequest = {
  readonly commandId: string;
  readonly correlationId: string;
  readonly actor: string;
  readonly events: readonly { readonly type: string; readonly at: number }[];
};

/**
 * Links the request's events to the chain after `last`.
 * @param storedBytes how many bytes a text takes where this world stores it
 * @throws InvariantBroken when there is no event, more than 50, or one over 1 KB
 */
export function commitOf(
  last: { readonly stream: string; readonly version: number; readonly hash: string },
  request: CommitRequest,
  digest: Digest,
  storedBytes: (text: string) => number,
): Commit {
  const { commandId, correlationId, actor, events } = request;
  invariant(events.length > 0, `the append ${commandId} to ${last.stream} holds no event: do not append`);
  invariant(
    events.length <= chunkEventsMax,
    `the append ${commandId} to ${last.stream} holds ${events.length} events, ` +
      `${chunkEventsMax} is the most: split it`,
  );
  let previous = last.hash;
  const stored = events.map((given, index): StoredEvent => {
    const text = JSON.stringify(given);
    refuseOversize(given.type, storedBytes(text));
    const event = frozen(JSON.parse(text) as Recorded['event']);
    const schema = schemaVersions[event.type] ?? 1;
    const version = last.version + index + 1;
    const { stream } = last;
    previous = chainHash(digest, {
      ...{ stream, version, previous, schema, commandId, correlationId, actor, event },
    });
    return schema === 1 ? { hash: previous, event } : { hash: previous, schema, event };
  });
  return { command: commandId, correlation: correlationId, actor, events: stored };
}

function refuseOversize(type: string, bytes: number): void {
  invariant(
    bytes <= eventBytesMax,
    `${type} takes ${bytes} bytes and an event may take ${eventBytesMax}: ` +
      'keep its evidence beside it and its hash in it',
  );
}

/** Stores hand out what they keep: nobody may change it. */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const field of Object.values(value)) frozen(field);
  return Object.freeze(value);
}

/** Where each commit begins, the first at `base`. */
export function* placed(
  base: number,
  commits: readonly Commit[],
): Generator<{ readonly first: number; readonly commit: Commit }> {
  let first = base;
  for (const commit of commits) {
    yield { first, commit };
    first += commit.events.length;
  }
}

/** A commit's events as everybody sees them: in today's shape, with today's schema. */
export function recordedOf(
  stream: string,
  first: number,
  commit: Commit,
  shapes: Shapes = { versions: schemaVersions, steps: upcasts },
): Recorded[] {
  return commit.events.map(({ hash, schema = 1, event }, index) => {
    const version = first + index;
    const today = shapes.versions[event.type] ?? 1;
    return {
      version,
      id: `${stream}#${version}`,
      schema: today,
      commandId: commit.command,
      correlationId: commit.correlation,
      actor: commit.actor,
      event: schema === today ? event : upcasted(event, schema, shapes),
      hash,
    };
  });
}

function upcasted(event: Recorded['event'], schema: number, { versions, steps }: Shapes): Recorded['event'] {
  return upcast({ type: event.type, schema, event }, versions, steps) as Recorded['event'];
}

/** Which shape each type of event has today, and how older ones become it. */
export type Shapes = { readonly versions: typeof schemaVersions; readonly steps: typeof upcasts };

export const eventCount = (commits: readonly Commit[]): number =>
  commits.reduce((sum, commit) => sum + commit.events.length, 0);
