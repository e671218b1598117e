/**
 * Both sides' minutes from counters in Prometheus. `increase()` would not do: it guesses beyond the samples
 * it has, so that counts are no counts, and it does not see the first error of a counter that begins with it.
 * What a counter grew by is asked for exactly, per series: now less then; all of it where the counter began
 * anew or was not there for `lookback`; across a gap in the scrapes, from its last sample.
 */
import type { Slot } from '../../../events/target.ts';
import { otherSlot } from '../../../events/target.ts';
import { type Minute, type SideMinute, weightSeen } from '../../core/analysis/minutes.ts';
import type { PrometheusSource } from '../../core/config/metricsSource.ts';
import type { Metrics } from '../../ports.ts';
import type { Environment } from '../lean/credentials.ts';
import { type Buckets, percentileOf, slowerThan } from '../prometheus/buckets.ts';
import { type Found, queryRange, type Steps } from '../prometheus/queryRange.ts';

type MinutesQuery = Parameters<Metrics['minutes']>[0];
type PercentilesQuery = Parameters<Metrics['percentiles']>[0];
type Values = ReadonlyMap<number, number>;

/** A counter's last sample before a gap is found this long ago, seconds. */
const lookbackSeconds = 900;

export function prometheusMetrics(source: PrometheusSource, environment: Environment): Metrics {
  const place = { ...source, environment };
  /** Without the slot in its labels, a side is told by its revision alone. */
  const bySlot = source.requests.includes('$slot');
  const sum = async (query: string, steps: Steps) => (await queryRange(place, query, steps))[0]?.values;
  const bucketsAt = async (query: string, steps: Steps): Promise<(atMs: number) => Buckets> => {
    const found = ascending(
      await queryRange(place, query, steps),
      source.latencyUnit === 'seconds' ? 1000 : 1,
    );
    return (atMs) => found.map(({ leMs, values }) => ({ leMs, count: Math.round(values.get(atMs) ?? 0) }));
  };

  /** One side's figures by the end of their period. */
  const sideOf = async (
    slot: Slot,
    { revisions, fromMs, toMs, periodSeconds, thresholdsMs }: MinutesQuery,
  ) => {
    const stepMs = periodSeconds * 1000;
    const steps = { fromMs: fromMs + stepMs, toMs, stepMs };
    const grown = (selector: string, by = '') =>
      growth(forSide(selector, slot, revisions), periodSeconds, by);
    const counts = Object.entries(source.business).map(async ([name, { count, total }]) => ({
      name,
      count: await sum(grown(count), steps),
      total: await sum(grown(total), steps),
    }));
    const [requests, errors, buckets, business] = await Promise.all([
      sum(grown(source.requests), steps),
      sum(grown(source.errors), steps),
      source.latency === undefined ? null : bucketsAt(grown(source.latency, 'le'), steps),
      Promise.all(counts),
    ]);
    return (atMs: number): SideMinute | null => {
      const asked = requests?.get(atMs);
      if (asked === undefined) return null;
      const seen = buckets?.(atMs) ?? [];
      const done = business.flatMap(({ name, count, total }) => businessAt(name, count, total, atMs));
      return {
        requests: Math.round(asked),
        errors: Math.round(errors?.get(atMs) ?? 0),
        slow: thresholdsMs.map((thresholdMs) => slowerThan(seen, thresholdMs)),
        p95Ms: percentileOf(seen, 95),
        ...(done.length === 0 ? {} : { business: Object.fromEntries(done) }),
      };
    };
  };

  return {
    async minutes(query) {
      const { canarySlot, fromMs, toMs, periodSeconds } = query;
      if (toMs <= fromMs) return [];
      const [canaryAt, stableAt] = await Promise.all([
        bySlot || query.revisions !== undefined ? sideOf(canarySlot, query) : () => null,
        sideOf(otherSlot(canarySlot), query),
      ]);
      const minutes: Minute[] = [];
      for (let startMs = fromMs; startMs < toMs; startMs += periodSeconds * 1000) {
        const canary = canaryAt(startMs + periodSeconds * 1000);
        const stable = stableAt(startMs + periodSeconds * 1000);
        minutes.push({ startMs, periodSeconds, weight: weightSeen(canary, stable), canary, stable });
      }
      return minutes;
    },

    async percentiles({ slot, fromMs, toMs, percentiles }: PercentilesQuery) {
      const seconds = Math.floor((toMs - fromMs) / 1000);
      if (source.latency === undefined || seconds <= 0) return null;
      // A day's shape needs no exact counts, and every series of a day may have begun anew.
      const query = `sum by (le) (increase(${forSide(source.latency, slot, undefined)}[${seconds}s]))`;
      const buckets = (await bucketsAt(query, { fromMs: toMs, toMs, stepMs: 1000 }))(toMs);
      const values = percentiles.map((percentile) => percentileOf(buckets, percentile));
      return values.every((value) => value !== null) ? values : null;
    },
  };
}

/** What the counters grew by in the period that ends at each step, summed over all series but `by`. */
function growth(selector: string, periodSeconds: number, by: string): string {
  const before = `last_over_time(${selector}[${lookbackSeconds}s] offset ${periodSeconds}s)`;
  const grown = `((${selector} - ${before}) >= 0) or ${selector}`;
  return by === '' ? `sum(${grown})` : `sum by (${by}) (${grown})`;
}

/** Without revisions (the history before a rollout) every revision is meant. */
function forSide(selector: string, slot: Slot, revisions: MinutesQuery['revisions']): string {
  const withSlot = selector.replaceAll('$slot', slot);
  if (revisions === undefined) return withSlot.replaceAll(/=~?\s*"[^"]*\$revision[^"]*"/g, '=~".+"');
  // Of an ARN the last part: a task definition is shop:7 in most labels.
  const name = revisions[slot].split('/').at(-1) ?? '';
  return withSlot.replaceAll('$revision', name.replaceAll(/["\\\n]/g, ''));
}

function ascending(found: readonly Found[], unitMs: number) {
  return found
    .map(({ labels, values }) => ({
      leMs: Number((labels.le ?? '').replace('+Inf', 'Infinity')) * unitMs,
      values,
    }))
    .filter(({ leMs }) => !Number.isNaN(leMs))
    .sort((a, b) => a.leMs - b.leMs);
}

function businessAt(name: string, count: Values | undefined, total: Values | undefined, atMs: number) {
  const seen = total?.get(atMs);
  if (seen === undefined) return [];
  return [[name, { count: Math.round(count?.get(atMs) ?? 0), total: Math.round(seen) }] as const];
}
