// An alarm on the whole service rings while a rollout is under way. Taking the canary off helps only if the
// canary is the cause; when stable suffers as much, a rollback would change nothing and may make it worse
// (it moves load), so the rollout is held and a person is called.
//
// To hold, two things must be seen: that stable is unwell by its own counts, and that nothing speaks for the
// canary being worse. Everything else takes the canary off: it is the newest change, going back is cheap, and
// what cannot be told apart is not given the benefit of the doubt.
import type { Baseline } from './baseline.ts';
import { betsOf, combined } from './bets.ts';
import { type EvidenceState, evidence as eValueOf } from './errorEvidence.ts';
import { percent } from './figures.ts';
import { initialAgainstLimit, limitAt, observeAgainstLimit, uncontrolledLimit } from './limitEvidence.ts';
import { windowOf } from './look.ts';
import { type ErrorCount, errorCount, type Minute, sumErrors } from './minutes.ts';
import type { AnalysisPolicy } from './policy.ts';
import {
  beginEvidence,
  observeMinute,
  type RolloutEvidence,
  slowAtP95,
  slowCounts,
} from './rolloutEvidence.ts';

export type ServiceAlarmInput = {
  /** The rollout's minutes, oldest first; the youngest may be incomplete. */
  readonly minutes: readonly Minute[];
  readonly policy: AnalysisPolicy;
  readonly baseline: Baseline;
  /** Epoch milliseconds. */
  readonly now: number;
};

export type ServiceAlarmJudgement = {
  readonly action: 'roll-back' | 'hold';
  readonly sentence: string;
  readonly evidence: {
    /** Errors of both sides in the metric window. */
    readonly canary: ErrorCount;
    readonly stable: ErrorCount;
    /** Against "the canary is no worse than stable", over all checks. */
    readonly eValue: number;
  };
};

// Evidence of one in twenty that stable is unwell: the alarm itself already says that something is.
const unwellAt = 20;

/** Decides whether a service-wide alarm is the canary's doing. */
export function judgeServiceAlarm({
  minutes,
  policy,
  baseline,
  now,
}: ServiceAlarmInput): ServiceAlarmJudgement {
  const seen = minutes.filter((minute) => minute.startMs <= now);
  const fold = seen.reduce(observeMinute, beginEvidence(policy, baseline));
  const recent = windowOf(seen, policy.windowSeconds);
  const canary = sumErrors(recent, 'canary');
  const stable = sumErrors(recent, 'stable');
  const eValue = combined(betsOf(fold, 0, () => false));
  const evidence = { canary, stable, eValue };
  if (canary.total === 0 || stable.total === 0) {
    const side = canary.total === 0 ? 'the canary' : 'stable';
    const sentence = `Without data from ${side} the sides cannot be told apart: the canary is taken off.`;
    return { action: 'roll-back', sentence, evidence };
  }
  const [own, other] = [percent(canary.bad / canary.total), percent(stable.bad / stable.total)];
  const sides = `${own} errors on the canary, ${other} on stable`;
  if (eValue >= policy.holdAtEValue) {
    return { action: 'roll-back', sentence: `The canary suffers more than stable: ${sides}.`, evidence };
  }
  if (!isUnwell(seen, fold)) {
    return {
      action: 'roll-back',
      sentence: `Stable is well by its own counts (${sides}), so the canary is taken off.`,
      evidence,
    };
  }
  return {
    action: 'hold',
    sentence: `Stable suffers as much as the canary, a rollback would not help: ${sides}.`,
    evidence,
  };
}

// Stable against what it was before the rollout, errors or p95, whichever shows it.
function isUnwell(minutes: readonly Minute[], { policy, baseline, slowLimits }: RolloutEvidence): boolean {
  const limit = limitAt(uncontrolledLimit(1 - policy.objective, baseline.errorRate));
  const errors = minutes.reduce(
    (state, minute) =>
      observeAgainstLimit(state, {
        counts: minute.stable === null ? null : errorCount(minute.stable),
        periodSeconds: minute.periodSeconds,
        limit,
      }),
    initialAgainstLimit(baseline.errorDispersion),
  );
  const slow = slowLimits.map(({ threshold }) =>
    minutes.reduce(
      (state, minute) =>
        observeAgainstLimit(state, {
          counts: slowCounts(minute, threshold).stable,
          periodSeconds: minute.periodSeconds,
          limit: slowAtP95,
        }),
      initialAgainstLimit(baseline.slowDispersions[threshold] ?? 1),
    ),
  );
  return [errors, ...slow].some((state: EvidenceState) => eValueOf(state) >= unwellAt);
}
