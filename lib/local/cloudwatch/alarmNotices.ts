/**
 * What an alarm says when it changes: the EventBridge event, the SNS message and the payload of a Lambda
 * action. The three carry the same change in three shapes of AWS's own (CloudWatch user guide, "Alarm events
 * and EventBridge", "Invoke a Lambda function from an alarm"; the SNS form is that of aws-lambda-go's
 * samples).
 */
import type { Dimension, MetricDataQuery, MetricStat } from '@aws-sdk/client-cloudwatch';
import type { CloudEvent, Place } from '../cloudEvent.ts';
import {
  type Alarm,
  type AlarmState,
  type CompositeAlarm,
  type MetricAlarm,
  stampOf,
} from './alarmRecord.ts';
import { alarmsIn } from './compositeRule.ts';

export type StateChange = { readonly alarm: Alarm; readonly previous: AlarmState };

export function eventOf({ alarm, previous }: StateChange): CloudEvent {
  return {
    source: 'aws.cloudwatch',
    detailType: 'CloudWatch Alarm State Change',
    time: new Date(alarm.state.updatedMs),
    resources: [alarm.arn],
    detail: {
      alarmName: alarm.name,
      state: stateDetail(alarm.state),
      previousState: stateDetail(previous),
      configuration: configurationOf(alarm),
    },
  };
}

/** What a Lambda action is invoked with. */
export function lambdaPayloadOf({ alarm, previous }: StateChange, place: Place): string {
  return JSON.stringify({
    source: 'aws.cloudwatch',
    alarmArn: alarm.arn,
    accountId: place.account,
    time: stampOf(alarm.state.updatedMs),
    region: place.region,
    alarmData: {
      alarmName: alarm.name,
      state: stateDetail(alarm.state),
      previousState: stateDetail(previous),
      configuration: configurationOf(alarm),
    },
  });
}

/** What an SNS topic is sent. `children`: the alarms a composite looks at. */
export function snsMessageOf(
  { alarm, previous }: StateChange,
  place: Place,
  children: readonly Alarm[],
): string {
  return JSON.stringify({
    AlarmName: alarm.name,
    AlarmDescription: alarm.description ?? null,
    AWSAccountId: place.account,
    AlarmConfigurationUpdatedTimestamp: stampOf(alarm.configuredMs),
    NewStateValue: alarm.state.value,
    NewStateReason: alarm.state.reason,
    StateChangeTime: stampOf(alarm.state.updatedMs),
    Region: regionNames[place.region] ?? place.region,
    AlarmArn: alarm.arn,
    OldStateValue: previous.value,
    OKActions: alarm.actions.OK,
    AlarmActions: alarm.actions.ALARM,
    InsufficientDataActions: alarm.actions.INSUFFICIENT_DATA,
    ...(alarm.kind === 'metric' ? { Trigger: triggerOf(alarm) } : compositeOf(alarm, children)),
  });
}

/** The e-mail subject an SNS topic is sent. */
export const subjectOf = ({ alarm }: StateChange, place: Place): string =>
  `${alarm.state.value}: "${alarm.name}" in ${regionNames[place.region] ?? place.region}`;

const regionNames: Readonly<Record<string, string>> = {
  'us-east-1': 'US East (N. Virginia)',
  'us-east-2': 'US East (Ohio)',
  'us-west-2': 'US West (Oregon)',
  'eu-central-1': 'EU (Frankfurt)',
  'eu-west-1': 'EU (Ireland)',
  'eu-west-2': 'EU (London)',
};

const stateDetail = (state: AlarmState) => ({
  value: state.value,
  reason: state.reason,
  ...(state.reasonData !== undefined && { reasonData: state.reasonData }),
  timestamp: stampOf(state.updatedMs),
});

function configurationOf(alarm: Alarm) {
  const description = alarm.description === undefined ? {} : { description: alarm.description };
  if (alarm.kind === 'composite') return { ...description, alarmRule: alarm.ruleText };
  return { ...description, metrics: alarm.queries.map(queryDetail) };
}

const queryDetail = (query: MetricDataQuery) => ({
  id: query.Id,
  ...(query.Expression !== undefined && { expression: query.Expression }),
  ...(query.Label !== undefined && { label: query.Label }),
  ...(query.MetricStat !== undefined && { metricStat: metricStatDetail(query.MetricStat) }),
  ...(query.Period !== undefined && { period: query.Period }),
  returnData: query.ReturnData ?? true,
});

const metricStatDetail = (stat: MetricStat) => ({
  metric: {
    namespace: stat.Metric?.Namespace,
    name: stat.Metric?.MetricName,
    dimensions: Object.fromEntries((stat.Metric?.Dimensions ?? []).map(({ Name, Value }) => [Name, Value])),
  },
  period: stat.Period,
  stat: stat.Stat,
  ...(stat.Unit !== undefined && { unit: stat.Unit }),
});

function triggerOf({ settings, queries, evaluationPeriods, datapointsToAlarm }: MetricAlarm) {
  const comparison = {
    EvaluationPeriods: evaluationPeriods,
    DatapointsToAlarm: datapointsToAlarm,
    ComparisonOperator: settings.ComparisonOperator,
    Threshold: settings.Threshold,
    TreatMissingData: settings.TreatMissingData ?? 'missing',
    EvaluateLowSampleCountPercentile: settings.EvaluateLowSampleCountPercentile ?? '',
  };
  if (settings.MetricName === undefined) return { ...comparison, Metrics: queries.map(queryTrigger) };
  const basic = settings.Statistic !== undefined;
  return {
    MetricName: settings.MetricName,
    Namespace: settings.Namespace,
    StatisticType: basic ? 'Statistic' : 'ExtendedStatistic',
    ...(basic
      ? { Statistic: statisticWord(settings.Statistic) }
      : { ExtendedStatistic: settings.ExtendedStatistic }),
    Unit: settings.Unit ?? null,
    Dimensions: lowerCase(settings.Dimensions),
    Period: settings.Period,
    ...comparison,
  };
}

const queryTrigger = (query: MetricDataQuery) => ({
  ...query,
  ...(query.MetricStat !== undefined && {
    MetricStat: {
      ...query.MetricStat,
      Metric: { ...query.MetricStat.Metric, Dimensions: lowerCase(query.MetricStat.Metric?.Dimensions) },
    },
  }),
  ReturnData: query.ReturnData ?? true,
});

/** Only here AWS writes a dimension's members in lower case. */
const lowerCase = (dimensions: readonly Dimension[] | undefined) =>
  (dimensions ?? []).map(({ Name, Value }) => ({ value: Value, name: Name }));

const statisticWord = (statistic: string | undefined) =>
  statistic === 'SampleCount' ? 'SAMPLE_COUNT' : statistic?.toUpperCase();

const compositeOf = (alarm: CompositeAlarm, children: readonly Alarm[]) => ({
  AlarmRule: alarm.ruleText,
  TriggeringChildren: children
    .filter((child) => alarmsIn(alarm.rule).includes(child.name))
    .map((child) => ({
      Arn: child.arn,
      State: { Value: child.state.value, Timestamp: stampOf(child.state.updatedMs) },
    })),
});
