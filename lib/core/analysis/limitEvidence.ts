// How strongly do the canary's own counts say that its rate lies above a fixed limit? Needed where there is
// nothing to compare with (all traffic on the canary) and for limits that are absolute by agreement ("at most
// 1 % errors", "p95 at most 500 ms", which means at most 5 % of requests slower than 500 ms).
//
//   L_t(q) = [ (q/q0)^x · ((1 − q) ÷ (1 − q0))^(n − x) ]^(1/φ)
//
// bet through the same mixture over sizes and start times as `errorEvidence.ts`. It falls in x/n below q0 and
// so covers every rate up to the limit, not only the limit itself. What it cannot do is tell a bad canary
// from a bad hour: the caller passes only periods in which stable kept the limit, or in which no stable was.
import { type BadCount, type EvidenceState, initial, wager } from './errorEvidence.ts';

/** From half above the limit to three hundred times it. */
const limitRatios: readonly number[] = [1.5, 2, 3, 5, 10, 30, 100, 300];

// A suspected rate of 1 would make a single good answer an impossibility.
const suspectedRateMax = 0.99;

/** A limit rate, and what one bad and one good answer say under each suspicion: log likelihood ratios. */
export type Limit = {
  /** 0–1. */
  readonly rate: number;
  readonly bad: readonly number[];
  readonly good: readonly number[];
};

/** The limit at a rate, 0–1. */
export function limitAt(rate: number): Limit {
  const suspected = limitRatios.map((ratio) => Math.min(suspectedRateMax, rate * ratio));
  return {
    rate,
    bad: suspected.map((q) => Math.log(q / rate)),
    good: suspected.map((q) => Math.log1p(-q) - Math.log1p(-rate)),
  };
}

/** The fold against a limit before the first period. */
export function initialAgainstLimit(dispersion: number): EvidenceState {
  return initial({ dispersion, ratios: limitRatios });
}

/** Adds one period of one side's counts against a limit. */
export function observeAgainstLimit(
  state: EvidenceState,
  period: { readonly counts: BadCount | null; readonly periodSeconds: number; readonly limit: Limit },
): EvidenceState {
  const { counts, limit, periodSeconds } = period;
  if (counts === null || counts.total === 0 || limit.rate <= 0 || limit.rate >= suspectedRateMax)
    return state;
  const { bad, total } = counts;
  return wager(
    state,
    periodSeconds,
    (k) => bad * (limit.bad[k] as number) + (total - bad) * (limit.good[k] as number),
  );
}

/** The limit where there is no control: twice the budget, or three times what the baseline had. */
export function uncontrolledLimit(budget: number, baselineRate: number | null): number {
  return Math.max(2 * budget, 3 * (baselineRate ?? 0));
}
