import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Router } from '../../../lib/core/bridge/router.ts';
import {
  covers,
  isReserved,
  matches,
  overlaps,
  patternFault,
  safeSubject,
  safeToken,
  subjectFault,
  tokensOf,
} from '../../../lib/core/bridge/subject.ts';

const token = fc.constantFrom('a', 'b', 'c', 'foo');
const subjects = fc.array(token, { minLength: 1, maxLength: 5 }).map((tokens) => tokens.join('.'));
const patterns = fc
  .tuple(fc.array(fc.oneof(token, fc.constant('*')), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([tokens, full]) => (full ? [...tokens, '>'] : tokens).join('.'));

/** The same question put to a regular expression. */
function oracle(pattern: string): RegExp {
  const parts = pattern.split('.').map((part) => (part === '*' ? '[^.]+' : part === '>' ? '.+' : part));
  return new RegExp(`^${parts.join('\\.')}$`);
}

describe('subjects and patterns', () => {
  it('match as the regular expression of the pattern does', () => {
    fc.assert(
      fc.property(patterns, subjects, (pattern, subject) => {
        expect(matches(pattern, subject)).toBe(oracle(pattern).test(subject));
      }),
      { numRuns: 2000 },
    );
  });

  it('a covering pattern matches whatever the covered one matches', () => {
    fc.assert(
      fc.property(patterns, patterns, subjects, (wide, narrow, subject) => {
        if (covers(tokensOf(wide), tokensOf(narrow)) && matches(narrow, subject)) {
          expect(matches(wide, subject)).toBe(true);
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('patterns that share a subject overlap, in both directions', () => {
    fc.assert(
      fc.property(patterns, patterns, subjects, (one, other, subject) => {
        expect(overlaps(tokensOf(one), tokensOf(other))).toBe(overlaps(tokensOf(other), tokensOf(one)));
        if (matches(one, subject) && matches(other, subject)) {
          expect(overlaps(tokensOf(one), tokensOf(other))).toBe(true);
        }
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    ['', 'is empty'],
    ['a..b', 'empty token'],
    ['.a', 'empty token'],
    ['a.', 'empty token'],
    ['a b', 'white space'],
    ['a.>.b', 'before its last token'],
  ])('%j is no pattern: it %s', (pattern, why) => {
    expect(patternFault(pattern)).toContain(why);
  });

  it('a wildcard inside a longer token is a literal', () => {
    expect(patternFault('foo*.ba>r')).toBeNull();
    expect(subjectFault('foo*.bar')).toBeNull();
    expect(subjectFault('foo.*')).toContain('wildcard');
    expect(matches('foo*', 'foobar')).toBe(false);
  });

  it('data put into a subject neither widens nor splits it', () => {
    expect(safeToken('a.b c*>')).toBe('a_b_c__');
    expect(safeToken('')).toBe('_');
    expect(safeSubject('cmd..x >.y.')).toBe('cmd._.x__.y._');
    fc.assert(fc.property(fc.string(), (text) => subjectFault(safeSubject(text)) === null));
  });
});

describe('the router', () => {
  it('finds the same rules as asking each in turn, in the same order, twice', () => {
    fc.assert(
      fc.property(
        fc.array(patterns, { maxLength: 12 }),
        fc.array(subjects, { maxLength: 8 }),
        (list, asked) => {
          const router = new Router(list.map((match) => ({ match })));
          for (const subject of [...asked, ...asked]) {
            const expected = list.filter((pattern) => matches(pattern, subject));
            expect(router.routesFor(subject).map((route) => route.match)).toEqual(expected);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('keeps answering rightly when more subjects come than the cache holds', () => {
    const router = new Router([{ match: 'a.*.x' }, { match: 'a.>' }]);
    for (let i = 0; i < 30_000; i++) router.routesFor(`a.${i}.y`);
    expect(router.routesFor('a.1.x').map((route) => route.match)).toEqual(['a.*.x', 'a.>']);
    expect(router.routesFor('a.1.y').map((route) => route.match)).toEqual(['a.>']);
  });

  it("never takes the server's own subjects and inboxes for a pattern that begins with a wildcard", () => {
    const router = new Router([{ match: '>' }, { match: '*.>' }, { match: '$KV.*.>' }]);
    for (const subject of ['$JS.API.INFO', '_INBOX.abc.1', '$SYS.ACCOUNT.x']) {
      expect(isReserved(subject)).toBe(true);
      expect(router.routesFor(subject)).toEqual([]);
    }
    expect(router.routesFor('$KV.bucket.key').map((route) => route.match)).toEqual(['$KV.*.>']);
    expect(router.routesFor('orders.1')).toHaveLength(2);
  });
});
