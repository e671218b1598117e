import { describe, expect, it } from 'vitest';
import { benchPolicy, everyMinute } from '../../../bench/detection/ourRule.ts';
import { cleanScenario, stepMinutes, stepWeights } from '../../../bench/detection/rollouts.ts';
import { medianMinutes, score } from '../../../bench/detection/score.ts';
import { assumedBaseline } from '../../../lib/core/analysis/baseline.ts';
import { powerOf } from '../../../lib/core/analysis/power.ts';
import { knownBaseline } from './rollout.ts';

const steps = stepWeights.map((weight) => ({ weight, bakeSeconds: stepMinutes * 60 }));
const conversions = { name: 'checkout', counted: 'good', tolerance: 0.05, maturityMinutes: 5 } as const;
const policy = { ...benchPolicy, business: [conversions] };
const baselineAt = (requestsPerSecond: number, sessionsPerSecond = requestsPerSecond / 2) => ({
  ...knownBaseline,
  requestsPerSecond,
  businessRates: { checkout: 0.03 },
  businessPerSecond: { checkout: sessionsPerSecond },
  businessDispersions: { checkout: 1.07 },
});

describe('what a plan can see', () => {
  it('says that a 10 % drop cannot be seen at ten sessions per second', () => {
    const power = powerOf({ policy, baseline: baselineAt(100, 10), steps });
    expect(power.business.find(({ change }) => change === 0.1)?.minutes).toBeNull();
    expect(power.business.find(({ change }) => change === 0.5)?.minutes).toBeLessThan(75);
    expect(power.blindSpots).toContain(
      'At 10 per second a drop of checkout by 20 % cannot be seen in this plan.',
    );
  });

  it('sees smaller regressions with more traffic and longer steps', () => {
    const smallest = (requestsPerSecond: number, bakeSeconds = 1500) =>
      powerOf({ policy, baseline: baselineAt(requestsPerSecond), steps: [{ weight: 5, bakeSeconds }] })
        .steps[0];
    const [few, many, long] = [smallest(20), smallest(1000), smallest(20, 6000)];
    expect(many?.errorRate).toBeLessThan(few?.errorRate ?? 0);
    expect(long?.errorRate).toBeLessThan(few?.errorRate ?? 0);
    expect(many?.latencyShift).toBeLessThan(few?.latencyShift ?? 0);
    expect(few?.canaryRequests).toBe(1500);
  });

  it('sees nothing at weight 100, where there is nothing to compare with', () => {
    const [step] = powerOf({
      policy,
      baseline: baselineAt(100),
      steps: [{ weight: 100, bakeSeconds: 6000 }],
    }).steps;
    expect(step).toMatchObject({ errorRate: null, latencyShift: null, business: { checkout: null } });
  });

  it('sees no latency in a step that is over before latency settles', () => {
    const steps = [120, 240].map((bakeSeconds) => ({ weight: 5, bakeSeconds }));
    const [short, long] = powerOf({ policy, baseline: baselineAt(1000), steps }).steps;
    expect(short).toMatchObject({ latencyShift: null, errorRate: expect.any(Number) });
    expect(long?.latencyShift).toBeGreaterThan(0);
  });

  it('names what it cannot see at all', () => {
    const short = powerOf({ policy, baseline: baselineAt(1), steps: [{ weight: 5, bakeSeconds: 300 }] });
    expect(short.blindSpots[0]).toMatch(/^A canary error rate of \d+ % cannot be seen in this plan\.$/);
  });

  it('says so when there is no history to reckon with', () => {
    const power = powerOf({ policy: benchPolicy, baseline: assumedBaseline(benchPolicy), steps });
    expect(power.blindSpots).toEqual(['There is no history, so nothing can be said about this traffic.']);
    expect(power.errors.every(({ minutes }) => minutes === null)).toBe(true);
  });

  it.each([
    [20, 0.01],
    [100, 0.005],
    [100, 0.01],
    [1000, 0.002],
  ])(
    'at %i requests/s and %f errors agrees with simulated rollouts to a third',
    (requestsPerSecond, errorRate) => {
      const [simulated] = score(
        { ...cleanScenario, requestsPerSecond, canaryErrorRate: errorRate },
        [everyMinute],
        40,
        5,
      );
      const median = simulated === undefined ? 0 : (medianMinutes(simulated) ?? 0);
      const stated = powerOf({
        policy: benchPolicy,
        baseline: baselineAt(requestsPerSecond),
        steps,
      }).errors.find((item) => item.errorRate === errorRate)?.minutes;
      expect(stated).toBeGreaterThanOrEqual(median * 0.67 - 1);
      expect(stated).toBeLessThanOrEqual(median * 1.5 + 1);
    },
  );
});
