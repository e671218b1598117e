/**
 * CloudWatch's statistics over one bin: the five basic ones, percentiles, and the bounded families
 * (TM, TC, TS, WM, PR, IQM). Names, bounds and the "lower exclusive, upper inclusive" rule:
 * CloudWatch user guide, "CloudWatch statistics definitions". AWS does not publish how it interpolates
 * percentiles; the nearest rank is taken here.
 */
import type { Bin } from './metricStore.ts';

/** A statistic of a bin; null where the bin cannot answer it (a percentile over statistic sets). */
export type Statistic = (bin: Bin) => number | null;

/** The statistic `name` means, or null when CloudWatch knows no such statistic. */
export function statisticNamed(name: string): Statistic | null {
  const basic = basics[name];
  if (basic) return basic;
  const percentile = /^p(\d{1,3}(?:\.\d{1,10})?)$/.exec(name);
  if (percentile) return bounded('p', { low: null, high: percentOf(percentile[1]) });
  if (name === 'IQM') return bounded('TM', { low: percentOf('25'), high: percentOf('75') });
  const short = /^(tm|tc|ts|wm)(\d{1,3}(?:\.\d{1,10})?)$/.exec(name);
  if (short) return bounded((short[1] ?? '').toUpperCase(), { low: null, high: percentOf(short[2]) });
  const long = /^(TM|TC|TS|WM|PR)\((-?[\d.]+%?)?:(-?[\d.]+%?)?\)$/.exec(name);
  if (!long || (long[2] === undefined && long[3] === undefined)) return null;
  const bounds = { low: boundOf(long[2]), high: boundOf(long[3]) };
  const mixed = bounds.low && bounds.high && bounds.low.percent !== bounds.high.percent;
  const percentRank = long[1] === 'PR' && (bounds.low?.percent || bounds.high?.percent);
  return mixed || percentRank ? null : bounded(long[1] ?? '', bounds);
}

/** True where CloudWatch asks for enough samples before a percentile is meaningful. */
export const isPercentile = (name: string): boolean => /^p\d/.test(name);

type Bound = { readonly value: number; readonly percent: boolean };
type Bounds = { readonly low: Bound | null; readonly high: Bound | null };
type Weighted = { readonly value: number; readonly count: number };

const basics: Readonly<Record<string, Statistic>> = {
  SampleCount: (bin) => totals(bin).count,
  Sum: (bin) => totals(bin).sum,
  Average: (bin) => totals(bin).sum / totals(bin).count,
  Minimum: (bin) => extreme(bin, Math.min, 'minimum'),
  Maximum: (bin) => extreme(bin, Math.max, 'maximum'),
};

function extreme(bin: Bin, pick: (a: number, b: number) => number, end: 'minimum' | 'maximum'): number {
  let found: number | null = null;
  for (const value of bin.distribution.keys()) found = found === null ? value : pick(found, value);
  for (const set of bin.sets) found = found === null ? set[end] : pick(found, set[end]);
  return found ?? Number.NaN;
}

function totals(bin: Bin): { count: number; sum: number } {
  let count = 0;
  let sum = 0;
  for (const [value, times] of bin.distribution) {
    count += times;
    sum += value * times;
  }
  for (const set of bin.sets) {
    count += set.sampleCount;
    sum += set.sum;
  }
  return { count, sum };
}

const percentOf = (text: string | undefined): Bound => ({ value: Number(text), percent: true });

function boundOf(text: string | undefined): Bound | null {
  if (text === undefined) return null;
  return text.endsWith('%') ? percentOf(text.slice(0, -1)) : { value: Number(text), percent: false };
}

function bounded(kind: string, bounds: Bounds): Statistic | null {
  const outOfRange = (bound: Bound | null) =>
    bound !== null &&
    (Number.isNaN(bound.value) || (bound.percent && (bound.value < 0 || bound.value > 100)));
  if (outOfRange(bounds.low) || outOfRange(bounds.high)) return null;
  return (bin) => {
    const all = distributionOf(bin);
    if (all === null || all.length === 0) return null;
    if (kind === 'p') return atPercent(all, bounds.high?.value ?? 100);
    if (kind === 'WM') return mean(winsorized(all, bounds));
    const inside = within(all, bounds);
    const count = inside.reduce((sum, each) => sum + each.count, 0);
    if (kind === 'TC') return count;
    if (kind === 'PR') return (100 * count) / countOf(all);
    if (kind === 'TS') return inside.reduce((sum, each) => sum + each.value * each.count, 0);
    return mean(inside);
  };
}

/**
 * Values in ascending order. A statistic set hides its distribution unless it holds one value only; then
 * CloudWatch answers percentiles too (PutMetricData reference), else there is no data for them.
 */
function distributionOf(bin: Bin): Weighted[] | null {
  const all = new Map(bin.distribution);
  for (const set of bin.sets) {
    if (set.sampleCount !== 1 && set.minimum !== set.maximum) return null;
    all.set(set.minimum, (all.get(set.minimum) ?? 0) + set.sampleCount);
  }
  return [...all].sort(([a], [b]) => a - b).map(([value, count]) => ({ value, count }));
}

const countOf = (all: readonly Weighted[]): number => all.reduce((sum, each) => sum + each.count, 0);

function mean(all: readonly Weighted[]): number | null {
  const count = countOf(all);
  return count === 0 ? null : all.reduce((sum, each) => sum + each.value * each.count, 0) / count;
}

/** Nearest rank: the smallest value with at least `percent` of the samples at or below it. */
function atPercent(all: readonly Weighted[], percent: number): number {
  const rank = Math.max(1, Math.ceil((percent / 100) * countOf(all) - 1e-9));
  let seen = 0;
  for (const each of all) {
    seen += each.count;
    if (seen >= rank) return each.value;
  }
  return all.at(-1)?.value ?? 0;
}

/** What lies between the bounds. Percent bounds cut by rank and may keep part of a value's samples. */
function within(all: readonly Weighted[], { low, high }: Bounds): Weighted[] {
  if (!(low ?? high)?.percent)
    return all.filter(
      ({ value }) => value > (low?.value ?? Number.NEGATIVE_INFINITY) && value <= (high?.value ?? Infinity),
    );
  const total = countOf(all);
  const from = ((low?.value ?? 0) / 100) * total;
  const to = ((high?.value ?? 100) / 100) * total;
  let seen = 0;
  return all
    .map(({ value, count }) => {
      const kept = Math.min(to, seen + count) - Math.max(from, seen);
      seen += count;
      return { value, count: Math.max(0, kept) };
    })
    .filter(({ count }) => count > 1e-9);
}

/** What lies outside the bounds is moved onto them. */
function winsorized(all: readonly Weighted[], { low, high }: Bounds): Weighted[] {
  const edge = (bound: Bound | null, otherwise: number) =>
    bound === null ? otherwise : bound.percent ? atPercent(all, bound.value) : bound.value;
  const least = edge(low, Number.NEGATIVE_INFINITY);
  const most = edge(high, Infinity);
  return all.map(({ value, count }) => ({ value: Math.min(most, Math.max(least, value)), count }));
}
