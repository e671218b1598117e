/**
 * A strategy becomes a full list of steps before the first one runs. The plan is made once, hashed, printed
 * and never changed; everything after it executes. One state machine serves every strategy because only the
 * list differs.
 */
import type { Step, Strategy } from '../../../events/rollout.ts';
import { Weight } from '../../../events/rollout.ts';
import type { Slot, Target } from '../../../events/target.ts';
import type { Baseline } from '../analysis/baseline.ts';
import type { Laid } from '../config/layeredValue.ts';
import type { ServiceSettings, StrategySettings } from '../config/settings.ts';
import { type Expectation, expect } from './expectation.ts';

export type Plan = {
  readonly rolloutId: string;
  readonly service: string;
  readonly strategy: Strategy;
  readonly revision: string;
  readonly stableRevision: string;
  readonly canarySlot: Slot;
  readonly target: Target;
  readonly steps: readonly Step[];
  readonly expected: Expectation;
  /** Everything that was configured when the rollout was requested, frozen. */
  readonly settings: ServiceSettings;
  /** Keys of the settings that do not have the file's value, and where the value stood. */
  readonly laid?: readonly Laid[];
  readonly baseline: Baseline;
  /** Epoch milliseconds. */
  readonly createdAt: number;
};

export type PlanRequest = Omit<Plan, 'strategy' | 'steps' | 'expected' | 'target' | 'service'>;

/** The plan, or one sentence per rule that its steps break. */
export function makePlan(request: PlanRequest): Plan | { readonly refused: readonly string[] } {
  const { settings } = request;
  const steps = stepsOf(settings.strategy);
  const refused = refuseSteps(steps, settings.strategy);
  if (refused.length > 0) return { refused };
  return {
    ...request,
    service: settings.service,
    strategy: settings.strategy.kind,
    target: settings.target,
    steps,
    expected: expect(settings.strategy.kind, steps),
    settings: { ...settings, analysis: { ...settings.analysis, stepCount: steps.length } },
  };
}

/** A plan is one item, its state a part of another: more steps than this are no plan but a ramp. */
export const stepsMax = 40;

/** Figures that would never come to 100. */
function refuseRise(strategy: StrategySettings): readonly string[] {
  if (strategy.steps !== null) return [];
  const figures: readonly (keyof StrategySettings & `${string}Percent`)[] =
    strategy.kind === 'canary'
      ? ['startPercent', 'stepPercent']
      : strategy.kind === 'linear'
        ? ['stepPercent']
        : strategy.kind === 'rolling'
          ? ['batchPercent']
          : [];
  return figures.flatMap((name) => {
    const percent = strategy[name];
    return percent >= 0.1 && percent <= 100
      ? []
      : [`${name} is ${percent}: it must be a percentage from 0.1 to 100.`];
  });
}

/** The steps a strategy stands for, last one at 100 unless `refuseSteps` says otherwise. */
export function stepsOf(strategy: StrategySettings): readonly Step[] {
  if (strategy.steps !== null) {
    return strategy.steps.map((step) => {
      const bakeSeconds = step.bakeSeconds ?? bakeAt(step.weight, strategy);
      // Nobody on the canary, or nobody left on stable and no time to look: there is nothing to analyse.
      const idle = step.weight === 0 || (step.weight === 100 && bakeSeconds === 0);
      const judge = strategy.kind === 'rolling' || idle ? 'health-only' : 'analysed';
      return { weight: step.weight, bakeSeconds, judge, approval: step.approval ?? 'none' };
    });
  }
  switch (strategy.kind) {
    case 'canary':
      return rising(strategy.startPercent, strategy.stepPercent, strategy, 'analysed');
    case 'linear':
      return rising(strategy.stepPercent, strategy.stepPercent, strategy, 'analysed');
    case 'rolling':
      return rising(strategy.batchPercent, strategy.batchPercent, strategy, 'health-only');
    case 'blue-green':
      return [
        { weight: 0, bakeSeconds: strategy.previewSeconds, judge: 'health-only', approval: 'none' },
        {
          weight: 100,
          bakeSeconds: strategy.finalBakeSeconds,
          judge: 'analysed',
          approval: strategy.autoPromote ? 'auto' : 'manual',
        },
      ];
    case 'all-at-once':
      return [{ weight: 100, bakeSeconds: strategy.finalBakeSeconds, judge: 'analysed', approval: 'none' }];
  }
}

function rising(start: number, by: number, strategy: StrategySettings, judge: Step['judge']): Step[] {
  const steps: Step[] = [];
  for (let weight = start; weight < 100 && steps.length <= stepsMax; weight = tenth(weight + by)) {
    steps.push({ weight, bakeSeconds: bakeAt(weight, strategy), judge, approval: 'none' });
  }
  // The last look is taken while stable still serves someone: at 100 there is nothing to compare with.
  const last = steps.at(-1);
  if (judge === 'analysed' && last !== undefined && last.weight < strategy.finalFromPercent) {
    steps.push({
      weight: strategy.finalFromPercent,
      bakeSeconds: strategy.finalBakeSeconds,
      judge,
      approval: 'none',
    });
  }
  steps.push({ weight: 100, bakeSeconds: 0, judge: 'health-only', approval: 'none' });
  return steps;
}

const bakeAt = (weight: number, strategy: StrategySettings): number => {
  if (weight === 100) return strategy.kind === 'blue-green' ? strategy.finalBakeSeconds : 0;
  return weight >= strategy.finalFromPercent ? strategy.finalBakeSeconds : strategy.bakeSeconds;
};

const tenth = (weight: number): number => Math.round(weight * 10) / 10;

/**
 * A1's rules for every strategy that raises weight in steps; each broken rule is one sentence with its
 * remedy.
 */
export function refuseSteps(steps: readonly Step[], strategy: StrategySettings): readonly string[] {
  const unusable = refuseRise(strategy);
  if (unusable.length > 0) return unusable;
  const refused: string[] = [];
  const gradual = strategy.kind === 'canary' || strategy.kind === 'linear';
  let before = 0;
  for (const [index, { weight, bakeSeconds }] of steps.entries()) {
    const place = `step ${index + 1} (weight ${weight})`;
    const shape = Weight.safeParse(weight);
    if (!shape.success) refused.push(`${place}: ${shape.error.issues[0]?.message ?? 'not a weight'}.`);
    if (index > 0 && weight <= before) {
      refused.push(`${place}: the weight must rise above ${before}, a plan never goes down.`);
    }
    if (gradual && tenth(weight - before) > strategy.stepPercentMax) {
      refused.push(
        `${place}: rises by ${tenth(weight - before)} points, ` +
          `at most ${strategy.stepPercentMax} are allowed; ` +
          'add a step between or raise stepPercentMax.',
      );
    }
    if (gradual && weight === 100 && before < strategy.finalFromPercent) {
      refused.push(
        `${place}: goes to 100 from ${before}; insert a step at ${strategy.finalFromPercent} or more first.`,
      );
    }
    if (!(bakeSeconds >= 0 && Number.isFinite(bakeSeconds))) {
      refused.push(`${place}: bakeSeconds is ${bakeSeconds}, it must be 0 or more.`);
    }
    before = weight;
  }
  if (steps.length > stepsMax) {
    refused.push(`the plan has ${steps.length} steps, at most ${stepsMax} are allowed: raise stepPercent.`);
  }
  if (before !== 100) refused.push(`the plan ends at weight ${before}: the last step must be 100.`);
  return refused;
}
