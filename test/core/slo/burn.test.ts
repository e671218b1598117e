import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  anytimeRatioBounds,
  burnBounds,
  ratioBounds,
  requestsToCertify,
} from '../../../lib/core/slo/burnBounds.ts';
import {
  type BurnRule,
  burnRate,
  burnRules,
  judgeAllBurns,
  judgeBurn,
} from '../../../lib/core/slo/burnRate.ts';
import {
  daysToExhaustion,
  detectionSeconds,
  errorBudget,
  resetSeconds,
  spentAtFiring,
} from '../../../lib/core/slo/errorBudget.ts';
import { serviceBurn, spentByRollout, versionBurn } from '../../../lib/core/slo/rolloutBurn.ts';

const objective = 0.999;

describe('burn rate', () => {
  it('is the error ratio in units of the budget', () => {
    expect(burnRate({ bad: 1, total: 1000, objective })).toBeCloseTo(1, 9);
    expect(burnRate({ bad: 144, total: 10_000, objective })).toBeCloseTo(14.4, 9);
    expect(burnRate({ bad: 0, total: 10, objective })).toBe(0);
    expect(burnRate({ bad: 0, total: 0, objective })).toBe(0);
  });

  it('the rules are 14.4, 6, 3 and 1 for thirty days, and scale with the period', () => {
    const burns = (periodDays: number) =>
      burnRules({ periodDays }).map(({ burn }) => Number(burn.toFixed(3)));
    expect(burns(30)).toEqual([14.4, 6, 3, 1]);
    expect(burns(28)).toEqual([13.44, 5.6, 2.8, 0.933]);
    expect(
      burnRules({ periodDays: 30 }).map(({ longSeconds, shortSeconds }) => longSeconds / shortSeconds),
    ).toEqual([12, 12, 12, 12]);
  });

  it('every rule spends its share of the budget when it fires', () => {
    for (const rule of burnRules({ periodDays: 30 })) {
      const spent = spentAtFiring({ windowSeconds: rule.longSeconds, burn: rule.burn, periodDays: 30 });
      expect(spent).toBeCloseTo(rule.budgetShare, 12);
    }
  });
});

describe('a multiwindow rule', () => {
  const [page] = burnRules({ periodDays: 30 }) as [BurnRule];
  const windows =
    (long: number, short: number, total = 1_000_000) =>
    (seconds: number) => ({
      bad: Math.round((seconds === page.longSeconds ? long : short) * total),
      total,
    });

  it('pages at 1.5 % in both windows of a 99.9 % objective', () => {
    expect(judgeBurn(page, objective, windows(0.015, 0.015)).verdict).toBe('burning');
  });

  it('is quiet at exactly its burn, in either window', () => {
    expect(judgeBurn(page, objective, windows(0.0144, 0.015)).verdict).toBe('quiet');
    expect(judgeBurn(page, objective, windows(0.015, 0.0144)).verdict).toBe('quiet');
  });

  it('is quiet once the short window has recovered', () => {
    expect(judgeBurn(page, objective, windows(0.5, 0)).verdict).toBe('quiet');
  });

  it('is unsure on a handful of requests, and says how many more it needs', () => {
    const judged = judgeBurn(page, objective, windows(1 / 60, 1 / 60, 60));
    expect(judged.verdict).toBe('unsure');
    expect(judged.longBurn).toBeCloseTo(16.67, 2);
    expect(judged.needsRequests).toBeGreaterThan(60);
    const enough = 60 + judged.needsRequests;
    const bounds = burnBounds({ bad: enough / 60, total: enough, objective, confidence: 0.95 });
    expect(bounds.lower).toBeGreaterThan(page.burn);
  });

  it('has no data where a window is unknown or empty', () => {
    expect(judgeBurn(page, objective, () => null).verdict).toBe('no-data');
    expect(judgeBurn(page, objective, () => ({ bad: 0, total: 0 })).verdict).toBe('no-data');
  });

  it('those that burn come first', () => {
    const spent = (seconds: number) => ({ bad: seconds >= 21_600 ? 20_000 : 0, total: 1_000_000 });
    const judged = judgeAllBurns(burnRules({ periodDays: 30 }), objective, spent);
    expect(judged.map(({ rule, verdict }) => [rule.burn, verdict])).toEqual([
      [1, 'burning'],
      [14.4, 'quiet'],
      [6, 'quiet'],
      [3, 'quiet'],
    ]);
  });
});

describe('the error budget', () => {
  it('is what the objective leaves', () => {
    expect(errorBudget({ objective, requests: 259_200_000 })).toBeCloseTo(259_200, 3);
  });

  it('lasts its period at burn 1, and forever at none', () => {
    expect(daysToExhaustion({ left: 1, burn: 1, periodDays: 30 })).toBe(30);
    expect(daysToExhaustion({ left: 0.5, burn: 10, periodDays: 30 })).toBe(1.5);
    expect(daysToExhaustion({ left: 1, burn: 0, periodDays: 30 })).toBe(Number.POSITIVE_INFINITY);
    expect(daysToExhaustion({ left: -0.2, burn: 2, periodDays: 30 })).toBe(0);
  });

  it('a full outage at 99.9 % is seen by the one-hour window after 52 seconds', () => {
    const hour = { windowSeconds: 3600, burn: 14.4, objective };
    expect(detectionSeconds({ ...hour, errorRatio: 1 })).toBeCloseTo(51.84, 6);
    expect(detectionSeconds({ ...hour, errorRatio: 0.0143 })).toBe(Number.POSITIVE_INFINITY);
    expect(detectionSeconds({ ...hour, errorRatio: 0.0145 })).toBeLessThan(3600);
  });

  it('goes on ringing after recovery for the window less what it took to fill it', () => {
    const alert = { windowSeconds: 300, burn: 14.4, objective };
    expect(resetSeconds({ ...alert, errorRatio: 1 })).toBeCloseTo(295.68, 6);
    expect(resetSeconds({ ...alert, errorRatio: 0.01 })).toBe(0);
    expect(resetSeconds({ ...alert, errorRatio: 0 })).toBe(0);
  });
});

describe('bounds', () => {
  it('without errors 300, 1 500 and 3 000 requests certify burns below 10, 2 and 1', () => {
    const needed = (burn: number) =>
      requestsToCertify({ bad: 0, total: 0, objective, burn, confidence: 0.95 });
    expect([10, 2, 1].map(needed)).toEqual([299, 1497, 2995]);
  });

  it('are those of Clopper and Pearson', () => {
    const { lower, upper } = ratioBounds({ bad: 3, total: 100, confidence: 0.95 });
    expect(lower).toBeCloseTo(0.0082258291, 9);
    expect(upper).toBeCloseTo(0.0757107937, 9);
    expect(ratioBounds({ bad: 0, total: 0, confidence: 0.95 })).toEqual({ lower: 0, point: 0, upper: 1 });
    expect(ratioBounds({ bad: 5, total: 5, confidence: 0.95 }).upper).toBe(1);
  });

  it('that are certain already need nothing, and a ratio at the limit is never certain', () => {
    expect(requestsToCertify({ bad: 0, total: 3000, objective, burn: 1, confidence: 0.95 })).toBe(0);
    expect(
      requestsToCertify({ bad: 1, total: 100, objective: 0.9, burn: 0.1, confidence: 0.95 }),
    ).toBeGreaterThan(1e6);
  });

  it('at every look are wider than for one look, contain the point, and narrow with requests', () => {
    const counts = fc.tuple(fc.integer({ min: 1, max: 100_000 }), fc.double({ min: 0, max: 1, noNaN: true }));
    fc.assert(
      fc.property(counts, ([total, share]) => {
        const bad = Math.round(total * share);
        const once = ratioBounds({ bad, total, confidence: 0.99 });
        const always = anytimeRatioBounds({ bad, total, alpha: 0.01 });
        expect(always.lower).toBeLessThanOrEqual(once.lower + 1e-9);
        expect(always.upper).toBeGreaterThanOrEqual(once.upper - 1e-9);
        expect(always.lower).toBeLessThanOrEqual(always.point);
        expect(always.upper).toBeGreaterThanOrEqual(always.point);
        const more = anytimeRatioBounds({ bad: bad * 10, total: total * 10, alpha: 0.01 });
        expect(more.upper - more.lower).toBeLessThanOrEqual(always.upper - always.lower + 1e-9);
      }),
    );
  });
});

describe('three burns of a rollout', () => {
  const canary = { bad: 20, total: 1000 };
  const stable = { bad: 19, total: 19_000 };

  it('the version’s is what the release would cost, the service’s only the weight of it', () => {
    expect(versionBurn({ canary, objective })).toBeCloseTo(20, 9);
    expect(serviceBurn({ canary, stable, objective })).toBeCloseTo(1.95, 9);
  });

  it('the rollout’s own share of the budget is the excess over stable', () => {
    const month = { objective, periodDays: 30, requestsPerSecond: 100, baselineRate: 0.0005 };
    expect(spentByRollout({ canary, stable, ...month })).toBeCloseTo(19 / 259_200, 9);
    expect(spentByRollout({ canary, stable: { bad: 0, total: 0 }, ...month })).toBeCloseTo(19.5 / 259_200, 9);
    expect(spentByRollout({ canary: { bad: 0, total: 1000 }, stable, ...month })).toBe(0);
  });
});
