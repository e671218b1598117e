// What a plan can see before anybody starts it: which regressions, how bad, and after how many minutes.
//
// A bet grows by a steady amount per minute when the suspicion is right: the Kullback–Leibler divergence of
// what the canary does from what it may do, divided by the dispersion. It rolls back once it has grown by the
// logarithm of its threshold, plus what the mixtures cost. So the minutes are a division, and the smallest
// regression a step can see is the one whose division gives the step's length. These are medians of a process
// with chance in it (the bench agrees within a few minutes); they leave out the delay of the data, which is
// added at the end.
import type { Baseline } from './baseline.ts';
import { betsOf } from './bets.ts';
import { dropRatios, riseRatios } from './businessEvidence.ts';
import { errorEvidenceOptions } from './errorEvidence.ts';
import { percent } from './figures.ts';
import { shiftSizes } from './latencyEvidence.ts';
import type { AnalysisPolicy } from './policy.ts';
import { beginEvidence } from './rolloutEvidence.ts';

export type PlannedStep = { readonly weight: number; readonly bakeSeconds: number };

export type StepPower = {
  readonly weight: number;
  readonly minutes: number;
  readonly canaryRequests: number;
  /** Smallest canary error rate found within this step alone, 0–1; null: none, however bad. */
  readonly errorRate: number | null;
  /** Smallest shift of all latencies found within this step alone, standard deviations of their logarithm. */
  readonly latencyShift: number | null;
  /** Largest remaining ratio of a business rate (0.7: a drop by 30 %) found within this step alone. */
  readonly business: Readonly<Record<string, number | null>>;
};

export type Power = {
  readonly steps: readonly StepPower[];
  /**
   * Minutes until each of these canary error rates is rolled back over the whole plan; null: not in this
   * plan.
   */
  readonly errors: readonly { readonly errorRate: number; readonly minutes: number | null }[];
  readonly business: readonly {
    readonly name: string;
    readonly change: number;
    readonly minutes: number | null;
  }[];
  /** One sentence per thing this plan cannot see. */
  readonly blindSpots: readonly string[];
};

export type PowerInput = {
  readonly policy: AnalysisPolicy;
  readonly baseline: Baseline;
  readonly steps: readonly PlannedStep[];
};

const errorRatesAsked = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 1];
const changesAsked = [0.05, 0.1, 0.2, 0.3, 0.5];
// Six bins at p50, p90, p95, p99 and p99.9 keep this share of what the exact latencies say about a shift.
const binnedEfficiency = 0.765;

/**
 * States what a plan can detect on the traffic its baseline saw. Without history there is nothing to state.
 */
export function powerOf(input: PowerInput): Power {
  const { policy, steps } = input;
  const rate = assumedErrorRate(input);
  const errors = errorRatesAsked
    .filter((errorRate) => errorRate > 1.5 * rate)
    .map((errorRate) => ({
      errorRate,
      minutes: minutesOver(input, (share) => errorGrowth(input, errorRate, share), 'errors'),
    }));
  const business = policy.business.flatMap(({ name }) =>
    changesAsked.map((change) => ({
      name,
      change,
      minutes: minutesOver(input, (share) => businessGrowth(input, name, change, share), `business:${name}`),
    })),
  );
  return {
    steps: steps.map((step) => stepPower(input, step)),
    errors,
    business,
    blindSpots: blindSpots(input, errors, business),
  };
}

function stepPower(input: PowerInput, step: PlannedStep): StepPower {
  const minutes = step.bakeSeconds / 60;
  const share = step.weight / 100;
  const within = (growth: number, bet: string, settle = 0) =>
    growth * Math.max(0, minutes - settle) >= needed(input, bet);
  const base = assumedErrorRate(input);
  const settle = input.policy.latency.settleSeconds / 60;
  return {
    weight: step.weight,
    minutes,
    canaryRequests: Math.round(requestsPerMinute(input) * share * minutes),
    errorRate: smallest(base, 1, (e) => within(errorGrowth(input, e, share), 'errors')),
    latencyShift: smallest(0, 3, (shift) => within(shiftGrowth(input, shift, share), 'latency', settle)),
    business: Object.fromEntries(
      input.policy.business.map(({ name }) => {
        const change = smallest(0, 1, (c) =>
          within(businessGrowth(input, name, c, share), `business:${name}`),
        );
        return [name, change === null ? null : 1 - change];
      }),
    ),
  };
}

/** Growth of the error bet per minute, nats, at canary error rate `errorRate` and traffic share `share`. */
function errorGrowth(input: PowerInput, errorRate: number, share: number): number {
  const { baseline, policy } = input;
  const perMinute = requestsPerMinute(input);
  const bad = {
    canary: perMinute * share * errorRate,
    stable: perMinute * (1 - share) * assumedErrorRate(input),
    share,
  };
  return growth(bad, errorEvidenceOptions.ratios, policy.errors.margin) / baseline.errorDispersion;
}

function businessGrowth(input: PowerInput, name: string, change: number, share: number): number {
  const { baseline, policy } = input;
  const check = policy.business.find((candidate) => candidate.name === name);
  const perMinute = (baseline.businessPerSecond[name] ?? 0) * 60;
  const rate = baseline.businessRates[name] ?? 0;
  if (check === undefined || perMinute === 0) return 0;
  const good = check.counted === 'good';
  const counts = {
    canary: perMinute * share * rate * (good ? 1 - change : 1 + change),
    stable: perMinute * (1 - share) * rate,
    share,
  };
  const margin = good ? 1 - check.tolerance : 1 + check.tolerance;
  return growth(counts, good ? dropRatios : riseRatios, margin) / (baseline.businessDispersions[name] ?? 1);
}

// Expected log of L per minute for the best suspicion on the grid; never negative, because money not yet
// bet stays.
function growth(
  { canary, stable, share }: { canary: number; stable: number; share: number },
  ratios: readonly number[],
  margin: number,
): number {
  const accepted = Math.log1p(share * (margin - 1));
  const each = ratios.map(
    (r) => canary * Math.log(r) + (canary + stable) * (accepted - Math.log1p(share * (r * margin - 1))),
  );
  return Math.max(0, ...each);
}

// For a normal shift δ seen through scores with this efficiency: n·eff·((θ − θ0)·δ − (θ² − θ0²)/2).
function shiftGrowth(input: PowerInput, shift: number, share: number): number {
  const { policy, baseline } = input;
  const requests = requestsPerMinute(input) * share * (1 - share);
  const accepted = policy.latency.shiftMargin;
  const each = shiftSizes.map((theta) => (theta - accepted) * shift - (theta ** 2 - accepted ** 2) / 2);
  return Math.max(0, (requests * binnedEfficiency * Math.max(...each)) / baseline.shiftDispersion);
}

/**
 * Nats a bet must grow: its threshold, the share of money that bets from the start, and the finer mixture.
 */
function needed({ policy, baseline }: PowerInput, name: string): number {
  const bet = betsOf(beginEvidence(policy, baseline), 0, () => false).find(
    (candidate) => candidate.name === name,
  );
  if (bet === undefined) return Number.POSITIVE_INFINITY;
  // Neighbouring suspicions help each other: a grid of K costs about half of log K.
  const suspicions =
    { errors: errorEvidenceOptions.ratios.length, latency: 2 * shiftSizes.length }[name] ?? dropRatios.length;
  return (
    Math.log(1 / (policy.alpha * bet.share * errorEvidenceOptions.startShare)) + Math.log(suspicions) / 2
  );
}

// Minutes from the start of the plan until the growth summed over its steps suffices.
function minutesOver(input: PowerInput, growthAt: (share: number) => number, bet: string): number | null {
  let lacking = needed(input, bet);
  let minutes = 0;
  for (const { weight, bakeSeconds } of input.steps) {
    if (weight >= 100) break;
    const perMinute = growthAt(weight / 100);
    const available = bakeSeconds / 60;
    if (perMinute > 0 && lacking <= perMinute * available) {
      return Math.ceil(minutes + lacking / perMinute + input.policy.dataDelaySeconds / 60);
    }
    lacking -= perMinute * available;
    minutes += available;
  }
  return null;
}

function blindSpots(
  { baseline, policy }: PowerInput,
  errors: Power['errors'],
  business: Power['business'],
): string[] {
  if (baseline.requestsPerSecond === null)
    return ['There is no history, so nothing can be said about this traffic.'];
  const unseen = errors.filter(({ minutes }) => minutes === null).at(-1);
  return [
    ...(unseen === undefined
      ? []
      : [`A canary error rate of ${percent(unseen.errorRate)} cannot be seen in this plan.`]),
    ...policy.business.flatMap(({ name, counted }) => {
      const change = business.filter((item) => item.name === name && item.minutes === null).at(-1)?.change;
      if (change === undefined) return [];
      if (!baseline.businessPerSecond[name])
        return [`How much ${name} there is is not known: nothing can be said of it.`];
      const perSecond = Number((baseline.businessPerSecond[name] ?? 0).toPrecision(2));
      const what = `a ${counted === 'good' ? 'drop' : 'rise'} of ${name} by ${percent(change)}`;
      return [`At ${perSecond} per second ${what} cannot be seen in this plan.`];
    }),
  ];
}

// Between `from` (never seen) and `to`: the smallest value that is, to a thousandth of itself.
function smallest(from: number, to: number, isSeen: (value: number) => boolean): number | null {
  if (!isSeen(to)) return null;
  let low = from;
  let high = to;
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (isSeen(middle)) high = middle;
    else low = middle;
  }
  return Number(high.toPrecision(3));
}

function requestsPerMinute({ baseline }: PowerInput): number {
  return (baseline.requestsPerSecond ?? 0) * 60;
}

// A service that never failed in its history is taken to fail at a tenth of its budget.
function assumedErrorRate({ baseline, policy }: PowerInput): number {
  return Math.max(baseline.errorRate ?? 0, (1 - policy.objective) / 10);
}
