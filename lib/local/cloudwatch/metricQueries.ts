/**
 * Answers a list of `MetricDataQuery` over one time range: metrics from the store, expressions from each
 * other.
 * GetMetricData and the alarms ask through here, so both see the same numbers.
 */
import type { MetricDataQuery, MetricStat } from '@aws-sdk/client-cloudwatch';
import { ServiceError } from '../service.ts';
import {
  evaluateExpression,
  type MathScope,
  type MathValue,
  seriesOf,
  type TimeSeries,
} from './mathEvaluation.ts';
import { type Expression, ExpressionRefused, namesIn, parseExpression } from './mathExpression.ts';
import type { Dimension, MetricStore } from './metricStore.ts';
import { statisticNamed } from './statistics.ts';

export type Range = {
  readonly startMs: number;
  readonly endMs: number;
  /**
   * The bins start at `startMs` itself, as an alarm's do, instead of where a request for data is rounded to.
   */
  readonly exact?: boolean;
};

export type QueryResult = {
  readonly id: string;
  readonly label: string;
  /** A metric gives one series; an expression may give several. */
  readonly series: readonly TimeSeries[];
  readonly periodSeconds: number;
  readonly returnData: boolean;
};

/** GetMetricData reference: at most 500 queries in one request. */
const QUERIES_MAX = 500;

/** @throws ServiceError `ValidationException` for what CloudWatch would refuse */
export function evaluateQueries(
  store: MetricStore,
  queries: readonly MetricDataQuery[],
  range: Range,
): QueryResult[] {
  const expressions = checkQueries(queries);
  const periods = new Map(queries.map((query) => [query.Id ?? '', periodOf(query)]));
  const known = new Map<string, MathValue>();
  const metrics: { id: string; series: TimeSeries }[] = [];
  for (const query of queries) {
    if (!query.MetricStat) continue;
    const series = metricSeries(store, query.MetricStat, query.Label, range);
    known.set(query.Id ?? '', series);
    metrics.push({ id: query.Id ?? '', series });
  }
  const periodFor = (id: string): number => {
    const own = periods.get(id);
    if (own !== undefined) return own;
    const expression = expressions.get(id);
    const read = expression ? namesIn(expression) : [];
    const used = read.length > 0 ? read.map(periodFor) : [...periods.values()].map((period) => period ?? 0);
    return Math.max(1, ...used);
  };
  const valueFor = (id: string): MathValue => {
    const ready = known.get(id);
    if (ready !== undefined) return ready;
    const value = compute(id, periodFor(id));
    known.set(id, value);
    return value;
  };
  const compute = (id: string, periodSeconds: number): MathValue => {
    const expression = expressions.get(id);
    if (!expression) throw invalid(`the query ${id} does not exist`);
    const label = queries.find((query) => query.Id === id)?.Label ?? id;
    const scope: MathScope = {
      value: valueFor,
      metrics,
      grid: gridOf(range, periodSeconds),
      periodSeconds,
      label,
    };
    return relabel(
      refuseAsInvalid(id, () => evaluateExpression(expression, scope)),
      label,
    );
  };
  return queries.map((query) => {
    const id = query.Id ?? '';
    const value = valueFor(id);
    return {
      id,
      label: query.Label ?? query.MetricStat?.Metric?.MetricName ?? id,
      series: refuseAsInvalid(id, () => seriesOf(value)),
      periodSeconds: periodFor(id),
      returnData: query.ReturnData ?? true,
    };
  });
}

/** Where the first bin starts: below a minute on multiples of the period, else on the whole minute. */
export function alignStart(startMs: number, periodSeconds: number): number {
  const stepMs = Math.min(60, periodSeconds) * 1000;
  return Math.floor(startMs / stepMs) * stepMs;
}

const firstBin = (range: Range, periodSeconds: number): number =>
  range.exact ? range.startMs : alignStart(range.startMs, periodSeconds);

export const dimensionsOf = (
  given: readonly { Name?: string | undefined; Value?: string | undefined }[] | undefined,
): Dimension[] => (given ?? []).map(({ Name, Value }) => ({ Name: Name ?? '', Value: Value ?? '' }));

/** @throws ServiceError for an unknown statistic */
function metricSeries(
  store: MetricStore,
  stat: MetricStat,
  label: string | undefined,
  range: Range,
): TimeSeries {
  const statistic = statisticNamed(stat.Stat ?? '');
  if (!statistic) throw invalid(`The value ${stat.Stat} for parameter Stat is not supported.`);
  const periodSeconds = stat.Period ?? 60;
  const metric = {
    namespace: stat.Metric?.Namespace ?? '',
    name: stat.Metric?.MetricName ?? '',
    dimensions: dimensionsOf(stat.Metric?.Dimensions),
  };
  const aligned = { startMs: firstBin(range, periodSeconds), endMs: range.endMs, periodSeconds };
  const points = new Map<number, number>();
  for (const [at, bin] of [...store.bins(metric, aligned, stat.Unit)].sort(([a], [b]) => a - b)) {
    const value = statistic(bin);
    if (value !== null) points.set(at, value);
  }
  return { label: label ?? metric.name, points };
}

function gridOf(range: Range, periodSeconds: number): number[] {
  const grid: number[] = [];
  for (let at = firstBin(range, periodSeconds); at < range.endMs; at += periodSeconds * 1000) grid.push(at);
  return grid;
}

function checkQueries(queries: readonly MetricDataQuery[]): Map<string, Expression> {
  if (queries.length > QUERIES_MAX) throw invalid(`at most ${QUERIES_MAX} metric data queries are allowed`);
  const expressions = new Map<string, Expression>();
  const ids = new Set<string>();
  for (const query of queries) {
    const id = query.Id ?? '';
    if (!/^[a-z]\w{0,254}$/.test(id))
      throw invalid(`Invalid query id '${id}': it must match ^[a-z][a-zA-Z0-9_]*$.`);
    if (ids.has(id)) throw invalid(`The values for parameter id in MetricDataQueries are not unique: ${id}.`);
    ids.add(id);
    if ((query.Expression === undefined) === (query.MetricStat === undefined))
      throw invalid(`The query ${id} must have either Expression or MetricStat, and not both.`);
    if (query.Expression !== undefined)
      expressions.set(
        id,
        refuseAsInvalid(id, () => parseExpression(query.Expression ?? '')),
      );
    checkPeriod(periodOf(query), id);
  }
  for (const [id, expression] of expressions)
    for (const name of namesIn(expression))
      if (!ids.has(name)) throw invalid(`Error in expression '${id}': the id ${name} is not defined.`);
  refuseCycles(expressions);
  return expressions;
}

const periodOf = (query: MetricDataQuery): number | undefined => query.MetricStat?.Period ?? query.Period;

function checkPeriod(periodSeconds: number | undefined, id: string): void {
  if (periodSeconds === undefined || [1, 5, 10, 20, 30].includes(periodSeconds)) return;
  if (periodSeconds > 0 && periodSeconds % 60 === 0) return;
  throw invalid(`The Period of query ${id} must be 1, 5, 10, 20, 30 or a multiple of 60.`);
}

function refuseCycles(expressions: ReadonlyMap<string, Expression>): void {
  const clear = new Set<string>();
  const visit = (id: string, path: readonly string[]): void => {
    if (clear.has(id)) return;
    if (path.includes(id)) throw invalid(`Error in expression '${id}': it refers to itself.`);
    const expression = expressions.get(id);
    if (expression) for (const name of namesIn(expression)) visit(name, [...path, id]);
    clear.add(id);
  };
  for (const id of expressions.keys()) visit(id, []);
}

/** The label of a query names its one series; several keep their own. */
function relabel(value: MathValue, label: string): MathValue {
  return typeof value === 'number' || Array.isArray(value) ? value : { ...(value as TimeSeries), label };
}

function refuseAsInvalid<T>(id: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof ExpressionRefused) throw invalid(`Error in expression '${id}': ${error.message}.`);
    throw error;
  }
}

export const invalid = (message: string): ServiceError => new ServiceError('ValidationException', message);
