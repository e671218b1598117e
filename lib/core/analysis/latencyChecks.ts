// Latency: counts of slow requests against stable, p95 against the limit and against twice the baseline,
// and at the end of a step Mann–Whitney over the whole distribution.

import { percent, round } from './figures.ts';
import { binsOf } from './latencyEvidence.ts';
import { betCheck, betNamed, decidesAt, type Look, rateOf } from './look.ts';
import { type MannWhitney, mannWhitneyOfBins } from './mannWhitney.ts';
import { type ErrorCount, type Minute, minutesFrom } from './minutes.ts';
import type { AnalysisPolicy } from './policy.ts';
import { type RolloutEvidence, type SlowLimit, slowCounts } from './rolloutEvidence.ts';
import type { Check, Told, Verdict } from './verdict.ts';

// CloudWatch calls a percentile p of fewer than 10 ÷ (1 − p) samples unreliable: 200 for p95.
const p95SamplesMin = 200;
const p95MinutesMin = 5;

export function latencyChecks(look: Look): Check[] {
  const checks = p95Checks(look);
  const slow = slowCheck(look);
  if (slow !== null) checks.unshift(slow);
  const ranks = mannWhitneyCheck(look);
  if (ranks !== null) checks.push(ranks);
  return checks;
}

function slowCheck(look: Look): Check | null {
  const bet = betNamed(look, 'latency');
  if (bet === undefined) return null;
  return betCheck(look, bet, () => {
    const { slow, shift } = look.eValues;
    const tail = Math.max(...slow);
    // A shift of everything shows best at the lowest threshold, where most requests are.
    const j = shift > tail ? 0 : slow.indexOf(tail);
    const thresholdMs = look.evidence.baseline.slowThresholdsMs[j] ?? 0;
    const canary = share(look.step, 'canary', j);
    const stable = share(look.step, 'stable', j);
    const says =
      `${percent(rateOf(canary) ?? 0)} of ${canary.total} canary requests in this step ` +
      `took longer than ${round(thresholdMs)} ms, ${percent(rateOf(stable) ?? 0)} of stable's`;
    return {
      counts: {
        thresholdMs,
        canarySlow: canary.bad,
        canaryRequests: canary.total,
        stableSlow: stable.bad,
        stableRequests: stable.total,
      },
      sentence: `${says}; evidence ${bet.eValue.toPrecision(3)}.`,
    };
  });
}

function p95Checks(look: Look): Check[] {
  const { p95Ms } = look.evidence.baseline;
  const { maxP95Ms, maxP95TimesBaseline } = look.policy.latency;
  const checks = [p95Check(look, 'p95-limit', maxP95Ms)];
  if (p95Ms !== null) checks.push(p95Check(look, 'p95-baseline', maxP95TimesBaseline * p95Ms));
  return checks;
}

function p95Check(look: Look, name: SlowLimit['name'], limitMs: number): Check {
  const nth = look.evidence.slowLimits.findIndex((limit) => limit.name === name);
  const counted = look.evidence.slowLimits[nth];
  return counted === undefined
    ? seriesCheck(look, name, limitMs)
    : countedCheck(look, counted, look.eValues.slowLimits[nth] as number);
}

// p95 above the limit means that more than 5 % are slower than the limit, and that can be counted.
function countedCheck(look: Look, limit: SlowLimit, eValue: number): Check {
  const canary = share(look.window, 'canary', limit.threshold);
  const bet = betNamed(look, 'p95-limit');
  const kept = canary.bad <= 0.05 * canary.total;
  const proven = bet !== undefined && eValue >= decidesAt(look, bet) * look.evidence.slowLimits.length;
  const tell = (): Told => {
    const counts = { canarySlow: canary.bad, canaryRequests: canary.total };
    const common = { counts, threshold: limit.limitMs };
    const says = `${canary.bad} of ${canary.total} canary requests took longer than ${round(limit.limitMs)} ms`;
    if (canary.total === 0) return { ...common, sentence: 'No canary request was timed.' };
    const withEvidence = { ...common, eValue: round(eValue) };
    if (proven) return { ...withEvidence, sentence: `${says}: p95 is above the limit beyond doubt.` };
    if (kept) return { ...common, sentence: `${says}; p95 keeps the limit.` };
    const stable = share(look.window, 'stable', limit.threshold);
    const both = stable.total > 0 && stable.bad > 0.05 * stable.total;
    const why = both ? ', and so is stable’s' : ' on few requests';
    return { ...withEvidence, sentence: `${says}: p95 is above the limit${why}.` };
  };
  const verdict = canary.total === 0 ? 'inconclusive' : proven ? 'fail' : kept ? 'pass' : 'inconclusive';
  return { name: limit.name, verdict, tell };
}

// Without a count at the limit there is only the series of percentiles, one per minute.
function seriesCheck(look: Look, name: string, limitMs: number): Check {
  const canary = percentiles(look.window, 'canary');
  const middle = canary.toSorted((a, b) => a - b)[canary.length >> 1];
  const check = (verdict: Verdict, sentence: () => string): Check => ({
    name,
    verdict,
    tell: () => ({
      counts: { minutes: canary.length, p95Ms: round(middle ?? 0) },
      threshold: limitMs,
      sentence: sentence(),
    }),
  });
  if (middle === undefined) {
    // Shown only: on little traffic the counts of slow requests judge latency, a percentile cannot.
    const none = check('inconclusive', () => 'No minute had enough canary requests for a p95.');
    return { ...none, dryRun: true };
  }
  const says = () =>
    `The canary's p95 was ${Math.round(middle)} ms in the middle of ${canary.length} minutes`;
  if (middle <= limitMs) return check('pass', () => `${says()}: within the limit.`);
  const stable = percentiles(look.window, 'stable');
  const stableMiddle = stable.toSorted((a, b) => a - b)[stable.length >> 1];
  if (stableMiddle !== undefined && stableMiddle > limitMs)
    return check('inconclusive', () => `${says()}, above the limit, and so is stable's.`);
  const enough = canary.length >= p95MinutesMin;
  return check(enough ? 'fail' : 'inconclusive', () => `${says()}: above the limit.`);
}

/** Mann–Whitney over the step's histogram, asked at step ends only. */
function mannWhitneyCheck(look: Look): Check | null {
  const bet = betNamed(look, 'mann-whitney');
  if (!look.atStepEnd || bet === undefined) return null;
  const { policy, ranks: test } = look;
  const threshold = mannWhitneyAlpha(policy, bet.share);
  if (test === null) {
    const sentence = 'No latencies of both sides to compare.';
    return { name: bet.name, verdict: 'pass', tell: () => ({ counts: {}, threshold, sentence }) };
  }
  const { mannWhitneyAlpha: suspicion, mannWhitneyEffectMin } = policy.latency;
  const slower = test.effect >= mannWhitneyEffectMin;
  const suspicious = slower && test.p < suspicion / policy.stepCount;
  return {
    name: bet.name,
    verdict: slower && test.p <= threshold ? 'fail' : suspicious ? 'inconclusive' : 'pass',
    tell: () => {
      const pairs = (test.effect * 100).toFixed(1);
      return {
        counts: { p: round(test.p), effect: round(test.effect) },
        threshold,
        sentence: `A canary request is slower than a stable one in ${pairs} % of pairs (p = ${test.p.toPrecision(2)}).`,
      };
    },
  };
}

/** Its share of alpha, divided by the looks that the plan and its extensions allow. */
function mannWhitneyAlpha(policy: AnalysisPolicy, share: number): number {
  return (policy.alpha * share) / (policy.stepCount * (1 + policy.unknown.extensionsMax));
}

/**
 * The e-value of a step-end test: everything is bet on "p below its threshold", so it is worth the whole
 * threshold when that happens and nothing otherwise.
 */
export function mannWhitneyEvidence(policy: AnalysisPolicy, test: MannWhitney | null, share: number): number {
  if (test === null || test.effect < policy.latency.mannWhitneyEffectMin) return 0;
  return test.p <= mannWhitneyAlpha(policy, share) ? 1 / (policy.alpha * share) : 0;
}

/**
 * Mann–Whitney over the step's histogram, without its first minutes; null where there is nothing to compare.
 */
export function stepMannWhitney(
  { baseline, policy }: RolloutEvidence,
  step: readonly Minute[],
): MannWhitney | null {
  const first = step[0];
  const { slowThresholdsMs, shiftDispersion } = baseline;
  if (first === undefined || slowThresholdsMs.length === 0) return null;
  const canary = new Array<number>(slowThresholdsMs.length + 1).fill(0);
  const stable = canary.slice();
  for (const minute of minutesFrom(step, first.startMs + policy.latency.settleSeconds * 1000)) {
    // A minute with one side only would compare different times.
    const bins = binsOf(slowThresholdsMs.map((_, j) => slowCounts(minute, j)));
    if (bins === null) continue;
    for (let i = 0; i < canary.length; i++) {
      canary[i] = (canary[i] as number) + (bins.canary[i] as number);
      stable[i] = (stable[i] as number) + (bins.stable[i] as number);
    }
  }
  return mannWhitneyOfBins(stable, canary, 'less', shiftDispersion);
}

function share(minutes: readonly Minute[], side: 'canary' | 'stable', threshold: number): ErrorCount {
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
