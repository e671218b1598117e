import { describe, expect, it } from 'vitest';
import type { StrategySettings } from '../../../lib/core/config/settings.ts';
import { makePlan, refuseSteps, stepsMax, stepsOf } from '../../../lib/core/rollout/plan.ts';
import { plan, planFor, settings } from './facts.ts';

const weightsOf = (strategy: Partial<StrategySettings> & Pick<StrategySettings, 'kind'>) =>
  planFor(strategy).steps.map(({ weight }) => weight);

const refusals = (over: Partial<StrategySettings>): readonly string[] => {
  const strategy = { ...settings.strategy, ...over };
  return refuseSteps(stepsOf(strategy), strategy);
};

const listed = (...weights: readonly number[]) => ({ steps: weights.map((weight) => ({ weight })) });

describe('a canary by default', () => {
  it('starts at 5, rises by 10 and is complete in eleven steps', () => {
    expect(plan.steps.map(({ weight }) => weight)).toEqual([5, 15, 25, 35, 45, 55, 65, 75, 85, 95, 100]);
  });

  it('bakes ten minutes a step, thirty from 90 on, and not at all at 100', () => {
    expect(plan.steps.map(({ bakeSeconds }) => bakeSeconds)).toEqual([...Array(9).fill(600), 1800, 0]);
  });

  it('is judged at every step but the last, where there is nothing left to compare with', () => {
    expect(plan.steps.map(({ judge }) => judge)).toEqual([...Array(10).fill('analysed'), 'health-only']);
  });

  it('asks nobody', () => {
    expect(plan.steps.every(({ approval }) => approval === 'none')).toBe(true);
  });

  it('tells its analysis how many steps its error is shared by', () => {
    expect(plan.settings.analysis.stepCount).toBe(11);
  });

  it('looks at a window of fifteen minutes', () => {
    expect(settings.analysis.windowSeconds).toBe(900);
  });
});

describe('the steps of a strategy', () => {
  it.each([
    [{ kind: 'canary', startPercent: 10, stepPercent: 20 }, [10, 30, 50, 70, 90, 100]],
    [{ kind: 'canary', startPercent: 5, stepPercent: 20 }, [5, 25, 45, 65, 85, 90, 100]],
    [{ kind: 'canary', startPercent: 0.1, stepPercent: 20 }, [0.1, 20.1, 40.1, 60.1, 80.1, 90, 100]],
    [{ kind: 'linear', stepPercent: 20 }, [20, 40, 60, 80, 90, 100]],
    [{ kind: 'linear', stepPercent: 10 }, [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]],
    [{ kind: 'rolling', batchPercent: 25 }, [25, 50, 75, 100]],
    [{ kind: 'rolling', batchPercent: 30 }, [30, 60, 90, 100]],
    [{ kind: 'rolling', batchPercent: 100 }, [100]],
    [{ kind: 'blue-green' }, [0, 100]],
    [{ kind: 'all-at-once' }, [100]],
    [{ kind: 'canary', ...listed(1, 20, 40, 60, 80, 95, 100) }, [1, 20, 40, 60, 80, 95, 100]],
  ] as const)('%o', (strategy, weights) => {
    expect(weightsOf(strategy)).toEqual(weights);
  });

  it('rolling batches are judged by target health alone', () => {
    expect(planFor({ kind: 'rolling' }).steps.every(({ judge }) => judge === 'health-only')).toBe(true);
  });

  it('a blue/green previews without traffic, then waits for a person before all of it moves', () => {
    expect(planFor({ kind: 'blue-green' }).steps).toEqual([
      { weight: 0, bakeSeconds: 60, judge: 'health-only', approval: 'none' },
      { weight: 100, bakeSeconds: 1800, judge: 'analysed', approval: 'manual' },
    ]);
  });

  it('a blue/green that promotes by itself still asks, with a time', () => {
    expect(planFor({ kind: 'blue-green', autoPromote: true }).steps[1]?.approval).toBe('auto');
  });

  it('all at once is analysed after the fact', () => {
    expect(planFor({ kind: 'all-at-once' }).steps).toEqual([
      { weight: 100, bakeSeconds: 1800, judge: 'analysed', approval: 'none' },
    ]);
  });

  it('a list gives its own bakes and approvals, and the defaults where it is silent', () => {
    const steps = [
      { weight: 0 },
      { weight: 20, bakeSeconds: 30 },
      { weight: 40, approval: 'manual' as const },
      { weight: 60 },
      { weight: 80 },
      { weight: 90 },
      { weight: 100, bakeSeconds: 60 },
    ];
    expect(planFor({ kind: 'canary', steps }).steps).toEqual([
      { weight: 0, bakeSeconds: 600, judge: 'health-only', approval: 'none' },
      { weight: 20, bakeSeconds: 30, judge: 'analysed', approval: 'none' },
      { weight: 40, bakeSeconds: 600, judge: 'analysed', approval: 'manual' },
      { weight: 60, bakeSeconds: 600, judge: 'analysed', approval: 'none' },
      { weight: 80, bakeSeconds: 600, judge: 'analysed', approval: 'none' },
      { weight: 90, bakeSeconds: 1800, judge: 'analysed', approval: 'none' },
      { weight: 100, bakeSeconds: 60, judge: 'analysed', approval: 'none' },
    ]);
  });
});

it('the last step of a list without a bake has nobody left to compare with', () => {
  const { steps } = planFor({ kind: 'canary', ...listed(20, 40, 60, 80, 90, 100) });
  expect(steps.at(-1)).toEqual({ weight: 100, bakeSeconds: 0, judge: 'health-only', approval: 'none' });
});

describe('a plan is refused', () => {
  it.each([
    [
      'when it rises by more than 20 points',
      listed(5, 26, 40, 60, 80, 90, 100),
      'rises by 21 points, at most 20',
    ],
    ['when it starts above 20', listed(21, 40, 60, 80, 90, 100), 'step 1 (weight 21): rises by 21 points'],
    [
      'when it goes to 100 from below 90',
      listed(20, 40, 60, 80, 89.9, 100),
      'goes to 100 from 89.9; insert a step at 90',
    ],
    ['when a weight is above 100', listed(20, 40, 60, 80, 90, 105), 'a weight is at most 100'],
    ['when a weight is below 0', listed(-1, 20, 40, 60, 80, 90, 100), 'a weight is at least 0'],
    [
      'when a weight has two decimals',
      listed(5.25, 20, 40, 60, 80, 90, 100),
      'a weight has one decimal at most',
    ],
    [
      'when it never reaches 100',
      listed(20, 40, 60, 80, 90),
      'the plan ends at weight 90: the last step must be 100',
    ],
    ['when it goes down', listed(20, 10, 30, 50, 70, 90, 100), 'must rise above 20, a plan never goes down'],
    ['when it stays', listed(20, 20, 40, 60, 80, 90, 100), 'must rise above 20'],
    ['when it has no step', { steps: [] }, 'the plan ends at weight 0'],
    ['when a bake is negative', { steps: [{ weight: 100, bakeSeconds: -1 }] }, 'bakeSeconds is -1'],
    ['when a bake is no number', { steps: [{ weight: 100, bakeSeconds: Number.NaN }] }, 'bakeSeconds is NaN'],
    ['when a bake never ends', { bakeSeconds: Number.POSITIVE_INFINITY }, 'bakeSeconds is Infinity'],
    [
      'when it would never rise',
      { stepPercent: 0 },
      'stepPercent is 0: it must be a percentage from 0.1 to 100',
    ],
    ['when it would rise by less than a target can tell', { stepPercent: 0.01 }, 'stepPercent is 0.01'],
    ['when its start is no number', { startPercent: Number.NaN }, 'startPercent is NaN'],
    ['when batches are empty', { kind: 'rolling' as const, batchPercent: 0 }, 'batchPercent is 0'],
    ['when it is a ramp', { startPercent: 1, stepPercent: 1 }, `steps, at most ${stepsMax} are allowed`],
  ])('%s', (_, strategy, sentence) => {
    const found = refusals(strategy);
    expect(found.join('\n')).toContain(sentence);
  });

  it('with one sentence per rule that is broken', () => {
    expect(refusals(listed(50, 105))).toHaveLength(4);
  });

  it('before anything else is made of it', () => {
    const broken = { ...settings, strategy: { ...settings.strategy, ...listed(5) } };
    const { rolloutId, revision, stableRevision, canarySlot, baseline, createdAt } = plan;
    const request = { rolloutId, revision, stableRevision, canarySlot, baseline, createdAt };
    expect(makePlan({ ...request, settings: broken })).toEqual({
      refused: ['the plan ends at weight 5: the last step must be 100.'],
    });
  });

  it('not for the size of a jump where the strategy is one', () => {
    for (const kind of ['blue-green', 'all-at-once', 'rolling'] as const) {
      expect(refusals({ kind, steps: [{ weight: 100 }] })).toEqual([]);
    }
  });

  it('for one step more than forty, not for forty', () => {
    const rising = (count: number) =>
      listed(...Array.from({ length: count - 1 }, (_, n) => 11 + n * 2.1), 100);
    expect(refusals(rising(stepsMax))).toEqual([]);
    expect(refusals(rising(stepsMax + 1))).toEqual([
      'the plan has 41 steps, at most 40 are allowed: raise stepPercent.',
    ]);
  });

  it('not for a rise of exactly 20, whatever the decimals do', () => {
    expect(refusals(listed(0.3, 20.3, 40.3, 60.3, 80.3, 90.1, 100))).toEqual([]);
  });
});

describe('what a strategy costs is told before it starts', () => {
  it.each([
    ['canary', { risk: 'low', exposedPercent: 5, durationSeconds: 9 * 600 + 1800, downtimeSeconds: 0 }],
    ['linear', { risk: 'low', exposedPercent: 10, durationSeconds: 8 * 600 + 1800, downtimeSeconds: 0 }],
    ['rolling', { risk: 'medium', exposedPercent: 25, durationSeconds: 3 * 600, downtimeSeconds: 0 }],
    ['blue-green', { risk: 'medium', exposedPercent: 100, durationSeconds: 60 + 1800, downtimeSeconds: 0 }],
    ['all-at-once', { risk: 'high', exposedPercent: 100, durationSeconds: 1800, downtimeSeconds: 0 }],
  ] as const)('%s', (kind, expected) => {
    const { expected: found } = planFor({ kind });
    expect(found).toMatchObject(expected);
    expect(found.sentence).toContain(`${expected.risk} risk`);
  });
});
