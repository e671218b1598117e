/**
 * Metric data as CloudWatch keeps it: per metric (namespace, name, dimensions) and second, the distribution
 * of the values seen, so that any statistic can be computed later. Statistic sets carry no distribution; they
 * are kept beside it, because percentiles over them are unknown.
 */

export type Dimension = { readonly Name: string; readonly Value: string };

export type MetricName = {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: readonly Dimension[];
};

export type StatisticSet = {
  readonly sampleCount: number;
  readonly sum: number;
  readonly minimum: number;
  readonly maximum: number;
};

/**
 * One thing to store. `values[i]` was seen `counts[i]` times; `set` instead of values where only that is
 * known.
 */
export type MetricPoint = MetricName & {
  readonly atMs: number;
  /** 1 keeps the second, 60 (CloudWatch's standard resolution) keeps the minute. */
  readonly resolutionSeconds: 1 | 60;
  readonly unit?: string | undefined;
  readonly values: readonly number[];
  readonly counts?: readonly number[] | undefined;
  readonly set?: StatisticSet | undefined;
};

/** Everything seen in one bin of one metric. */
export type Bin = {
  readonly distribution: ReadonlyMap<number, number>;
  readonly sets: readonly StatisticSet[];
};

type Bucket = { unit: string; distribution: Map<number, number>; sets: StatisticSet[] };
type Series = { readonly metric: MetricName; readonly seconds: Map<number, Bucket[]>; lastMs: number };

/**
 * Per metric; the oldest go first. CloudWatch keeps minutes for 15 days, which are 21 600, and seconds for 3
 * hours; so many seconds are 6 hours.
 */
const BUCKETS_MAX = 21_600;

export class MetricStore {
  readonly #series = new Map<string, Series>();

  put(point: MetricPoint): void {
    const key = keyOf(point);
    let series = this.#series.get(key);
    if (series === undefined) {
      const { namespace, name, dimensions } = point;
      series = { metric: { namespace, name, dimensions }, seconds: new Map(), lastMs: 0 };
      this.#series.set(key, series);
    }
    const stepMs = point.resolutionSeconds * 1000;
    const atMs = Math.floor(point.atMs / stepMs) * stepMs;
    series.lastMs = Math.max(series.lastMs, atMs);
    const bucket = bucketOf(series, atMs, point.unit ?? 'None');
    if (point.set) bucket.sets.push(point.set);
    point.values.forEach((value, i) => {
      bucket.distribution.set(value, (bucket.distribution.get(value) ?? 0) + (point.counts?.[i] ?? 1));
    });
  }

  /**
   * Bins of `periodSeconds` from `startMs` (inclusive) to `endMs` (exclusive), keyed by their start; bins
   * that saw nothing are absent. Without `unit`, data of every unit counts, as CloudWatch does.
   */
  bins(
    metric: MetricName,
    range: { startMs: number; endMs: number; periodSeconds: number },
    unit?: string,
  ): Map<number, Bin> {
    const found = new Map<number, Bin & { distribution: Map<number, number>; sets: StatisticSet[] }>();
    const series = this.#series.get(keyOf(metric));
    if (series === undefined) return found;
    const stepMs = range.periodSeconds * 1000;
    for (const [atMs, buckets] of secondsWithin(series, range)) {
      const start = range.startMs + Math.floor((atMs - range.startMs) / stepMs) * stepMs;
      for (const bucket of buckets) {
        if (unit !== undefined && bucket.unit !== unit) continue;
        const bin = found.get(start) ?? { distribution: new Map<number, number>(), sets: [] };
        found.set(start, bin);
        bin.sets.push(...bucket.sets);
        for (const [value, count] of bucket.distribution)
          bin.distribution.set(value, (bin.distribution.get(value) ?? 0) + count);
      }
    }
    return found;
  }

  /** Every metric that has data, with the time of its newest point, in the order first seen. */
  list(): { readonly metric: MetricName; readonly lastMs: number }[] {
    return [...this.#series.values()].map(({ metric, lastMs }) => ({ metric, lastMs }));
  }
}

/** Looks up second by second, or walks the series, whichever is shorter. */
function* secondsWithin(
  series: Series,
  { startMs, endMs }: { startMs: number; endMs: number },
): Generator<[number, Bucket[]]> {
  const first = Math.ceil(startMs / 1000) * 1000;
  if ((endMs - first) / 1000 > series.seconds.size) {
    for (const entry of series.seconds) if (entry[0] >= startMs && entry[0] < endMs) yield entry;
    return;
  }
  for (let atMs = first; atMs < endMs; atMs += 1000) {
    const buckets = series.seconds.get(atMs);
    if (buckets) yield [atMs, buckets];
  }
}

function bucketOf(series: Series, atMs: number, unit: string): Bucket {
  const buckets = series.seconds.get(atMs) ?? [];
  if (buckets.length === 0) {
    series.seconds.set(atMs, buckets);
    if (series.seconds.size > BUCKETS_MAX) {
      const oldest = series.seconds.keys().next().value;
      if (oldest !== undefined) series.seconds.delete(oldest);
    }
  }
  let bucket = buckets.find((candidate) => candidate.unit === unit);
  if (bucket === undefined) {
    bucket = { unit, distribution: new Map(), sets: [] };
    buckets.push(bucket);
  }
  return bucket;
}

/** Dimensions are a set: their order does not make another metric. */
function keyOf(metric: MetricName): string {
  const dimensions = metric.dimensions.map(({ Name, Value }) => `${Name}=${Value}`).sort();
  return JSON.stringify([metric.namespace, metric.name, dimensions]);
}
