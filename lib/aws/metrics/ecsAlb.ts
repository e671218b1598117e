/**
 * Both sides' minutes from the balancer's own metrics, with one GetMetricData for everything. Counts come
 * from `TC(τ:)`, never from percentiles; `TargetResponseTime` is in seconds. ALB publishes a metric only when
 * there is something to say, so a missing 5xx is 0 if there were requests. A side that only tells how its
 * hosts are was asked nothing: that is zero requests, and only no data at all is unknown.
 */
import {
  type CloudWatchClient,
  GetMetricDataCommand,
  type MetricDataQuery,
} from '@aws-sdk/client-cloudwatch';
import type { EcsAlbTarget, Slot } from '../../../events/target.ts';
import { otherSlot } from '../../../events/target.ts';
import type { Minute, SideMinute } from '../../core/analysis/minutes.ts';
import type { Metrics } from '../../ports.ts';
import { answered } from '../answered.ts';

type Query = Parameters<Metrics['minutes']>[0];
type Series = ReadonlyMap<number, number>;
type Side = Readonly<Record<string, Series>>;

/** GetMetricData answers at most 100,800 points a page; a rollout's pages are few. */
const pagesMax = 50;

export async function ecsAlbMinutes(
  client: CloudWatchClient,
  target: EcsAlbTarget,
  query: Omit<Query, 'target'>,
): Promise<readonly Minute[]> {
  const canary = sideQueries('c', target, query.canarySlot, query);
  const stable = sideQueries('s', target, otherSlot(query.canarySlot), query);
  const series = await read(client, [...canary, ...stable], query);
  const minutes: Minute[] = [];
  for (let startMs = query.fromMs; startMs < query.toMs; startMs += query.periodSeconds * 1000) {
    const canarySide = sideMinute(sideOf('c', series), startMs, query.thresholdsMs.length);
    const stableSide = sideMinute(sideOf('s', series), startMs, query.thresholdsMs.length);
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

/**
 * One figure per percentile over the last day at most; CloudWatch keeps the distribution, not only the mean.
 */
export async function ecsAlbPercentiles(
  client: CloudWatchClient,
  target: EcsAlbTarget,
  { slot, fromMs, toMs, percentiles }: Omit<Parameters<Metrics['percentiles']>[0], 'target'>,
): Promise<readonly number[] | null> {
  const wantedSeconds = Math.max(60, Math.ceil((toMs - fromMs) / 60_000) * 60);
  const Period = Math.min(periodSecondsMax, wantedSeconds);
  const Metric = {
    Namespace: 'AWS/ApplicationELB',
    MetricName: 'TargetResponseTime',
    Dimensions: dimensionsOf(target, slot),
  };
  const queries = percentiles.map(
    (percentile, index): MetricDataQuery => ({
      Id: `p${index}`,
      MetricStat: { Metric, Period, Stat: `p${percentile}` },
    }),
  );
  const series = await read(client, queries, { fromMs: toMs - Period * 1000, toMs });
  const values = queries.map(({ Id = '' }) => [...(series.get(Id)?.values() ?? [])].at(-1));
  return values.every((value) => value !== undefined) ? values.map((seconds) => seconds * 1000) : null;
}

/** `targetgroup/name/id` and `app/name/id`: the dimensions are the ends of the ARNs. */
export function dimensionsOf(target: EcsAlbTarget, slot: Slot) {
  const targetGroup = target.targetGroups[slot].split(':').at(-1) ?? '';
  const [, type, name, id] = (target.ruleArn.split(':').at(-1) ?? '').split('/');
  return [
    { Name: 'TargetGroup', Value: targetGroup },
    { Name: 'LoadBalancer', Value: `${type}/${name}/${id}` },
  ];
}

function sideQueries(
  prefix: string,
  target: EcsAlbTarget,
  slot: Slot,
  { periodSeconds, thresholdsMs }: Pick<Query, 'periodSeconds' | 'thresholdsMs'>,
): MetricDataQuery[] {
  const Dimensions = dimensionsOf(target, slot);
  const one = (id: string, MetricName: string, Stat: string): MetricDataQuery => ({
    Id: `${prefix}_${id}`,
    MetricStat: {
      Metric: { Namespace: 'AWS/ApplicationELB', MetricName, Dimensions },
      Period: periodSeconds,
      Stat,
    },
  });
  return [
    one('requests', 'RequestCount', 'Sum'),
    one('errors', 'HTTPCode_Target_5XX_Count', 'Sum'),
    one('refused', 'TargetConnectionErrorCount', 'Sum'),
    one('unhealthy', 'UnHealthyHostCount', 'Maximum'),
    one('p95', 'TargetResponseTime', 'p95'),
    ...thresholdsMs.map((ms, index) => one(`slow${index}`, 'TargetResponseTime', `TC(${ms / 1000}:)`)),
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

function sideMinute(side: Side, startMs: number, thresholds: number): SideMinute | null {
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
    p95Ms: side.p95?.has(startMs) ? (at('p95') ?? 0) * 1000 : null,
    ...(unhealthyHosts === undefined ? {} : { unhealthyHosts }),
  };
}

/** Percent of the requests the canary really got. */
function observedWeight(canary: SideMinute | null, stable: SideMinute | null): number {
  const total = (canary?.requests ?? 0) + (stable?.requests ?? 0);
  return total === 0 ? 0 : Math.round(((canary?.requests ?? 0) / total) * 1000) / 10;
}
