import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Commit,
  commitOf,
  eventCount,
  placed,
  recordedOf,
} from '../../../lib/core/eventStore/commit.ts';
import * as limits from '../../../lib/core/eventStore/limits.ts';
import {
  answerFrom,
  emptyHead,
  headBytes,
  mustCalve,
  mustCompact,
  type StoredHead,
  withCommit,
  withoutChunk,
} from '../../../lib/core/eventStore/storedHead.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('base64url');
const stream = 'service/orchestrator';
const bodyBytes = (head: StoredHead) => JSON.stringify(head).length;

type Chunk = { readonly first: number; readonly commits: readonly Commit[] };
type Step = {
  readonly events: readonly number[];
  readonly snapshotBytes: number;
  readonly urgent: boolean;
  readonly crash: boolean;
};

/** One append as a store makes it; a crash leaves the chunk and nothing else. */
function appended(head: StoredHead, chunks: Map<number, Chunk>, step: Step, commandId: string): StoredHead {
  const events = step.events.map((bytes, index) => ({
    ...{ type: 'TrafficShifted', at: head.version + index, note: 'n'.repeat(bytes) },
  }));
  const request = { commandId, correlationId: 'c', actor: 'a', events };
  const commit = commitOf(head, request, sha256, (text) => text.length);
  const append = { snapshot: { schema: 1, state: 's'.repeat(step.snapshotBytes) }, active: true };
  let ready = head;
  let next = withCommit(ready, commit, append, sha256);
  while (mustCalve(ready, next, bodyBytes(next), step.urgent)) {
    const chunk = chunks.get(ready.base) ?? { first: ready.base, commits: ready.commits };
    chunks.set(ready.base, chunk);
    if (step.crash) return head;
    ready = withoutChunk(ready, chunk.first + eventCount(chunk.commits) - 1) as StoredHead;
    next = withCommit(ready, commit, append, sha256);
  }
  return next;
}

/** Up to three events of up to 400 bytes, beside a state of up to 1.5 KB: what rollouts write. */
const usualStep = fc.record({
  events: fc.array(fc.nat(400), { minLength: 1, maxLength: 3 }),
  snapshotBytes: fc.nat(1500),
  urgent: fc.boolean(),
  crash: fc.boolean(),
});

const bytesOf = (head: StoredHead) => headBytes(stream, bodyBytes(head));

describe('a HEAD', () => {
  it('stays under 4 KB and 16 events after every ordinary append, and 8 KB and 50 after an urgent one', () => {
    fc.assert(
      fc.property(fc.array(usualStep, { maxLength: 60 }), (steps) => {
        let head = emptyHead(stream);
        const chunks = new Map<number, Chunk>();
        for (const [index, step] of steps.entries()) {
          const before = head;
          head = appended(head, chunks, step, `command-${index}`);
          if (head === before) continue;
          expect(bytesOf(head)).toBeLessThanOrEqual(
            step.urgent ? limits.headBytesUrgentMax : limits.headBytesMax,
          );
          expect(eventCount(head.commits)).toBeLessThanOrEqual(
            step.urgent ? limits.chunkEventsMax : limits.tailEventsMax,
          );
          if (step.urgent) continue;
          expect(mustCompact(head, bodyBytes(head))).toBe(false);
        }
      }),
    );
  });

  it('and its chunks hold every event once, however writers die between chunk and update', () => {
    fc.assert(
      fc.property(fc.array(usualStep, { maxLength: 60 }), (steps) => {
        let head = emptyHead(stream);
        const chunks = new Map<number, Chunk>();
        for (const [index, step] of steps.entries()) head = appended(head, chunks, step, `command-${index}`);
        const read = [...chunks.values()].filter(({ first }) => first < head.base);
        const old = read.flatMap(({ first, commits }) => {
          expect(eventCount(commits)).toBeLessThanOrEqual(limits.chunkEventsMax);
          return [...placed(first, commits)];
        });
        const all = [...old, ...placed(head.base, head.commits)].flatMap(({ first, commit }) =>
          recordedOf(stream, first, commit),
        );
        expect(all.map(({ version }) => version)).toEqual(all.map((_, index) => index + 1));
        expect(all).toHaveLength(head.version);
        expect(head.hash).toBe(all.at(-1)?.hash ?? '');
      }),
    );
  });

  it('never chunks on the alarm’s way when the append before it was ordinary', () => {
    fc.assert(
      fc.property(fc.array(usualStep, { minLength: 1, maxLength: 40 }), usualStep, (steps, alarm) => {
        let head = emptyHead(stream);
        const chunks = new Map<number, Chunk>();
        const calm = steps.map((step) => ({ ...step, urgent: false, crash: false }));
        for (const [index, step] of calm.entries()) head = appended(head, chunks, step, `command-${index}`);
        const before = chunks.size;
        appended(head, chunks, { ...alarm, urgent: true, crash: false }, 'alarm');
        expect(chunks.size).toBe(before);
      }),
    );
  });

  it('knows the newest sixteen commands, and the version each led to', () => {
    let head = emptyHead(stream);
    const step = { events: [0], snapshotBytes: 0, urgent: false, crash: false };
    for (let number = 1; number <= 40; number++) head = appended(head, new Map(), step, `command-${number}`);
    const answers = Array.from({ length: 40 }, (_, index) =>
      answerFrom(head, { expected: 40, commandId: `command-${index + 1}` }, sha256),
    );
    expect(answers.slice(0, 24)).toEqual(Array.from({ length: 24 }, () => null));
    expect(answers.slice(24).map((answer) => answer?.outcome === 'repeated' && answer.version)).toEqual(
      Array.from({ length: 16 }, (_, index) => index + 25),
    );
  });

  it('takes out what a chunk holds, knows when it is behind, and refuses a chunk that ends amid an append', () => {
    let head = emptyHead(stream);
    const step = { events: [0, 0, 0], snapshotBytes: 0, urgent: false, crash: false };
    for (let number = 1; number <= 4; number++) head = appended(head, new Map(), step, `command-${number}`);
    expect(withoutChunk(head, 6)).toMatchObject({ base: 7, version: 12 });
    expect(withoutChunk(head, 6)?.commits).toEqual(head.commits.slice(2));
    expect(withoutChunk(head, 12)).toMatchObject({ base: 13, version: 12, commits: [] });
    expect(withoutChunk(head, 13)).toBeNull();
    for (const end of [5, 0]) expect(() => withoutChunk(head, end)).toThrow(/the chunk of .* ends at/);
  });
});
