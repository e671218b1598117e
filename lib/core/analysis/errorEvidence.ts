// How strongly do the counts so far say that the canary fails more often than stable?
//
// Intuition: while both sides run, every error is a ball that fell either left (canary) or right (stable). If
// the canary is no worse, it falls on the canary with probability p, the canary's share of the requests. A
// bettor who suspects risk ratio r stakes money on each ball; when the canary is fine the bettor cannot grow
// rich whatever the plan, so a fortune of 100 happens at most once in a hundred rollouts HOWEVER OFTEN we
// look (Ville's inequality). That fortune is the e-value.
//
//   L_t(r) = [ (r/ρ)^x · ((1 − p + ρp) ÷ (1 − p + rp))^(x+y) ]^(1/φ)
//            x canary and y stable errors in period t
//   A_t(r) = L_t(r) · (A_{t−1}(r) + h_t)                                h_t: money that starts betting at t
//   E_t    = Σ_r w_r · (A_t(r) + money not yet started)
//
// Conditioning on the period's totals removes the shared error rate: traffic waves, incidents that hit both
// sides and weight changes cannot imitate a bad canary. Binomial where the truth is hypergeometric is on the
// safe side (Hoeffding 1963: a convex function of a draw without replacement is smaller in expectation).
// The start mixture finds regressions that begin mid-rollout without old good minutes drowning them.
//
// φ divides the log odds by how much errors cluster (`dispersion.ts`). For φ = 1 and independent errors the
// guarantee is a theorem; for φ > 1 it is a calibrated approximation, measured by `npm run bench --
// detection`.
//
// Lindon & Malek, "Anytime-valid inference for multinomial count data", NeurIPS 2022 (arXiv 2011.03567).
import { logAdd, logSum } from './specialFunctions.ts';

export type BadCount = { readonly bad: number; readonly total: number };

/** Both sides in one period; a side without data makes the period uninformative. */
export type PairedCount = {
  readonly canary: BadCount | null;
  readonly stable: BadCount | null;
  readonly periodSeconds: number;
};

export type EvidenceOptions = {
  /** φ ≥ 1. */
  readonly dispersion: number;
  /** ρ: the risk ratio that is still acceptable. */
  readonly margin: number;
  /** Suspected risk ratios, as multiples of the margin, all above 1 (a rise) or all below 1 (a drop). */
  readonly ratios: readonly number[];
  /** Share of the money on each ratio, adding up to 1; without it every ratio gets the same. */
  readonly weights?: readonly number[];
  /** Share of the money that bets from the first period, 0–1. */
  readonly startShare: number;
  /** Share of the money not yet started that starts per minute. */
  readonly startPerMinute: number;
};

/** From half more to a thousand times more errors. */
export const errorEvidenceOptions: EvidenceOptions = {
  dispersion: 1,
  margin: 1,
  ratios: [1.5, 2, 3, 5, 10, 20, 50, 100, 300, 1000],
  startShare: 0.75,
  startPerMinute: 0.01,
};

/**
 * Most money on three to ten times as many errors: less is seldom urgent, and more needs little money
 * because it multiplies so fast. Worth 3 % fewer canary errors on the bench's regressions than even shares.
 */
export const errorRatioWeights: readonly number[] = [
  0.02, 0.06, 0.16, 0.22, 0.2, 0.14, 0.1, 0.06, 0.03, 0.01,
];

/** What is agreed before the first period, and the logarithms that every period needs of it. */
type Terms = EvidenceOptions & {
  /** log w_r: what each ratio's money is worth in the sum. */
  readonly logWeights: readonly number[];
  readonly logRatios: readonly number[];
  /** Of the share of money not yet started that waits through a minute. */
  readonly logWaiting: number;
};

export type EvidenceState = {
  readonly terms: Terms;
  /** log A(r) per suspected ratio. */
  readonly logStarted: readonly number[];
  /** Money not yet started, 0–1. */
  readonly unspent: number;
};

/** The fold before the first period: an e-value of 1. */
export function initial(options: Partial<EvidenceOptions> = {}): EvidenceState {
  const complete = { ...errorEvidenceOptions, ...options };
  const { ratios, weights } = complete;
  const terms = {
    ...complete,
    logWeights: ratios.map((_, k) => Math.log(weights?.[k] ?? 1 / ratios.length)),
    logRatios: ratios.map(Math.log),
    logWaiting: Math.log1p(-complete.startPerMinute),
  };
  return {
    terms,
    logStarted: ratios.map(() => Number.NEGATIVE_INFINITY),
    unspent: 1,
  };
}

/** Adds one period. Periods without data on either side, or with all traffic on one side, change nothing. */
export function observe(state: EvidenceState, minute: PairedCount): EvidenceState {
  const { canary, stable } = minute;
  if (canary === null || stable === null || canary.total === 0 || stable.total === 0) return state;
  const { ratios, logRatios, margin } = state.terms;
  const share = canary.total / (canary.total + stable.total);
  const errors = canary.bad + stable.bad;
  if (errors === 0) return wager(state, minute.periodSeconds, null);
  const acceptable = Math.log1p(share * (margin - 1));
  return wager(
    state,
    minute.periodSeconds,
    (k) =>
      canary.bad * (logRatios[k] as number) +
      errors * (acceptable - Math.log1p(share * ((ratios[k] as number) * margin - 1))),
  );
}

/**
 * One round of the bet: `logOdds(k)` is the log likelihood ratio of the period under suspicion k against the
 * null, before dispersion; null when the period favours no suspicion. New money starts first, then all of it
 * is multiplied. Other likelihoods (`latencyEvidence.ts`, `limitEvidence.ts`) bet through here too.
 */
export function wager(
  { terms, logStarted, unspent }: EvidenceState,
  periodSeconds: number,
  logOdds: ((k: number) => number) | null,
): EvidenceState {
  const starting =
    unspent === 1 && terms.startShare > 0
      ? terms.startShare
      : -unspent * Math.expm1((terms.logWaiting * periodSeconds) / 60);
  const logStarting = Math.log(starting);
  const started = logStarted.slice();
  for (let k = 0; k < started.length; k++) {
    const won = logOdds === null ? 0 : logOdds(k) / terms.dispersion;
    started[k] = logAdd(started[k] as number, logStarting) + won;
  }
  return { terms, logStarted: started, unspent: unspent - starting };
}

/**
 * The e-value now; 1 is no evidence, 1 ÷ alpha is enough to roll back. Finite (at most 1e299). Its
 * reciprocal is a p-value that holds at every look.
 */
export function evidence(state: EvidenceState): number {
  return Math.exp(Math.min(logEvidence(state), 690));
}

/** Natural logarithm of the e-value now. */
function logEvidence({ terms, logStarted, unspent }: EvidenceState): number {
  return logAdd(logSum(logStarted, terms.logWeights), Math.log(unspent));
}
