import { describe, expect, it } from 'vitest';
import { evidenceOf } from '../../../lib/core/analysis/analyse.ts';
import { assumedBaseline } from '../../../lib/core/analysis/baseline.ts';
import { withRevisions } from '../../../lib/core/analysis/minutes.ts';
import { defaultAnalysisPolicy as policy } from '../../../lib/core/analysis/policy.ts';
import { worstFirst } from '../../../lib/core/analysis/verdict.ts';
import { checkOf, knownBaseline, lookAt, minute, minutesOf, side, told } from './rollout.ts';

const atStepEnd = { checksDue: 'step-end' } as const;

describe('a good canary', () => {
  it('passes at the end of a step in which enough was seen', () => {
    const analysis = lookAt(minutesOf(10), atStepEnd);
    expect(analysis.verdict).toBe('pass');
    expect(analysis.summary).toContain('0 errors in 3000 canary requests');
    expect(analysis.needsRequests).toBeUndefined();
  });

  it('passes as far as seen during the bake', () => {
    expect(lookAt(minutesOf(1)).verdict).toBe('pass');
  });
});

describe('too little to judge', () => {
  it('one request short of the minimum is inconclusive at the step’s end, and is named', () => {
    const asked = { ...policy, minimumRequests: 3000 };
    expect(lookAt(minutesOf(10), { ...atStepEnd, policy: asked }).verdict).toBe('pass');
    const short = lookAt(minutesOf(10), { ...atStepEnd, policy: { ...asked, minimumRequests: 3001 } });
    expect(short.verdict).toBe('inconclusive');
    expect(short.needsRequests).toBe(1);
    expect(short.summary).toBe('Too few canary requests to go on: 1 more are needed.');
  });

  it('no minutes at all are inconclusive, during the bake and at its end', () => {
    expect(lookAt([]).verdict).toBe('inconclusive');
    expect(lookAt([], atStepEnd).verdict).toBe('inconclusive');
  });

  it('minutes without canary data are inconclusive', () => {
    const blind = minutesOf(10).map((item) => ({ ...item, canary: null }));
    expect(lookAt(blind).verdict).toBe('inconclusive');
  });

  it('zero canary requests are inconclusive: nobody asked is not everybody was well', () => {
    const idle = minutesOf(10).map((item) => ({ ...item, canary: side(0, 0) }));
    expect(lookAt(idle, atStepEnd).verdict).toBe('inconclusive');
  });

  it('data that stopped is inconclusive beyond three periods of lateness, not before', () => {
    const minutes = minutesOf(10);
    const latest = 10 * 60_000 + policy.dataDelaySeconds * 1000 + 3 * 60_000;
    expect(lookAt(minutes, { now: latest }).verdict).toBe('pass');
    expect(lookAt(minutes, { now: latest + 1 }).verdict).toBe('inconclusive');
  });

  it('a step without stable’s data is inconclusive: there is nothing to compare with', () => {
    const alone = minutesOf(10).map((item) => ({ ...item, stable: null }));
    const analysis = lookAt(alone, atStepEnd);
    expect(analysis.verdict).toBe('inconclusive');
    expect(checkOf(analysis, 'data').sentence).toContain('nothing to compare');
    const idle = minutesOf(10).map((item) => ({ ...item, stable: side(0, 0) }));
    expect(lookAt(idle, atStepEnd).verdict).toBe('inconclusive');
  });

  it('a step of which more than half is missing is inconclusive, half is not', () => {
    const missing = (count: number) =>
      minutesOf(10).map((item, i) => (i < count ? { ...item, canary: null } : item));
    expect(lookAt(missing(5), atStepEnd).verdict).toBe('pass');
    expect(lookAt(missing(6), atStepEnd).verdict).toBe('inconclusive');
  });

  it('a new step needs data of its own, however much came before', () => {
    const stepStartedAt = 10 * 60_000;
    expect(lookAt(minutesOf(10), { ...atStepEnd, stepStartedAt }).verdict).toBe('inconclusive');
  });

  it('latency that was not counted is inconclusive, not fast', () => {
    const uncounted = minutesOf(10).map((item) => ({
      ...item,
      canary: side(300, 0, { slow: [] }),
      stable: side(5700, 3, { slow: [] }),
    }));
    expect(checkOf(lookAt(uncounted), 'p95-limit').verdict).toBe('inconclusive');
  });
});

describe('errors', () => {
  it('one in three hundred against three in 5 700 fails within ten minutes', () => {
    const fewest = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].find(
      (count) => lookAt(minutesOf(count, { canary: 1 })).verdict === 'fail',
    );
    expect(fewest).toBe(8);
    const analysis = lookAt(minutesOf(8, { canary: 1 }));
    expect(analysis.summary).toContain('8 of 2400 canary requests failed, 24 of 45600 of stable (6.3×)');
  });

  it('below the minimum of canary errors nothing is rolled back, at it it is', () => {
    const bad = (errors: number) => [minute(0, 1, { canary: side(60, errors), stable: side(5940, 0) })];
    const strict = { ...policy, shares: { errors: 1, latency: 0, business: 0 } };
    expect(lookAt(bad(2), { policy: strict }).verdict).toBe('inconclusive');
    expect(lookAt(bad(3), { policy: strict }).verdict).toBe('fail');
    const two = { ...strict, errors: { ...strict.errors, minimumErrors: 2 } };
    expect(lookAt(bad(2), { policy: two }).verdict).toBe('fail');
  });

  it('evidence at the hold mark is inconclusive, below it passes', () => {
    const minutes = minutesOf(6, { canary: 1 });
    const { combinedEValue } = lookAt(minutes);
    expect(combinedEValue).toBeGreaterThan(1);
    const held = (holdAtEValue: number) => lookAt(minutes, { policy: { ...policy, holdAtEValue } }).verdict;
    expect(held(combinedEValue * 0.999)).toBe('inconclusive');
    expect(held(combinedEValue * 1.001)).toBe('pass');
  });

  it('evidence at 1 ÷ alpha fails, below it does not', () => {
    const minutes = minutesOf(8, { canary: 1 });
    const { combinedEValue } = lookAt(minutes);
    const verdict = (threshold: number) =>
      checkOf(lookAt(minutes, { policy: { ...policy, alpha: 1 / threshold, holdAtEValue: 1.5 } }), 'evidence')
        .verdict;
    expect(verdict(combinedEValue * 0.999)).toBe('fail');
    expect(verdict(combinedEValue * 1.001)).toBe('inconclusive');
  });

  it('one check alone fails at 1 ÷ (alpha × its share), below it does not', () => {
    const minutes = minutesOf(7, { canary: 1 });
    const { eValue = 0, threshold } = checkOf(lookAt(minutes), 'errors');
    const share = 1 / (policy.alpha * (threshold ?? 0));
    expect(share).toBeCloseTo(0.5625, 5);
    const verdict = (at: number) =>
      checkOf(
        lookAt(minutes, { policy: { ...policy, alpha: 1 / (at * share), holdAtEValue: 1.5 } }),
        'errors',
      ).verdict;
    expect(verdict(eValue * 0.999)).toBe('fail');
    expect(verdict(eValue * 1.001)).toBe('pass');
  });

  it('at the limit it is kept, above it on few requests inconclusive with how many settle it', () => {
    const rate = (errors: number, requests: number) =>
      checkOf(
        lookAt([minute(0, 5, { canary: side(requests, errors), stable: side(5700, 50) })]),
        'error-rate',
      );
    expect(rate(1, 100).verdict).toBe('pass');
    expect(rate(2, 199).verdict).toBe('inconclusive');
    expect(rate(2, 199).sentence).toMatch(/about \d+ more requests would settle it/);
  });

  it('above the limit beyond doubt it fails', () => {
    const analysis = lookAt(minutesOf(10, { canary: 30, stable: 40 }));
    expect(checkOf(analysis, 'error-rate').verdict).toBe('fail');
    expect(checkOf(analysis, 'burn').verdict).toBe('fail');
  });

  it('undeliverable requests are errors: a canary that refuses connections is not idle', () => {
    const dead = [0, 1].map((i) =>
      minute(i, 5, { canary: side(0, 0, { connectionErrors: 300 }), stable: side(5700, 3) }),
    );
    expect(lookAt(dead).verdict).toBe('fail');
    expect(lookAt(dead).canary).toEqual({ bad: 600, total: 600 });
  });
});

describe('all traffic on the canary', () => {
  it('is judged against what the service was before', () => {
    const before = minutesOf(10, { weight: 50, canary: 1, stable: 1 });
    const at100 = (errors: number) => [
      ...before,
      ...minutesOf(10, { weight: 100, canary: errors, from: 10 }),
    ];
    expect(lookAt(at100(3), atStepEnd).verdict).toBe('pass');
    expect(lookAt(at100(60)).verdict).toBe('fail');
  });
});

describe('dry run', () => {
  it('by name or pattern a check is shown and does not decide', () => {
    const bad = minutesOf(10, { canary: 30 });
    const dry = { ...policy, dryRun: ['errors', '^error-rate$', 'burn', 'hosts'] };
    const analysis = lookAt(bad, { policy: dry });
    expect(analysis.verdict).toBe('pass');
    expect(checkOf(analysis, 'error-rate')).toMatchObject({ dryRun: true });
  });
});

describe('without stable', () => {
  it('below weight 100 nothing is judged against the past: stable’s silence is a fault of the data', () => {
    const blind = minutesOf(20, { canary: 2 }).map((item) => ({ ...item, stable: null }));
    expect(lookAt(blind).verdict).toBe('pass');
    expect(lookAt(blind, atStepEnd).verdict).toBe('inconclusive');
  });

  it('at weight 100 a new service is judged by what its stable side showed before', () => {
    const baseline = { ...knownBaseline, errorRate: null };
    const troubled = [
      ...minutesOf(20, { weight: 50, canary: 9, stable: 9 }),
      ...minutesOf(20, { weight: 100, canary: 18, from: 20 }),
    ];
    expect(lookAt(troubled, { baseline }).verdict).toBe('pass');
    const worse = minutesOf(20, { weight: 100, canary: 72, from: 20 });
    expect(lookAt([...troubled.slice(0, 20), ...worse], { baseline }).verdict).toBe('fail');
  });
});

describe('the small form', () => {
  it('of a failure stays below 1 KB and names the worst checks', () => {
    const small = evidenceOf(lookAt(minutesOf(40, { canary: 30 })));
    expect(new TextEncoder().encode(JSON.stringify(small)).length).toBeLessThan(1024);
    expect(small.worst.map((check) => check.name)).toEqual(['errors', 'error-rate', 'burn']);
    expect(small.canary).toEqual({ requests: 12_000, errors: 1200 });
  });

  it('of a pass names no check', () => {
    expect(evidenceOf(lookAt(minutesOf(10))).worst).toEqual([]);
  });

  it.each([0, 30])('asks no check for its words but those it names (%i canary errors a minute)', (canary) => {
    const analysis = lookAt(minutesOf(40, { canary }));
    const asked: string[] = [];
    const checks = analysis.checks.map((check) => ({
      ...check,
      tell: () => {
        asked.push(check.name);
        return check.tell();
      },
    }));
    const small = evidenceOf({ ...analysis, checks });
    expect(asked).toEqual(small.worst.map(({ name }) => name));
  });

  it('survives JSON, also of an outage', () => {
    const small = evidenceOf(lookAt(minutesOf(60, { canary: 300 })));
    expect(JSON.parse(JSON.stringify(small))).toEqual(small);
  });
});

describe('the fold', () => {
  it('gives the same answer whenever it is made: a late revision replaces its minute', () => {
    const first = minutesOf(10, { canary: 1 });
    const revised = [
      minute(4, 5, { canary: side(310, 0), stable: side(5700, 3) }),
      ...minutesOf(2, { from: 10 }),
    ];
    const merged = withRevisions(first, revised);
    expect(merged).toHaveLength(12);
    expect(merged.map((item) => item.startMs)).toEqual(merged.map((_, i) => i * 60_000));
    expect(told(lookAt(merged))).toEqual(told(lookAt(withRevisions([], merged))));
    expect(lookAt(merged).canary).toEqual({ bad: 9, total: 11 * 300 + 310 });
    expect(withRevisions(merged, revised)).toEqual(merged);
  });

  it('a new service is judged with assumed clustering, later and still', () => {
    const baseline = assumedBaseline(policy);
    const latest = (given: object) =>
      [1, 2, 3, 4, 5, 6, 7, 8].find(
        (count) => lookAt(minutesOf(count, { canary: 3 }), given).verdict === 'fail',
      ) ?? 99;
    expect(latest({ baseline })).toBeGreaterThan(latest({}));
    expect(latest({ baseline })).toBeLessThan(9);
  });
});

describe('severity', () => {
  it('is one order: fail, inconclusive, pass; what is equal stays in its order', () => {
    const judged = (['pass', 'inconclusive', 'fail', 'pass', 'fail'] as const).map((verdict, nth) => ({
      verdict,
      nth,
    }));
    expect(worstFirst(judged).map(({ nth }) => nth)).toEqual([2, 4, 1, 0, 3]);
  });

  it('of nothing is inconclusive', () => {
    const analysis = lookAt(minutesOf(10), { policy: { ...policy, dryRun: ['.'] } });
    expect(analysis).toMatchObject({ verdict: 'inconclusive', summary: 'Nothing was checked.' });
  });
});
