import { describe, expect, it } from 'vitest';
import type { CloudEvent } from '../../../lib/local/cloudEvent.ts';
import { ask, cloudWatchDesk, errorsAlarm, stateOf, topic } from './cloudwatchDesk.ts';

const lambda = 'arn:aws:lambda:eu-west-1:123456789012:function:on-alarm';
const web = { Dimensions: [{ Name: 'Service', Value: 'web' }] };
const detailOf = (event: CloudEvent | undefined) =>
  (event?.detail ?? {}) as Record<string, Record<string, unknown>>;

describe('a metric alarm', () => {
  it('is INSUFFICIENT_DATA when made, and looks once a minute', async () => {
    const desk = cloudWatchDesk();
    await ask(desk.service, 'PutMetricAlarm', errorsAlarm({ AlarmActions: [topic, lambda] }));
    await desk.put('Shop', 'Errors', 9, web);
    await desk.clock.advance(59_999);
    expect(await stateOf(desk)).toBe('INSUFFICIENT_DATA');
    await desk.clock.advance(6_001);
    expect(await stateOf(desk)).toBe('ALARM');
  });

  it("tells EventBridge in AWS's words", async () => {
    const desk = cloudWatchDesk(Date.UTC(2019, 9, 2, 16, 59, 0));
    await ask(desk.service, 'PutMetricAlarm', errorsAlarm({ AlarmActions: [topic, lambda] }));
    await desk.put('Shop', 'Errors', 99.5, web);
    await desk.clock.advance(66_000);
    expect(desk.events).toHaveLength(1);
    const [event] = desk.events;
    expect(event).toMatchObject({
      source: 'aws.cloudwatch',
      detailType: 'CloudWatch Alarm State Change',
      time: new Date('2019-10-02T17:00:06.000Z'),
      resources: ['arn:aws:cloudwatch:eu-west-1:123456789012:alarm:errors'],
    });
    const { state, previousState, ...rest } = detailOf(event);
    expect(state).toMatchObject({
      value: 'ALARM',
      timestamp: '2019-10-02T17:00:06.000+0000',
      reason:
        'Threshold Crossed: 1 out of the last 1 datapoints [99.5 (02/10/19 16:59:00)] was ' +
        'greater than the threshold (5.0) (minimum 1 datapoint for OK -> ALARM transition).',
    });
    expect(JSON.parse(String(state?.reasonData))).toEqual({
      version: '1.0',
      queryDate: '2019-10-02T17:00:06.000+0000',
      startDate: '2019-10-02T16:59:00.000+0000',
      statistic: 'Sum',
      period: 60,
      recentDatapoints: [99.5],
      threshold: 5,
      evaluatedDatapoints: [{ timestamp: '2019-10-02T16:59:00.000+0000', value: 99.5 }],
    });
    expect(previousState).toEqual({
      value: 'INSUFFICIENT_DATA',
      reason: 'Unchecked: Initial alarm creation',
      timestamp: '2019-10-02T16:59:00.000+0000',
    });
    expect(rest).toEqual({
      alarmName: 'errors',
      configuration: {
        description: 'too many errors',
        metrics: [
          {
            id: 'm1',
            metricStat: {
              metric: { namespace: 'Shop', name: 'Errors', dimensions: { Service: 'web' } },
              period: 60,
              stat: 'Sum',
            },
            returnData: true,
          },
        ],
      },
    });
  });

  it('acts on a topic and on a function, each in its own shape, and writes both into its history', async () => {
    const desk = cloudWatchDesk();
    const broken = 'arn:aws:sns:eu-west-1:123456789012:broken';
    await ask(desk.service, 'PutMetricAlarm', errorsAlarm({ AlarmActions: [topic, lambda, broken] }));
    await desk.put('Shop', 'Errors', 9, web);
    await desk.clock.advance(66_000);
    const [sns, direct] = desk.notices;
    expect(sns).toMatchObject({ arn: topic, subject: 'ALARM: "errors" in EU (Ireland)' });
    expect(JSON.parse(sns?.payload ?? '')).toMatchObject({
      AlarmName: 'errors',
      NewStateValue: 'ALARM',
      OldStateValue: 'INSUFFICIENT_DATA',
      AWSAccountId: '123456789012',
      StateChangeTime: '2026-01-01T12:01:06.000+0000',
      Trigger: {
        MetricName: 'Errors',
        StatisticType: 'Statistic',
        Statistic: 'SUM',
        Unit: null,
        Dimensions: [{ value: 'web', name: 'Service' }],
        Period: 60,
      },
    });
    expect(direct?.arn).toBe(lambda);
    expect(JSON.parse(direct?.payload ?? '')).toMatchObject({
      source: 'aws.cloudwatch',
      accountId: '123456789012',
      alarmData: { alarmName: 'errors', state: { value: 'ALARM' } },
    });
    const { AlarmHistoryItems } = await ask(desk.service, 'DescribeAlarmHistory', {
      ScanBy: 'TimestampAscending',
    });
    expect(AlarmHistoryItems.map((item: { HistorySummary: string }) => item.HistorySummary)).toEqual([
      'Alarm "errors" created',
      'Alarm updated from INSUFFICIENT_DATA to ALARM',
      `Successfully executed action ${topic}`,
      `Successfully executed action ${lambda}`,
      `Failed to execute action ${broken}. Received error: "the topic does not exist"`,
    ]);
  });

  it('goes back to OK and says so', async () => {
    const desk = cloudWatchDesk();
    await ask(desk.service, 'PutMetricAlarm', errorsAlarm({ AlarmActions: [topic, lambda] }));
    await desk.put('Shop', 'Errors', 9, web);
    await desk.clock.advance(60_000);
    await desk.put('Shop', 'Errors', 1, web);
    await desk.clock.advance(66_000);
    const state = desk.events.at(-1)?.detail.state as { value: string; reason: string };
    expect(state.reason).toBe(
      'Threshold Crossed: 1 out of the last 1 datapoints [1.0 (01/01/26 12:01:00)] was not ' +
        'greater than the threshold (5.0) (minimum 1 datapoint for ALARM -> OK transition).',
    );
    expect(desk.events.map((event) => (event.detail.state as { value: string }).value)).toEqual([
      'ALARM',
      'OK',
    ]);
  });

  it('keeps its state while older points are in the evaluation range, then treats missing as asked', async () => {
    const desk = cloudWatchDesk();
    await ask(desk.service, 'PutMetricAlarm', errorsAlarm({ TreatMissingData: 'notBreaching' }));
    await desk.put('Shop', 'Errors', 9, web);
    await desk.clock.advance(3 * 60_000 + 6_000);
    expect(await stateOf(desk)).toBe('ALARM');
    await desk.clock.advance(60_000);
    const state = desk.events.at(-1)?.detail.state as { value: string; reason: string };
    expect(state).toMatchObject({
      value: 'OK',
      reason:
        'Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint ' +
        'was treated as [NonBreaching].',
    });
  });

  it('watches a math expression', async () => {
    const desk = cloudWatchDesk();
    const sum = (id: string, name: string) => ({
      Id: id,
      ReturnData: false,
      MetricStat: { Metric: { Namespace: 'Shop', MetricName: name, ...web }, Period: 60, Stat: 'Sum' },
    });
    await ask(desk.service, 'PutMetricAlarm', {
      AlarmName: 'rate',
      Metrics: [
        { Id: 'e1', Expression: '100 * bad / all', Label: 'error %' },
        sum('bad', 'Errors'),
        sum('all', 'Requests'),
      ],
      EvaluationPeriods: 1,
      Threshold: 5,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
    });
    await desk.put('Shop', 'Errors', 1, web);
    await desk.put('Shop', 'Requests', 20, web);
    await desk.clock.advance(66_000);
    const { configuration, state } = detailOf(desk.events[0]);
    expect(state?.value).toBe('ALARM');
    const [first, second] = (configuration?.metrics ?? []) as Record<string, unknown>[];
    expect(first).toEqual({ id: 'e1', expression: '100 * bad / all', label: 'error %', returnData: true });
    expect(second).toMatchObject({ id: 'bad', returnData: false });
    expect(JSON.parse(String(state?.reasonData))).not.toHaveProperty('statistic');
  });

  it('with a period of 10 s looks every 10 s; with 1 s every second, which it says AWS would refuse', async () => {
    const desk = cloudWatchDesk();
    await ask(desk.service, 'PutMetricAlarm', errorsAlarm({ Period: 10 }));
    await ask(desk.service, 'PutMetricAlarm', errorsAlarm({ AlarmName: 'fast', Period: 1 }));
    expect(desk.service.notes).toEqual([
      expect.stringMatching(/^alarm fast: a Period of 1 s is accepted here only/),
    ]);
    await desk.put('Shop', 'Errors', 9, { ...web, StorageResolution: 1 });
    await desk.clock.advance(1_100);
    expect(await stateOf(desk, 'fast')).toBe('ALARM');
    expect(await stateOf(desk)).toBe('INSUFFICIENT_DATA');
    await desk.clock.advance(9_900);
    expect(await stateOf(desk)).toBe('ALARM');
  });

  it('can be set by hand until it looks again', async () => {
    const desk = cloudWatchDesk();
    await ask(desk.service, 'PutMetricAlarm', errorsAlarm({ AlarmActions: [topic, lambda] }));
    await desk.put('Shop', 'Errors', 1, web);
    await ask(desk.service, 'SetAlarmState', {
      AlarmName: 'errors',
      StateValue: 'ALARM',
      StateReason: 'a drill',
    });
    expect(desk.events[0]?.detail.state).toMatchObject({ value: 'ALARM', reason: 'a drill' });
    expect(desk.events[0]?.detail.state).not.toHaveProperty('reasonData');
    await desk.clock.advance(66_000);
    expect(await stateOf(desk)).toBe('OK');
  });

  it('with its actions disabled changes without acting', async () => {
    const desk = cloudWatchDesk();
    await ask(desk.service, 'PutMetricAlarm', errorsAlarm({ AlarmActions: [topic, lambda] }));
    await ask(desk.service, 'DisableAlarmActions', { AlarmNames: ['errors'] });
    await ask(desk.service, 'SetAlarmState', { AlarmName: 'errors', StateValue: 'ALARM', StateReason: 'x' });
    expect(desk.notices).toEqual([]);
    expect(desk.events).toHaveLength(1);
  });

  it('replaced keeps its state; deleted looks no more', async () => {
    const desk = cloudWatchDesk();
    await ask(desk.service, 'PutMetricAlarm', errorsAlarm({ AlarmActions: [topic, lambda] }));
    await ask(desk.service, 'SetAlarmState', { AlarmName: 'errors', StateValue: 'ALARM', StateReason: 'x' });
    await ask(desk.service, 'PutMetricAlarm', errorsAlarm({ Threshold: 6 }));
    expect(await stateOf(desk)).toBe('ALARM');
    await ask(desk.service, 'DeleteAlarms', { AlarmNames: ['errors'] });
    expect(desk.clock.nextAt).toBeNull();
    expect((await ask(desk.service, 'DescribeAlarms', {})).MetricAlarms).toEqual([]);
  });

  it('ignores a percentile over too few samples when asked to', async () => {
    const desk = cloudWatchDesk();
    const slow = errorsAlarm({
      MetricName: 'Latency',
      Statistic: undefined,
      ExtendedStatistic: 'p90',
      EvaluateLowSampleCountPercentile: 'ignore',
    });
    await ask(desk.service, 'PutMetricAlarm', slow);
    // 10/(1−0.9) = 100 are needed
    await desk.put('Shop', 'Latency', 9, { ...web, Value: undefined, Values: [9], Counts: [99] });
    await desk.clock.advance(66_000);
    expect(await stateOf(desk)).toBe('INSUFFICIENT_DATA');
    await desk.put('Shop', 'Latency', 9, { ...web, Value: undefined, Values: [9], Counts: [101] });
    await desk.clock.advance(60_000);
    expect(await stateOf(desk)).toBe('ALARM');
  });
});
