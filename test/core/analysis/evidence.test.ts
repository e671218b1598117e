// The bets beside the one on errors: latency, limits, business, certificate; and what is frozen before the
// start.
import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../../bench/detection/random.ts';
import { cleanScenario, simulateHistory } from '../../../bench/detection/rollouts.ts';
import { assumedBaseline } from '../../../lib/core/analysis/baseline.ts';
import { beginBusiness, observeBusiness } from '../../../lib/core/analysis/businessEvidence.ts';
import {
  dispersionPoint,
  estimateDispersion,
  estimateShiftDispersion,
} from '../../../lib/core/analysis/dispersion.ts';
import { evidence, initial } from '../../../lib/core/analysis/errorEvidence.ts';
import { freezeBaseline, slowThresholds } from '../../../lib/core/analysis/freezeBaseline.ts';
import {
  binsOf,
  normalScores,
  observeShift,
  shiftSizes,
} from '../../../lib/core/analysis/latencyEvidence.ts';
import {
  initialAgainstLimit,
  limitAt,
  observeAgainstLimit,
  uncontrolledLimit,
} from '../../../lib/core/analysis/limitEvidence.ts';
import { defaultAnalysisPolicy as policy } from '../../../lib/core/analysis/policy.ts';
import { certificateLogOdds } from '../../../lib/core/analysis/promotionCertificate.ts';
import { minute, side } from './rollout.ts';

describe('the body of the latencies', () => {
  it('scores the bins by the mean normal quantile of their ranks, which cancel out', () => {
    const scores = normalScores([500, 400, 50, 50], 1000);
    expect(scores.map((score) => Number(score.toFixed(4)))).toEqual([-0.7979, 0.5586, 1.4473, 2.0627]);
    expect(scores.reduce((sum, score, i) => sum + score * ([500, 400, 50, 50][i] ?? 0), 0)).toBeCloseTo(0, 9);
    expect(normalScores([0, 10, 0], 10)).toEqual([0, 0, 0]);
  });

  it('is worth at most 1 on average when the canary’s requests are a draw from all of them', () => {
    // Three bins of 4, 3 and 3 requests; the canary gets 3 of the 10: all 120 draws, equally likely.
    const pool = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2];
    const state = initial({ ratios: shiftSizes, margin: 0 });
    let mean = 0;
    for (let a = 0; a < 10; a++) {
      for (let b = a + 1; b < 10; b++) {
        for (let c = b + 1; c < 10; c++) {
          const canary = [0, 1, 2].map((bin) => [a, b, c].filter((i) => pool[i] === bin).length);
          const stable = [4, 3, 3].map((count, bin) => count - (canary[bin] ?? 0));
          mean += evidence(observeShift(state, { canary, stable, periodSeconds: 60 })) / 120;
        }
      }
    }
    expect(mean).toBeLessThanOrEqual(1);
    expect(mean).toBeGreaterThan(0.8);
  });

  it('grows for a slower canary only', () => {
    const worth = (canary: number[]) =>
      evidence(
        observeShift(initial({ ratios: shiftSizes, margin: 0.03 }), {
          canary,
          stable: [5000, 4000, 500, 500],
          periodSeconds: 60,
        }),
      );
    expect(worth([400, 440, 80, 80])).toBeGreaterThan(100);
    expect(worth([500, 400, 50, 50])).toBeLessThan(1);
    expect(worth([600, 340, 30, 30])).toBeLessThan(1);
  });

  it('is the ratio of the two tilts, the suspected and the accepted one', () => {
    const [canary, stable] = [
      [50, 40, 10],
      [500, 400, 100],
    ];
    const scores = normalScores([550, 440, 110], 1100);
    const tilt = (theta: number) =>
      scores.reduce((sum, s, i) => sum + ([0.5, 0.4, 0.1][i] ?? 0) * Math.exp(theta * s), 0);
    const total = scores.reduce((sum, s, i) => sum + s * (canary?.[i] ?? 0), 0);
    const expected = Math.exp(0.37 * total) * (tilt(0.03) / tilt(0.4)) ** 100;
    const state = initial({ ratios: [0.4], margin: 0.03, startShare: 1 });
    const actual = evidence(
      observeShift(state, { canary: canary ?? [], stable: stable ?? [], periodSeconds: 60 }),
    );
    expect(actual / expected).toBeCloseTo(1, 9);
  });

  it('reads bins from counts above thresholds, and nothing where a side was not counted', () => {
    const count = (bad: number) => ({
      canary: { bad, total: 100 },
      stable: { bad: bad * 10, total: 1000 },
      periodSeconds: 60,
    });
    expect(binsOf([count(50), count(10), count(1)])).toEqual({
      canary: [50, 40, 9, 1],
      stable: [500, 400, 90, 10],
    });
    expect(binsOf([count(50), { ...count(10), stable: null }])).toBeNull();
  });
});

describe('an absolute limit', () => {
  const worth = (bad: number, total: number) =>
    evidence(
      observeAgainstLimit(initialAgainstLimit(1), {
        counts: { bad, total },
        periodSeconds: 60,
        limit: limitAt(0.01),
      }),
    );

  it('is worth exactly 1 on average at the limit, and less below it', () => {
    const mean = (rate: number) => {
      let sum = 0;
      for (let k = 0; k <= 20; k++)
        sum += binomial(20, k) * rate ** k * (1 - rate) ** (20 - k) * worth(k, 20);
      return sum;
    };
    expect(mean(0.01)).toBeCloseTo(1, 9);
    expect(mean(0.005)).toBeLessThan(1);
    expect(mean(0.05)).toBeGreaterThan(1);
  });

  it('is not proven broken by one error in few requests, and is by many', () => {
    expect(worth(1, 15)).toBeLessThan(10);
    expect(worth(15, 15)).toBeGreaterThan(1e6);
  });

  it('without stable is twice the budget or three times the past, whichever is more', () => {
    expect(uncontrolledLimit(0.001, null)).toBe(0.002);
    expect(uncontrolledLimit(0.001, 0.0005)).toBe(0.002);
    expect(uncontrolledLimit(0.001, 0.002)).toBe(0.006);
  });
});

const binomial = (n: number, k: number): number => (k === 0 ? 1 : (binomial(n, k - 1) * (n - k + 1)) / k);

describe('business rates', () => {
  const check = { name: 'checkout', counted: 'good' as const, tolerance: 0.05, maturityMinutes: 10 };
  const at = (i: number, canary: number, stable: number) =>
    minute(i, 25, {
      canary: side(1000, 0, { business: { checkout: { count: canary, total: 5000 } } }),
      stable: side(3000, 0, { business: { checkout: { count: stable, total: 15_000 } } }),
    });

  it('a minute is read only once it has matured', () => {
    const start = beginBusiness(check, assumedBaseline(policy));
    const ten = Array.from({ length: 10 }, (_, i) => at(i, 100, 450)).reduce(observeBusiness, start);
    expect(ten.canary.total).toBe(0);
    expect(observeBusiness(ten, at(10, 100, 450)).canary).toEqual({ bad: 100, total: 5000 });
  });

  it('a drop of a third is found and a drop within the tolerance is not', () => {
    const baseline = { ...assumedBaseline(policy), businessDispersions: { checkout: 1 } };
    const worth = (canary: number) =>
      evidence(
        Array.from({ length: 40 }, (_, i) => at(i, canary, 450)).reduce(
          observeBusiness,
          beginBusiness(check, baseline),
        ).state,
      );
    expect(worth(100)).toBeGreaterThan(1e4);
    expect(worth(144)).toBeLessThan(1);
  });

  it('for something bad it is the rise that counts', () => {
    const failures = { ...check, counted: 'bad' as const };
    const baseline = { ...assumedBaseline(policy), businessDispersions: { checkout: 1 } };
    const worth = (canary: number) =>
      evidence(
        Array.from({ length: 40 }, (_, i) => at(i, canary, 450)).reduce(
          observeBusiness,
          beginBusiness(failures, baseline),
        ).state,
      );
    expect(worth(225)).toBeGreaterThan(1e4);
    expect(worth(100)).toBeLessThan(1);
  });
});

it('ruling out three times the errors takes about 114 of them at weight 5', () => {
  const perError = (canary: number, stable: number) =>
    certificateLogOdds(
      { canary: { bad: canary, total: 500 }, stable: { bad: stable, total: 9500 }, periodSeconds: 60 },
      1,
    );
  // 114 errors of which the canary has its share, 5 %.
  expect(Math.exp(perError(5.7, 108.3))).toBeGreaterThan(20);
  expect(Math.exp(perError(5.5, 104.5))).toBeLessThan(100);
  expect(Math.exp(perError(17, 97))).toBeLessThan(1);
});

describe('dispersion', () => {
  const history = (clusterSize: number, errorRate = 0.0005, requestsPerSecond = 100) => {
    const random = randomFrom(7);
    const errors = simulateHistory({ ...cleanScenario, clusterSize, errorRate, requestsPerSecond }, random);
    return Array.from(errors, (bad) => ({ bad, total: requestsPerSecond * 60 }));
  };

  it.each([
    [1, 1],
    [2, 3],
    [5, 9],
    [20, 39],
  ])('clusters of %i on a day with a tide give about %i', (clusterSize, expected) => {
    const point = dispersionPoint(history(clusterSize)) ?? 0;
    expect(point).toBeGreaterThan(expected * 0.8);
    expect(point).toBeLessThan(expected * 1.25);
    expect(estimateDispersion(history(clusterSize), 3)).toBeGreaterThan(point);
  });

  it('traffic bursts and frequent outcomes are not clustering', () => {
    const random = randomFrom(3);
    const bursts = Array.from({ length: 1440 }, (_, i) => {
      const total = i % 2 === 0 ? 2000 : 8000;
      return { bad: random.binomial(total, 0.5), total };
    });
    expect(dispersionPoint(bursts)).toBeGreaterThan(0.9);
    expect(dispersionPoint(bursts)).toBeLessThan(1.1);
  });

  it('an incident in the history changes it by little, as long as there is enough else', () => {
    for (const errorRate of [0.0005, 0.002]) {
      const day = history(1, errorRate);
      const clean = estimateDispersion(day, 3);
      for (let i = 600; i < 610; i++) day[i] = { bad: 300, total: 6000 };
      expect(dispersionPoint(day)).toBeGreaterThan(3);
      expect(estimateDispersion(day, 3)).toBeLessThan(clean * 1.1);
    }
  });

  it('one big cluster in a quiet day is kept as what it is', () => {
    const day = Array.from({ length: 1440 }, (_, i) => ({ bad: i % 400 === 7 ? 15 : 0, total: 300 }));
    day[700] = { bad: 60, total: 300 };
    expect(estimateDispersion(day, 3)).toBeGreaterThan(30);
  });

  it('is the fallback without errors, without history and on less than an hour', () => {
    expect(estimateDispersion([], 3)).toBe(3);
    expect(estimateDispersion(new Array(1440).fill({ bad: 0, total: 6000 }), 3)).toBe(3);
    expect(estimateDispersion(new Array(30).fill({ bad: 5, total: 6000 }), 3)).toBe(3);
    expect(estimateDispersion(new Array(1440).fill(null), 3)).toBe(3);
  });

  it('is never below 1, however even the errors come', () => {
    expect(estimateDispersion(new Array(1440).fill({ bad: 5, total: 6000 }), 3)).toBeGreaterThanOrEqual(1);
  });

  it('of whole latencies is about 1, and the cluster size where requests are slow together', () => {
    const random = randomFrom(11);
    const day = (together: number) =>
      Array.from({ length: 1440 }, () => {
        const bins = [0, 0, 0];
        for (let n = 0; n < 300; n += together) {
          const bin = random.uniform() < 0.5 ? 0 : random.uniform() < 0.8 ? 1 : 2;
          bins[bin] = (bins[bin] ?? 0) + together;
        }
        return bins;
      });
    expect(estimateShiftDispersion(day(1), 3)).toBeLessThan(1.25);
    expect(estimateShiftDispersion(day(5), 3)).toBeGreaterThan(4.5);
    expect(estimateShiftDispersion([], 3)).toBe(3);
  });
});

describe('the frozen baseline', () => {
  it('has thresholds at the percentiles and the limits, ascending and a tenth apart', () => {
    const chosen = slowThresholds(policy, { percentilesMs: [80, 172, 214, 323, 510], p95Ms: 214 });
    expect(chosen).toEqual([80, 172, 214, 323, 428, 500]);
    expect(slowThresholds(policy, { percentilesMs: [], p95Ms: null })).toEqual([500]);
    const own = { ...policy, latency: { ...policy.latency, thresholdsMs: [50, 100] } };
    expect(slowThresholds(own, { percentilesMs: [80], p95Ms: null })).toEqual([50, 100, 500]);
  });

  it('holds the rates and the traffic of the day before', () => {
    const asked = {
      ...policy,
      business: [{ name: 'checkout', counted: 'good' as const, tolerance: 0.05, maturityMinutes: 5 }],
    };
    const history = Array.from({ length: 1440 }, (_, i) =>
      i % 100 === 0
        ? null
        : side(6000, 3 + (i % 3), { slow: [600, 60], business: { checkout: { count: 9, total: 300 } } }),
    );
    const baseline = freezeBaseline(asked, { history, slowThresholdsMs: [200, 500], p95Ms: 240 });
    expect(baseline.errorRate).toBeCloseTo(4 / 6000, 4);
    expect(baseline.requestsPerSecond).toBe(100);
    expect(baseline.businessRates).toEqual({ checkout: 0.03 });
    expect(baseline.businessPerSecond).toEqual({ checkout: 5 });
    expect(baseline.historyMinutes).toBe(1425);
    expect(baseline.slowDispersions).toHaveLength(2);
  });

  it('without history is assumed, at the thresholds that will be counted', () => {
    const baseline = freezeBaseline(policy, { history: [], slowThresholdsMs: [200, 500], p95Ms: null });
    expect(baseline.historyMinutes).toBe(0);
    expect(baseline.slowThresholdsMs).toEqual([200, 500]);
    expect(baseline.slowDispersions).toEqual([3, 3]);
    expect(baseline.errorDispersion).toBe(3);
  });
});
