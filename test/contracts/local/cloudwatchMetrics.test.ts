import { describe, expect, it } from 'vitest';
import { ask, cloudWatchDesk } from './cloudwatchDesk.ts';

const start = Date.UTC(2026, 0, 1, 12, 0, 0);
const minute = (n: number) => new Date(start + n * 60_000);
const web = [{ Name: 'Service', Value: 'web' }];

const metric = (id: string, name: string, stat: string, more: Record<string, unknown> = {}) => ({
  Id: id,
  MetricStat: { Metric: { Namespace: 'Shop', MetricName: name, Dimensions: web }, Period: 60, Stat: stat },
  ...more,
});

async function filled() {
  const desk = cloudWatchDesk(start + 5 * 60_000);
  const put = (name: string, at: Date, more: Record<string, unknown>) =>
    ask(desk.service, 'PutMetricData', {
      Namespace: 'Shop',
      MetricData: [{ MetricName: name, Dimensions: web, Timestamp: at, ...more }],
    });
  const data = async (queries: unknown[], more: Record<string, unknown> = {}) => {
    const answer = await ask(desk.service, 'GetMetricData', {
      MetricDataQueries: queries,
      StartTime: minute(0),
      EndTime: minute(5),
      ScanBy: 'TimestampAscending',
      ...more,
    });
    return answer as {
      MetricDataResults: {
        Id: string;
        Label: string;
        Values: number[];
        Timestamps: Date[];
        StatusCode: string;
      }[];
      NextToken?: string;
    };
  };
  const values = async (queries: unknown[]) =>
    (await data(queries)).MetricDataResults.map((row) => row.Values);
  return { ...desk, put, data, values };
}

describe('statistics', () => {
  it('come from the full distribution', async () => {
    const { put, values } = await filled();
    await put('Latency', minute(0), { Values: [0.1, 0.2, 0.3, 2], Counts: [60, 30, 9, 1] });
    const stats = ['SampleCount', 'Sum', 'Average', 'Minimum', 'Maximum', 'p50', 'p95', 'p99.5', 'PR(:0.2)'];
    const more = ['TC(0.25:)', 'TC(0.1:0.3)', 'tm99', 'TM(10%:90%)', 'IQM', 'WM(:0.3)', 'TS(:0.1)'];
    const answers = await values([...stats, ...more].map((stat, i) => metric(`m${i}`, 'Latency', stat)));
    const expected = [100, 16.7, 0.167, 0.1, 2, 0.1, 0.3, 2, 90, 10, 39, 14.7 / 99, 0.1375, 0.13, 0.15, 6];
    expected.forEach((value, i) => {
      expect(answers[i]?.[0]).toBeCloseTo(value, 9);
    });
  });

  it('a statistic set answers sums but no percentile, unless it holds one value', async () => {
    const { put, values } = await filled();
    await put('Set', minute(0), { StatisticValues: { SampleCount: 4, Sum: 10, Minimum: 1, Maximum: 4 } });
    await put('Same', minute(0), { StatisticValues: { SampleCount: 4, Sum: 8, Minimum: 2, Maximum: 2 } });
    expect(
      await values([metric('a', 'Set', 'Average'), metric('b', 'Set', 'p90'), metric('c', 'Same', 'p90')]),
    ).toEqual([[2.5], [], [2]]);
  });

  it('high-resolution data keeps its second, other data its minute', async () => {
    const { put, data } = await filled();
    await put('Fine', new Date(start + 7_400), { Value: 1, StorageResolution: 1 });
    await put('Coarse', new Date(start + 7_400), { Value: 1 });
    const query = (name: string) => {
      const base = metric(name.toLowerCase(), name, 'Sum');
      return { ...base, MetricStat: { ...base.MetricStat, Period: 1 } };
    };
    const { MetricDataResults } = await data([query('Fine'), query('Coarse')]);
    expect(MetricDataResults.map((row) => row.Timestamps[0]?.getTime())).toEqual([start + 7_000, start]);
  });
});

describe('metric math', () => {
  const queries = (expression: string) => [
    metric('bad', 'Errors', 'Sum', { ReturnData: false }),
    metric('all', 'Requests', 'Sum', { ReturnData: false }),
    { Id: 'e1', Expression: expression, Label: 'answer' },
  ];

  it.each([
    ['100 * bad / all', [10, 50]],
    ['FILL(bad, 0) / all', [0.1, 0, 0.5]],
    ['SUM(METRICS())', [11, 10, 6]],
    ['SUM([bad, all]) - all', [1, 0, 2]], // SUM takes what is there
    ['IF(all > 5, 1, 0)', [1, 1, 0]],
    ['IF(FILL(bad, 0) >= 1 AND all >= 10, all)', [10]],
    ['RATE(all) * PERIOD(all)', [0, -6]],
    ['-(bad + 2) ^ 2', [-9, -16]],
    ['MAX(METRICS("a")) == all', [1, 1, 1]],
    ['RUNNING_SUM(all)', [10, 20, 24]],
    ['FILL(bad, REPEAT)', [1, 1, 2, 2, 2]],
    ['FILL(bad, LINEAR)', [1, 1.5, 2]],
    ['all / (all - 10)', [-4 / 6]],
  ])('%s', async (expression, expected) => {
    const { put, values } = await filled();
    for (const [at, value] of [
      [0, 1],
      [2, 2],
    ] as const)
      await put('Errors', minute(at), { Value: value });
    for (const [at, value] of [
      [0, 10],
      [1, 10],
      [2, 4],
    ] as const)
      await put('Requests', minute(at), { Value: value });
    const [row] = await values(queries(expression));
    expect(row?.length).toBe(expected.length);
    expected.forEach((value, i) => {
      expect(row?.[i]).toBeCloseTo(value, 9);
    });
  });

  it.each([
    ['bad +', /ends too early/],
    ['bad + nobody', /nobody is not defined/],
    ['e1 + 1', /refers to itself/],
    ['NOSUCH(bad)', /NOSUCH/],
    ['1 + 1', /no time series/],
    ['bad # all', /unexpected character at position 4/],
  ])('refuses %s', async (expression, message) => {
    const { data } = await filled();
    await expect(data(queries(expression))).rejects.toMatchObject({ name: 'ValidationException', message });
  });
});

describe('reading back', () => {
  it('pages through datapoints with a token until all are complete', async () => {
    const { put, data } = await filled();
    for (const at of [0, 1, 2, 3]) await put('Requests', minute(at), { Value: at });
    const queries = [metric('m', 'Requests', 'Sum')];
    const first = await data(queries, { MaxDatapoints: 3 });
    expect(first.MetricDataResults[0]).toMatchObject({ Values: [0, 1, 2], StatusCode: 'PartialData' });
    const rest = await data(queries, { MaxDatapoints: 3, NextToken: first.NextToken });
    expect(rest.MetricDataResults[0]).toMatchObject({ Values: [3], StatusCode: 'Complete' });
    expect(rest.NextToken).toBeUndefined();
  });

  it('newest first unless asked otherwise; the end is exclusive', async () => {
    const { put, data } = await filled();
    for (const at of [0, 1, 5]) await put('Requests', minute(at), { Value: at });
    const answer = await data([metric('m', 'Requests', 'Sum')], { ScanBy: undefined });
    expect(answer.MetricDataResults[0]?.Values).toEqual([1, 0]);
  });

  it('GetMetricStatistics gives basic and extended statistics of a bin', async () => {
    const { put, service } = await filled();
    await put('Latency', minute(1), { Values: [1, 2, 3] });
    const answer = await ask(service, 'GetMetricStatistics', {
      Namespace: 'Shop',
      MetricName: 'Latency',
      Dimensions: web,
      StartTime: minute(0),
      EndTime: minute(5),
      Period: 60,
      Statistics: ['Sum'],
      ExtendedStatistics: ['p50'],
    });
    expect(answer.Datapoints).toEqual([
      { Timestamp: minute(1), Unit: 'None', Sum: 6, ExtendedStatistics: { p50: 2 } },
    ]);
  });

  it('ListMetrics filters by namespace, name and dimension', async () => {
    const { put, service } = await filled();
    await put('Latency', minute(1), { Value: 1 });
    await put('Errors', minute(1), { Value: 1 });
    const list = async (filter: Record<string, unknown>) =>
      (await ask(service, 'ListMetrics', filter)).Metrics.map(
        (one: { MetricName: string }) => one.MetricName,
      );
    expect(await list({ Namespace: 'Shop' })).toEqual(['Latency', 'Errors']);
    expect(await list({ MetricName: 'Errors', Dimensions: [{ Name: 'Service' }] })).toEqual(['Errors']);
    expect(await list({ Dimensions: [{ Name: 'Service', Value: 'api' }] })).toEqual([]);
  });
});

describe('PutMetricData refuses', () => {
  it.each([
    [
      { Namespace: 'AWS/Mine', MetricData: [{ MetricName: 'x', Value: 1 }] },
      'InvalidParameterValueException',
    ],
    [
      { Namespace: 'Shop', MetricData: [{ MetricName: 'x', Value: Number.NaN }] },
      'InvalidParameterValueException',
    ],
    [{ Namespace: 'Shop', MetricData: [{ MetricName: 'x' }] }, 'MissingRequiredParameterException'],
    [
      { Namespace: 'Shop', MetricData: [{ MetricName: 'x', Values: [1], Counts: [1, 2] }] },
      'InvalidParameterValueException',
    ],
    [
      { Namespace: 'Shop', MetricData: [{ MetricName: 'x', Value: 1, Timestamp: new Date(0) }] },
      'InvalidParameterValueException',
    ],
    [
      { Namespace: 'Shop', MetricData: [{ MetricName: 'x', Value: 1, StorageResolution: 5 }] },
      'InvalidParameterValueException',
    ],
  ])('%j', async (input, name) => {
    const { service } = cloudWatchDesk();
    await expect(ask(service, 'PutMetricData', input)).rejects.toMatchObject({ name });
  });
});
