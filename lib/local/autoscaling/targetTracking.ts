/**
 * Target tracking as its two alarms decide it: out after 3 minutes above the target, in after 15 minutes
 * below 90 % of it, to the count at which the metric would meet the target. Source: Application Auto Scaling
 * user guide, "How target tracking scaling works", and the alarms it creates.
 */
import { evaluationRange, judge, type Slot } from '../cloudwatch/alarmEvaluation.ts';

const OUT_PERIODS = 3;
const IN_PERIODS = 15;
const IN_FRACTION = 0.9;

export type Tracking = {
  readonly targetValue: number;
  readonly scaleInDisabled: boolean;
  readonly current: number;
  readonly minimum: number;
  readonly maximum: number;
};

export type ScalingDecision = { readonly direction: 'out' | 'in'; readonly count: number } | null;

/** How many bins to look back over. */
export const trackedPeriods = evaluationRange(IN_PERIODS);

/** @param slots the newest bins, oldest first; without data nothing is decided */
export function decideTracking(slots: readonly Slot[], tracking: Tracking): ScalingDecision {
  const latest = slots.findLast(({ value }) => value !== null)?.value;
  if (latest === undefined || latest === null) return null;
  const wanted = Math.ceil((tracking.current * latest) / tracking.targetValue);
  const count = Math.min(tracking.maximum, Math.max(tracking.minimum, wanted));
  if (count > tracking.current && alarming(slots, 'GreaterThanThreshold', tracking.targetValue, OUT_PERIODS))
    return { direction: 'out', count };
  const low = IN_FRACTION * tracking.targetValue;
  if (
    count < tracking.current &&
    !tracking.scaleInDisabled &&
    alarming(slots, 'LessThanThreshold', low, IN_PERIODS)
  )
    return { direction: 'in', count };
  return null;
}

function alarming(
  slots: readonly Slot[],
  operator: 'GreaterThanThreshold' | 'LessThanThreshold',
  threshold: number,
  periods: number,
): boolean {
  const rule = {
    operator,
    threshold,
    evaluationPeriods: periods,
    datapointsToAlarm: periods,
    missingData: 'missing',
  } as const;
  return judge(slots.slice(-evaluationRange(periods)), rule).state === 'ALARM';
}
