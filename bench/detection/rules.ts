// The rules that other tools roll back by, read as generously as their documentation allows. Each sees the
// same rollout, period by period, and answers when it would have rolled back.
import { burnRules } from '../../lib/core/slo/burnRate.ts';
import { addUp, stepMinutes, type Ticks } from './rollouts.ts';

/** Counts per period of one length. */
export type Periods = {
  readonly seconds: number;
  readonly canaryRequests: Float64Array;
  readonly canaryErrors: Float64Array;
  readonly stableRequests: Float64Array;
  readonly stableErrors: Float64Array;
};

export type RolloutView = {
  readonly minutes: Periods;
  readonly tenSeconds: Periods;
  /** Errors per minute of the whole service in the 24 hours before. */
  readonly historyErrors: Float64Array;
  readonly requestsPerSecond: number;
};

export type Rule = {
  readonly name: string;
  /** Age of a period when it can be read. */
  readonly delaySeconds: number;
  /** Seconds from the start to the end of the period that decided; null: never rolls back. */
  decide(view: RolloutView): number | null;
};

const objective = 0.999;
const budget = 1 - objective;

export function viewOf(ticks: Ticks, historyErrors: Float64Array, requestsPerSecond: number): RolloutView {
  const periods = (seconds: number): Periods => ({
    seconds,
    canaryRequests: addUp(ticks.canaryRequests, seconds),
    canaryErrors: addUp(ticks.canaryErrors, seconds),
    stableRequests: addUp(ticks.stableRequests, seconds),
    stableErrors: addUp(ticks.stableErrors, seconds),
  });
  return { minutes: periods(60), tenSeconds: periods(10), historyErrors, requestsPerSecond };
}

// First minute for which `rollsBack` holds; minutes count from 0 and are judged at their end.
function perMinute(name: string, rollsBack: (view: Periods) => (minute: number) => boolean): Rule {
  return {
    name,
    delaySeconds: 60,
    decide({ minutes }) {
      const test = rollsBack(minutes);
      for (let t = 0; t < minutes.canaryRequests.length; t++) if (test(t)) return (t + 1) * 60;
      return null;
    },
  };
}

/**
 * The requirement: at 10 and 25 minutes of each step, over the last 10 and 15: burn > 10, that is errors >
 * 1 %.
 */
export const requirementRule = perMinute('requirement', (view) => {
  const errors = running(view.canaryErrors);
  const requests = running(view.canaryRequests);
  return (t) => {
    const minute = (t % stepMinutes) + 1;
    const window = minute === 10 ? 10 : minute === stepMinutes ? 15 : 0;
    return window > 0 && rate(errors(t, window), requests(t, window)) > 0.01;
  };
});

/** CodeDeploy-style alarm on the whole service: 5xx > 1 % in 2 of 2 minutes. */
export const serviceAlarm = perMinute('service alarm', (view) => (t) => {
  const over = (at: number) =>
    rate(
      get(view.canaryErrors, at) + get(view.stableErrors, at),
      get(view.canaryRequests, at) + get(view.stableRequests, at),
    ) > 0.01;
  return t > 0 && over(t) && over(t - 1);
});

/** The same alarm on the canary's target group. */
export const canaryAlarm = perMinute('canary alarm', (view) => (t) => {
  const over = (at: number) => rate(get(view.canaryErrors, at), get(view.canaryRequests, at)) > 0.01;
  return t > 0 && over(t) && over(t - 1);
});

/** Argo Rollouts: success rate < 99 % per minute, failureLimit 3: the fourth failure aborts. */
export const argoRule = failureCounter('argo', 4);
/** Flagger: the same metric, threshold 5. */
export const flaggerRule = failureCounter('flagger', 5);

function failureCounter(name: string, failuresMax: number): Rule {
  return perMinute(name, (view) => {
    let failures = 0;
    return (t) => {
      if (rate(get(view.canaryErrors, t), get(view.canaryRequests, t)) > 0.01) failures++;
      return failures >= failuresMax;
    };
  });
}

/** Multiwindow multi-burn-rate pages on the canary, windows cut to what there is of it. */
export const canaryBurnRule = perMinute('canary burn', (view) => {
  const errors = running(view.canaryErrors);
  const requests = running(view.canaryRequests);
  const pages = burnRules({ periodDays: 30 }).filter((rule) => rule.severity === 'page');
  return (t) =>
    pages.some((rule) =>
      [rule.longSeconds, rule.shortSeconds].every((seconds) => {
        const window = Math.min(t + 1, seconds / 60);
        return rate(errors(t, window), requests(t, window)) > rule.burn * budget;
      }),
    );
});

/** 80 static thresholds and 9 ratios to stable: the field the best tuned rule is chosen from. */
export const tunableRules: readonly Rule[] = [
  ...product([0.002, 0.003, 0.005, 0.01, 0.02], [1, 2, 5, 10], [1, 3, 5, 10]).map(staticRule),
  ...product([2, 3, 5], [10], [3, 5, 10]).map(ratioRule),
];

/** Every ratio rule that a patient tuner might try as well. */
export const moreTunableRules: readonly Rule[] = product(
  [2, 3, 4, 5, 6, 8, 10],
  [5, 10, 15],
  [3, 5, 10, 12, 15],
)
  .map(ratioRule)
  .filter((rule) => tunableRules.every(({ name }) => name !== rule.name));

function staticRule([limit, window, atLeast]: Tuning): Rule {
  return perMinute(`rate > ${limit} over ${window} min, ≥ ${atLeast} errors`, (view) => {
    const errors = running(view.canaryErrors);
    const requests = running(view.canaryRequests);
    return (t) => {
      const bad = errors(t, window);
      return bad >= atLeast && rate(bad, requests(t, window)) > limit;
    };
  });
}

function ratioRule([times, window, atLeast]: Tuning): Rule {
  return perMinute(`rate > ${times}× stable over ${window} min, ≥ ${atLeast} errors`, (view) => {
    const errors = running(view.canaryErrors);
    const requests = running(view.canaryRequests);
    const stableErrors = running(view.stableErrors);
    const stableRequests = running(view.stableRequests);
    let known = 0;
    return (t) => {
      // At weight 100 stable has no requests; the rate of its last full window stands.
      if (get(view.stableRequests, t) > 0) known = rate(stableErrors(t, window), stableRequests(t, window));
      const bad = errors(t, window);
      return bad >= atLeast && rate(bad, requests(t, window)) > times * known;
    };
  });
}

export const fixedRules: readonly Rule[] = [
  requirementRule,
  serviceAlarm,
  canaryAlarm,
  argoRule,
  flaggerRule,
  canaryBurnRule,
];

/** Limit or ratio, window in minutes, errors at least. */
type Tuning = readonly [number, number, number];

function product(a: readonly number[], b: readonly number[], c: readonly number[]): Tuning[] {
  return a.flatMap((x) => b.flatMap((y) => c.map((z): Tuning => [x, y, z])));
}

// Sum of the last `window` values up to and including t.
function running(values: Float64Array): (t: number, window: number) => number {
  const sums = new Float64Array(values.length + 1);
  for (let i = 0; i < values.length; i++) sums[i + 1] = (sums[i] as number) + (values[i] as number);
  return (t, window) => (sums[t + 1] as number) - (sums[Math.max(0, t + 1 - window)] as number);
}

function rate(bad: number, total: number): number {
  return total === 0 ? 0 : bad / total;
}

function get(values: Float64Array, t: number): number {
  return values[t] as number;
}
