// How strongly do the latencies say that the canary is slower than stable? Two bets, because a release can be
// slow in two ways.
//
// The tail: a few requests become very slow. "Slow" is slower than a threshold frozen from the baseline; slow
// requests are then counted and bet on exactly like errors (`errorEvidence.ts`), one bet per threshold.
//
// The body: everything becomes a little slower. No single threshold sees that well, so this bet takes the
// whole histogram. Each bin between thresholds gets a score, the mean normal quantile of the ranks in it
// (van der Waerden), computed from both sides together, and S is the sum of the scores of the canary's
// requests:
//
//   L(θ) = exp((θ − θ0)·S) · ( Σ_i f_i·exp(θ0·s_i) ÷ Σ_i f_i·exp(θ·s_i) )^n        f_i pooled share of bin i
//
// If the canary is no slower, its n requests are a draw without replacement from both sides' requests, and
// by Hoeffding (1963) the mean of exp(θS) is at most that of a draw with replacement, the bracket. θ is a
// shift in standard deviations of the (normalised) latency, θ0 the shift that is accepted: 0.03 is 2 % at σ
// = 0.6. Only ranks enter, so nothing needs to be known about the shape of the distribution.
//
// Measured at 100 requests/s (`npm run bench -- detection`): +10 % is found in 8 minutes and +3 % is not
// rolled back; counts at thresholds alone took as long for the first and took back the second.
import { type EvidenceState, type PairedCount, wager } from './errorEvidence.ts';
import { normalQuantile } from './specialFunctions.ts';

/** Suspected shifts of the body, in standard deviations. */
export const shiftSizes: readonly number[] = [0.12, 0.25, 0.6];
/** Suspected ratios of slow requests in the tail. */
export const tailRatios: readonly number[] = [2, 5, 20];

/** Requests per bin, fastest first: up to the first threshold, between thresholds, above the last. */
export type PairedBins = {
  readonly canary: readonly number[];
  readonly stable: readonly number[];
  readonly periodSeconds: number;
};

/** Adds one period to the bet on the body. The state's ratios are shifts θ, its margin is θ0. */
export function observeShift(state: EvidenceState, bins: PairedBins): EvidenceState {
  const requests = sum(bins.canary);
  if (requests === 0 || sum(bins.stable) === 0) return state;
  const pooled = bins.canary.map((count, i) => count + (bins.stable[i] ?? 0));
  const all = sum(pooled);
  const scores = normalScores(pooled, all);
  let total = 0;
  for (let i = 0; i < scores.length; i++) total += (bins.canary[i] as number) * (scores[i] as number);
  const { ratios, margin } = state.terms;
  const logMean = (theta: number) => {
    let mean = 0;
    for (let i = 0; i < scores.length; i++)
      mean += (pooled[i] as number) * Math.exp(theta * (scores[i] as number));
    return Math.log(mean / all);
  };
  const accepted = logMean(margin);
  return wager(state, bins.periodSeconds, (k) => {
    const theta = ratios[k] as number;
    return (theta - margin) * total - requests * (logMean(theta) - accepted);
  });
}

/**
 * Mean normal quantile of the ranks in each bin: (φ(a) − φ(b)) ÷ P(bin) with a, b the quantiles of its edges.
 * Weighted by the counts they sum to zero.
 */
export function normalScores(pooled: readonly number[], all: number): number[] {
  const scores: number[] = [];
  let below = 0;
  let lower = 0;
  for (const count of pooled) {
    below += count;
    const upper = density(normalQuantile(Math.min(1, below / all)));
    scores.push(count === 0 ? 0 : ((lower - upper) * all) / count);
    lower = upper;
  }
  return scores;
}

/** Bins of both sides from the counts above the thresholds; null where a side was not counted. */
export function binsOf(
  counts: readonly PairedCount[],
): { readonly canary: number[]; readonly stable: number[] } | null {
  const canary = sideBins(counts, 'canary');
  const stable = sideBins(counts, 'stable');
  return canary === null || stable === null ? null : { canary, stable };
}

function sideBins(counts: readonly PairedCount[], side: 'canary' | 'stable'): number[] | null {
  const bins: number[] = [];
  let above = counts[0]?.[side]?.total ?? 0;
  for (const count of counts) {
    const seen = count[side];
    if (seen === null) return null;
    bins.push(Math.max(0, above - seen.bad));
    above = Math.min(above, seen.bad);
  }
  bins.push(above);
  return bins;
}

function density(z: number): number {
  return Number.isFinite(z) ? Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI) : 0;
}

function sum(values: readonly number[]): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
