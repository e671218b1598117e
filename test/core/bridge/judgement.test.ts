import { describe, expect, it } from 'vitest';
import { judge, triesOf } from '../../../lib/core/bridge/judgement.ts';
import type { Answer, Failure } from '../../../lib/core/bridge/ports.ts';

const retry = { attempts: 3, budgetMs: 60_000, baseMs: 1, capMs: 1, exhausted: 'park' as const };
const failure: Failure = { kind: 'retry', code: 'InternalFailure', message: '' };
const outage: Answer = { kind: 'failed', failure };
const entryFails: Answer = { kind: 'taken', failed: new Map([[0, failure]]) };
const nowMs = 1_000_000;
const since = (suspectSinceMs: number, attempts = 0) => [{ attempts, suspectSinceMs }];

describe('an entry that fails while others pass', () => {
  it.each([
    ['with all its attempts, and for long enough, is put aside', 9, nowMs - 60_000, true],
    ['with all its attempts in a brown-out of seconds is sent again', 9, nowMs - 5_000, false],
    ['for long enough but with attempts left is sent again', 2, nowMs - 600_000, false],
  ])('%s', (_, tried, suspectSinceMs, aside) => {
    const alone = triesOf(since(suspectSinceMs, tried - 1), { round: tried, othersServed: true, nowMs });
    for (const answer of [outage, entryFails]) {
      const { refused, again } = judge(answer, alone, retry);
      expect([refused.size, again.length]).toEqual(aside ? [1, 0] : [0, 1]);
    }
  });

  it('is suspect from its first failure on, also as one of a batch that fails', () => {
    const batch = triesOf([...since(0), ...since(0)], { round: 1, othersServed: true, nowMs });
    expect(judge(outage, batch, retry).suspects).toEqual([0, 1]);
    expect(judge(entryFails, batch, retry).suspects).toEqual([0]);
  });
});

describe('an entry that fails while nothing passes', () => {
  it('is never put aside, however often and however long', () => {
    const tries = triesOf(since(1, 100), { round: 1_000, othersServed: false, nowMs });
    expect(judge(outage, tries, retry)).toMatchObject({ again: [0], suspects: [], split: false });
  });
});
