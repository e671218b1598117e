// The product's own judgement as a rule: exactly `lib/core/analysis`, looking at the end of every period.
import { conclude } from '../../lib/core/analysis/analyse.ts';
import type { Baseline } from '../../lib/core/analysis/baseline.ts';
import { betsOf, combined } from '../../lib/core/analysis/bets.ts';
import { estimateDispersion } from '../../lib/core/analysis/dispersion.ts';
import type { Minute } from '../../lib/core/analysis/minutes.ts';
import { type AnalysisPolicy, defaultAnalysisPolicy } from '../../lib/core/analysis/policy.ts';
import { beginEvidence, observeMinute } from '../../lib/core/analysis/rolloutEvidence.ts';
import { stepMinutes, stepWeights, weightAt } from './rollouts.ts';
import type { Periods, RolloutView, Rule } from './rules.ts';

/**
 * Latency takes its share of alpha as in production, and stays silent: these rollouts differ in errors
 * only.
 */
const silent = [0, 0, 0, 0, 0];

export const benchPolicy: AnalysisPolicy = {
  ...defaultAnalysisPolicy,
  dataDelaySeconds: 60,
  stepCount: stepWeights.length,
};

/** Looks every minute at data a minute old. */
export const everyMinute: Rule = {
  name: 'switchback 60 s',
  delaySeconds: 60,
  decide: (view) => decide(view, view.minutes),
};

/** Looks every ten seconds at data twenty seconds old. */
export const everyTenSeconds: Rule = {
  name: 'switchback 10 s',
  delaySeconds: 20,
  decide: (view) => decide(view, view.tenSeconds),
};

/** What `start-rollout` freezes: dispersion and rate of the day before. */
function baselineFrom({ historyErrors, requestsPerSecond }: RolloutView): Baseline {
  const total = requestsPerSecond * 60;
  const history = Array.from(historyErrors, (bad) => ({ bad, total }));
  const errors = history.reduce((sum, minute) => sum + minute.bad, 0);
  return {
    errorDispersion: estimateDispersion(history, benchPolicy.dispersion.withoutHistory),
    slowThresholdsMs: [100, 200, 300, 500, 1000],
    slowDispersions: silent.map(() => 1),
    shiftDispersion: 1,
    businessDispersions: {},
    errorRate: errors / (total * Math.max(1, history.length)),
    p95Ms: null,
    businessRates: {},
    businessPerSecond: {},
    requestsPerSecond,
    historyMinutes: history.length,
  };
}

function decide(view: RolloutView, periods: Periods): number | null {
  const policy = { ...benchPolicy, periodSeconds: periods.seconds, dataDelaySeconds: 60 };
  const baseline = baselineFrom(view);
  const minutes: Minute[] = [];
  let evidence = beginEvidence(policy, baseline);
  for (let t = 0; t < periods.canaryRequests.length; t++) {
    const minute = minuteOf(periods, t);
    minutes.push(minute);
    evidence = observeMinute(evidence, minute);
    // Without hosts and templates only the sum of the bets can fail, so the sentences are written only then.
    if (combined(betsOf(evidence, 0, () => false)) < 1 / policy.alpha) continue;
    const endsAt = (t + 1) * periods.seconds * 1000;
    const stepStartedAt = Math.floor((t * periods.seconds) / 60 / stepMinutes) * stepMinutes * 60_000;
    const { verdict } = conclude(evidence, {
      policy,
      baseline,
      minutes,
      now: endsAt + policy.dataDelaySeconds * 1000,
      stepStartedAt,
      stepEndsAt: stepStartedAt + stepMinutes * 60_000,
      weight: minute.weight,
      checksDue: 'bake',
    });
    if (verdict !== 'fail') throw new Error(`combined evidence decided and the verdict is ${verdict}`);
    return (t + 1) * periods.seconds;
  }
  return null;
}

function minuteOf(periods: Periods, t: number): Minute {
  const side = (requests: Float64Array, errors: Float64Array) => ({
    requests: requests[t] as number,
    errors: errors[t] as number,
    slow: silent,
  });
  return {
    startMs: t * periods.seconds * 1000,
    periodSeconds: periods.seconds,
    weight: weightAt((t * periods.seconds) / 60),
    canary: side(periods.canaryRequests, periods.canaryErrors),
    stable: side(periods.stableRequests, periods.stableErrors),
  };
}
