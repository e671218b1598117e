/**
 * Both sides' minutes from metrics in CloudWatch, with one GetMetricData for everything. Counts come from
 * `TC(τ:)`, never from percentiles. A metric may be published only when there is something to say: a missing
 * error count is 0 if there were requests. A side that only tells how its hosts are was asked nothing, which
 * is zero requests; only no data at all is unknown.
 */
import {
  type CloudWatchClient,
  type Dimension,
  GetMetricDataCommand,
  type MetricDataQuery,
} from '@aws-sdk/client-cloudwatch';
import type { Slot } from '../../../events/target.ts';
import { otherSlot } from '../../../events/target.ts';
import type { Minute, SideMinute } from '../../core/analysis/minutes.ts';
import type { Metrics } from '../../ports.ts';
import { answered } from '../answered.ts';

/** Where one slot's figures stand, by the metrics' names; null: there is no such metric. */
export type PublishedSide = {
  readonly namespace: string;
  readonly dimensions: readonly Dimension[];
  readonly requests: string;
  readonly errors: string;
  /** Requests that reached no target and are in neither count above. */
  readonly refused: string | null;
  readonly unhealthyHosts: string | null;
  readonly latency: string;
  /** Milliseconds in one unit of `latency`: 1000 for seconds. */
  readonly latencyUnitMs: number;
};

type Published = (slot: Slot) => PublishedSide;
type Query = Parameters<Metrics['minutes']>[0];
type Series = ReadonlyMap<number, number>;
type Side = Readonly<Record<string, Series>>;

/** GetMetricData answers at most 100,800 points a page; a rollout's pages are few. */
const pagesMax = 50;

export async function cloudWatchMinutes(
  client: CloudWatchClient,
  published: Published,
  query: Omit<Query, 'target' | 'source'>,
): Promise<readonly Minute[]> {
  const canary = sideQueries('c', published(query.canarySlot), query);
  const stable = sideQueries('s', published(otherSlot(query.canarySlot)), query);
  const series = await read(client, [...canary, ...stable], query);
  const { latencyUnitMs } = published(query.canarySlot);
  const minute = (prefix: string, startMs: number) =>
    sideMinute(sideOf(prefix, series), startMs, query.thresholdsMs.length, latencyUnitMs);
  const minutes: Minute[] = [];
  for (let startMs = query.fromMs; startMs < query.toMs; startMs += query.periodSeconds * 1000) {
    const canarySide = minute('c', startMs);
    const stableSide = minute('s', startMs);
    minutes.push({
      startMs,
      periodSeconds: query.periodSeconds,
      weight: observedWeight(canarySide, stableSide),
      canary: canarySide,
      stable: stableSide,
    });
  }
  return minutes;
}

/** The longest period CloudWatch takes: a day. */
const periodSecondsMax = 86_400;

/** One figure per percentile over the last day at most; CloudWatch keeps the whole distribution. */
export async function cloudWatchPercentiles(
  client: CloudWatchClient,
  published: Published,
  { slot, fromMs, toMs, percentiles }: Omit<Parameters<Metrics['percentiles']>[0], 'target' | 'source'>,
): Promise<readonly number[] | null> {
  const wantedSeconds = Math.max(60, Math.ceil((toMs - fromMs) / 60_000) * 60);
  const Period = Math.min(periodSecondsMax, wantedSeconds);
  const { namespace, dimensions, latency, latencyUnitMs } = published(slot);
  const Metric = { Namespace: namespace, MetricName: latency, Dimensions: [...dimensions] };
  const queries = percentiles.map(
    (percentile, index): MetricDataQuery => ({
      Id: `p${index}`,
      MetricStat: { Metric, Period, Stat: `p${percentile}` },
    }),
  );
  const series = await read(client, queries, { fromMs: toMs - Period * 1000, toMs });
  const values = queries.map(({ Id = '' }) => [...(series.get(Id)?.values() ?? [])].at(-1));
  return values.every((value) => value !== undefined) ? values.map((value) => value * latencyUnitMs) : null;
}

function sideQueries(
  prefix: string,
  side: PublishedSide,
  { periodSeconds, thresholdsMs }: Pick<Query, 'periodSeconds' | 'thresholdsMs'>,
): MetricDataQuery[] {
  const Dimensions = [...side.dimensions];
  const one = (id: string, MetricName: string | null, Stat: string): MetricDataQuery[] =>
    MetricName === null
      ? []
      : [
          {
            Id: `${prefix}_${id}`,
            MetricStat: {
              Metric: { Namespace: side.namespace, MetricName, Dimensions },
              Period: periodSeconds,
              Stat,
            },
          },
        ];
  return [
    ...one('requests', side.requests, 'Sum'),
    ...one('errors', side.errors, 'Sum'),
    ...one('refused', side.refused, 'Sum'),
    ...one('unhealthy', side.unhealthyHosts, 'Maximum'),
    ...one('p95', side.latency, 'p95'),
    ...thresholdsMs.flatMap((ms, index) =>
      one(`slow${index}`, side.latency, `TC(${ms / side.latencyUnitMs}:)`),
    ),
  ];
}

async function read(
  client: CloudWatchClient,
  MetricDataQueries: MetricDataQuery[],
  { fromMs, toMs }: Pick<Query, 'fromMs' | 'toMs'>,
): Promise<ReadonlyMap<string, Series>> {
  const series = new Map<string, Map<number, number>>();
  let NextToken: string | undefined;
  for (let page = 0; page < pagesMax; page++) {
    const command = new GetMetricDataCommand({
      MetricDataQueries,
      StartTime: new Date(fromMs),
      EndTime: new Date(toMs),
      ScanBy: 'TimestampAscending',
      ...(NextToken === undefined ? {} : { NextToken }),
    });
    const answer = await answered('GetMetricData', client.send(command));
    for (const { Id = '', Timestamps = [], Values = [] } of answer.MetricDataResults ?? []) {
      const points = series.get(Id) ?? new Map<number, number>();
      for (const [index, timestamp] of Timestamps.entries())
        points.set(timestamp.getTime(), Values[index] ?? 0);
      series.set(Id, points);
    }
    NextToken = answer.NextToken;
    if (NextToken === undefined) break;
  }
  return series;
}

function sideOf(prefix: string, series: ReadonlyMap<string, Series>): Side {
  const entries = [...series].filter(([id]) => id.startsWith(`${prefix}_`));
  return Object.fromEntries(entries.map(([id, points]) => [id.slice(2), points]));
}

function sideMinute(
  side: Side,
  startMs: number,
  thresholds: number,
  latencyUnitMs: number,
): SideMinute | null {
  const at = (id: string): number | undefined => side[id]?.get(startMs);
  const requests = at('requests');
  const refused = at('refused') ?? 0;
  const unhealthyHosts = at('unhealthy');
  if (requests === undefined && refused === 0 && unhealthyHosts === undefined) return null;
  const errors = (at('errors') ?? 0) + refused;
  return {
    // A request whose connection was refused is a request, whether the balancer counted it or not.
    requests: Math.max(requests ?? 0, errors),
    errors,
    slow: Array.from({ length: thresholds }, (_, index) => at(`slow${index}`) ?? 0),
    p95Ms: side.p95?.has(startMs) ? (at('p95') ?? 0) * latencyUnitMs : null,
    ...(unhealthyHosts === undefined ? {} : { unhealthyHosts }),
  };
}

/** Percent of the requests the canary really got. */
function observedWeight(canary: SideMinute | null, stable: SideMinute | null): number {
  const total = (canary?.requests ?? 0) + (stable?.requests ?? 0);
  return total === 0 ? 0 : Math.round(((canary?.requests ?? 0) / total) * 1000) / 10;
}
