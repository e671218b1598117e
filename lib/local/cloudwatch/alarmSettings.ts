/** What PutMetricAlarm and PutCompositeAlarm accept, and the alarm made of it. */
import type {
  MetricDataQuery,
  PutCompositeAlarmCommandInput,
  PutMetricAlarmCommandInput,
  StateValue,
} from '@aws-sdk/client-cloudwatch';
import type { Place } from '../cloudEvent.ts';
import type { MissingData } from './alarmEvaluation.ts';
import { type CompositeAlarm, type MetricAlarm, unchecked } from './alarmRecord.ts';
import { type CompositeRule, parseCompositeRule } from './compositeRule.ts';
import { invalid } from './metricQueries.ts';
import { isPercentile, statisticNamed } from './statistics.ts';

/** Limits: PutMetricAlarm reference. */
const ACTIONS_MAX = 5;
const DAY_SECONDS = 86_400;
const MISSING: readonly MissingData[] = ['missing', 'notBreaching', 'breaching', 'ignore'];
const OPERATORS = /^(GreaterThan|LessThan)(OrEqualTo)?Threshold$/;
const NOT_EMULATED = [
  'ThresholdMetricId',
  'EvaluationWindow',
  'WarmUpConfiguration',
  'EvaluationCriteria',
  'EvaluationInterval',
  'ActionConfiguration',
] as const;

type Made<A> = { readonly alarm: A; readonly note: string | null };

/**
 * The alarm `input` asks for, unchecked, and what AWS would not have accepted about it.
 * @throws ServiceError `ValidationException`
 */
export function metricAlarmOf(
  input: PutMetricAlarmCommandInput,
  place: Place,
  nowMs: number,
): Made<MetricAlarm> {
  for (const member of NOT_EMULATED)
    if (input[member] !== undefined) throw invalid(`${member} is not emulated by the local cloud.`);
  const { ComparisonOperator: operator, Threshold: threshold } = input;
  if (!OPERATORS.test(operator ?? ''))
    throw invalid(`The comparison operator ${operator} is not one the local cloud computes.`);
  if (threshold === undefined || !Number.isFinite(threshold))
    throw invalid('The parameter Threshold is required.');
  const evaluationPeriods = input.EvaluationPeriods ?? 0;
  if (!(evaluationPeriods >= 1)) throw invalid('EvaluationPeriods must be at least 1.');
  const datapointsToAlarm = input.DatapointsToAlarm ?? evaluationPeriods;
  if (datapointsToAlarm < 1 || datapointsToAlarm > evaluationPeriods)
    throw invalid('DatapointsToAlarm must be between 1 and EvaluationPeriods.');
  if (!MISSING.some((known) => known === (input.TreatMissingData ?? 'missing')))
    throw invalid(`TreatMissingData must be one of ${MISSING.join(', ')}.`);
  const queries = queriesOf(input);
  const watched = queries.filter((query) => query.ReturnData ?? true);
  if (watched.length !== 1) throw invalid('Exactly one element of the metrics list should return data.');
  const periodSeconds = Math.max(...queries.map((query) => query.MetricStat?.Period ?? query.Period ?? 0));
  const note = checkPeriod(periodSeconds, evaluationPeriods, input.AlarmName ?? '');
  return {
    note,
    alarm: {
      kind: 'metric',
      ...commonOf(input, place, nowMs),
      settings: input,
      queries,
      watchedId: watched[0]?.Id ?? '',
      periodSeconds,
      evaluationPeriods,
      datapointsToAlarm,
    },
  };
}

/** @throws ServiceError `ValidationException` */
export function compositeAlarmOf(
  input: PutCompositeAlarmCommandInput,
  place: Place,
  nowMs: number,
): CompositeAlarm {
  if (input.ActionsSuppressor !== undefined || input.ActionConfiguration !== undefined)
    throw invalid('ActionsSuppressor and ActionConfiguration are not emulated by the local cloud.');
  const rule = parseCompositeRule(input.AlarmRule ?? '');
  if ('refused' in rule) throw invalid(`AlarmRule must not contain syntax errors: ${rule.refused}.`);
  return {
    kind: 'composite',
    ...commonOf(input, place, nowMs),
    ruleText: input.AlarmRule ?? '',
    rule: rule satisfies CompositeRule,
  };
}

const alarmArn = (place: Place, name: string): string =>
  `arn:aws:cloudwatch:${place.region}:${place.account}:alarm:${name}`;

function commonOf(
  input: PutMetricAlarmCommandInput | PutCompositeAlarmCommandInput,
  place: Place,
  nowMs: number,
) {
  const name = input.AlarmName ?? '';
  if (name === '' || name.length > 255) throw invalid('AlarmName must have 1 to 255 characters.');
  const actions: Record<StateValue, readonly string[]> = {
    OK: input.OKActions ?? [],
    ALARM: input.AlarmActions ?? [],
    INSUFFICIENT_DATA: input.InsufficientDataActions ?? [],
  };
  for (const list of Object.values(actions)) {
    if (list.length > ACTIONS_MAX) throw invalid(`At most ${ACTIONS_MAX} actions are allowed for a state.`);
    for (const arn of list) if (!/^arn:[^:]+:[^:]+:/.test(arn)) throw invalid(`Invalid arn syntax: ${arn}`);
  }
  return {
    name,
    arn: alarmArn(place, name),
    description: input.AlarmDescription,
    actions,
    actionsEnabled: input.ActionsEnabled ?? true,
    configuredMs: nowMs,
    state: unchecked(nowMs),
    tags: new Map((input.Tags ?? []).map(({ Key, Value }) => [Key ?? '', Value ?? ''])),
  };
}

function queriesOf(input: PutMetricAlarmCommandInput): readonly MetricDataQuery[] {
  const { MetricName, Namespace, Metrics } = input;
  if (Metrics !== undefined && MetricName !== undefined)
    throw invalid('MetricName and Metrics cannot both be given.');
  if (Metrics !== undefined) return Metrics;
  const stat = input.Statistic ?? input.ExtendedStatistic;
  if (MetricName === undefined || Namespace === undefined || stat === undefined || input.Period === undefined)
    throw invalid('MetricName, Namespace, Period and one of Statistic and ExtendedStatistic are required.');
  if (input.Statistic !== undefined && input.ExtendedStatistic !== undefined)
    throw invalid('Statistic and ExtendedStatistic cannot both be given.');
  if (!statisticNamed(stat))
    throw invalid(`The value ${stat} for parameter ExtendedStatistic is not supported.`);
  if (input.EvaluateLowSampleCountPercentile !== undefined && !isPercentile(stat))
    throw invalid('EvaluateLowSampleCountPercentile is for percentiles only.');
  const metric = { Namespace, MetricName, Dimensions: input.Dimensions ?? [] };
  const unit = input.Unit === undefined ? {} : { Unit: input.Unit };
  const metricStat = { Metric: metric, Period: input.Period, Stat: stat, ...unit };
  return [{ Id: 'm1', MetricStat: metricStat, ReturnData: true }];
}

/**
 * Refuses what makes no sense; says what only AWS would refuse. Source: PutMetricAlarm reference, `Period`.
 */
function checkPeriod(periodSeconds: number, evaluationPeriods: number, name: string): string | null {
  const daysMax = periodSeconds >= 3600 ? 7 : 1;
  if (periodSeconds * evaluationPeriods > daysMax * DAY_SECONDS)
    throw invalid(`EvaluationPeriods times Period must not exceed ${daysMax * DAY_SECONDS} seconds.`);
  const onAws = [10, 20, 30].includes(periodSeconds) || (periodSeconds > 0 && periodSeconds % 60 === 0);
  if (onAws) return null;
  if (![1, 5].includes(periodSeconds))
    throw invalid(
      `The Period must be 10, 20, 30 or a multiple of 60 (here also 1 and 5), not ${periodSeconds}.`,
    );
  return (
    `alarm ${name}: a Period of ${periodSeconds} s is accepted here only; AWS asks for 10, ` +
    '20, 30 or a multiple of 60'
  );
}
