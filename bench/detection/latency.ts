// Simulated latencies: lognormal, σ = 0.6, as counts above thresholds frozen from the baseline.

import { conclude } from '../../lib/core/analysis/analyse.ts';
import type { Baseline } from '../../lib/core/analysis/baseline.ts';
import { freezeBaseline, slowThresholds } from '../../lib/core/analysis/freezeBaseline.ts';
import type { Minute, SideMinute } from '../../lib/core/analysis/minutes.ts';
import { beginEvidence, observeMinute } from '../../lib/core/analysis/rolloutEvidence.ts';
import { normalQuantile, normalTail } from '../../lib/core/analysis/specialFunctions.ts';
import { benchPolicy } from './ourRule.ts';
import { type Random, randomFrom } from './random.ts';
import { stepMinutes, weightAt } from './rollouts.ts';
import { mix, type Score } from './score.ts';

export type LatencyScenario = {
  readonly name: string;
  readonly requestsPerSecond: number;
  /** Every canary request takes this many times as long. */
  readonly slowdown: number;
  /** Share of canary requests that take ten times as long, 0–1. */
  readonly tailShare: number;
  /**
   * Requests that are slow together: a pause of one instance delays a cluster of this mean size, on one
   * side.
   */
  readonly clusterSize: number;
};

const sigma = 0.6;
const medianMs = 80;
const percentiles = benchPolicy.latency.thresholdPercentiles.map((percent) => percent / 100);
const thresholdsMs = slowThresholds(benchPolicy, {
  percentilesMs: percentiles.map(thresholdMs),
  p95Ms: thresholdMs(0.95),
});
const errorRate = 0.0005;
/** Weight 100 has no control for latency: four steps can be judged. */
const minutesJudged = 4 * stepMinutes;
const delaySeconds = 60;

/** The product's judgement at every minute and at every step's end, errors alike on both sides. */
export function latencyScore(scenario: LatencyScenario, rollouts: number, seed: number): Score[] {
  const minutes: number[] = [];
  for (let n = 0; n < rollouts; n++) {
    const decided = decide(scenario, randomFrom(mix(seed, n)));
    if (decided !== null) minutes.push(decided + delaySeconds / 60);
  }
  return [{ rule: 'switchback 60 s', rollouts, rolledBack: minutes.length, minutes, canaryErrors: 0 }];
}

function decide(scenario: LatencyScenario, random: Random): number | null {
  const clean = { ...scenario, slowdown: 1, tailShare: 0 };
  const policy = benchPolicy;
  const baseline = baselineOf(clean, random);
  const [fine, slower] = [slowerThan(clean), slowerThan(scenario)];
  const minutes: Minute[] = [];
  let evidence = beginEvidence(policy, baseline);
  for (let t = 0; t < minutesJudged; t++) {
    const share = weightAt(t) / 100;
    const requests = scenario.requestsPerSecond * 60;
    const minute: Minute = {
      startMs: t * 60_000,
      periodSeconds: 60,
      weight: weightAt(t),
      canary: drawSide(requests * share, slower, scenario.clusterSize, random),
      stable: drawSide(requests * (1 - share), fine, scenario.clusterSize, random),
    };
    minutes.push(minute);
    evidence = observeMinute(evidence, minute);
    const stepStartedAt = Math.floor(t / stepMinutes) * stepMinutes * 60_000;
    const analysis = conclude(evidence, {
      policy,
      baseline,
      minutes,
      now: (t + 1) * 60_000 + delaySeconds * 1000,
      stepStartedAt,
      stepEndsAt: stepStartedAt + stepMinutes * 60_000,
      weight: weightAt(t),
      checksDue: (t + 1) % stepMinutes === 0 ? 'step-end' : 'bake',
    });
    if (analysis.verdict === 'fail') return t + 1;
  }
  return null;
}

function thresholdMs(percentile: number): number {
  return medianMs * Math.exp(sigma * normalQuantile(percentile));
}

// Share of requests above each threshold, from the middle outwards.
function slowerThan({ slowdown, tailShare }: LatencyScenario): number[] {
  return thresholdsMs.map((threshold) => {
    const above = (times: number) => normalTail(Math.log(threshold / medianMs / times) / sigma);
    return (1 - tailShare) * above(slowdown) + tailShare * above(10 * slowdown);
  });
}

function drawSide(mean: number, slower: readonly number[], clusterSize: number, random: Random): SideMinute {
  const requests = random.poisson(mean);
  return {
    requests,
    errors: random.binomial(requests, errorRate),
    slow:
      clusterSize <= 1
        ? drawSlow(requests, slower, random)
        : drawClusters(requests, slower, clusterSize, random),
  };
}

function drawSlow(requests: number, slower: readonly number[], random: Random): number[] {
  let left = requests;
  let before = 1;
  return slower.map((share) => {
    left = random.binomial(left, Math.min(1, share / before));
    before = share;
    return left;
  });
}

// Whole clusters share one latency.
function drawClusters(requests: number, slower: readonly number[], size: number, random: Random): number[] {
  const counts = slower.map(() => 0);
  for (let left = requests; left > 0; ) {
    const together = Math.min(left, random.geometric(size));
    const u = random.uniform();
    slower.forEach((share, j) => {
      if (u < share) counts[j] = (counts[j] ?? 0) + together;
    });
    left -= together;
  }
  return counts;
}

// The day before; four hours of it where every request is drawn by itself.
function baselineOf(clean: LatencyScenario, random: Random): Baseline {
  const slower = slowerThan(clean);
  const history = Array.from({ length: clean.clusterSize > 1 ? 240 : 1440 }, () =>
    drawSide(clean.requestsPerSecond * 60, slower, clean.clusterSize, random),
  );
  return freezeBaseline(benchPolicy, { history, slowThresholdsMs: thresholdsMs, p95Ms: thresholdMs(0.95) });
}
