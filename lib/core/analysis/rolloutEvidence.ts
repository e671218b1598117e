// All bets of one rollout, folded over its minutes. `bets.ts` adds them up.
import type { Baseline } from './baseline.ts';
import { type BusinessState, beginBusiness, observeBusiness } from './businessEvidence.ts';
import { isClustered, observeClusters } from './clusterEvidence.ts';
import {
  type EvidenceState,
  errorRatioWeights,
  initial,
  observe,
  type PairedCount,
} from './errorEvidence.ts';
import { binsOf, observeShift, shiftSizes, tailRatios } from './latencyEvidence.ts';
import {
  initialAgainstLimit,
  type Limit,
  limitAt,
  observeAgainstLimit,
  uncontrolledLimit,
} from './limitEvidence.ts';
import { addCounts, type ErrorCount, errorCount, type Minute, slowCount } from './minutes.ts';
import type { AnalysisPolicy } from './policy.ts';
import { certificateLogOdds } from './promotionCertificate.ts';
import { levelAfter, type TrafficLevel } from './trafficLevel.ts';

export type RolloutEvidence = {
  readonly policy: AnalysisPolicy;
  readonly baseline: Baseline;
  /** Canary against stable. */
  readonly errors: EvidenceState;
  /** Canary against stable by periods with errors, for services whose errors cluster. */
  readonly clusters: EvidenceState;
  /** Canary against the error limits, where stable keeps them or is not there. */
  readonly errorLimit: EvidenceState;
  /** The limit it is held against where stable is there. */
  readonly controlledLimit: Limit;
  /** Canary against stable: the body of the latencies. */
  readonly shift: EvidenceState;
  /** Canary against stable: slow requests per frozen threshold. */
  readonly slow: readonly EvidenceState[];
  /** Canary against "at most 5 % slower than the p95 limit", per limit that has a threshold. */
  readonly slowLimits: readonly SlowLimit[];
  readonly business: readonly BusinessState[];
  /** Natural logarithm of the evidence that the canary is not `certifiedRatio` times as bad. */
  readonly logCertificate: number;
  readonly canary: ErrorCount;
  readonly stable: ErrorCount;
  readonly minutesSeen: number;
  /** Where the traffic has been since the last shift; null before the first minute of both sides. */
  readonly level: TrafficLevel | null;
};

export type SlowLimit = {
  readonly name: 'p95-limit' | 'p95-baseline';
  readonly limitMs: number;
  readonly threshold: number;
  readonly state: EvidenceState;
};

/** Before the first minute. */
export function beginEvidence(policy: AnalysisPolicy, baseline: Baseline): RolloutEvidence {
  const dispersion = baseline.errorDispersion;
  const { margin, shiftMargin } = policy.latency;
  return {
    policy,
    baseline,
    errors: initial({ dispersion, margin: policy.errors.margin, weights: errorRatioWeights }),
    clusters: initial({ margin: policy.errors.margin, weights: errorRatioWeights }),
    errorLimit: initialAgainstLimit(dispersion),
    controlledLimit: limitAt(errorLimitOf(policy)),
    shift: initial({
      dispersion: baseline.shiftDispersion,
      ratios: shiftSizes,
      margin: shiftMargin,
    }),
    slow: baseline.slowDispersions.map((slow) => initial({ dispersion: slow, ratios: tailRatios, margin })),
    slowLimits: slowLimitsOf(policy, baseline),
    business: policy.business.map((check) => beginBusiness(check, baseline)),
    logCertificate: 0,
    canary: { bad: 0, total: 0 },
    stable: { bad: 0, total: 0 },
    minutesSeen: 0,
    level: null,
  };
}

/** Adds one minute, in order of time. */
export function observeMinute(state: RolloutEvidence, minute: Minute): RolloutEvidence {
  const canary = minute.canary === null ? null : errorCount(minute.canary);
  const stable = minute.stable === null ? null : errorCount(minute.stable);
  const level = levelAfter(state.level, minute);
  const errors = { canary, stable, periodSeconds: minute.periodSeconds };
  const settled =
    level !== null && minute.startMs - level.sinceMs >= state.policy.latency.settleSeconds * 1000;
  const slow = settled ? state.slow.map((_, j) => slowCounts(minute, j)) : [];
  return {
    policy: state.policy,
    baseline: state.baseline,
    errors: observe(state.errors, errors),
    clusters: isClustered(state.baseline) ? observeClusters(state.clusters, errors) : state.clusters,
    errorLimit: observeErrorLimit(state, minute, canary, stable),
    controlledLimit: state.controlledLimit,
    shift: settled ? observeBody(state.shift, slow) : state.shift,
    slow: settled ? state.slow.map((bet, j) => observe(bet, slow[j] as PairedCount)) : state.slow,
    slowLimits: settled ? state.slowLimits.map((limit) => observeSlowLimit(limit, minute)) : state.slowLimits,
    business: state.business.map((business) => observeBusiness(business, minute)),
    logCertificate: state.logCertificate + certificateLogOdds(errors, state.baseline.errorDispersion),
    canary: canary === null ? state.canary : addCounts(state.canary, canary),
    stable: stable === null ? state.stable : addCounts(state.stable, stable),
    minutesSeen: state.minutesSeen + (canary === null ? 0 : 1),
    level,
  };
}

function observeBody(shift: EvidenceState, slow: readonly PairedCount[]): EvidenceState {
  const bins = binsOf(slow);
  return bins === null ? shift : observeShift(shift, { ...bins, periodSeconds: slow[0]?.periodSeconds ?? 0 });
}

/** Requests slower than threshold j, of both sides; null where they were not counted. */
export function slowCounts(minute: Minute, j: number): PairedCount {
  return {
    canary: slowCount(minute.canary, j),
    stable: slowCount(minute.stable, j),
    periodSeconds: minute.periodSeconds,
  };
}

/** The canary's error rate that is too much by itself: the lower of the two limits. */
export function errorLimitOf(policy: AnalysisPolicy): number {
  return Math.min(policy.errors.maxRate, policy.errors.burnAbort * (1 - policy.objective));
}

// Where stable runs beside it, the canary is held against the policy's limit, in minutes in which stable
// keeps that limit: an hour that is bad for both says nothing about the canary. Where all traffic is on the
// canary there is no such hour to see, and the limit is what the service had before.
function observeErrorLimit(
  state: RolloutEvidence,
  { periodSeconds, weight }: Minute,
  canary: ErrorCount | null,
  stable: ErrorCount | null,
): EvidenceState {
  const { policy, baseline, errorLimit, controlledLimit: limit } = state;
  if (weight >= 100 || stable === null || stable.total === 0) {
    if (weight < 100) return errorLimit;
    const seen = state.stable.total === 0 ? 0 : state.stable.bad / state.stable.total;
    const reference = Math.max(baseline.errorRate ?? 0, seen);
    const uncontrolled = limitAt(uncontrolledLimit(1 - policy.objective, reference));
    return observeAgainstLimit(errorLimit, { counts: canary, periodSeconds, limit: uncontrolled });
  }
  if (stable.bad > limit.rate * stable.total) return errorLimit;
  return observeAgainstLimit(errorLimit, { counts: canary, periodSeconds, limit });
}

/** p95 above a limit means that more than this share is slower than it. */
export const slowAtP95 = limitAt(0.05);

function observeSlowLimit(limit: SlowLimit, minute: Minute): SlowLimit {
  const { canary, stable, periodSeconds } = slowCounts(minute, limit.threshold);
  if (stable !== null && stable.bad > slowAtP95.rate * stable.total) return limit;
  return {
    ...limit,
    state: observeAgainstLimit(limit.state, { counts: canary, periodSeconds, limit: slowAtP95 }),
  };
}

function slowLimitsOf(policy: AnalysisPolicy, baseline: Baseline): SlowLimit[] {
  const limits: { name: SlowLimit['name']; limitMs: number }[] = [
    { name: 'p95-limit', limitMs: policy.latency.maxP95Ms },
  ];
  if (baseline.p95Ms !== null) {
    limits.push({ name: 'p95-baseline', limitMs: policy.latency.maxP95TimesBaseline * baseline.p95Ms });
  }
  return limits.flatMap(({ name, limitMs }) => {
    const threshold = baseline.slowThresholdsMs.findIndex(
      (value) => Math.abs(value - limitMs) < 1e-6 * limitMs,
    );
    const dispersion = baseline.slowDispersions[threshold];
    if (dispersion === undefined) return [];
    return [{ name, limitMs, threshold, state: initialAgainstLimit(dispersion) }];
  });
}
