// When did the traffic last shift? Sources report the share they observed, which wobbles from minute to
// minute, so a change of the number is not yet a shift. A shift is a share whose odds differ from those
// since the last shift by more than a third and by more than chance explains; the smallest step a plan
// makes, 45 to 55 %, multiplies the odds by 1.5. On so little traffic that a shift cannot be told from
// chance, there is also little that could be cold.
import { errorCount, type Minute } from './minutes.ts';

export type TrafficLevel = {
  /** Start of the first period at this level, epoch milliseconds. */
  readonly sinceMs: number;
  readonly canary: number;
  readonly stable: number;
};

const oddsRatioMin = 1.35;
const standardErrors = 4;

/** The level after one more minute; a new object with the minute's start when it began there. */
export function levelAfter(level: TrafficLevel | null, minute: Minute): TrafficLevel | null {
  if (minute.canary === null || minute.stable === null) return level;
  const canary = errorCount(minute.canary).total;
  const stable = errorCount(minute.stable).total;
  if (canary + stable === 0) return level;
  if (level === null || isShift(level, { canary, stable }))
    return { sinceMs: minute.startMs, canary, stable };
  return { sinceMs: level.sinceMs, canary: level.canary + canary, stable: level.stable + stable };
}

type Counts = Pick<TrafficLevel, 'canary' | 'stable'>;

// Log odds ratio with Haldane's half, and its standard error.
function isShift(before: Counts, now: Counts): boolean {
  const [a, b] = [before.canary + 0.5, before.stable + 0.5];
  const [c, d] = [now.canary + 0.5, now.stable + 0.5];
  const logRatio = Math.abs(Math.log((a * d) / (b * c)));
  const error = Math.sqrt(1 / a + 1 / b + 1 / c + 1 / d);
  return logRatio > Math.log(oddsRatioMin) && logRatio > standardErrors * error;
}
