// The opposite bet: evidence that the canary is NOT three times as bad. It would allow a promotion before the
// bake is over; with a small weight it takes more errors than most services have (about 114 at 5 %), so it is
// shown and does not decide.
//
//   E′ = Π_t [ r^(−x) · (1 − p_t + r·p_t)^(x + y) ]^(1/φ),   null: risk ratio ≥ r;   certified at E′ ≥ 1/β
import type { PairedCount } from './errorEvidence.ts';

/** The risk ratio that is ruled out. */
export const certifiedRatio = 3;
// A wrong certificate shortens a bake, a wrong rollback stops a release: one in twenty is enough here.
export const certificateBeta = 0.05;

/** What one period adds to log E′. */
export function certificateLogOdds(
  { canary, stable }: PairedCount,
  dispersion: number,
  ratio = certifiedRatio,
): number {
  if (canary === null || stable === null || canary.total === 0 || stable.total === 0) return 0;
  const share = canary.total / (canary.total + stable.total);
  const errors = canary.bad + stable.bad;
  return (errors * Math.log1p(share * (ratio - 1)) - canary.bad * Math.log(ratio)) / dispersion;
}
