// What would have happened: the recorded minutes of a past rollout, judged again minute by minute under
// another policy. Because a judgement is a fold over minutes, nothing has to be imitated; it is the same
// code.
import { rolloutBurn } from '../slo/rolloutBurn.ts';
import { type Analysis, conclude } from './analyse.ts';
import type { Baseline } from './baseline.ts';
import { type ErrorCount, endMs, type Minute, sumErrors } from './minutes.ts';
import type { AnalysisPolicy } from './policy.ts';
import { beginEvidence, observeMinute } from './rolloutEvidence.ts';
import { levelAfter, type TrafficLevel } from './trafficLevel.ts';
import type { Verdict } from './verdict.ts';

export type RecordedRollout = {
  /** Oldest first. */
  readonly minutes: readonly Minute[];
  /**
   * When each step began, epoch milliseconds, ascending; without them a step begins where the traffic
   * shifts.
   */
  readonly stepStarts?: readonly number[];
  /** As frozen when the rollout started. */
  readonly baseline: Baseline;
};

export type BacktestMoment = {
  /** When the minute could be read, epoch milliseconds. */
  readonly at: number;
  readonly weight: number;
  readonly atStepEnd: boolean;
  readonly verdict: Verdict;
  readonly eValue: number;
  readonly summary: string;
};

export type Backtest = {
  /** The first failure, or null: it would not have been rolled back. */
  readonly rolledBack: (BacktestMoment & { readonly minutesFromStart: number }) | null;
  /** Moments at which the verdict changed, and every step's end. */
  readonly timeline: readonly BacktestMoment[];
  /** Canary errors up to the rollback, and in all that was recorded. */
  readonly canaryErrors: { readonly served: ErrorCount; readonly recorded: ErrorCount };
  /** Share of the period's error budget that the rollout cost, 0–1; null where its traffic is not known. */
  readonly budgetSpent: number | null;
  /** What the last look saw beside what counts: dry runs, the service's burn, the certificate. */
  readonly shown: readonly {
    readonly name: string;
    readonly verdict: Verdict;
    readonly sentence: string;
  }[];
};

/** Replays a rollout until it would have been rolled back, or to the end of what was recorded. */
export function backtest(recorded: RecordedRollout, policy: AnalysisPolicy): Backtest {
  const { minutes, baseline } = recorded;
  const starts = stepStartsOf(recorded);
  const timeline: BacktestMoment[] = [];
  let evidence = beginEvidence(policy, baseline);
  let newest: Analysis | null = null;
  let stepStartedAt = minutes[0]?.startMs ?? 0;
  for (let i = 0; i < minutes.length; i++) {
    const minute = minutes[i] as Minute;
    stepStartedAt = starts.findLast((start) => start <= minute.startMs) ?? stepStartedAt;
    evidence = observeMinute(evidence, minute);
    const next = minutes[i + 1]?.startMs;
    const atStepEnd = next === undefined || starts.some((start) => start > minute.startMs && start <= next);
    const at = endMs(minute) + policy.dataDelaySeconds * 1000;
    newest = conclude(evidence, {
      policy,
      baseline,
      minutes: minutes.slice(0, i + 1),
      now: at,
      stepStartedAt,
      stepEndsAt: atStepEnd ? at : Number.POSITIVE_INFINITY,
      weight: minute.weight,
      checksDue: atStepEnd ? 'step-end' : 'bake',
    });
    const { verdict, combinedEValue, summary } = newest;
    const moment = { at, weight: minute.weight, atStepEnd, verdict, eValue: combinedEValue, summary };
    if (atStepEnd || timeline.at(-1)?.verdict !== verdict) timeline.push(moment);
    if (verdict !== 'fail') continue;
    const startMs = minutes[0]?.startMs ?? at;
    return {
      rolledBack: { ...moment, minutesFromStart: (at - startMs) / 60_000 },
      timeline,
      // Until the minute could be read, traffic went on.
      ...served(recorded, policy, at),
      shown: shownBy(newest),
    };
  }
  const all = served(recorded, policy, Number.POSITIVE_INFINITY);
  return { rolledBack: null, timeline, ...all, shown: newest === null ? [] : shownBy(newest) };
}

const shownBy = (analysis: Analysis): Backtest['shown'] =>
  analysis.shown().map(({ name, verdict, tell }) => ({ name, verdict, sentence: tell().sentence }));

function stepStartsOf({ minutes, stepStarts }: RecordedRollout): readonly number[] {
  if (stepStarts !== undefined) return stepStarts;
  const starts: number[] = [];
  let level: TrafficLevel | null = null;
  for (const minute of minutes) {
    level = levelAfter(level, minute);
    if (level !== null && level.sinceMs !== starts.at(-1)) starts.push(level.sinceMs);
    // Once stable gets nothing there is no share to compare, and that is a step as well.
    if (minute.weight >= 100 && level !== null && level.stable > 0) {
      level = { sinceMs: minute.startMs, canary: minute.canary?.requests ?? 1, stable: 0 };
      starts.push(minute.startMs);
    }
  }
  return starts;
}

function served(
  { minutes, baseline }: RecordedRollout,
  policy: AnalysisPolicy,
  until: number,
): Pick<Backtest, 'canaryErrors' | 'budgetSpent'> {
  const before = minutes.filter((minute) => minute.startMs < until);
  const [canary, stable] = [sumErrors(before, 'canary'), sumErrors(before, 'stable')];
  const sides = { canary, stable };
  return {
    canaryErrors: { served: canary, recorded: sumErrors(minutes, 'canary') },
    budgetSpent:
      baseline.requestsPerSecond === null ? null : rolloutBurn(policy, sides, sides, baseline).spentByRollout,
  };
}
