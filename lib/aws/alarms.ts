/** Alarm states as CloudWatch tells them; an alarm that is not there is unknown, not OK. */
import { type CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import type { AlarmReading, Alarms } from '../ports.ts';
import { answered } from './answered.ts';

/** Names one DescribeAlarms takes. */
const namesMax = 100;

export function cloudWatchAlarms(client: CloudWatchClient): Alarms {
  return {
    async read(names) {
      const readings: AlarmReading[] = [];
      for (let from = 0; from < names.length; from += namesMax) {
        const AlarmNames = names.slice(from, from + namesMax);
        const command = new DescribeAlarmsCommand({
          AlarmNames,
          AlarmTypes: ['MetricAlarm', 'CompositeAlarm'],
          MaxRecords: namesMax,
        });
        const { MetricAlarms = [], CompositeAlarms = [] } = await answered(
          'DescribeAlarms',
          client.send(command),
        );
        const found = new Map([...MetricAlarms, ...CompositeAlarms].map((alarm) => [alarm.AlarmName, alarm]));
        for (const name of AlarmNames) {
          const alarm = found.get(name);
          readings.push({
            name,
            state: alarm?.StateValue ?? null,
            changedAt: (alarm?.StateTransitionedTimestamp ?? alarm?.StateUpdatedTimestamp)?.getTime() ?? null,
            reason: alarm?.StateReason ?? 'there is no alarm of this name',
          });
        }
      }
      return readings;
    },
  };
}
