// The bet for services whose errors come in clusters: not how many errors a side had in a period, but
// whether it had any.
//
// A cluster of errors (one broken client, one lost connection) falls on one side. If there are few enough
// clusters to fall into different periods, then of the periods in which exactly one side had errors the
// canary owns a share of at most p, its share of the traffic, when it is no worse than stable. For clusters
// that come at rate Λ the share is (e^(Λp) − 1) ÷ (e^(Λp) − 1 + e^(Λ(1−p)) − 1), which is p for rare
// clusters and less for frequent ones as long as p ≤ ½. How large clusters are does not enter at all, so no
// dispersion is needed and a single giant cluster counts once. `errorEvidence.ts` divides by φ ≈ 2c − 1
// where this divides by c.
//
// Periods in which both sides had errors say nothing here; a service with many errors per period is judged by
// the counts.
import { type EvidenceState, observe, type PairedCount } from './errorEvidence.ts';

// Dispersion from which the counts waste enough to share the money with this bet.
const clusteredFrom = 1.5;

/** Whether a service's errors cluster enough for this bet to be made. */
export function isClustered({ errorDispersion }: { readonly errorDispersion: number }): boolean {
  return errorDispersion >= clusteredFrom;
}

/** Adds one period. The state's dispersion must be 1. */
export function observeClusters(state: EvidenceState, minute: PairedCount): EvidenceState {
  const { canary, stable, periodSeconds } = minute;
  if (canary === null || stable === null || canary.total * state.terms.margin > stable.total) return state;
  const both = canary.bad > 0 && stable.bad > 0;
  return observe(state, {
    canary: { bad: !both && canary.bad > 0 ? 1 : 0, total: canary.total },
    stable: { bad: !both && stable.bad > 0 ? 1 : 0, total: stable.total },
    periodSeconds,
  });
}
