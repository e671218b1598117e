// Latency: counts of slow requests against stable, p95 against the limit and against twice the baseline,
// and at the end of a step Mann–Whitney over the whole distribution.

import { evidence as eValueOf } from './errorEvidence.ts';
import { binsOf } from './latencyEvidence.ts';
import { betCheck, betNamed, decidesAt, type Look, percent, rateOf, round } from './look.ts';
import { mannWhitneyOfBins } from './mannWhitney.ts';
import type { Minute } from './minutes.ts';
import type { AnalysisPolicy } from './policy.ts';
import { type RolloutEvidence, type SlowLimit, slowCounts } from './rolloutEvidence.ts';
import type { CheckResult } from './verdict.ts';

// CloudWatch calls a percentile p of fewer than 10 ÷ (1 − p) samples unreliable: 200 for p95.
const p95SamplesMin = 200;
const p95MinutesMin = 5;

export function latencyChecks(look: Look): CheckResult[] {
  const slow = slowCheck(look);
  const ranks = mannWhitneyCheck(look);
  return [...(slow === null ? [] : [slow]), ...p95Checks(look), ...(ranks === null ? [] : [ranks])];
}

function slowCheck(look: Look): CheckResult | null {
  const bet = betNamed(look, 'latency');
  if (bet === undefined) return null;
  const { slow, shift, baseline } = look.evidence;
  const values = slow.map(eValueOf);
  const tail = Math.max(...values);
  // A shift of everything shows best at the lowest threshold, where most requests are.
  const j = eValueOf(shift) > tail ? 0 : values.indexOf(tail);
  const thresholdMs = baseline.slowThresholdsMs[j] ?? 0;
  const canary = share(look.step, 'canary', j);
  const stable = share(look.step, 'stable', j);
  const counts = {
    thresholdMs,
    canarySlow: canary.bad,
    canaryRequests: canary.total,
    stableSlow: stable.bad,
    stableRequests: stable.total,
  };
  const ms = `${round(thresholdMs)} ms`;
  const says =
    `${percent(rateOf(canary) ?? 0)} of ${canary.total} canary requests in this step ` +
    `took longer than ${ms}, ${percent(rateOf(stable) ?? 0)} of stable's`;
  return betCheck(look, bet, counts, `${says}; evidence ${bet.eValue.toPrecision(3)}.`);
}

function p95Checks(look: Look): CheckResult[] {
  const { slowLimits, baseline } = look.evidence;
  const { latency } = look.policy;
  const limits = [
    { name: 'p95-limit', limitMs: latency.maxP95Ms },
    ...(baseline.p95Ms === null
      ? []
      : [{ name: 'p95-baseline', limitMs: latency.maxP95TimesBaseline * baseline.p95Ms }]),
  ];
  return limits.map(({ name, limitMs }) => {
    const counted = slowLimits.find((limit) => limit.name === name);
    return counted === undefined ? seriesCheck(look, name, limitMs) : countedCheck(look, counted);
  });
}

// p95 above the limit means that more than 5 % are slower than the limit, and that can be counted.
function countedCheck(look: Look, limit: SlowLimit): CheckResult {
  const canary = share(look.window, 'canary', limit.threshold);
  const stable = share(look.window, 'stable', limit.threshold);
  const common = {
    name: limit.name,
    counts: { canarySlow: canary.bad, canaryRequests: canary.total },
    threshold: limit.limitMs,
  };
  if (canary.total === 0)
    return { ...common, verdict: 'inconclusive', sentence: 'No canary request was timed.' };
  const bet = betNamed(look, 'p95-limit');
  const eValue = eValueOf(limit.state);
  const says = `${canary.bad} of ${canary.total} canary requests took longer than ${round(limit.limitMs)} ms`;
  if (bet !== undefined && eValue >= decidesAt(look, bet) * look.evidence.slowLimits.length) {
    return {
      ...common,
      verdict: 'fail',
      eValue: round(eValue),
      sentence: `${says}: p95 is above the limit beyond doubt.`,
    };
  }
  if (canary.bad <= 0.05 * canary.total)
    return { ...common, verdict: 'pass', sentence: `${says}; p95 keeps the limit.` };
  const both = stable.total > 0 && stable.bad > 0.05 * stable.total;
  return {
    ...common,
    verdict: 'inconclusive',
    eValue: round(eValue),
    sentence: `${says}: p95 is above the limit${both ? ', and so is stable’s' : ' on few requests'}.`,
  };
}

// Without a count at the limit there is only the series of percentiles, one per minute.
function seriesCheck(look: Look, name: string, limitMs: number): CheckResult {
  const canary = percentiles(look.window, 'canary');
  const stable = percentiles(look.window, 'stable');
  const middle = canary.toSorted((a, b) => a - b)[canary.length >> 1];
  const common = { name, counts: { minutes: canary.length, p95Ms: round(middle ?? 0) }, threshold: limitMs };
  if (middle === undefined) {
    // Shown only: on little traffic the counts of slow requests judge latency, a percentile cannot.
    const sentence = 'No minute had enough canary requests for a p95.';
    return { ...common, verdict: 'inconclusive', dryRun: true, sentence };
  }
  const says = `The canary's p95 was ${Math.round(middle)} ms in the middle of ${canary.length} minutes`;
  if (middle <= limitMs) return { ...common, verdict: 'pass', sentence: `${says}: within the limit.` };
  const stableMiddle = stable.toSorted((a, b) => a - b)[stable.length >> 1];
  if (stableMiddle !== undefined && stableMiddle > limitMs) {
    return { ...common, verdict: 'inconclusive', sentence: `${says}, above the limit, and so is stable's.` };
  }
  const enough = canary.length >= p95MinutesMin;
  return { ...common, verdict: enough ? 'fail' : 'inconclusive', sentence: `${says}: above the limit.` };
}

/** Mann–Whitney over the step's histogram, asked at step ends only. */
function mannWhitneyCheck(look: Look): CheckResult | null {
  const bet = betNamed(look, 'mann-whitney');
  if (!look.atStepEnd || bet === undefined) return null;
  const { policy } = look;
  const test = stepMannWhitney(look.evidence, look.step);
  const threshold = mannWhitneyAlpha(policy, bet.share);
  if (test === null) {
    return {
      name: bet.name,
      verdict: 'pass',
      counts: {},
      threshold,
      sentence: 'No latencies of both sides to compare.',
    };
  }
  const { mannWhitneyAlpha: suspicion, mannWhitneyEffectMin } = policy.latency;
  const slower = test.effect >= mannWhitneyEffectMin;
  const pairs = (test.effect * 100).toFixed(1);
  const p = test.p.toPrecision(2);
  const suspicious = slower && test.p < suspicion / policy.stepCount;
  return {
    name: bet.name,
    verdict: slower && test.p <= threshold ? 'fail' : suspicious ? 'inconclusive' : 'pass',
    counts: { p: round(test.p), effect: round(test.effect) },
    threshold,
    sentence: `A canary request is slower than a stable one in ${pairs} % of pairs (p = ${p}).`,
  };
}

/** Its share of alpha, divided by the looks that the plan and its extensions allow. */
function mannWhitneyAlpha(policy: AnalysisPolicy, share: number): number {
  return (policy.alpha * share) / (policy.stepCount * (1 + policy.unknown.extensionsMax));
}

/**
 * The e-value of the step-end tests: everything is bet on "p below its threshold", so it is worth the whole
 * threshold when that happens and nothing otherwise.
 */
export function mannWhitneyEvidence(state: RolloutEvidence, step: readonly Minute[], share: number): number {
  const test = stepMannWhitney(state, step);
  if (test === null || test.effect < state.policy.latency.mannWhitneyEffectMin) return 0;
  return test.p <= mannWhitneyAlpha(state.policy, share) ? 1 / (state.policy.alpha * share) : 0;
}

function stepMannWhitney({ baseline, policy }: RolloutEvidence, step: readonly Minute[]) {
  const first = step[0];
  if (first === undefined || baseline.slowThresholdsMs.length === 0) return null;
  const fromMs = first.startMs + policy.latency.settleSeconds * 1000;
  const settled = step.filter((minute) => minute.startMs >= fromMs);
  const thresholds = baseline.slowThresholdsMs.length;
  const sums = {
    canary: new Array<number>(thresholds + 1).fill(0),
    stable: new Array<number>(thresholds + 1).fill(0),
  };
  for (const minute of settled) {
    // A minute with one side only would compare different times.
    const bins = binsOf(baseline.slowThresholdsMs.map((_, j) => slowCounts(minute, j)));
    bins?.canary.forEach((count, i) => {
      sums.canary[i] = (sums.canary[i] ?? 0) + count;
      sums.stable[i] = (sums.stable[i] ?? 0) + (bins.stable[i] ?? 0);
    });
  }
  return mannWhitneyOfBins(sums.stable, sums.canary, 'less', baseline.shiftDispersion);
}

function share(minutes: readonly Minute[], side: 'canary' | 'stable', threshold: number) {
  let bad = 0;
  let total = 0;
  for (const minute of minutes) {
    const counts = minute[side];
    const slow = counts?.slow[threshold];
    if (counts === null || slow === undefined) continue;
    bad += Math.min(slow, counts.requests);
    total += counts.requests;
  }
  return { bad, total };
}

function percentiles(minutes: readonly Minute[], side: 'canary' | 'stable'): number[] {
  return minutes.flatMap((minute) => {
    const counts = minute[side];
    const p95 = counts?.p95Ms;
    return counts === null || p95 === null || p95 === undefined || counts.requests < p95SamplesMin
      ? []
      : [p95];
  });
}
