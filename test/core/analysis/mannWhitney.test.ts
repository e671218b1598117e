import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mannWhitneyOfBins, mannWhitneyU } from '../../../lib/core/analysis/mannWhitney.ts';
import { sortSamples } from '../../../lib/core/analysis/sortSamples.ts';

const rHelp = {
  baseline: [0.8, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46],
  canary: [1.15, 0.88, 0.9, 0.74, 1.21],
};
const fast = [101, 98, 110, 105, 99, 120, 97, 103, 108, 100];
const slow = [131, 128, 140, 135, 129, 150, 127, 133, 138, 130];

// scipy 1.10.1: baseline, canary, U, then p of less, greater, two-sided: asymptotic with continuity
// correction, exact.
const vectors: [number[], number[], number, [number, number, number], [number, number, number] | null][] = [
  [[1, 2, 3], [4, 5, 6], 0, [0.04042779919, 0.9854518341, 0.08085559837], [0.05, 1, 0.1]],
  [[1, 2, 2, 3], [2, 3, 3, 4], 3, [0.08601685446, 0.9524598066, 0.1720337089], [0.1, 0.9428571429, 0.2]],
  [[5, 5, 5], [5, 5, 5, 5], 6, [1, 1, 1], [0.5714285714, 0.5714285714, 1]],
  [
    rHelp.baseline,
    rHelp.canary,
    35,
    [0.9007753482, 0.1223118026, 0.2446236051],
    [0.8967698968, 0.1272061272, 0.2544122544],
  ],
  [slow, fast, 100, [0.9999325785, 9.133589555e-5, 1.826717911e-4], [1, 5.412544112e-6, 1.082508822e-5]],
  [
    [1, 1, 1, 1, 1],
    [10, 10, 10, 10, 10],
    0,
    [0.001988375855, 0.9990957448, 0.00397675171],
    [0.003968253968, 1, 0.007936507937],
  ],
  [[1, 2, 3, 4, 5], [5, 4, 3, 2, 1], 12.5, [0.5422350133, 0.5422350133, 1], [0.5793650794, 0.5793650794, 1]],
];

const alternatives = ['less', 'greater', 'two-sided'] as const;

describe('Mann–Whitney U', () => {
  it.each(vectors)('%j against %j gives the U and p of scipy', (baseline, canary, u, asymptotic, exact) => {
    alternatives.forEach((alternative, i) => {
      const normal = mannWhitneyU(baseline, canary, { alternative, method: 'asymptotic' });
      expect(normal.u).toBe(u);
      expect(normal.p).toBeCloseTo(asymptotic[i] as number, 9);
      if (exact === null) return;
      expect(mannWhitneyU(baseline, canary, { alternative, method: 'exact' }).p).toBeCloseTo(
        exact[i] as number,
        9,
      );
    });
  });

  it('flags a slower canary with `less`, and a faster one with `greater`', () => {
    const slower = mannWhitneyU(fast, slow, { alternative: 'less', method: 'auto' });
    expect(slower.p).toBeLessThan(1e-4);
    expect(slower.effect).toBe(1);
    expect(mannWhitneyU(fast, slow, { alternative: 'greater', method: 'auto' }).p).toBeGreaterThan(0.9999);
    expect(mannWhitneyU(slow, fast, { alternative: 'greater', method: 'auto' }).p).toBeLessThan(1e-4);
  });

  it('is exact for up to eight untied values on the smaller side, asymptotic otherwise', () => {
    const method = (n: number, m: number, tie = 0) =>
      mannWhitneyU(
        Array.from({ length: n }, (_, i) => 2 * i),
        Array.from({ length: m }, (_, i) => 2 * i + 1 - tie),
        { alternative: 'less', method: 'auto' },
      ).method;
    expect(method(8, 100)).toBe('exact');
    expect(method(100, 8)).toBe('exact');
    expect(method(9, 9)).toBe('asymptotic');
    expect(method(8, 8, 1)).toBe('asymptotic');
  });

  it('sees no evidence where all values are equal', () => {
    const same = new Array(50).fill(7);
    expect(mannWhitneyU(same, same, { alternative: 'two-sided', method: 'auto' }).p).toBe(1);
  });

  it('refuses what has no order', () => {
    expect(() => mannWhitneyU([], [1], { alternative: 'less', method: 'auto' })).toThrow(RangeError);
    expect(() => mannWhitneyU([1, Number.NaN], [1], { alternative: 'less', method: 'auto' })).toThrow(
      RangeError,
    );
  });

  it('has the effect P(canary > baseline) + ½ P(equal) and a U that is symmetric', () => {
    const values = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(values, values, (baseline, canary) => {
        const options = { alternative: 'less', method: 'asymptotic' } as const;
        const there = mannWhitneyU(baseline, canary, options);
        const back = mannWhitneyU(canary, baseline, options);
        let wins = 0;
        for (const b of baseline) for (const c of canary) wins += c > b ? 1 : c === b ? 0.5 : 0;
        expect(there.effect).toBeCloseTo(wins / (baseline.length * canary.length), 12);
        expect(there.u + back.u).toBe(baseline.length * canary.length);
      }),
    );
  });

  it('is the same from bins as from the binned values', () => {
    const values = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 40 });
    const binned = (sample: number[]) =>
      [0, 1, 2, 3, 4, 5].map((bin) => sample.filter((value) => value === bin).length);
    fc.assert(
      fc.property(values, values, (baseline, canary) => {
        const raw = mannWhitneyU(baseline, canary, { alternative: 'less', method: 'asymptotic' });
        const bins = mannWhitneyOfBins(binned(baseline), binned(canary), 'less');
        expect(bins?.u).toBe(raw.u);
        expect(bins?.p).toBeCloseTo(raw.p, 12);
      }),
    );
  });

  it('answers null for bins without one side, and is less sure when slow requests cluster', () => {
    expect(mannWhitneyOfBins([1, 2], [0, 0], 'less')).toBeNull();
    const p = (dispersion: number) => mannWhitneyOfBins([500, 500], [440, 560], 'less', dispersion)?.p ?? 1;
    expect(p(1)).toBeLessThan(p(4));
  });
});

it('samples sorted by their bits are the samples sorted by value', () => {
  const value = fc.double({ noNaN: true });
  const short = fc.array(value, { maxLength: 50 });
  const many = fc.array(value, { minLength: 2500, maxLength: 2600 });
  const order = (a: number, b: number) => a - b || (Object.is(a, -0) ? -1 : 0) - (Object.is(b, -0) ? -1 : 0);
  const check = (values: number[]) => {
    const finite = values.filter(Number.isFinite);
    expect([...sortSamples(finite)]).toEqual(finite.toSorted(order));
  };
  fc.assert(fc.property(short, check));
  fc.assert(fc.property(many, check), { numRuns: 10 });
  // Numbers that differ in their last places only, in runs short and long, and of both signs.
  const close = Array.from(
    { length: 3000 },
    (_, i) => (i % 2 === 0 ? -1 : 1) * (1e12 + ((i * 7919) % 3000) / 1e3),
  );
  expect([...sortSamples(close)]).toEqual(close.toSorted(order));
  const near = Array.from({ length: 3000 }, (_, i) => 1 + ((i * 7919) % 3000) * 1e-9);
  expect([...sortSamples(near)]).toEqual(near.toSorted(order));
});
