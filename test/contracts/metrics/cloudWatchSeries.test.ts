/** What GetMetricData may answer beside a whole answer. */
import { CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { readSeries } from '../../../lib/aws/cloudWatch/series.ts';

const client = new CloudWatchClient({ region: 'eu-west-1' });
const cloudWatch = mockClient(client);
beforeEach(() => cloudWatch.reset());

const metric = (name: string) => ({ namespace: 'Shop', name, dimensions: [], key: name, stat: 'Sum' });
const range = { fromMs: 0, toMs: 120_000, periodSeconds: 60 };
const read = () => readSeries(client, [metric('Requests'), metric('Errors')], range);
const result = (
  Id: string,
  atMs: number,
  value: number,
  StatusCode: 'Complete' | 'PartialData' = 'Complete',
) => ({
  ...{ Id, StatusCode, Timestamps: [new Date(atMs)], Values: [value] },
});

describe('metrics that CloudWatch answers', () => {
  it('in pages are put together', async () => {
    cloudWatch
      .on(GetMetricDataCommand)
      .resolvesOnce({ NextToken: 'more', MetricDataResults: [result('q0', 0, 7, 'PartialData')] })
      .resolvesOnce({ MetricDataResults: [result('q0', 60_000, 8), result('q1', 0, 1)] });
    const series = await read();
    expect([...(series.get('Requests') ?? [])]).toEqual([
      [0, 7],
      [60_000, 8],
    ]);
    expect([...(series.get('Errors') ?? [])]).toEqual([[0, 1]]);
  });

  it.each(['InternalError', 'Forbidden'] as const)(
    'with %s for one of them are unknown, not zero',
    async (StatusCode) => {
      cloudWatch.on(GetMetricDataCommand).resolves({
        MetricDataResults: [result('q0', 0, 7), { Id: 'q1', StatusCode, Timestamps: [], Values: [] }],
      });
      await expect(read()).rejects.toMatchObject({
        name: 'WorldUnavailable',
        message: `GetMetricData: ${StatusCode} for Errors`,
      });
    },
  );

  it('without end are an outage', async () => {
    cloudWatch.on(GetMetricDataCommand).resolves({ NextToken: 'more', MetricDataResults: [] });
    await expect(read()).rejects.toMatchObject({ name: 'WorldUnavailable' });
    expect(cloudWatch.calls()).toHaveLength(50);
  });
});
