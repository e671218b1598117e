// The e-value of every bet of a rollout. Several checks read each of them and each costs a sum of
// exponentials, so a look works them out once.
import { isClustered } from './clusterEvidence.ts';
import { evidence } from './errorEvidence.ts';
import type { RolloutEvidence } from './rolloutEvidence.ts';

/** In the order of the evidence's own lists. */
export type EValues = {
  readonly errors: number;
  /** null where the errors do not cluster and nothing is bet on it. */
  readonly clusters: number | null;
  readonly errorLimit: number;
  readonly shift: number;
  readonly slow: readonly number[];
  readonly slowLimits: readonly number[];
  readonly business: readonly number[];
};

export function eValuesOf(state: RolloutEvidence): EValues {
  return {
    errors: evidence(state.errors),
    clusters: isClustered(state.baseline) ? evidence(state.clusters) : null,
    errorLimit: evidence(state.errorLimit),
    shift: evidence(state.shift),
    slow: state.slow.map(evidence),
    slowLimits: state.slowLimits.map((limit) => evidence(limit.state)),
    business: state.business.map((business) => evidence(business.state)),
  };
}
