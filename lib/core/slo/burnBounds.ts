// How sure a burn rate is. Two kinds of bounds, because there are two ways to look.
//
// Looked at once, after a number of requests fixed beforehand: Clopper–Pearson, the exact binomial bounds.
// With no error at all the upper bound is about 3 ÷ n at 95 %, so to say "burn below 10, 2, 1" at 99.9 %
// takes 300, 1 500, 3 000 requests, and no cleverness makes it fewer.
//
// Looked at again and again: an anytime bound. A rate q0 is excluded once the counts are 1 ÷ alpha times more
// likely under a mixture of all rates than under q0; by Ville's inequality that happens to the true rate with
// probability at most alpha over ALL looks together. The mixture is Beta(½, ½), which has a closed form:
//   E(q0) = B(x + ½, n − x + ½) ÷ B(½, ½) ÷ (q0^x · (1 − q0)^(n − x))
import { betaQuantile, logGamma } from '../analysis/specialFunctions.ts';

export type Bounds = { readonly lower: number; readonly point: number; readonly upper: number };

type Counts = { readonly bad: number; readonly total: number };

/** Bounds of the error ratio for one look. `confidence` is that of each bound by itself, e.g. 0.95. */
export function ratioBounds({ bad, total, confidence }: Counts & { readonly confidence: number }): Bounds {
  if (total === 0) return { lower: 0, point: 0, upper: 1 };
  const alpha = 1 - confidence;
  return {
    lower: bad === 0 ? 0 : betaQuantile(alpha, bad, total - bad + 1),
    point: bad / total,
    upper: bad >= total ? 1 : betaQuantile(confidence, bad + 1, total - bad),
  };
}

/** The same bounds in units of the error budget. */
export function burnBounds(
  counts: Counts & { readonly objective: number; readonly confidence: number },
): Bounds {
  const { lower, point, upper } = ratioBounds(counts);
  const budget = 1 - counts.objective;
  return { lower: lower / budget, point: point / budget, upper: upper / budget };
}

/** Bounds of the error ratio that hold at every look. `alpha` is shared by both bounds. */
export function anytimeRatioBounds({ bad, total, alpha }: Counts & { readonly alpha: number }): Bounds {
  if (total === 0) return { lower: 0, point: 0, upper: 1 };
  const point = bad / total;
  const logMixture = logBeta(bad + 0.5, total - bad + 0.5) - logBeta(0.5, 0.5);
  const excluded = (q: number) => logMixture - term(bad, q) - term(total - bad, 1 - q) >= -Math.log(alpha);
  return {
    lower: bad === 0 ? 0 : edge(excluded, 0, point),
    point,
    upper: bad >= total ? 1 : edge(excluded, 1, point),
  };
}

/**
 * Further requests, at the error ratio seen so far, until the one-look bounds lie on one side of `burn`;
 * 0 when they already do, Infinity when the ratio is the limit itself.
 */
export function requestsToCertify(
  input: Counts & { readonly objective: number; readonly burn: number; readonly confidence: number },
): number {
  const { bad, total, objective, burn, confidence } = input;
  const limit = burn * (1 - objective);
  const ratio = total === 0 ? 0 : bad / total;
  const settled = (more: number) => {
    const bounds = ratioBounds({ bad: bad + ratio * more, total: total + more, confidence });
    return bounds.upper <= limit || bounds.lower > limit;
  };
  if (settled(0)) return 0;
  if (ratio === limit) return Number.POSITIVE_INFINITY;
  let high = 1;
  while (!settled(high)) {
    high *= 2;
    if (high > 1e12) return Number.POSITIVE_INFINITY;
  }
  let low = high >> 1;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (settled(middle)) high = middle;
    else low = middle;
  }
  return high;
}

function term(count: number, p: number): number {
  return count === 0 ? 0 : count * Math.log(p);
}

function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}

// Between an excluded end and the point, which never is: where exclusion stops.
function edge(excluded: (q: number) => boolean, end: number, point: number): number {
  let out = end;
  let inside = point;
  for (let i = 0; i < 60; i++) {
    const middle = (out + inside) / 2;
    if (excluded(middle)) out = middle;
    else inside = middle;
  }
  return (out + inside) / 2;
}
