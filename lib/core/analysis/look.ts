// One look at a rollout: everything the checks read, gathered once.

import type { Bet } from './bets.ts';
import type { EValues } from './eValues.ts';
import { round } from './figures.ts';
import type { MannWhitney } from './mannWhitney.ts';
import { type ErrorCount, endMs, type Minute, minutesFrom } from './minutes.ts';
import type { AnalysisPolicy } from './policy.ts';
import type { RolloutEvidence } from './rolloutEvidence.ts';
import type { Check, Told } from './verdict.ts';

export type Look = {
  readonly policy: AnalysisPolicy;
  /** All minutes, oldest first. */
  readonly minutes: readonly Minute[];
  /** Those of the metric window, counted back from the newest. */
  readonly window: readonly Minute[];
  /** Errors of both sides in the metric window. */
  readonly recent: { readonly canary: ErrorCount; readonly stable: ErrorCount };
  /** Those that began after the step did. */
  readonly step: readonly Minute[];
  readonly evidence: RolloutEvidence;
  readonly eValues: EValues;
  readonly bets: readonly Bet[];
  /** The step's latencies of both sides compared at its end; null before it, or without any to compare. */
  readonly ranks: MannWhitney | null;
  /** Evidence against the canary over all bets together. */
  readonly combined: number;
  /** Epoch milliseconds. */
  readonly now: number;
  /** Percent of requests the canary is configured to get now. */
  readonly weight: number;
  readonly atStepEnd: boolean;
};

/** Minutes of the metric window, counted back from the end of the newest one. */
export function windowOf(minutes: readonly Minute[], windowSeconds: number): readonly Minute[] {
  const last = minutes.at(-1);
  return last === undefined ? [] : minutesFrom(minutes, endMs(last) - windowSeconds * 1000);
}

/** Evidence at which a bet decides alone: the whole threshold divided by its share. */
export function decidesAt(look: Look, bet: Bet): number {
  return 1 / (look.policy.alpha * bet.share);
}

/**
 * A bet as a check: fails when it alone reaches the threshold. Smaller evidence is weighed in the sum of
 * all.
 */
export function betCheck(look: Look, bet: Bet, see: () => Pick<Told, 'counts' | 'sentence'>): Check {
  const threshold = decidesAt(look, bet);
  return {
    name: bet.name,
    verdict: bet.eValue >= threshold ? 'fail' : 'pass',
    tell: () => ({ ...see(), threshold: round(threshold), eValue: round(bet.eValue) }),
  };
}

export function betNamed(look: Look, name: string): Bet | undefined {
  for (const bet of look.bets) if (bet.name === name) return bet;
  return undefined;
}

/** Errors of both sides by name. */
export const countsOf = (canary: ErrorCount, stable: ErrorCount): Told['counts'] => ({
  canaryErrors: canary.bad,
  canaryRequests: canary.total,
  stableErrors: stable.bad,
  stableRequests: stable.total,
});

export function rateOf({ bad, total }: ErrorCount): number | null {
  return total === 0 ? null : bad / total;
}
