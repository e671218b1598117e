/** Why an alarm changed, in CloudWatch's own sentences and in its `reasonData`. */
import type { AlarmRule, Judgement, Slot } from './alarmEvaluation.ts';
import { type MetricAlarm, stampOf } from './alarmRecord.ts';

const phrases: Readonly<Record<string, string>> = {
  GreaterThanThreshold: 'greater than the threshold',
  GreaterThanOrEqualToThreshold: 'greater than or equal to the threshold',
  LessThanThreshold: 'less than the threshold',
  LessThanOrEqualToThreshold: 'less than or equal to the threshold',
};

/** The sentence for a change to `state`. */
export function reasonOf(judgement: Judgement, rule: AlarmRule): string {
  const { counted, filled, state } = judgement;
  const { evaluationPeriods: periods, datapointsToAlarm: enough, missingData } = rule;
  if (state === 'INSUFFICIENT_DATA')
    return `Insufficient Data: ${many(periods, 'datapoint')} ${wasWere(periods)} unknown.`;
  const treated = filled > 0 && (missingData === 'breaching' || missingData === 'notBreaching');
  if (treated) {
    const received =
      counted.length === 0
        ? 'no datapoints were'
        : `${many(counted.length, 'datapoint')} ${wasWere(counted.length)}`;
    const kind = missingData === 'breaching' ? 'Breaching' : 'NonBreaching';
    return (
      `Threshold Crossed: ${received} received for ${many(periods, 'period')} and ` +
      `${many(filled, 'missing datapoint')} ${wasWere(filled)} treated as [${kind}].`
    );
  }
  const alarming = state === 'ALARM';
  const telling = counted.filter((point) => point.breaching === alarming);
  const listed = telling.map(({ value, atMs }) => `${javaDouble(value)} (${dayAndTime(atMs)})`).join(', ');
  const change = alarming ? 'OK -> ALARM' : 'ALARM -> OK';
  const minimum = alarming ? enough : periods - enough + 1;
  const not = alarming ? '' : 'not ';
  return (
    `Threshold Crossed: ${telling.length} out of the last ${counted.length} datapoints [${listed}] ` +
    `${wasWere(telling.length)} ${not}${phrases[rule.operator] ?? rule.operator} ` +
    `(${javaDouble(rule.threshold)}) ` +
    `(minimum ${many(minimum, 'datapoint')} for ${change} transition).`
  );
}

/** The evidence as JSON text: what was asked when, and every point looked at. */
export function reasonDataOf(
  alarm: MetricAlarm,
  judgement: Judgement,
  slots: readonly Slot[],
  nowMs: number,
): string {
  const { settings } = alarm;
  const oldest = judgement.counted.at(-1);
  return JSON.stringify({
    version: '1.0',
    queryDate: stampOf(nowMs),
    ...(oldest && { startDate: stampOf(oldest.atMs) }),
    ...(settings.MetricName !== undefined && { statistic: settings.Statistic ?? settings.ExtendedStatistic }),
    ...(settings.Unit !== undefined && { unit: settings.Unit }),
    period: alarm.periodSeconds,
    recentDatapoints: judgement.counted.map(({ value }) => value).toReversed(),
    threshold: settings.Threshold,
    evaluatedDatapoints: slots
      .slice(-alarm.evaluationPeriods)
      .toReversed()
      .map(({ atMs, value }) => ({ timestamp: stampOf(atMs), ...(value !== null && { value }) })),
  });
}

const many = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
const wasWere = (count: number): string => (count === 1 ? 'was' : 'were');

/** Numbers as CloudWatch prints them: `50.0`, `99.5`. */
const javaDouble = (value: number): string => (Number.isInteger(value) ? `${value}.0` : `${value}`);

/** `02/10/19 16:59:00`: day first, UTC. */
function dayAndTime(ms: number): string {
  const iso = new Date(ms).toISOString();
  return `${iso.slice(8, 10)}/${iso.slice(5, 7)}/${iso.slice(2, 4)} ${iso.slice(11, 19)}`;
}
