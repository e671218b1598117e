/**
 * CloudWatch on one machine: metrics, metric math, alarms. Other emulated services put their metrics in
 * through `store`, as AWS's own do behind the API, so `AWS/…` namespaces are closed to clients.
 */
import * as sdk from '@aws-sdk/client-cloudwatch';
import type { Clock } from '../../asl/clock.ts';
import type { Place, Publish } from '../cloudEvent.ts';
import type { LocalService } from '../service.ts';
import { AlarmBook, type Notice } from './alarmBook.ts';
import { alarmOperations } from './alarmOperations.ts';
import type { MetricAlarm } from './alarmRecord.ts';
import { metricOperations } from './metricOperations.ts';
import { evaluateQueries } from './metricQueries.ts';
import { MetricStore } from './metricStore.ts';

export type CloudWatchDeps = {
  readonly clock: Clock;
  readonly place: Place;
  /** Takes alarm state changes to EventBridge. */
  readonly publish: Publish;
  /** Carries out an alarm's action on an SNS topic or a Lambda function. */
  readonly notify: (notice: Notice) => Promise<void>;
};

export type CloudWatch = LocalService & {
  readonly store: MetricStore;
  readonly alarms: AlarmBook;
  /** What was accepted here and would not be on AWS, oldest first. */
  readonly notes: readonly string[];
};

export function cloudWatchService(deps: CloudWatchDeps): CloudWatch {
  const store = new MetricStore();
  const book = new AlarmBook({ ...deps, store });
  const notes: string[] = [];
  const note = (text: string) => void (notes.includes(text) || notes.push(text));
  const check = (alarm: MetricAlarm) => {
    const nowMs = deps.clock.now();
    evaluateQueries(store, alarm.queries, { startMs: nowMs - alarm.periodSeconds * 1000, endMs: nowMs });
  };
  return {
    scope: 'monitoring',
    sdk,
    store,
    alarms: book,
    notes,
    operations: {
      ...metricOperations(store, deps.clock),
      ...alarmOperations({ book, clock: deps.clock, place: deps.place, note, check }),
    },
    close: async () => book.close(),
  };
}
