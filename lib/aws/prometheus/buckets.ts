/**
 * Latencies out of a histogram's buckets. A bucket counts all that took at most `le`: how many were slower
 * than a threshold is known only at its bounds, so a threshold between two is asked at the next bound above.
 * That is the same for both sides. Percentiles are interpolated within a bucket, as `histogram_quantile`
 * does.
 */

/** Requests of a time by the bound they took at most, ascending; the last bound is +Inf. */
export type Buckets = readonly { readonly leMs: number; readonly count: number }[];

/** Requests slower than `thresholdMs`, or than the next bound above it. */
export function slowerThan(buckets: Buckets, thresholdMs: number): number {
  const total = buckets.at(-1)?.count ?? 0;
  // A tenth of a thousandth: 0.25 s read as text is 250.00000000000003 ms at worst.
  const bound = buckets.find(({ leMs }) => leMs >= thresholdMs * 0.9999);
  return Math.max(0, total - (bound?.count ?? total));
}

/** The percentile (0–100) in milliseconds; the highest finite bound where it lies beyond; null for nobody. */
export function percentileOf(buckets: Buckets, percentile: number): number | null {
  const total = buckets.at(-1)?.count ?? 0;
  if (total <= 0) return null;
  const rank = (percentile / 100) * total;
  const index = buckets.findIndex(({ count }) => count >= rank);
  const found = buckets[index];
  const before = buckets[index - 1] ?? { leMs: 0, count: 0 };
  if (found === undefined || found.leMs === Number.POSITIVE_INFINITY) return before.leMs;
  const within = found.count - before.count;
  const share = within === 0 ? 1 : (rank - before.count) / within;
  return before.leMs + (found.leMs - before.leMs) * share;
}
