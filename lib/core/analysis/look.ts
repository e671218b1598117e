// One look at a rollout: everything the checks read, gathered once.

import type { Bet } from './bets.ts';
import { type ErrorCount, endMs, type Minute, sumErrors } from './minutes.ts';
import type { AnalysisPolicy } from './policy.ts';
import type { RolloutEvidence } from './rolloutEvidence.ts';
import type { CheckResult, Verdict } from './verdict.ts';

export type Look = {
  readonly policy: AnalysisPolicy;
  /** All minutes, oldest first. */
  readonly minutes: readonly Minute[];
  /** Those of the metric window, counted back from the newest. */
  readonly window: readonly Minute[];
  /** Those that began after the step did. */
  readonly step: readonly Minute[];
  readonly evidence: RolloutEvidence;
  readonly bets: readonly Bet[];
  /** Epoch milliseconds. */
  readonly now: number;
  /** Percent of requests the canary is configured to get now. */
  readonly weight: number;
  readonly atStepEnd: boolean;
};

/** Minutes of the metric window, counted back from the end of the newest one. */
export function windowOf(minutes: readonly Minute[], windowSeconds: number): readonly Minute[] {
  const last = minutes.at(-1);
  if (last === undefined) return [];
  const fromMs = endMs(last) - windowSeconds * 1000;
  return minutes.slice(minutes.findLastIndex((minute) => minute.startMs < fromMs) + 1);
}

/** Evidence at which a bet decides alone: the whole threshold divided by its share. */
export function decidesAt(look: Look, bet: Bet): number {
  return 1 / (look.policy.alpha * bet.share);
}

/**
 * A bet as a check: fails when it alone reaches the threshold. Smaller evidence is weighed in the sum of
 * all.
 */
export function betCheck(look: Look, bet: Bet, counts: CheckResult['counts'], sentence: string): CheckResult {
  const threshold = decidesAt(look, bet);
  const verdict: Verdict = bet.eValue >= threshold ? 'fail' : 'pass';
  return {
    name: bet.name,
    verdict,
    counts,
    threshold: round(threshold),
    eValue: round(bet.eValue),
    sentence,
  };
}

export function betNamed(look: Look, name: string): Bet | undefined {
  return look.bets.find((bet) => bet.name === name);
}

/** Errors of both sides as named counts. */
export function errorCounts(minutes: readonly Minute[]): {
  canary: ErrorCount;
  stable: ErrorCount;
  counts: CheckResult['counts'];
} {
  const canary = sumErrors(minutes, 'canary');
  const stable = sumErrors(minutes, 'stable');
  return { canary, stable, counts: countsOf(canary, stable) };
}

/** Errors of both sides by name. */
export const countsOf = (canary: ErrorCount, stable: ErrorCount): CheckResult['counts'] => ({
  canaryErrors: canary.bad,
  canaryRequests: canary.total,
  stableErrors: stable.bad,
  stableRequests: stable.total,
});

export function rateOf({ bad, total }: ErrorCount): number | null {
  return total === 0 ? null : bad / total;
}

/** 0.0123 → "1.23 %". */
export function percent(rate: number): string {
  if (rate === 0) return '0 %';
  return `${Number((rate * 100).toPrecision(3))} %`;
}

/** Six significant digits: enough to judge by, few enough to store. */
export function round(value: number): number {
  if (value >= 1 && value < 1e6 && Number.isInteger(value)) return value;
  return Number(value.toPrecision(6));
}
