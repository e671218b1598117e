/** An alarm as it is kept: its configuration, its state, and what was said of it. */
import type {
  HistoryItemType,
  MetricDataQuery,
  PutMetricAlarmCommandInput,
  StateValue,
} from '@aws-sdk/client-cloudwatch';
import type { CompositeRule } from './compositeRule.ts';

export type AlarmState = {
  readonly value: StateValue;
  readonly reason: string;
  /** JSON as text, as DescribeAlarms and the events carry it; absent when a person set the state. */
  readonly reasonData: string | undefined;
  readonly updatedMs: number;
};

type Common = {
  readonly name: string;
  readonly arn: string;
  readonly description: string | undefined;
  readonly actions: Readonly<Record<StateValue, readonly string[]>>;
  readonly configuredMs: number;
  actionsEnabled: boolean;
  state: AlarmState;
  tags: ReadonlyMap<string, string>;
};

export type MetricAlarm = Common & {
  readonly kind: 'metric';
  /** As given, with CloudWatch's defaults filled in. */
  readonly settings: PutMetricAlarmCommandInput;
  /** One metric, or a math expression with what it reads; the one that returns data is compared. */
  readonly queries: readonly MetricDataQuery[];
  readonly watchedId: string;
  readonly periodSeconds: number;
  readonly evaluationPeriods: number;
  readonly datapointsToAlarm: number;
};

export type CompositeAlarm = Common & {
  readonly kind: 'composite';
  readonly ruleText: string;
  readonly rule: CompositeRule;
};

export type Alarm = MetricAlarm | CompositeAlarm;

export type HistoryItem = {
  readonly alarmName: string;
  readonly alarmType: 'MetricAlarm' | 'CompositeAlarm';
  readonly atMs: number;
  readonly type: HistoryItemType;
  readonly summary: string;
  readonly data: string;
};

/** What an alarm was before anybody looked at its metric. */
export const unchecked = (nowMs: number): AlarmState => ({
  value: 'INSUFFICIENT_DATA',
  reason: 'Unchecked: Initial alarm creation',
  reasonData: undefined,
  updatedMs: nowMs,
});

export const typeOf = (alarm: Alarm): 'MetricAlarm' | 'CompositeAlarm' =>
  alarm.kind === 'metric' ? 'MetricAlarm' : 'CompositeAlarm';

/** CloudWatch writes offsets without a colon: `2019-10-02T17:04:40.989+0000`. */
export const stampOf = (ms: number): string => new Date(ms).toISOString().replace('Z', '+0000');
