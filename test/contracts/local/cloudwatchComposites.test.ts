import { describe, expect, it } from 'vitest';
import { ask, cloudWatchDesk, errorsAlarm, stateOf, topic } from './cloudwatchDesk.ts';

describe('a composite alarm', () => {
  const composite = (rule: string) => ({ AlarmName: 'both', AlarmRule: rule, AlarmActions: [topic] });
  const set = (desk: ReturnType<typeof cloudWatchDesk>, name: string, value: string) =>
    ask(desk.service, 'SetAlarmState', { AlarmName: name, StateValue: value, StateReason: 'set' });

  async function withTwo(rule: string) {
    const desk = cloudWatchDesk();
    await ask(desk.service, 'PutMetricAlarm', errorsAlarm({ AlarmActions: [] }));
    await ask(desk.service, 'PutMetricAlarm', errorsAlarm({ AlarmName: 'slow', AlarmActions: [] }));
    await ask(desk.service, 'PutCompositeAlarm', composite(rule));
    return desk;
  }

  it.each([
    ['ALARM(errors) AND ALARM("slow")', ['OK', 'OK', 'ALARM']],
    [
      'ALARM(errors) OR ALARM(arn:aws:cloudwatch:eu-west-1:123456789012:alarm:slow)',
      ['OK', 'ALARM', 'ALARM'],
    ],
    ['NOT (OK(errors) OR INSUFFICIENT_DATA(errors)) AND TRUE', ['OK', 'ALARM', 'ALARM']],
    ['INSUFFICIENT_DATA(slow) AND NOT FALSE', ['ALARM', 'ALARM', 'OK']],
  ])('%s', async (rule, expected) => {
    const desk = await withTwo(rule);
    const seen = [await stateOf(desk, 'both')];
    await set(desk, 'errors', 'ALARM');
    seen.push(await stateOf(desk, 'both'));
    await set(desk, 'slow', 'ALARM');
    seen.push(await stateOf(desk, 'both'));
    expect(seen).toEqual(expected);
  });

  it('names the child that moved it and tells the topic which children are in what state', async () => {
    const desk = await withTwo('ALARM(errors) OR ALARM(slow)');
    await set(desk, 'slow', 'ALARM');
    const event = desk.events.find(({ resources, detail }) => {
      return resources[0]?.endsWith(':both') && (detail.state as { value: string }).value === 'ALARM';
    });
    const state = event?.detail.state as { reason: string; reasonData: string };
    expect(state.reason).toBe(
      'arn:aws:cloudwatch:eu-west-1:123456789012:alarm:slow transitioned to ALARM at ' +
        'Thursday 1 January, 2026 12:00:00 UTC',
    );
    expect(JSON.parse(state.reasonData).triggeringAlarms).toHaveLength(1);
    expect(event?.detail.configuration).toEqual({ alarmRule: 'ALARM(errors) OR ALARM(slow)' });
    expect(JSON.parse(desk.notices[0]?.payload ?? '').TriggeringChildren).toHaveLength(2);
  });

  it.each([
    ['ALARM(nobody)', /nobody does not exist/],
    ['ALARM(errors', /syntax errors: expected an alarm's name and '\)'/],
    ['ALARM(errors) BUT OK(slow)', /expected AND, OR or the end at 'BUT'/],
  ])('refuses %s', async (rule, message) => {
    await expect(withTwo(rule)).rejects.toMatchObject({ name: 'ValidationException', message });
  });

  it('refuses a circle', async () => {
    const desk = await withTwo('ALARM(errors)');
    await ask(desk.service, 'PutCompositeAlarm', { AlarmName: 'above', AlarmRule: 'ALARM(both)' });
    await expect(ask(desk.service, 'PutCompositeAlarm', composite('ALARM(above)'))).rejects.toThrow(
      /lead back/,
    );
  });
});

describe('DescribeAlarms', () => {
  it('filters by prefix, state and kind, and pages', async () => {
    const desk = cloudWatchDesk();
    for (const name of ['web-a', 'web-b', 'web-c', 'api-a'])
      await ask(desk.service, 'PutMetricAlarm', errorsAlarm({ AlarmName: name }));
    await ask(desk.service, 'PutCompositeAlarm', { AlarmName: 'web-all', AlarmRule: 'ALARM("web-a")' });
    await ask(desk.service, 'SetAlarmState', { AlarmName: 'web-b', StateValue: 'ALARM', StateReason: 'x' });
    const names = (answer: {
      MetricAlarms: { AlarmName: string }[];
      CompositeAlarms: { AlarmName: string }[];
    }) => [...answer.MetricAlarms, ...answer.CompositeAlarms].map((alarm) => alarm.AlarmName);
    const describeAlarms = (input: Record<string, unknown>) => ask(desk.service, 'DescribeAlarms', input);
    expect(names(await describeAlarms({ AlarmNamePrefix: 'web' }))).toEqual(['web-a', 'web-b', 'web-c']);
    expect(names(await describeAlarms({ StateValue: 'ALARM' }))).toEqual(['web-b']);
    expect(names(await describeAlarms({ AlarmTypes: ['CompositeAlarm'] }))).toEqual(['web-all']);
    const first = await describeAlarms({ MaxRecords: 3 });
    expect(names(first)).toEqual(['api-a', 'web-a', 'web-b']);
    expect(names(await describeAlarms({ MaxRecords: 3, NextToken: first.NextToken }))).toEqual(['web-c']);
  });
});

describe('PutMetricAlarm refuses', () => {
  it.each([
    [{ Period: 45 }, /Period must be/],
    [{ DatapointsToAlarm: 2 }, /DatapointsToAlarm/],
    [{ ComparisonOperator: 'LessThanLowerThreshold' }, /comparison operator/],
    [{ Statistic: undefined }, /one of Statistic/],
    [{ Statistic: undefined, ExtendedStatistic: 'p101' }, /p101/],
    [{ TreatMissingData: 'maybe' }, /TreatMissingData/],
    [{ AlarmActions: ['pages'] }, /Invalid arn syntax: pages/],
    [{ EvaluationPeriods: 2000 }, /must not exceed 86400/],
    [{ ThresholdMetricId: 'ad1' }, /not emulated/],
  ])('%j', async (more, message) => {
    const desk = cloudWatchDesk();
    await expect(ask(desk.service, 'PutMetricAlarm', errorsAlarm(more))).rejects.toMatchObject({
      name: 'ValidationException',
      message,
    });
    expect(desk.service.alarms.all()).toEqual([]);
  });
});
