// From the minutes of a rollout to one answer: go on, go back, or not known yet.
// A fold over stored minutes and nothing else: the same minutes give the same answer a year later.
import type { Baseline } from './baseline.ts';
import { type ErrorCount, endMs, type Minute, sumErrors } from './minutes.ts';
import type { AnalysisPolicy } from './policy.ts';
import { bySeverity, type CheckResult, type Verdict, worstOf } from './verdict.ts';

export type AnalysisInput = {
  readonly policy: AnalysisPolicy;
  /** Frozen when the rollout started. */
  readonly baseline: Baseline;
  /** Every period of this rollout that is old enough to be read, oldest first, one per period. */
  readonly minutes: readonly Minute[];
  /** Epoch milliseconds, like the two below. */
  readonly now: number;
  readonly stepStartedAt: number;
  readonly stepEndsAt: number;
  /** Percent of requests the canary is configured to get now. */
  readonly weight: number;
  /** `bake`: look for reasons to go back. `step-end`: also ask whether enough was seen to go on. */
  readonly checksDue: 'bake' | 'step-end';
};

export type Analysis = {
  readonly verdict: Verdict;
  /** One sentence a person reads. */
  readonly summary: string;
  readonly checks: readonly CheckResult[];
  /** Evidence against the canary over all checks together; ≥ 1 ÷ alpha rolls back. */
  readonly combinedEValue: number;
  /** How many more canary requests would make an answer possible. */
  readonly needsRequests?: number;
  readonly minutesSeen: number;
  /** Errors and requests of the whole rollout so far. */
  readonly canary: ErrorCount;
  readonly stable: ErrorCount;
};

/** The small form of an analysis, below 1 KB: what an event carries. */
export type AnalysisEvidence = {
  readonly verdict: Verdict;
  readonly summary: string;
  readonly eValue: number;
  readonly canary: { readonly requests: number; readonly errors: number };
  readonly stable: { readonly requests: number; readonly errors: number };
  readonly worst: readonly {
    readonly name: string;
    readonly verdict: Verdict;
    readonly sentence: string;
    readonly threshold: number | null;
  }[];
  readonly minutesSeen: number;
  readonly needsRequests?: number;
};

/** Judges a rollout on everything seen of it so far. */
export function analyse(input: AnalysisInput): Analysis {
  const canary = sumErrors(input.minutes, 'canary');
  const stable = sumErrors(input.minutes, 'stable');
  const checks = [dataCheck(input, canary), errorRateCheck(input), p95Check(input)].toSorted(bySeverity);
  const verdict = worstOf(checks.filter((check) => check.dryRun !== true).map((check) => check.verdict));
  const missing = Math.max(0, input.policy.minimumRequests - canary.total);
  return {
    verdict,
    summary: checks[0]?.sentence ?? 'Nothing was checked.',
    checks,
    combinedEValue: 1,
    ...(missing > 0 ? { needsRequests: missing } : {}),
    minutesSeen: input.minutes.filter((minute) => minute.canary !== null).length,
    canary,
    stable,
  };
}

/** The form of an analysis that an event carries. */
export function evidenceOf(analysis: Analysis): AnalysisEvidence {
  const counting = analysis.checks.filter((check) => check.dryRun !== true && check.verdict !== 'pass');
  return {
    verdict: analysis.verdict,
    summary: analysis.summary.slice(0, 200),
    eValue: Number(analysis.combinedEValue.toPrecision(6)),
    canary: { requests: analysis.canary.total, errors: analysis.canary.bad },
    stable: { requests: analysis.stable.total, errors: analysis.stable.bad },
    worst: counting.slice(0, 3).map(({ name, verdict, sentence, threshold }) => ({
      name,
      verdict,
      sentence: sentence.slice(0, 140),
      threshold,
    })),
    minutesSeen: analysis.minutesSeen,
    ...(analysis.needsRequests === undefined ? {} : { needsRequests: analysis.needsRequests }),
  };
}

function dataCheck({ policy, minutes, checksDue, now }: AnalysisInput, canary: ErrorCount): CheckResult {
  const last = minutes.findLast((minute) => minute.canary !== null);
  const staleSeconds = last === undefined ? Number.POSITIVE_INFINITY : (now - endMs(last)) / 1000;
  const stale = staleSeconds > policy.dataDelaySeconds + 3 * policy.periodSeconds;
  const few = checksDue === 'step-end' && canary.total < policy.minimumRequests;
  return {
    name: 'data',
    verdict: stale || few ? 'inconclusive' : 'pass',
    counts: { canaryRequests: canary.total },
    threshold: policy.minimumRequests,
    sentence: stale
      ? 'No recent data from the canary.'
      : `The canary answered ${canary.total} requests; ${policy.minimumRequests} are wanted before going on.`,
  };
}

function errorRateCheck({ policy, minutes, now }: AnalysisInput): CheckResult {
  const counts = sumErrors(windowOf(minutes, now, policy), 'canary');
  const rate = counts.total === 0 ? null : counts.bad / counts.total;
  const fails = rate !== null && rate > policy.errors.maxRate && counts.bad >= policy.errors.minimumErrors;
  return {
    name: 'error-rate',
    verdict: rate === null ? 'inconclusive' : fails ? 'fail' : 'pass',
    counts: { canaryErrors: counts.bad, canaryRequests: counts.total },
    threshold: policy.errors.maxRate,
    sentence:
      rate === null
        ? 'The canary answered no request.'
        : `${counts.bad} of ${counts.total} canary requests failed (${(rate * 100).toPrecision(3)} %).`,
  };
}

function p95Check({ policy, minutes, now }: AnalysisInput): CheckResult {
  const seen = windowOf(minutes, now, policy)
    .map((minute) => minute.canary?.p95Ms)
    .filter((value) => value !== undefined && value !== null);
  const worst = Math.max(0, ...seen);
  const median = seen.toSorted((a, b) => a - b)[seen.length >> 1] ?? 0;
  return {
    name: 'p95-latency',
    verdict: median > policy.latency.maxP95Ms ? 'fail' : 'pass',
    counts: { p95Ms: median, worstP95Ms: worst },
    threshold: policy.latency.maxP95Ms,
    sentence: `The canary's p95 latency was ${Math.round(median)} ms in the middle minute.`,
  };
}

function windowOf(minutes: readonly Minute[], now: number, policy: AnalysisPolicy): Minute[] {
  const from = now - (policy.windowSeconds + policy.dataDelaySeconds) * 1000;
  return minutes.filter((minute) => minute.startMs >= from);
}
