import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Commit, commitOf, recordedOf } from '../../../lib/core/eventStore/commit.ts';
import { canonical } from '../../../lib/core/eventStore/hashChain.ts';
import { chainStart, endChain, followChain } from '../../../lib/core/eventStore/verifyChain.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('base64url');
const stream = 'service/orchestrator';
const bytes = (text: string) => text.length;
const start = { stream, version: 0, hash: '' };

/** The same value with every object's keys in another order. */
const turned = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(turned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, field]) => [key, turned(field)]),
  );
};

describe('the canonical content', () => {
  it('is the same for the same JSON value, in whatever order its keys stand', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(canonical(turned(value))).toBe(canonical(value));
        expect(canonical(JSON.parse(canonical(value)))).toBe(canonical(value));
        expect(JSON.parse(canonical(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('leaves out what JSON leaves out', () => {
    expect(canonical({ b: undefined, a: [undefined, 1, null], c: { d: 'é"' } })).toBe(
      '{"a":[null,1,null],"c":{"d":"é\\""}}',
    );
  });

  it('gives the hashes that another program (Python’s json and hashlib) gives', () => {
    const event = { type: 'TrafficShifted', at: 1_780_000_000_000, rolloutId: 'r1', weight: 5 };
    const request = { commandId: 'c1', correlationId: 'e1', actor: 'start-rollout', events: [event, event] };
    const commit = commitOf(start, request, sha256, bytes);
    expect(commit.events.map(({ hash }) => hash)).toEqual([
      'sbqZO2ykUm-OHHTNKQUwjm0FOB7yB4bexREapZrlTj0',
      '_evABXuzXONnx1_QiRjE_R4nYiL6cs8pgUfoD1XNLi8',
    ]);
  });
});

const someCommits = fc
  .array(fc.array(fc.record({ weight: fc.nat(100), note: fc.string() }), { minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 12,
  })
  .map((appends) => {
    const commits: { first: number; commit: Commit }[] = [];
    let last = start;
    for (const [index, fields] of appends.entries()) {
      const events = fields.map((field) => ({ type: 'TrafficShifted', at: index, ...field }));
      const request = { commandId: `c${index}`, correlationId: 'e', actor: 'a', events };
      const commit = commitOf(last, request, sha256, bytes);
      commits.push({ first: last.version + 1, commit });
      last = { stream, version: last.version + events.length, hash: commit.events.at(-1)?.hash ?? '' };
    }
    return { commits, last };
  });

const verified = (
  commits: readonly { first: number; commit: Commit }[],
  last: { version: number; hash: string },
  name = stream,
) =>
  endChain(
    commits.reduce((chain, { first, commit }) => followChain(chain, first, commit, sha256), chainStart(name)),
    last,
  ).brokenAt;

describe('the chain', () => {
  it('follows for every history as written, and breaks at the first event that was changed', () => {
    fc.assert(
      fc.property(someCommits, fc.nat(), (history, choice) => {
        const { commits, last } = history;
        expect(verified(commits, last)).toBeNull();
        const broken = (choice % last.version) + 1;
        const changed = commits.map(({ first, commit }) => ({
          first,
          commit: {
            ...commit,
            events: commit.events.map((one, index) =>
              first + index === broken ? { ...one, event: { ...one.event, at: -1 } } : one,
            ),
          },
        }));
        expect(verified(changed, last)).toBe(broken);
        expect(verified(commits, last, 'service/another')).toBe(1);
      }),
    );
  });

  it('breaks at the end where a history was written anew and HEAD still holds the old hash', () => {
    fc.assert(
      fc.property(someCommits, someCommits, (one, other) => {
        fc.pre(one.last.version === other.last.version && one.last.hash !== other.last.hash);
        expect(verified(other.commits, one.last)).toBe(one.last.version);
      }),
      { examples: [] },
    );
  });

  it('breaks where commits are missing, in the middle and at the end', () => {
    fc.assert(
      fc.property(someCommits, fc.nat(), ({ commits, last }, choice) => {
        const without = choice % commits.length;
        const left = commits.filter((_, index) => index !== without);
        expect(verified(left, last)).toBe(commits[without]?.first);
      }),
    );
  });
});

describe('an event of an older shape', () => {
  const versions = { TrafficShifted: 3 };
  const steps = {
    TrafficShifted: {
      1: ({ percent, ...rest }: Record<string, unknown>) => ({ ...rest, weight: percent }),
      2: (event: Record<string, unknown>) => ({ ...event, precision: 1 }),
    },
  };
  const commitAt = (schema: number | undefined, event: { type: string; at: number }): Commit => ({
    ...{ command: 'c', correlation: 'e', actor: 'a' },
    events: [{ hash: 'h', event, ...(schema === undefined ? {} : { schema }) }],
  });

  it('is read in today’s, from every schema there was', () => {
    fc.assert(
      fc.property(fc.nat(100), fc.constantFrom(undefined, 1, 2, 3), (weight, schema) => {
        const field = (schema ?? 1) === 1 ? { percent: weight } : { weight };
        const event = { type: 'TrafficShifted', at: 1, ...field, ...(schema === 3 ? { precision: 1 } : {}) };
        const [recorded] = recordedOf(stream, 7, commitAt(schema, event), { versions, steps });
        expect(recorded).toMatchObject({ version: 7, id: `${stream}#7`, schema: 3, hash: 'h' });
        expect(recorded?.event).toEqual({ type: 'TrafficShifted', at: 1, weight, precision: 1 });
      }),
    );
  });

  it('is refused where a newer version wrote it, and where a step is missing', () => {
    const event = { type: 'TrafficShifted', at: 1 };
    expect(() => recordedOf(stream, 1, commitAt(4, event), { versions, steps })).toThrow(
      'TrafficShifted was written with schema 4, this version knows 3: deploy the newer version again',
    );
    expect(() => recordedOf(stream, 1, commitAt(1, event), { versions, steps: {} })).toThrow(
      'no upcast of TrafficShifted from schema 1 to 2',
    );
  });
});
