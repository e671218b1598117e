// What would have happened: the recorded minutes of a past rollout, judged again minute by minute under another
// policy. Because a judgement is a fold over minutes, nothing has to be imitated; it is the same code.
import { conclude } from './analyse.ts';
import type { Baseline } from './baseline.ts';
import { type ErrorCount, endMs, type Minute, sumErrors } from './minutes.ts';
import type { AnalysisPolicy } from './policy.ts';
import { beginEvidence, observeMinute } from './rolloutEvidence.ts';
import type { Verdict } from './verdict.ts';

export type RecordedRollout = {
  /** Oldest first. Where the weight changes, a step ended. */
  readonly minutes: readonly Minute[];
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
};

/** Replays a rollout until it would have been rolled back, or to the end of what was recorded. */
export function backtest(recorded: RecordedRollout, policy: AnalysisPolicy): Backtest {
  const { minutes, baseline } = recorded;
  const timeline: BacktestMoment[] = [];
  let evidence = beginEvidence(policy, baseline);
  let stepStartedAt = minutes[0]?.startMs ?? 0;
  for (let i = 0; i < minutes.length; i++) {
    const minute = minutes[i] as Minute;
    if (i > 0 && minute.weight !== minutes[i - 1]?.weight) stepStartedAt = minute.startMs;
    evidence = observeMinute(evidence, minute);
    const atStepEnd = minutes[i + 1]?.weight !== minute.weight;
    const at = endMs(minute) + policy.dataDelaySeconds * 1000;
    const { verdict, combinedEValue, summary } = conclude(evidence, {
      policy,
      baseline,
      minutes: minutes.slice(0, i + 1),
      now: at,
      stepStartedAt,
      stepEndsAt: atStepEnd ? at : Number.POSITIVE_INFINITY,
      weight: minute.weight,
      checksDue: atStepEnd ? 'step-end' : 'bake',
    });
    const moment = { at, weight: minute.weight, atStepEnd, verdict, eValue: combinedEValue, summary };
    if (atStepEnd || timeline.at(-1)?.verdict !== verdict) timeline.push(moment);
    if (verdict !== 'fail') continue;
    const startMs = minutes[0]?.startMs ?? at;
    return {
      rolledBack: { ...moment, minutesFromStart: (at - startMs) / 60_000 },
      timeline,
      // Until the minute could be read, traffic went on.
      canaryErrors: served(minutes, at),
    };
  }
  return { rolledBack: null, timeline, canaryErrors: served(minutes, Number.POSITIVE_INFINITY) };
}

function served(minutes: readonly Minute[], until: number): Backtest['canaryErrors'] {
  return {
    served: sumErrors(
      minutes.filter((minute) => minute.startMs < until),
      'canary',
    ),
    recorded: sumErrors(minutes, 'canary'),
  };
}
