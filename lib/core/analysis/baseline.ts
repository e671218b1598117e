// What the service looked like before the rollout, frozen at its start so that the canary cannot move the
// mark it is measured against.
import type { AnalysisPolicy } from './policy.ts';

export type Baseline = {
  /** Variance-to-mean factor of the errors per minute, ≥ 1: how much they cluster. */
  readonly errorDispersion: number;
  /** Thresholds of `SideMinute.slow`, ascending, milliseconds. */
  readonly slowThresholdsMs: readonly number[];
  /** Dispersion per threshold, same order. */
  readonly slowDispersions: readonly number[];
  /** Dispersion of the latencies as a whole. */
  readonly shiftDispersion: number;
  /** By business check. */
  readonly businessDispersions: Readonly<Record<string, number>>;
  /** Rates of the history, 0–1; null when there was no history. */
  readonly errorRate: number | null;
  readonly p95Ms: number | null;
  readonly businessRates: Readonly<Record<string, number>>;
  /** Mean sessions (or payments: whatever the check counts) per second. */
  readonly businessPerSecond: Readonly<Record<string, number>>;
  /** Mean requests per second of the whole service; null when there was no history. */
  readonly requestsPerSecond: number | null;
  /** Minutes of history the figures rest on; 0 means they are assumptions. */
  readonly historyMinutes: number;
};

/** For a service without history: thresholds from the latency limit, and a cautious dispersion. */
export function assumedBaseline(policy: AnalysisPolicy): Baseline {
  const limit = policy.latency.maxP95Ms;
  const slowThresholdsMs =
    policy.latency.thresholdsMs.length > 0
      ? policy.latency.thresholdsMs
      : [limit / 4, limit / 2, limit, 2 * limit, 4 * limit];
  const dispersion = policy.dispersion.withoutHistory;
  return {
    errorDispersion: dispersion,
    slowThresholdsMs,
    slowDispersions: slowThresholdsMs.map(() => dispersion),
    shiftDispersion: dispersion,
    businessDispersions: Object.fromEntries(policy.business.map((check) => [check.name, dispersion])),
    errorRate: null,
    p95Ms: null,
    businessRates: {},
    businessPerSecond: {},
    requestsPerSecond: null,
    historyMinutes: 0,
  };
}
