// The judge of Spinnaker's Kayenta (NetflixACAJudge-v1.0, spinnaker/kayenta@a69573b) as one more check, for
// people who come from there: per metric a Mann–Whitney confidence interval of the shift between two series
// of minutes, per group the share of metrics that pass.
//
// Two of its habits to know. Its tolerance is a quarter of the ESTIMATED SHIFT, not of the baseline: it
// asks whether the shift is known precisely, not whether it matters. And it judges minutes, not requests.
// So it never decides here unless a template asks for it; and where Kayenta scores a group without data
// 100, we say unknown.

import type { Minute } from './minutes.ts';
import { normalQuantile } from './specialFunctions.ts';
import type { Verdict } from './verdict.ts';

export type JudgeOptions = {
  readonly direction: 'increase' | 'decrease' | 'either';
  readonly allowedIncrease: number;
  readonly allowedDecrease: number;
  readonly criticalIncrease?: number;
  readonly criticalDecrease?: number;
  readonly critical?: boolean;
  readonly confidence: number;
  readonly tolerance: number;
};

export type MetricLabel = 'pass' | 'high' | 'low' | 'no-data';

export type MetricJudgement = {
  readonly label: MetricLabel;
  /** Mean of canary ÷ mean of stable; null when a mean is 0. */
  readonly deviation: number | null;
  readonly critical: boolean;
};

/** Kayenta's defaults: 98 % confidence, tolerance 0.25, mean ratio, both directions. */
const judgeDefaults: JudgeOptions = {
  direction: 'either',
  allowedIncrease: 1,
  allowedDecrease: 1,
  confidence: 0.98,
  tolerance: 0.25,
};

/** One metric: canary series against stable series. */
export function judgeMetric(
  canary: readonly number[],
  stable: readonly number[],
  options: Partial<JudgeOptions> = {},
): MetricJudgement {
  const complete = { ...judgeDefaults, ...options };
  const critical = complete.critical === true;
  if (canary.length === 0 || stable.length === 0) return { label: 'no-data', deviation: null, critical };
  const deviation = mean(stable) === 0 || mean(canary) === 0 ? null : mean(canary) / mean(stable);
  if (sameMultiset(canary, stable) || new Set([...canary, ...stable]).size === 1) {
    return { label: 'pass', deviation, critical: false };
  }
  const { low, high, shift } = shiftInterval(canary, stable, complete.confidence);
  const slack = complete.tolerance * Math.abs(shift);
  const { direction, allowedIncrease, allowedDecrease } = complete;
  const rises =
    direction !== 'decrease' && low > slack && (deviation === null || deviation >= allowedIncrease);
  const falls =
    direction !== 'increase' && high < -slack && (deviation === null || deviation <= allowedDecrease);
  const label = rises ? 'high' : falls ? 'low' : 'pass';
  return { label, deviation, critical: label !== 'pass' && isCritical(label, deviation, complete) };
}

function isCritical(label: 'high' | 'low', deviation: number | null, options: JudgeOptions): boolean {
  const { criticalIncrease, criticalDecrease } = options;
  if (label === 'high' && criticalIncrease !== undefined)
    return deviation === null || deviation >= criticalIncrease;
  if (label === 'low' && criticalDecrease !== undefined)
    return deviation === null || deviation <= criticalDecrease;
  return options.critical === true;
}

export type JudgeGroup = {
  readonly name: string;
  /** Percent of the summary; groups without share what is left. */
  readonly weight?: number;
  readonly metrics: readonly Pick<MetricJudgement, 'label' | 'critical'>[];
};

/**
 * 0–100 with two places. `unknown` names groups without any data: Kayenta counts them 100, we do not pass
 * on them.
 */
export function scoreGroups(groups: readonly JudgeGroup[]): { score: number; unknown: string[] } {
  const metrics = groups.flatMap((group) => group.metrics);
  const without = metrics.filter(({ label }) => label === 'no-data').length;
  const unknown = groups
    .filter((group) => group.metrics.every(({ label }) => label === 'no-data'))
    .map((group) => group.name);
  const criticalFailure = metrics.some(({ label, critical }) => critical && label !== 'pass');
  if (metrics.length === 0 || criticalFailure || without * 2 >= metrics.length) return { score: 0, unknown };
  const weighted = groups.reduce((sum, group) => sum + (group.weight ?? 0), 0);
  const unweighted = groups.filter((group) => group.weight === undefined).length;
  const share = unweighted === 0 ? 0 : (100 - weighted) / unweighted;
  const sum = groups.reduce((total, group) => total + (scoreOf(group) * (group.weight ?? share)) / 100, 0);
  return { score: Math.round(sum * 100) / 100, unknown };
}

/** Pass at `pass` and above, fail below `marginal`, else (or with a group without data) inconclusive. */
export function verdictOfScore(
  { score, unknown }: { score: number; unknown: readonly string[] },
  { pass, marginal }: { pass: number; marginal: number },
): Verdict {
  if (score < marginal) return 'fail';
  return score >= pass && unknown.length === 0 ? 'pass' : 'inconclusive';
}

/** Errors and latency per minute of both sides as two groups; score null when either has no data at all. */
export function judgeMinutes(minutes: readonly Minute[]): { score: number | null; unknown: string[] } {
  const series = (
    side: 'canary' | 'stable',
    value: (counts: NonNullable<Minute['canary']>) => number | null,
  ) =>
    minutes.flatMap((minute) => {
      const counts = minute[side];
      const seen = counts === null ? null : value(counts);
      return seen === null ? [] : [seen];
    });
  const judge = (value: (counts: NonNullable<Minute['canary']>) => number | null) =>
    judgeMetric(series('canary', value), series('stable', value), { direction: 'increase' });
  const { score, unknown } = scoreGroups([
    {
      name: 'errors',
      metrics: [judge((side) => (side.requests === 0 ? null : side.errors / side.requests))],
    },
    { name: 'latency', metrics: [judge((side) => side.p95Ms ?? null)] },
  ]);
  return { score: unknown.length > 0 ? null : score, unknown };
}

function scoreOf(group: JudgeGroup): number {
  const judged = group.metrics.filter(({ label }) => label !== 'no-data');
  if (judged.length === 0) return 100;
  return (100 * judged.filter(({ label }) => label === 'pass').length) / judged.length;
}

/**
 * Confidence interval and Hodges–Lehmann estimate of the shift canary − stable, as R's
 * wilcox.test(conf.int): the μ at which the tie-corrected, continuity-corrected z of (canary − μ) against
 * stable meets the quantiles.
 */
export function shiftInterval(canary: readonly number[], stable: readonly number[], confidence: number) {
  const { x, y } = unlessConstant(canary, stable);
  const quantile = normalQuantile(1 - (1 - confidence) / 2);
  const from = Math.min(...x) - Math.max(...y);
  const to = Math.max(...x) - Math.min(...y);
  return {
    low: crossing((shift) => standardised(x, y, shift, 1) - quantile, from, to),
    high: crossing((shift) => standardised(x, y, shift, -1) + quantile, from, to),
    shift: medianOf(x.flatMap((a) => y.map((b) => a - b))),
  };
}

// Kayenta adds noise of a hundred-thousandth to two different constants so that there is an order; the same
// spread, evenly laid out, serves without chance.
function unlessConstant(canary: readonly number[], stable: readonly number[]) {
  const constant = (values: readonly number[]) => values.every((value) => value === values[0]);
  if (!constant(canary) || !constant(stable)) return { x: canary, y: stable };
  const spread = (values: readonly number[]) =>
    values.map((value, i) => value + value * 1e-5 * ((i + 0.5) / values.length - 0.5));
  return { x: spread(canary), y: spread(stable) };
}

// z of the rank sum of x − shift; `side` moves the continuity correction (+1 lower bound, −1 upper).
function standardised(x: readonly number[], y: readonly number[], shift: number, side: -1 | 1): number {
  let wins = 0;
  for (const a of x) for (const b of y) wins += a - shift > b ? 1 : a - shift === b ? 0.5 : 0;
  const tied = new Map<number, number>();
  for (const value of [...x.map((a) => a - shift), ...y]) tied.set(value, (tied.get(value) ?? 0) + 1);
  let ties = 0;
  for (const count of tied.values()) ties += count ** 3 - count;
  const n = x.length + y.length;
  const variance = ((x.length * y.length) / 12) * (n + 1 - ties / (n * (n - 1)));
  return variance === 0 ? 0 : (wins - (x.length * y.length) / 2 - side * 0.5) / Math.sqrt(variance);
}

// Where a falling step function crosses zero: Brent's place up to the jump, by halving to 1e-9 of the range.
function crossing(f: (at: number) => number, from: number, to: number): number {
  if (f(from) <= 0) return from;
  if (f(to) >= 0) return to;
  let low = from;
  let high = to;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (f(middle) > 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function sameMultiset(left: readonly number[], right: readonly number[]): boolean {
  if (left.length !== right.length) return false;
  const a = left.toSorted((p, q) => p - q);
  const b = right.toSorted((p, q) => p - q);
  return a.every((value, i) => value === b[i]);
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
