import { describe, expect, it } from 'vitest';
import { backtest } from '../../../lib/core/analysis/backtest.ts';
import { defaultAnalysisPolicy as policy } from '../../../lib/core/analysis/policy.ts';
import { knownBaseline, minutesOf } from './rollout.ts';

const good = [
  ...minutesOf(10),
  ...minutesOf(10, { weight: 15, canary: 0, from: 10 }),
  ...minutesOf(10, { weight: 25, canary: 1, stable: 2, from: 20 }),
];
const bad = [...minutesOf(10), ...minutesOf(20, { weight: 15, canary: 9, from: 10 })];

describe('a recorded rollout', () => {
  it('that was good passes every step’s end under the policy it had', () => {
    const { rolledBack, timeline } = backtest({ minutes: good, baseline: knownBaseline }, policy);
    expect(rolledBack).toBeNull();
    expect(
      timeline.filter((moment) => moment.atStepEnd).map(({ weight, verdict }) => [weight, verdict]),
    ).toEqual([
      [5, 'pass'],
      [15, 'pass'],
      [25, 'pass'],
    ]);
  });

  it('that went bad at weight 15 is rolled back minutes later, and what it served is counted', () => {
    const { rolledBack, canaryErrors } = backtest({ minutes: bad, baseline: knownBaseline }, policy);
    expect(rolledBack?.weight).toBe(15);
    expect(rolledBack?.minutesFromStart).toBe(14);
    expect(rolledBack?.summary).toContain('canary requests failed');
    // Two bad minutes were enough; two more passed until they could be read.
    expect(canaryErrors.served.bad).toBe(36);
    expect(canaryErrors.recorded.bad).toBe(180);
  });

  it('has a step of its own at weight 100, and the steps it is told about', () => {
    const full = [...good, ...minutesOf(10, { weight: 100, from: 30 })];
    const ends = (stepStarts?: number[]) =>
      backtest(
        { minutes: full, baseline: knownBaseline, ...(stepStarts === undefined ? {} : { stepStarts }) },
        policy,
      )
        .timeline.filter((moment) => moment.atStepEnd)
        .map((moment) => (moment.at - policy.dataDelaySeconds * 1000) / 60_000);
    expect(ends()).toEqual([10, 20, 30, 40]);
    expect(ends([0, 20, 30].map((at) => at * 60_000))).toEqual([20, 30, 40]);
  });

  it('under a policy that forgives more is rolled back later or not at all', () => {
    const cautious = { ...policy, alpha: 1e-6, holdAtEValue: 10 };
    const later = backtest({ minutes: bad, baseline: knownBaseline }, cautious);
    expect(later.rolledBack?.minutesFromStart).toBeGreaterThan(14);
    const blind = { ...policy, dryRun: ['.*'] };
    expect(backtest({ minutes: bad, baseline: knownBaseline }, blind).rolledBack).toBeNull();
  });

  it('under a faster reading of the data is rolled back as much sooner', () => {
    const sooner = backtest({ minutes: bad, baseline: knownBaseline }, { ...policy, dataDelaySeconds: 30 });
    expect(sooner.rolledBack?.minutesFromStart).toBe(12.5);
  });

  it('of which nothing was recorded has no timeline', () => {
    expect(backtest({ minutes: [], baseline: knownBaseline }, policy)).toEqual({
      rolledBack: null,
      timeline: [],
      canaryErrors: { served: { bad: 0, total: 0 }, recorded: { bad: 0, total: 0 } },
      budgetSpent: 0,
      shown: [],
    });
  });

  it('tells what the last look saw beside what counts: dry runs, the burn of the service, the certificate', () => {
    const { shown } = backtest(
      { minutes: bad, baseline: knownBaseline },
      { ...policy, dryRun: ['error-rate'] },
    );
    expect(shown.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['error-rate', 'service-burn', 'certificate']),
    );
    const burn = shown.find(({ name }) => name === 'service-burn');
    expect(burn?.sentence).toMatch(/^The whole service burns its error budget [\d.]+× over /);
  });

  it('cost what the canary failed beyond stable’s rate until traffic was off, if the traffic is known', () => {
    const judged = backtest({ minutes: bad, baseline: knownBaseline }, policy);
    const { canaryErrors, budgetSpent } = judged;
    const { served, recorded } = canaryErrors;
    expect(served.bad).toBeLessThan(recorded.bad);
    const requests = (knownBaseline.requestsPerSecond ?? 0) * policy.objectivePeriodDays * 86_400;
    // Fourteen minutes of three errors on stable, ten of them at 95 % of the traffic and four at 85 %.
    const usual = (served.total * 14 * 3) / (10 * 5700 + 4 * 5100);
    expect(budgetSpent).toBeCloseTo((served.bad - usual) / ((1 - policy.objective) * requests), 6);
    const unknown = { ...knownBaseline, requestsPerSecond: null };
    expect(backtest({ minutes: bad, baseline: unknown }, policy).budgetSpent).toBeNull();
  });

  it('gives the same answer every time', () => {
    const once = backtest({ minutes: bad, baseline: knownBaseline }, policy);
    expect(backtest({ minutes: structuredClone(bad), baseline: knownBaseline }, policy)).toEqual(once);
  });
});
