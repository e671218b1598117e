import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { observeClusters } from '../../../lib/core/analysis/clusterEvidence.ts';
import {
  type EvidenceOptions,
  evidence,
  initial,
  observe,
  type PairedCount,
} from '../../../lib/core/analysis/errorEvidence.ts';
import { logGamma } from '../../../lib/core/analysis/specialFunctions.ts';

const period = (
  canaryErrors: number,
  stableErrors: number,
  share: number,
  requests = 10_000,
): PairedCount => ({
  canary: { bad: canaryErrors, total: share * requests },
  stable: { bad: stableErrors, total: (1 - share) * requests },
  periodSeconds: 60,
});

const eValue = (periods: readonly PairedCount[], options: Partial<EvidenceOptions> = {}) =>
  evidence(periods.reduce(observe, initial(options)));

const fromTheStart = { startShare: 1 };

describe('one period, all money from the start', () => {
  it.each([
    [1, 0, 0.05, 9.715041703],
    [2, 0, 0.05, 141.4823629],
    [3, 3, 0.05, 41.74488213],
    [5, 20, 0.05, 7.815405147],
    [5, 95, 0.05, 0.0903805836],
    [3, 0, 0.25, 33.91529505],
    [8, 0, 0.5, 135.029266],
    [10, 2, 0.5, 6.510331689],
    [50, 50, 0.5, 0.01326556845],
  ])(
    '%i canary and %i stable errors at share %f are worth the reference e-value',
    (x, y, share, expected) => {
      const actual = eValue([period(x, y, share)], fromTheStart);
      expect(Math.abs(actual / expected - 1)).toBeLessThan(1e-9);
    },
  );

  it.each([
    [0.05, [2, 3, 4, 4, 6, 11]],
    [0.15, [3, 5, 6, 8, 10, 24]],
    [0.25, [4, 6, 8, 11, 15, 38]],
    [0.5, [8, 13, 16, 23, 33, 93]],
  ])('at share %f the fewest canary errors for 100 are those of the reference', (share, expected) => {
    const fewest = [0, 1, 2, 5, 10, 50].map((stable) => {
      let canary = 0;
      while (eValue([period(canary, stable, share)], fromTheStart) < 100) canary++;
      return canary;
    });
    expect(fewest).toEqual(expected);
  });
});

const anyPeriod = fc
  .tuple(
    fc.integer({ min: 0, max: 20 }),
    fc.integer({ min: 0, max: 20 }),
    fc.constantFrom(0.05, 0.15, 0.25, 0.5),
  )
  .map(([canary, stable, share]) => period(canary, stable, share));
const anyRollout = fc.array(anyPeriod, { minLength: 1, maxLength: 30 });

describe('always', () => {
  it('one more canary error never lowers the evidence', () => {
    fc.assert(
      fc.property(
        anyRollout,
        fc.nat(),
        fc.double({ min: 1, max: 40, noNaN: true }),
        (periods, at, dispersion) => {
          const worse = periods.map((item, i) =>
            i === at % periods.length && item.canary !== null
              ? { ...item, canary: { ...item.canary, bad: item.canary.bad + 1 } }
              : item,
          );
          expect(eValue(worse, { dispersion })).toBeGreaterThanOrEqual(
            eValue(periods, { dispersion }) * (1 - 1e-12),
          );
        },
      ),
    );
  });

  it('splitting a minute in two halves changes nothing when all money bets from the start', () => {
    fc.assert(
      fc.property(anyPeriod, fc.nat({ max: 20 }), fc.nat({ max: 20 }), (whole, a, b) => {
        const { canary, stable } = whole;
        if (canary === null || stable === null) return;
        const half = (bad: number, otherBad: number) => ({
          canary: { bad, total: canary.total / 2 },
          stable: { bad: otherBad, total: stable.total / 2 },
          periodSeconds: 30,
        });
        const first = half(Math.min(a, canary.bad), Math.min(b, stable.bad));
        const second = half(canary.bad - first.canary.bad, stable.bad - first.stable.bad);
        const together = eValue([whole], fromTheStart);
        expect(Math.abs(eValue([first, second], fromTheStart) / together - 1)).toBeLessThan(1e-9);
      }),
    );
  });

  it('a period without one side changes nothing', () => {
    fc.assert(
      fc.property(anyRollout, (periods) => {
        const empty = [
          { canary: null, stable: { bad: 9, total: 9 }, periodSeconds: 60 },
          { canary: { bad: 9, total: 9 }, stable: null, periodSeconds: 60 },
          { canary: { bad: 9, total: 9 }, stable: { bad: 0, total: 0 }, periodSeconds: 60 },
          { canary: { bad: 0, total: 0 }, stable: { bad: 9, total: 9 }, periodSeconds: 60 },
        ];
        expect(eValue([...empty, ...periods, ...empty])).toBe(eValue(periods));
      }),
    );
  });

  it('no counts make it other than finite and positive', () => {
    const outage = Array.from({ length: 500 }, () => period(5000, 0, 0.5));
    expect(Number.isFinite(eValue(outage))).toBe(true);
    expect(eValue(outage)).toBeGreaterThan(1e290);
    expect(eValue(Array.from({ length: 500 }, () => period(0, 5000, 0.5)))).toBeGreaterThan(0);
  });
});

const choose = (n: number, k: number) => Math.exp(logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1));

describe('when the canary is no worse', () => {
  // Both sides draw from the same urn: given the totals, canary errors are hypergeometric.
  const hypergeometric = (canary: number, stable: number, bad: number) =>
    Array.from({ length: bad + 1 }, (_, k) =>
      k > canary || bad - k > stable
        ? 0
        : (choose(canary, k) * choose(stable, bad - k)) / choose(canary + stable, bad),
    );
  const counted = (canary: number, stable: number, bad: number, k: number): PairedCount => ({
    canary: { bad: k, total: canary },
    stable: { bad: bad - k, total: stable },
    periodSeconds: 60,
  });

  it('the mean e-value over everything that can happen is at most 1, however common errors are', () => {
    for (const [canary, stable, bad] of [
      [5, 95, 4],
      [15, 85, 30],
      [50, 50, 60],
      [3, 7, 9],
    ] as const) {
      const mean = hypergeometric(canary, stable, bad).reduce(
        (sum, chance, k) => sum + (chance === 0 ? 0 : chance * eValue([counted(canary, stable, bad, k)])),
        0,
      );
      expect(mean).toBeLessThanOrEqual(1 + 1e-9);
      expect(mean).toBeGreaterThan(0.2);
    }
  });

  it('the mean stays at most 1 while the weight changes and the shared error rate jumps', () => {
    const minutes = [
      [5, 95, 3],
      [15, 85, 12],
      [50, 50, 6],
    ] as const;
    let mean = 0;
    const walk = (i: number, chance: number, seen: PairedCount[]): void => {
      const minute = minutes[i];
      if (minute === undefined) {
        mean += chance * eValue(seen);
        return;
      }
      const [canary, stable, bad] = minute;
      hypergeometric(canary, stable, bad).forEach((p, k) => {
        if (p > 0) walk(i + 1, chance * p, [...seen, counted(canary, stable, bad, k)]);
      });
    };
    walk(0, 1, []);
    expect(mean).toBeLessThanOrEqual(1 + 1e-9);
  });

  it('an accepted margin covers every risk ratio up to itself', () => {
    // The canary fails 1.25 times as often; given the total, its errors are about binomial with the tilted
    // share.
    const [share, bad, margin] = [0.2, 30, 1.25];
    const tilted = (margin * share) / (1 - share + margin * share);
    let mean = 0;
    for (let k = 0; k <= bad; k++) {
      const chance = choose(bad, k) * tilted ** k * (1 - tilted) ** (bad - k);
      mean += chance * eValue([period(k, bad - k, share)], { margin });
    }
    expect(mean).toBeLessThanOrEqual(1 + 1e-9);
  });

  it('periods with errors, counted whole, are worth at most 1 on average whatever the clusters hold', () => {
    for (const rate of [0.01, 0.3, 1, 4]) {
      for (const share of [0.05, 0.25, 0.5]) {
        const [canaryClean, stableClean] = [Math.exp(-rate * share), Math.exp(-rate * (1 - share))];
        const start = initial();
        const value = (x: number, y: number) => evidence(observeClusters(start, period(x, y, share)));
        const mean =
          canaryClean * stableClean * value(0, 0) +
          (1 - canaryClean) * stableClean * value(40, 0) +
          canaryClean * (1 - stableClean) * value(0, 40) +
          (1 - canaryClean) * (1 - stableClean) * value(40, 40);
        expect(mean).toBeLessThanOrEqual(1 + 1e-9);
      }
    }
  });
});

it('a cluster of any size is one piece of evidence for the bet on clusters', () => {
  const value = (errors: number) => evidence(observeClusters(initial(), period(errors, 0, 0.05)));
  expect(value(1)).toBe(value(500));
  expect(value(1)).toBeGreaterThan(1);
  const both = (canary: number, stable: number) =>
    evidence(observeClusters(initial(), period(canary, stable, 0.05)));
  expect(both(40, 40)).toBe(both(0, 0));
  expect(both(0, 40)).toBeLessThan(1);
});

it('the bet on clusters leaves out periods in which the canary has more than half of the traffic', () => {
  const start = initial();
  expect(observeClusters(start, period(3, 0, 0.51))).toBe(start);
  expect(observeClusters(start, period(3, 0, 0.5))).not.toBe(start);
});

it('a regression that begins in the middle is found as soon as with a clean past of no length', () => {
  const clean = Array.from({ length: 60 }, () => period(0, 3, 0.05));
  const bad = Array.from({ length: 4 }, () => period(3, 3, 0.05));
  expect(eValue([...clean, ...bad])).toBeGreaterThan(1000);
  const withoutRestart = eValue([...clean, ...bad], fromTheStart);
  expect(withoutRestart).toBeLessThan(eValue([...clean, ...bad]));
});

it('a larger dispersion needs more errors for the same evidence', () => {
  const needed = (dispersion: number) => {
    let errors = 0;
    while (eValue([period(errors, 0, 0.05)], { dispersion }) < 100) errors++;
    return errors;
  };
  expect([1, 3, 9].map(needed)).toEqual([2, 6, 18]);
});
