// The weighted sum of a rollout's bets, which is what decides.
//
// Each family of checks gets a share of alpha. The sum of e-values with weights that add up to 1 is an
// e-value again whatever the dependence between them, so one threshold, 1 ÷ alpha, holds over every check
// and every look together: adding a check never adds false rollbacks, it only divides the money.
import { type EValues, eValuesOf } from './eValues.ts';
import type { BusinessCheck } from './policy.ts';
import type { RolloutEvidence } from './rolloutEvidence.ts';

/** Shares inside the families; each family's own share comes from the policy. */
const withinErrors = { relative: 0.9, limit: 0.1 };
const withinLatency = { relative: 0.75, mannWhitney: 0.15, limit: 0.1 };

/** One family or part of it: its e-value and the share of alpha it bets with. */
export type Bet = { readonly name: string; readonly share: number; readonly eValue: number };

type IsDryRun = (name: string) => boolean;

/**
 * Shares of the families that are asked for; one that is not, or is shown only, leaves its share to the
 * others.
 */
function familyShares(state: RolloutEvidence, isDryRun: IsDryRun) {
  const { shares } = state.policy;
  const business = state.business.some(({ check }) => isAsked(check, isDryRun));
  const errors = isDryRun('errors') ? 0 : shares.errors;
  const latency = state.slow.length === 0 || isDryRun('latency') ? 0 : shares.latency;
  const all = errors + latency + (business ? shares.business : 0);
  if (all === 0) return { errors: 0, latency: 0, business: 0 };
  return { errors: errors / all, latency: latency / all, business: business ? shares.business / all : 0 };
}

function isAsked(check: BusinessCheck, isDryRun: IsDryRun): boolean {
  return check.dryRun !== true && !isDryRun(`business:${check.name}`);
}

/** What Mann–Whitney at step ends bets with. */
export function mannWhitneyShareOf(state: RolloutEvidence, isDryRun: IsDryRun): number {
  return isDryRun('mann-whitney') ? 0 : familyShares(state, isDryRun).latency * withinLatency.mannWhitney;
}

/**
 * The bets that count, with shares that add up to at most 1. `stepEndE` is the e-value of the step-end
 * Mann–Whitney tests, 0 where they were not asked.
 */
export function betsOf(
  state: RolloutEvidence,
  stepEndE: number,
  isDryRun: IsDryRun,
  eValues: EValues = eValuesOf(state),
): Bet[] {
  const { errors, latency, business } = familyShares(state, isDryRun);
  const bets: Bet[] = [];
  const add = (name: string, share: number, eValue: number) => {
    if (share > 0) bets.push({ name, share, eValue });
  };
  add('errors', errors * withinErrors.relative, errorsEValue(state, eValues));
  add('error-limit', errors * withinErrors.limit, eValues.errorLimit);
  // Half on the body, half on the tail.
  add('latency', latency * withinLatency.relative, (eValues.shift + mean(eValues.slow)) / 2);
  add('p95-limit', latency * withinLatency.limit, mean(eValues.slowLimits));
  add('mann-whitney', isDryRun('mann-whitney') ? 0 : latency * withinLatency.mannWhitney, stepEndE);
  if (business > 0) {
    const asked = state.business.filter(({ check }) => isAsked(check, isDryRun)).length;
    state.business.forEach(({ check }, nth) => {
      if (isAsked(check, isDryRun))
        add(`business:${check.name}`, business / asked, eValues.business[nth] as number);
    });
  }
  return bets;
}

// Two errors can look overwhelming at a small weight. Fewer than the minimum may hold a rollout, not end it.
function errorsEValue({ policy, canary }: RolloutEvidence, { errors, clusters }: EValues): number {
  const full = clusters === null ? errors : (errors + clusters) / 2;
  return canary.bad >= policy.errors.minimumErrors ? full : Math.min(full, policy.holdAtEValue);
}

/** Of e-values: bets that share their money evenly. Where there is none, the money stays what it was. */
function mean(eValues: readonly number[]): number {
  let sum = 0;
  for (const eValue of eValues) sum += eValue;
  return eValues.length === 0 ? 1 : sum / eValues.length;
}

/** The weighted sum; shares that are not bet stay what they were (Σ shares ≤ 1). */
export function combined(bets: readonly Bet[]): number {
  let sum = 1;
  for (const { share, eValue } of bets) sum += share * (eValue - 1);
  return sum;
}
