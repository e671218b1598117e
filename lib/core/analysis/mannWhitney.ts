// Mann–Whitney U: is a random canary request slower than a random baseline request more often than chance
// allows? It looks at order only, so one request of ten minutes counts no more than one of ten seconds.
//
// Two warnings that decide how it is used here. It is nearly blind to tails: 2 % of requests ten times
// slower move P(canary > baseline) by one point. And its p-value holds for one look; looked at every minute
// at 5 % it cries wolf in a third of clean rollouts. So it is asked once per step, with alpha divided by
// the steps.
//
// `less` reads "baseline is stochastically less than canary": it flags a SLOWER canary.
import { sortSamples } from './sortSamples.ts';
import { normalTail } from './specialFunctions.ts';

export type MannWhitneyOptions = {
  readonly alternative: 'less' | 'greater' | 'two-sided';
  /** auto: exact when nothing is tied and the smaller sample has at most 8 values. */
  readonly method: 'exact' | 'asymptotic' | 'auto';
};

export type MannWhitney = {
  /** U of the baseline: pairs in which the baseline is greater, ties counting half. */
  readonly u: number;
  readonly p: number;
  /** P(canary > baseline) + ½ P(equal): 0.5 means no difference, above it the canary is slower. */
  readonly effect: number;
  readonly method: 'exact' | 'asymptotic';
};

type Samples = readonly number[] | Float64Array;

const exactSizeMax = 8;
// The distribution takes size × size doubles; beyond this (and 40 MB) the normal approximation is exact
// enough.
const exactPairsMax = 5_000_000;

/** Compares two samples. Throws RangeError on an empty sample or a NaN: they have no order. */
export function mannWhitneyU(baseline: Samples, canary: Samples, options: MannWhitneyOptions): MannWhitney {
  if (baseline.length === 0 || canary.length === 0) throw new RangeError('Mann–Whitney needs both samples');
  if (baseline.some(Number.isNaN) || canary.some(Number.isNaN)) {
    throw new RangeError('Mann–Whitney cannot order NaN');
  }
  const x = sortSamples(baseline);
  const y = sortSamples(canary);
  const { u, ties } = countPairs(x, y);
  const sizes = { n: x.length, m: y.length };
  const small = Math.min(sizes.n, sizes.m) <= exactSizeMax && ties === 0;
  const exact =
    (options.method === 'exact' || (options.method === 'auto' && small)) &&
    sizes.n * sizes.m <= exactPairsMax;
  return {
    u,
    p: exact ? exactP(u, sizes, options.alternative) : asymptoticP(u, ties, sizes, options.alternative),
    effect: 1 - u / (sizes.n * sizes.m),
    method: exact ? 'exact' : 'asymptotic',
  };
}

/**
 * The same test on binned samples: `counts[i]` values of each side in bin i, bins from fast to slow. Exact
 * for the binned data; what is lost is the order within a bin. `dispersion` ≥ 1 widens the variance for
 * requests that are slow together.
 */
export function mannWhitneyOfBins(
  baseline: readonly number[],
  canary: readonly number[],
  alternative: MannWhitneyOptions['alternative'],
  dispersion = 1,
): MannWhitney | null {
  let n = 0;
  let m = 0;
  let u = 0;
  let ties = 0;
  for (let i = 0; i < baseline.length; i++) {
    const b = baseline[i] ?? 0;
    const c = canary[i] ?? 0;
    u += b * (m + c / 2);
    ties += (b + c) ** 3 - (b + c);
    n += b;
    m += c;
  }
  if (n === 0 || m === 0) return null;
  const p = asymptoticP(u, ties, { n, m }, alternative, dispersion);
  return { u, p, effect: 1 - u / (n * m), method: 'asymptotic' };
}

// One merge over both sorted samples: U of x, and Σ(t³ − t) over runs of t equal values.
function countPairs(x: Float64Array, y: Float64Array): { u: number; ties: number } {
  let i = 0;
  let j = 0;
  let u = 0;
  let ties = 0;
  while (i < x.length && j < y.length) {
    const a = x[i] as number;
    const b = y[j] as number;
    if (a < b) {
      const from = i++;
      while (i < x.length && x[i] === a) i++;
      const run = i - from;
      u += run * j;
      if (run > 1) ties += run ** 3 - run;
    } else {
      const fromY = j;
      while (j < y.length && y[j] === b) j++;
      const fromX = i;
      while (i < x.length && x[i] === b) i++;
      const run = j - fromY + i - fromX;
      u += (i - fromX) * (fromY + (j - fromY) / 2);
      if (run > 1) ties += run ** 3 - run;
    }
  }
  u += (x.length - i) * y.length;
  return { u, ties: ties + tiesFrom(x, i) + tiesFrom(y, j) };
}

function tiesFrom(sorted: Float64Array, start: number): number {
  let ties = 0;
  for (let i = start; i < sorted.length; ) {
    const from = i++;
    while (i < sorted.length && sorted[i] === sorted[from]) i++;
    if (i - from > 1) ties += (i - from) ** 3 - (i - from);
  }
  return ties;
}

type Sizes = { readonly n: number; readonly m: number };

// Normal approximation with tie-corrected variance and continuity correction.
function asymptoticP(
  u: number,
  ties: number,
  { n, m }: Sizes,
  alternative: MannWhitneyOptions['alternative'],
  dispersion = 1,
): number {
  const total = n + m;
  const variance = dispersion * ((n * m) / 12) * (total + 1 - ties / (total * (total - 1)));
  // Everything equal: no order at all, hence no evidence.
  if (!(variance > 0)) return 1;
  const sd = Math.sqrt(variance);
  // `less` (baseline below canary) means a small U of the baseline, that is a large U of the canary.
  const upper = alternative === 'less' ? n * m - u : alternative === 'greater' ? u : Math.max(u, n * m - u);
  const p = normalTail((upper - (n * m) / 2 - 0.5) / sd);
  return alternative === 'two-sided' ? Math.min(1, 2 * p) : p;
}

// P(U ≥ u) from the exact null distribution. Half-integer U (ties) is truncated as in scipy; with ties the
// distribution is not valid, which is why `auto` never comes here with ties.
function exactP(u: number, { n, m }: Sizes, alternative: MannWhitneyOptions['alternative']): number {
  const upper = alternative === 'less' ? n * m - u : alternative === 'greater' ? u : Math.max(u, n * m - u);
  const p = exactTail(Math.trunc(upper), n, m);
  return alternative === 'two-sided' ? Math.min(1, 2 * p) : p;
}

/**
 * P(U ≥ u). The number of orders with U = k is the coefficient of q^k in the Gaussian binomial
 * ∏ (1 − q^(m+i)) ÷ (1 − q^i), i = 1…n; each factor is divided by its value at q = 1, so the coefficients are
 * probabilities from the start and nothing overflows.
 */
function exactTail(u: number, n: number, m: number): number {
  const few = Math.min(n, m);
  const many = Math.max(n, m);
  const top = n * m;
  if (u <= 0) return 1;
  const weights = new Float64Array(top + 1);
  weights[0] = 1;
  for (let i = 1; i <= few; i++) {
    const scale = i / (many + i);
    const degree = i * many;
    for (let k = degree; k >= many + i; k--)
      weights[k] = (weights[k] as number) - (weights[k - many - i] as number);
    for (let k = i; k <= degree; k++) weights[k] = (weights[k] as number) + (weights[k - i] as number);
    for (let k = 0; k <= degree; k++) weights[k] = (weights[k] as number) * scale;
  }
  // Symmetric: P(U ≥ u) = P(U ≤ nm − u). Small coefficients come first and are the accurate ones.
  const lower = top - u;
  if (lower <= top / 2) return sumTo(weights, lower);
  return 1 - sumTo(weights, u - 1);
}

function sumTo(weights: Float64Array, last: number): number {
  let sum = 0;
  for (let k = 0; k <= last; k++) sum += weights[k] as number;
  return sum;
}
