// Turns the day before a rollout into the baseline it is judged against. Two questions to the metrics,
// because slow requests can only be counted at thresholds that are already chosen: first the percentiles,
// then the counts.
import { assumedBaseline, type Baseline } from './baseline.ts';
import { estimateDispersion, estimateShiftDispersion } from './dispersion.ts';
import { binsOf } from './latencyEvidence.ts';
import { errorCount, type SideMinute, slowCount } from './minutes.ts';
import type { AnalysisPolicy } from './policy.ts';

/** One period of the whole service before the rollout; null where nothing is known. Oldest first, no gaps. */
export type History = readonly (SideMinute | null)[];

// Bins of the CloudWatch agent are a tenth apart; closer thresholds cannot be told from each other.
const thresholdRatioMin = 1.1;

/**
 * The thresholds to count slow requests at, ascending: the policy's own, or the baseline's percentiles (in
 * the order of `thresholdPercentiles`), and always the limits that p95 is held to.
 */
export function slowThresholds(
  policy: AnalysisPolicy,
  { percentilesMs, p95Ms }: { percentilesMs: readonly number[]; p95Ms: number | null },
): number[] {
  const { thresholdsMs, maxP95Ms, maxP95TimesBaseline } = policy.latency;
  const limits = [maxP95Ms, ...(p95Ms === null ? [] : [maxP95TimesBaseline * p95Ms])];
  const wanted = thresholdsMs.length > 0 ? thresholdsMs : percentilesMs;
  const kept = [...limits];
  for (const threshold of wanted) {
    const close = kept.some((other) => ratio(other, threshold) < thresholdRatioMin);
    if (threshold > 0 && !close) kept.push(threshold);
  }
  return [...new Set(kept)].sort((a, b) => a - b);
}

/** The baseline from history counted at `slowThresholdsMs`. An empty history gives the assumed one. */
export function freezeBaseline(
  policy: AnalysisPolicy,
  {
    history,
    slowThresholdsMs,
    p95Ms,
  }: { history: History; slowThresholdsMs: readonly number[]; p95Ms: number | null },
): Baseline {
  const seen = history.filter((minute) => minute !== null);
  const requests = seen.reduce((sum, minute) => sum + errorCount(minute).total, 0);
  const assumed = assumedBaseline(policy);
  if (requests === 0)
    return slowThresholdsMs.length === 0 ? assumed : withThresholds(assumed, slowThresholdsMs);
  const fallback = policy.dispersion.withoutHistory;
  const errors = seen.reduce((sum, minute) => sum + errorCount(minute).bad, 0);
  const seconds = seen.length * policy.periodSeconds;
  const business = policy.business
    .map(({ name }) => businessTotals(history, name))
    .filter(({ total }) => total > 0);
  return {
    errorDispersion: estimateDispersion(
      history.map((minute) => (minute === null ? null : errorCount(minute))),
      fallback,
    ),
    slowThresholdsMs,
    slowDispersions: slowThresholdsMs.map((_, j) =>
      estimateDispersion(
        history.map((minute) => slowCount(minute, j)),
        fallback,
      ),
    ),
    shiftDispersion: estimateShiftDispersion(
      history.map((minute) => stableBins(minute, slowThresholdsMs.length)),
      fallback,
    ),
    businessDispersions: Object.fromEntries(
      policy.business.map(({ name }) => [
        name,
        estimateDispersion(
          history.map((minute) => businessOf(minute, name)),
          fallback,
        ),
      ]),
    ),
    errorRate: errors / requests,
    p95Ms,
    businessRates: Object.fromEntries(business.map(({ name, count, total }) => [name, count / total])),
    businessPerSecond: Object.fromEntries(business.map(({ name, total }) => [name, total / seconds])),
    requestsPerSecond: requests / seconds,
    historyMinutes: Math.round(seconds / 60),
  };
}

function withThresholds(baseline: Baseline, slowThresholdsMs: readonly number[]): Baseline {
  const [dispersion = 1] = baseline.slowDispersions;
  return { ...baseline, slowThresholdsMs, slowDispersions: slowThresholdsMs.map(() => dispersion) };
}

function stableBins(minute: SideMinute | null, thresholds: number): readonly number[] | null {
  if (minute === null || thresholds === 0) return null;
  const counts = Array.from({ length: thresholds }, (_, j) => {
    const count = slowCount(minute, j);
    return { canary: count, stable: count, periodSeconds: 0 };
  });
  return binsOf(counts)?.stable ?? null;
}

function businessOf(minute: SideMinute | null, name: string) {
  const seen = minute?.business?.[name];
  return seen === undefined ? null : { bad: seen.count, total: seen.total };
}

function businessTotals(history: History, name: string) {
  let count = 0;
  let total = 0;
  for (const minute of history) {
    const seen = businessOf(minute, name);
    count += seen?.bad ?? 0;
    total += seen?.total ?? 0;
  }
  return { name, count, total };
}

function ratio(a: number, b: number): number {
  return a > b ? a / b : b / a;
}
