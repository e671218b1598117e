/** CloudWatch alone, on a clock that stands still, asked at the level of its operations. */

import { VirtualClock } from '../../../lib/asl/clock.ts';
import type { CloudEvent } from '../../../lib/local/cloudEvent.ts';
import type { Notice } from '../../../lib/local/cloudwatch/alarmBook.ts';
import { cloudWatchService } from '../../../lib/local/cloudwatch/cloudWatchService.ts';
import type { LocalService } from '../../../lib/local/service.ts';

export const place = { region: 'eu-west-1', account: '123456789012' };

const context = { ...place, requestId: 'r-1', accessKeyId: 'test' };

/** Calls an operation as the endpoint would, without a wire. */
export async function ask(
  service: LocalService,
  operation: string,
  input: Readonly<Record<string, unknown>> = {},
  // biome-ignore lint/suspicious/noExplicitAny: an operation's answer has the shape of its SDK output
): Promise<any> {
  const run = service.operations[operation];
  if (!run) throw new Error(`${operation} is not emulated`);
  return run(input, context);
}

export function cloudWatchDesk(startMs = Date.UTC(2026, 0, 1, 12, 0, 0)) {
  const clock = new VirtualClock(startMs);
  const events: CloudEvent[] = [];
  const notices: Notice[] = [];
  const service = cloudWatchService({
    clock,
    place,
    publish: (event) => void events.push(event),
    notify: async (notice) => {
      if (notice.arn.endsWith(':broken')) throw new Error('the topic does not exist');
      notices.push(notice);
    },
  });
  const put = (namespace: string, name: string, value: number, more: Record<string, unknown> = {}) =>
    ask(service, 'PutMetricData', {
      Namespace: namespace,
      MetricData: [{ MetricName: name, Value: value, Timestamp: new Date(clock.now()), ...more }],
    });
  return { clock, events, notices, service, put };
}

export const topic = 'arn:aws:sns:eu-west-1:123456789012:pages';

/** PutMetricAlarm's input for `errors`: one minute with more than 5 of Shop's errors. */
export const errorsAlarm = (more: Record<string, unknown> = {}) => ({
  AlarmName: 'errors',
  AlarmDescription: 'too many errors',
  Namespace: 'Shop',
  MetricName: 'Errors',
  Dimensions: [{ Name: 'Service', Value: 'web' }],
  Statistic: 'Sum',
  Period: 60,
  EvaluationPeriods: 1,
  Threshold: 5,
  ComparisonOperator: 'GreaterThanThreshold',
  AlarmActions: [topic],
  ...more,
});

export async function stateOf(desk: ReturnType<typeof cloudWatchDesk>, name = 'errors'): Promise<string> {
  const answer = await ask(desk.service, 'DescribeAlarms', {
    AlarmNames: [name],
    AlarmTypes: ['MetricAlarm', 'CompositeAlarm'],
  });
  return (answer.MetricAlarms[0] ?? answer.CompositeAlarms[0]).StateValue;
}
