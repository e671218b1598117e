// An alarm on the whole service rings while a rollout is under way. Taking the canary off helps only if the
// canary is the cause; when stable suffers as much, a rollback would change nothing and may make it worse
// (it moves load), so the rollout is held and a person is called.
import type { Baseline } from './baseline.ts';
import { type ErrorCount, type Minute, sumErrors } from './minutes.ts';
import type { AnalysisPolicy } from './policy.ts';

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
    readonly canary: ErrorCount;
    readonly stable: ErrorCount;
    /** Against "the canary is no worse than stable". */
    readonly eValue: number;
  };
};

/** Decides whether a service-wide alarm is the canary's doing. Unknown is answered with a rollback. */
export function judgeServiceAlarm({ minutes, policy, now }: ServiceAlarmInput): ServiceAlarmJudgement {
  const recent = minutes.filter((minute) => minute.startMs >= now - policy.windowSeconds * 1000);
  const canary = sumErrors(recent, 'canary');
  const stable = sumErrors(recent, 'stable');
  const canaryRate = canary.total === 0 ? null : canary.bad / canary.total;
  const stableRate = stable.total === 0 ? null : stable.bad / stable.total;
  const evidence = { canary, stable, eValue: 1 };
  if (canaryRate === null || stableRate === null) {
    return {
      action: 'roll-back',
      sentence: 'The sides cannot be told apart, so the canary is taken off.',
      evidence,
    };
  }
  const shared = stableRate > policy.errors.maxRate && canaryRate <= 2 * stableRate;
  return shared
    ? {
        action: 'hold',
        sentence: 'Stable suffers as much as the canary: a rollback would not help.',
        evidence,
      }
    : { action: 'roll-back', sentence: 'Stable does not suffer as the canary does.', evidence };
}
