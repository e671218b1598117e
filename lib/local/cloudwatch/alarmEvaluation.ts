/**
 * Which state an alarm's datapoints mean. CloudWatch looks at more points than it needs (the evaluation
 * range), so that a late or missing one does not change the state at once: real points count first, missing
 * ones are filled only as far as needed. Rules and both tables of examples: CloudWatch user guide,
 * "Configuring how alarms treat missing data" and "Avoiding premature transitions to alarm state".
 */
import type { ComparisonOperator, StateValue } from '@aws-sdk/client-cloudwatch';

export type MissingData = 'missing' | 'notBreaching' | 'breaching' | 'ignore';

/** One bin of the evaluation range; null where nothing was received. */
export type Slot = { readonly atMs: number; readonly value: number | null };

export type AlarmRule = {
  readonly operator: ComparisonOperator;
  readonly threshold: number;
  readonly evaluationPeriods: number;
  readonly datapointsToAlarm: number;
  readonly missingData: MissingData;
};

export type Judgement = {
  /** `keep`: the points say nothing, the alarm stays as it is. */
  readonly state: StateValue | 'keep';
  /** The real points that were counted, newest first. */
  readonly counted: readonly { readonly atMs: number; readonly value: number; readonly breaching: boolean }[];
  /** How many missing points stood in for real ones. */
  readonly filled: number;
};

/** The guide's examples retrieve 5 points for 3 evaluation periods; AWS publishes no general formula. */
const EXTRA_POINTS = 2;

export const evaluationRange = (evaluationPeriods: number): number => evaluationPeriods + EXTRA_POINTS;

/** @param slots the evaluation range, oldest first */
export function judge(slots: readonly Slot[], rule: AlarmRule): Judgement {
  const { evaluationPeriods: needed, datapointsToAlarm: enough, missingData } = rule;
  const newestFirst = slots.toReversed();
  const real = newestFirst.flatMap(({ atMs, value }) =>
    value === null ? [] : [{ atMs, value, breaching: breaches(value, rule.operator, rule.threshold) }],
  );
  const counted = real.slice(0, needed);
  const filled = needed - counted.length;
  const breaching = counted.filter((point) => point.breaching).length;
  const answer = (state: Judgement['state']): Judgement => ({ state, counted, filled });

  if (real.length === 0) return answer(withoutData[missingData]);
  if (breaching >= enough) return answer('ALARM');
  if (filled === 0 || missingData === 'notBreaching') return answer('OK');
  if (missingData === 'breaching') return answer(breaching + filled >= enough ? 'ALARM' : 'OK');
  if (breaching < counted.length) return answer('OK');
  if (missingData === 'ignore') return answer('keep');
  // Only breaching points, fewer than asked for: they alarm once the oldest is as old as M points, because by
  // then nothing good can still arrive in time.
  const oldestBreaching = newestFirst.findLastIndex(({ value }) => value !== null) + 1;
  return answer(oldestBreaching >= enough ? 'ALARM' : 'keep');
}

const withoutData: Readonly<Record<MissingData, Judgement['state']>> = {
  missing: 'INSUFFICIENT_DATA',
  notBreaching: 'OK',
  breaching: 'ALARM',
  ignore: 'keep',
};

function breaches(value: number, operator: ComparisonOperator, threshold: number): boolean {
  switch (operator) {
    case 'GreaterThanThreshold':
      return value > threshold;
    case 'GreaterThanOrEqualToThreshold':
      return value >= threshold;
    case 'LessThanThreshold':
      return value < threshold;
    case 'LessThanOrEqualToThreshold':
      return value <= threshold;
    default:
      throw new Error(`the operator ${operator} belongs to anomaly detection, which is refused on creation`);
  }
}
