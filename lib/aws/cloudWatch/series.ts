/** Many series from CloudWatch in one GetMetricData, by whatever key the caller gives them. */
import {
  type CloudWatchClient,
  type Dimension,
  GetMetricDataCommand,
  type MetricDataQuery,
} from '@aws-sdk/client-cloudwatch';
import { WorldUnavailable } from '../../core/outage.ts';
import { answered } from '../answered.ts';

/** A metric in CloudWatch; its dimensions are an exact set. */
export type Metric = {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: readonly Dimension[];
};

export type Asked = Metric & { readonly key: string; readonly stat: string };
/** Values by the start of their period, epoch milliseconds. */
export type Series = ReadonlyMap<number, number>;
export type Range = { readonly fromMs: number; readonly toMs: number; readonly periodSeconds: number };

/** GetMetricData answers at most 100,800 points a page; a rollout's pages are few. */
const pagesMax = 50;

/**
 * @returns by key; a series without data is absent
 * @throws WorldUnavailable also when CloudWatch answers in part: an error count that it could not read would
 *   look like none
 */
export async function readSeries(
  client: CloudWatchClient,
  asked: readonly Asked[],
  { fromMs, toMs, periodSeconds }: Range,
): Promise<ReadonlyMap<string, Series>> {
  // A figure that is asked for under two keys is paid for once.
  const figures = [...Map.groupBy(asked, ({ key: _, ...figure }) => JSON.stringify(figure)).values()];
  const MetricDataQueries = figures.flatMap(([figure], index): MetricDataQuery[] => {
    if (figure === undefined) return [];
    const { namespace, name, dimensions, stat } = figure;
    const Metric = { Namespace: namespace, MetricName: name, Dimensions: [...dimensions] };
    return [{ Id: `q${index}`, MetricStat: { Metric, Period: periodSeconds, Stat: stat } }];
  });
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
    for (const { Id = '', Timestamps = [], Values = [], StatusCode } of answer.MetricDataResults ?? []) {
      if (StatusCode === 'InternalError' || StatusCode === 'Forbidden') {
        const { name = Id } = asked[Number(Id.slice(1))] ?? {};
        throw new WorldUnavailable(`GetMetricData: ${StatusCode} for ${name}`);
      }
      const keys = figures[Number(Id.slice(1))]?.map(({ key }) => key) ?? [];
      const [first] = keys;
      if (first === undefined || Timestamps.length === 0) continue;
      const points = series.get(first) ?? new Map<number, number>();
      for (const [index, timestamp] of Timestamps.entries())
        points.set(timestamp.getTime(), Values[index] ?? 0);
      for (const key of keys) series.set(key, points);
    }
    NextToken = answer.NextToken;
    if (NextToken === undefined) return series;
  }
  throw new WorldUnavailable(`GetMetricData: more than ${pagesMax} pages`);
}
