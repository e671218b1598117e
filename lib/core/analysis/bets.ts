// The weighted sum of a rollout's bets, which is what decides.
//
// Each family of checks gets a share of alpha. The sum of e-values with weights that add up to 1 is an
// e-value again whatever the dependence between them, so one threshold, 1 ÷ alpha, holds over every check
// and every look together: adding a check never adds false rollbacks, it only divides the money.
import type { BusinessState } from './businessEvidence.ts';
import { isClustered } from './clusterEvidence.ts';
import { type EvidenceState, evidence } from './errorEvidence.ts';
import type { RolloutEvidence } from './rolloutEvidence.ts';

/** Shares inside the families; each family's own share comes from the policy. */
const withinErrors = { relative: 0.9, limit: 0.1 };
const withinLatency = { relative: 0.75, mannWhitney: 0.15, limit: 0.1 };

/** One family or part of it: its e-value and the share of alpha it bets with. */
export type Bet = { readonly name: string; readonly share: number; readonly eValue: number };

/**
 * Shares of the families that are asked for; one that is not, or is shown only, leaves its share to the
 * others.
 */
function familyShares(state: RolloutEvidence, isDryRun: (name: string) => boolean) {
  const { shares } = state.policy;
  const business = businessOf(state, isDryRun).length > 0;
  const errors = isDryRun('errors') ? 0 : shares.errors;
  const latency = state.slow.length === 0 || isDryRun('latency') ? 0 : shares.latency;
  const all = errors + latency + (business ? shares.business : 0);
  if (all === 0) return { errors: 0, latency: 0, business: 0 };
  return { errors: errors / all, latency: latency / all, business: business ? shares.business / all : 0 };
}

function businessOf(state: RolloutEvidence, isDryRun: (name: string) => boolean): BusinessState[] {
  return state.business.filter(({ check }) => check.dryRun !== true && !isDryRun(`business:${check.name}`));
}

/** What Mann–Whitney at step ends bets with. */
export function mannWhitneyShareOf(state: RolloutEvidence, isDryRun: (name: string) => boolean): number {
  return isDryRun('mann-whitney') ? 0 : familyShares(state, isDryRun).latency * withinLatency.mannWhitney;
}

/**
 * The bets that count, with shares that add up to at most 1. `stepEndE` is the e-value of the step-end
 * Mann–Whitney tests, 0 where they were not asked.
 */
export function betsOf(state: RolloutEvidence, stepEndE: number, isDryRun: (name: string) => boolean): Bet[] {
  const { errors, latency, business } = familyShares(state, isDryRun);
  const asked = businessOf(state, isDryRun);
  const limits = state.slowLimits.map((limit) => limit.state);
  return [
    errorBet(state, errors * withinErrors.relative),
    bet('error-limit', errors * withinErrors.limit, [state.errorLimit]),
    { name: 'latency', share: latency * withinLatency.relative, eValue: latencyEValue(state) },
    bet('p95-limit', latency * withinLatency.limit, limits),
    { name: 'mann-whitney', share: mannWhitneyShareOf(state, isDryRun), eValue: stepEndE },
    ...asked.map((item) => bet(`business:${item.check.name}`, business / asked.length, [item.state])),
  ].filter(({ share }) => share > 0);
}

// Half on the body, half on the tail.
function latencyEValue({ shift, slow }: RolloutEvidence): number {
  return (evidence(shift) + bet('tail', 1, slow).eValue) / 2;
}

// Two errors can look overwhelming at a small weight. Fewer than the minimum may hold a rollout, not end it.
function errorBet(state: RolloutEvidence, share: number): Bet {
  const { errors, holdAtEValue } = state.policy;
  const full = bet(
    'errors',
    share,
    isClustered(state.baseline) ? [state.errors, state.clusters] : [state.errors],
  );
  return state.canary.bad >= errors.minimumErrors
    ? full
    : { ...full, eValue: Math.min(full.eValue, holdAtEValue) };
}

function bet(name: string, share: number, states: readonly EvidenceState[]): Bet {
  const sum = states.reduce((e, state) => e + evidence(state), 0);
  return { name, share, eValue: states.length === 0 ? 1 : sum / states.length };
}

/** The weighted sum; shares that are not bet stay what they were (Σ shares ≤ 1). */
export function combined(bets: readonly Bet[]): number {
  return bets.reduce((sum, { share, eValue }) => sum + share * (eValue - 1), 1);
}
