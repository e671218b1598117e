/** PutMetricData and the ways of reading metrics back, under CloudWatch's limits. */
import type {
  Datapoint,
  GetMetricDataCommandInput,
  GetMetricDataCommandOutput,
  GetMetricStatisticsCommandInput,
  ListMetricsCommandInput,
  MetricDatum,
  PutMetricDataCommandInput,
} from '@aws-sdk/client-cloudwatch';
import type { Clock } from '../../asl/clock.ts';
import { pageOf } from '../page.ts';
import { type Operation, ServiceError } from '../service.ts';
import { alignStart, dimensionsOf, evaluateQueries, invalid } from './metricQueries.ts';
import type { MetricName, MetricPoint, MetricStore } from './metricStore.ts';
import { statisticNamed } from './statistics.ts';

/** Limits: PutMetricData, GetMetricData and ListMetrics references. */
const DATA_MAX = 1000;
const VALUES_MAX = 150;
const DIMENSIONS_MAX = 30;
const DATAPOINTS_MAX = 100_800;
const STATISTICS_DATAPOINTS_MAX = 1440;
const LIST_PAGE = 500;
const TWO_WEEKS_MS = 14 * 24 * 3600_000;
const TWO_HOURS_MS = 2 * 3600_000;
const THREE_HOURS_MS = 3 * 3600_000;

export function metricOperations(store: MetricStore, clock: Clock): Readonly<Record<string, Operation>> {
  return {
    PutMetricData: (input: PutMetricDataCommandInput) => {
      const namespace = input.Namespace ?? '';
      if (/^AWS\//.test(namespace))
        throw badValue(`The value ${namespace} for parameter Namespace is invalid.`);
      const data = input.MetricData ?? [];
      if (data.length > DATA_MAX)
        throw badValue(`The collection MetricData must not have a size greater than ${DATA_MAX}.`);
      const points = data.map((datum, i) => pointOf(datum, namespace, i + 1, clock.now()));
      for (const point of points) store.put(point);
      return {};
    },
    GetMetricData: (input: GetMetricDataCommandInput) => getMetricData(store, input),
    GetMetricStatistics: (input: GetMetricStatisticsCommandInput) => getMetricStatistics(store, input),
    ListMetrics: (input: ListMetricsCommandInput) => listMetrics(store, input, clock.now()),
  };
}

function pointOf(datum: MetricDatum, namespace: string, position: number, nowMs: number): MetricPoint {
  const at = `MetricData.member.${position}`;
  const { Value, Values, Counts, StatisticValues: set } = datum;
  const values = Values ?? (Value === undefined ? [] : [Value]);
  if ((Value !== undefined || Values !== undefined) === (set !== undefined))
    throw new ServiceError(
      Value === undefined && set === undefined
        ? 'MissingRequiredParameterException'
        : 'InvalidParameterCombinationException',
      `The parameters ${at}.Value, ${at}.Values and ${at}.StatisticValues are mutually ` +
        'exclusive, and one is needed.',
    );
  if (values.length > VALUES_MAX || (Counts && Counts.length !== values.length))
    throw badValue(`${at}.Values must have at most ${VALUES_MAX} members, and Counts as many as Values.`);
  const all = [
    ...values,
    ...(Counts ?? []),
    ...(set ? [set.Sum, set.SampleCount, set.Minimum, set.Maximum] : []),
  ];
  if (all.some((value) => value === undefined || !Number.isFinite(value)))
    throw badValue(`The value of ${at} must be a finite number.`);
  const dimensions = dimensionsOf(datum.Dimensions);
  if (dimensions.length > DIMENSIONS_MAX || dimensions.some(({ Name, Value }) => !Name || !Value))
    throw badValue(
      `${at}.Dimensions must have at most ${DIMENSIONS_MAX} members, each with a name and a value.`,
    );
  const atMs = datum.Timestamp?.getTime() ?? nowMs;
  if (atMs < nowMs - TWO_WEEKS_MS || atMs > nowMs + TWO_HOURS_MS)
    throw badValue(`The parameter ${at}.Timestamp must be no more than two weeks past and two hours ahead.`);
  const resolution = datum.StorageResolution ?? 60;
  if (resolution !== 1 && resolution !== 60) throw badValue(`${at}.StorageResolution must be 1 or 60.`);
  return {
    namespace,
    name: datum.MetricName ?? '',
    dimensions,
    atMs,
    resolutionSeconds: resolution,
    unit: datum.Unit,
    values,
    counts: Counts,
    set: set && {
      sampleCount: set.SampleCount ?? 0,
      sum: set.Sum ?? 0,
      minimum: set.Minimum ?? 0,
      maximum: set.Maximum ?? 0,
    },
  };
}

type Result = NonNullable<GetMetricDataCommandOutput['MetricDataResults']>[number];

function getMetricData(store: MetricStore, input: GetMetricDataCommandInput) {
  const range = rangeOf(input.StartTime, input.EndTime);
  const limit = input.MaxDatapoints ?? DATAPOINTS_MAX;
  if (limit < 1 || limit > DATAPOINTS_MAX)
    throw invalid(`MaxDatapoints must be between 1 and ${DATAPOINTS_MAX}.`);
  const ascending = input.ScanBy === 'TimestampAscending';
  const rows = evaluateQueries(store, input.MetricDataQueries ?? [], range)
    .filter((result) => result.returnData)
    .flatMap((result) =>
      result.series.map((series) => ({ id: result.id, series, several: result.series.length > 1 })),
    );
  const points = rows.flatMap(({ series }, row) =>
    [...series.points]
      .sort(([a], [b]) => (ascending ? a - b : b - a))
      .map(([at, value]) => ({ row, at: new Date(at), value })),
  );
  const page = pageOf(points, limit, input.NextToken);
  if (page === null) throw badValue('The value of parameter NextToken is invalid.');
  const results = rows.map(({ id, series }, row): Result => {
    const mine = page.items.filter((point) => point.row === row);
    const last = points.findLast((point) => point.row === row);
    return {
      Id: id,
      Label: series.label,
      Timestamps: mine.map(({ at }) => at),
      Values: mine.map(({ value }) => value),
      StatusCode: last && page.next && !page.items.includes(last) ? 'PartialData' : 'Complete',
    };
  });
  return { MetricDataResults: results, NextToken: page.next, Messages: [] };
}

function getMetricStatistics(store: MetricStore, input: GetMetricStatisticsCommandInput) {
  const range = rangeOf(input.StartTime, input.EndTime);
  const periodSeconds = input.Period ?? 60;
  const names = [...(input.Statistics ?? []), ...(input.ExtendedStatistics ?? [])];
  if (names.length === 0)
    throw new ServiceError(
      'MissingRequiredParameterException',
      'At least one of the parameters Statistics and ExtendedStatistics must be specified.',
    );
  if ((range.endMs - range.startMs) / 1000 / periodSeconds > STATISTICS_DATAPOINTS_MAX)
    throw new ServiceError(
      'InvalidParameterCombinationException',
      `You have requested more than ${STATISTICS_DATAPOINTS_MAX} datapoints; use a larger ` +
        'Period or a shorter time range.',
    );
  const metric: MetricName = {
    namespace: input.Namespace ?? '',
    name: input.MetricName ?? '',
    dimensions: dimensionsOf(input.Dimensions),
  };
  const startMs = alignStart(range.startMs, periodSeconds);
  const bins = store.bins(metric, { startMs, endMs: range.endMs, periodSeconds }, input.Unit);
  const points = [...bins].map(([at, bin]): Datapoint => {
    const extended: Record<string, number> = {};
    const point: Record<string, unknown> = { Timestamp: new Date(at), Unit: input.Unit ?? 'None' };
    for (const name of names) {
      const statistic = statisticNamed(name);
      if (!statistic) throw badValue(`The value ${name} for parameter Statistics is not supported.`);
      const value = statistic(bin);
      if (value === null) continue;
      if (input.Statistics?.some((basic) => basic === name)) point[name] = value;
      else extended[name] = value;
    }
    return Object.keys(extended).length > 0 ? { ...point, ExtendedStatistics: extended } : point;
  });
  return { Label: metric.name, Datapoints: points };
}

function listMetrics(store: MetricStore, input: ListMetricsCommandInput, nowMs: number) {
  const wanted = input.Dimensions ?? [];
  const found = store.list().filter(({ metric, lastMs }) => {
    if (input.Namespace !== undefined && metric.namespace !== input.Namespace) return false;
    if (input.MetricName !== undefined && metric.name !== input.MetricName) return false;
    if (input.RecentlyActive === 'PT3H' && lastMs < nowMs - THREE_HOURS_MS) return false;
    return wanted.every(({ Name, Value }) =>
      metric.dimensions.some((has) => has.Name === Name && (Value === undefined || has.Value === Value)),
    );
  });
  const page = pageOf(found, LIST_PAGE, input.NextToken);
  if (page === null) throw badValue('The value of parameter NextToken is invalid.');
  const metrics = page.items.map(({ metric }) => ({
    Namespace: metric.namespace,
    MetricName: metric.name,
    Dimensions: [...metric.dimensions],
  }));
  return { Metrics: metrics, NextToken: page.next };
}

function rangeOf(start: Date | undefined, end: Date | undefined) {
  const range = { startMs: start?.getTime() ?? Number.NaN, endMs: end?.getTime() ?? Number.NaN };
  if (!(range.startMs < range.endMs))
    throw invalid('The parameter StartTime must be less than the parameter EndTime.');
  return range;
}

const badValue = (message: string): ServiceError =>
  new ServiceError('InvalidParameterValueException', message);
