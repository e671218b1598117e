/** How long to wait before an attempt is repeated. */
import type { Retrier } from './machine.ts';

/**
 * IntervalSeconds × BackoffRate^(attempts so far), at most MaxDelaySeconds; with full jitter a uniform
 * share of that.
 */
export function retryDelayMs(retrier: Retrier, timesBefore: number, random: () => number): number {
  const seconds = retrier.intervalSeconds * retrier.backoffRate ** timesBefore;
  const capped = Math.min(seconds, retrier.maxDelaySeconds ?? Number.POSITIVE_INFINITY);
  return capped * 1000 * (retrier.fullJitter ? random() : 1);
}
