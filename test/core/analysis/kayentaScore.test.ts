import { describe, expect, it } from 'vitest';
import {
  judgeMetric,
  judgeMinutes,
  scoreGroups,
  shiftInterval,
  verdictOfScore,
} from '../../../lib/core/analysis/kayentaScore.ts';
import { minute, side } from './rollout.ts';

const x = [20, 22, 21, 25, 30];
const y = [1, 2.2, 1.1, 2.5, 3];
const precise = { confidence: 0.95, tolerance: 0.1 };
const same = (value: number) => new Array<number>(5).fill(value);

it('the shift of [10,20,30,40] over [1,2,3,4] is 22.5 with the interval 6 to 39', () => {
  const { low, high, shift } = shiftInterval([10, 20, 30, 40], [1, 2, 3, 4], 0.95);
  expect(low).toBeCloseTo(6, 6);
  expect(high).toBeCloseTo(39, 6);
  expect(shift).toBe(22.5);
});

describe('one metric', () => {
  it('is high where the mean ratio is above what is allowed', () => {
    expect(judgeMetric(x, y, { ...precise, allowedDecrease: 0.8, allowedIncrease: 1.2 })).toMatchObject({
      label: 'high',
      critical: false,
    });
    expect(judgeMetric(x, y, precise).deviation).toBeCloseTo(12.04, 2);
  });

  it('is high and not critical between the two limits', () => {
    const limits = { allowedIncrease: 5, criticalIncrease: 13, criticalDecrease: 1 };
    expect(judgeMetric(x, y, { ...precise, ...limits })).toMatchObject({ label: 'high', critical: false });
  });

  it('passes where the mean ratio is allowed', () => {
    expect(judgeMetric(x, y, { ...precise, allowedIncrease: 13 }).label).toBe('pass');
  });

  it('is critical past the critical limit', () => {
    const limits = { criticalIncrease: 1.2, criticalDecrease: 1 };
    expect(judgeMetric(x, y, { ...precise, ...limits })).toMatchObject({ label: 'high', critical: true });
  });

  it('is low where the canary fell, unless only a rise is asked for', () => {
    expect(judgeMetric(y, x, precise).label).toBe('low');
    expect(judgeMetric(y, x, { ...precise, direction: 'increase' }).label).toBe('pass');
    expect(judgeMetric(x, y, { ...precise, direction: 'decrease' }).label).toBe('pass');
  });

  it('tells constants apart, also from zero, and takes one outlier for nothing', () => {
    expect(judgeMetric(same(10), same(1)).label).toBe('high');
    expect(judgeMetric(same(10), same(0))).toMatchObject({ label: 'high', deviation: null });
    expect(judgeMetric([1, 1, 1, 1, 10], same(1)).label).toBe('pass');
    expect(judgeMetric([54.9, 54.5, 55.1, 55.6, 57.4], same(0))).toMatchObject({
      label: 'high',
      deviation: null,
    });
    expect(judgeMetric(same(4), same(4)).label).toBe('pass');
  });

  it('passes a canary that is lower where lower is allowed', () => {
    const limits = { allowedDecrease: 0.5, allowedIncrease: 1 };
    expect(judgeMetric([10, 12.2, 10.1, 12.5, 23], x, { ...precise, ...limits }).label).toBe('pass');
  });

  it('has no data where one side has none', () => {
    expect(judgeMetric([], y).label).toBe('no-data');
    expect(judgeMetric(x, []).label).toBe('no-data');
  });
});

describe('the score', () => {
  const of = (...labels: ('pass' | 'high' | 'low' | 'no-data')[]) =>
    labels.map((label) => ({ label, critical: false }));
  const group = (name: string, metrics: ReturnType<typeof of>, weight?: number) => ({
    name,
    metrics,
    ...(weight === undefined ? {} : { weight }),
  });

  it('is the share of metrics that pass', () => {
    expect(scoreGroups([group('a', of('pass', 'high'))]).score).toBe(50);
    expect(scoreGroups([group('a', of('pass', 'high', 'low'))]).score).toBe(33.33);
  });

  it('weighs groups, and unweighted ones share the rest', () => {
    expect(scoreGroups([group('a', of('pass', 'pass'), 75), group('b', of('high'), 25)]).score).toBe(75);
    expect(scoreGroups([group('a', of('pass'), 75), group('b', of('high'))]).score).toBe(75);
  });

  it('counts a group without data 100 like Kayenta, but names it and is not a pass', () => {
    const scored = scoreGroups([group('a', of('pass', 'pass')), group('b', of('no-data'))]);
    expect(scored).toEqual({ score: 100, unknown: ['b'] });
    expect(verdictOfScore(scored, { pass: 95, marginal: 75 })).toBe('inconclusive');
  });

  it('is 0 where nothing or only half is known', () => {
    expect(scoreGroups([group('a', of('no-data'))]).score).toBe(0);
    expect(scoreGroups([group('a', of('pass', 'no-data'))]).score).toBe(0);
    expect(scoreGroups([]).score).toBe(0);
  });

  it('is 0 when a critical metric fails or has no data', () => {
    const critical = (label: 'high' | 'no-data') => [...of('pass', 'pass'), { label, critical: true }];
    expect(scoreGroups([{ name: 'a', metrics: critical('high') }]).score).toBe(0);
    expect(scoreGroups([{ name: 'a', metrics: critical('no-data') }]).score).toBe(0);
  });

  it('passes at the pass mark and fails below the marginal one', () => {
    const verdict = (score: number) => verdictOfScore({ score, unknown: [] }, { pass: 95, marginal: 75 });
    expect([95, 94.99, 75, 74.99].map(verdict)).toEqual(['pass', 'inconclusive', 'inconclusive', 'fail']);
  });
});

it('minutes of a rollout are judged as two series, and not at all without one of them', () => {
  const minutes = (canaryP95: number | null) =>
    Array.from({ length: 10 }, (_, i) =>
      minute(i, 5, {
        canary: side(300, i % 2, { p95Ms: canaryP95 }),
        stable: side(5700, 3 + (i % 4), { p95Ms: 100 + i }),
      }),
    );
  expect(judgeMinutes(minutes(100)).score).toBe(100);
  expect(judgeMinutes(minutes(400)).score).toBe(50);
  expect(judgeMinutes(minutes(null))).toEqual({ score: null, unknown: ['latency'] });
});
