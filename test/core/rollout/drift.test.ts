import { describe, expect, it } from 'vitest';
import { canaryWeight, compare } from '../../../lib/core/rollout/drift.ts';
import { desiredWeight } from '../../../lib/core/rollout/state.ts';
import { type PhaseName, phases } from './matrix.ts';

const rollout = (phase: Exclude<PhaseName, 'none'>) => phases[phase].rollout();
const seen = (phase: Exclude<PhaseName, 'none'>, greenWeight: number, tolerate?: number) =>
  compare(rollout(phase), { kind: 'weights', greenWeight }, tolerate).kind;

describe('what the balancer shows beside the newest decision', () => {
  it.each([
    ['preparing', 0, 'as-decided'],
    ['preparing', 0.1, 'more'],
    ['shifting', 5, 'as-decided'],
    ['shifting', 0, 'pending'],
    ['shifting', 3, 'pending'],
    ['shifting', 6, 'more'],
    ['baking', 15, 'as-decided'],
    ['baking', 15.5, 'as-decided'],
    ['baking', 14.5, 'as-decided'],
    ['baking', 15.6, 'more'],
    ['baking', 14.4, 'less'],
    ['baking', 0, 'less'],
    ['baking', 100, 'more'],
    ['awaiting-approval', 0, 'as-decided'],
    ['awaiting-approval', 100, 'more'],
    ['paused', 0, 'less'],
    ['held', 5, 'as-decided'],
    ['held', 15, 'more'],
    ['held', 4, 'less'],
    ['drifted', 5, 'as-decided'],
    ['drifted', 50, 'as-decided'],
    ['promoting', 100, 'as-decided'],
    ['promoting', 99.9, 'less'],
    ['promoted', 100, 'as-decided'],
    ['promoted', 99.9, 'less'],
    ['promoted', 0, 'less'],
    ['rolling-back', 0, 'as-decided'],
    ['rolling-back', 0.1, 'more'],
    ['rolling-back', 5, 'more'],
    ['traffic-off', 5, 'more'],
    ['rolled-back', 0, 'as-decided'],
    ['rolled-back', 100, 'more'],
  ] as const)('%s at %d %% is %s', (phase, greenWeight, kind) => {
    expect(seen(phase, greenWeight)).toBe(kind);
  });

  it('on the way to 100 counts what lies above the weight last confirmed as pending', () => {
    const promotingFrom5 = phases.passed.when({ type: 'PromoteFully', by: 'ada', now: 0 }).rollout();
    const at = (greenWeight: number) => compare(promotingFrom5, { kind: 'weights', greenWeight }).kind;
    expect([0, 4.4, 4.5, 5, 50, 100].map(at)).toEqual([
      ...['less', 'less', 'pending', 'pending', 'pending', 'as-decided'],
    ]);
  });

  it('is compared as closely as the target can hold it', () => {
    expect(seen('baking', 13, 2)).toBe('as-decided');
    expect(seen('baking', 14.9, 0)).toBe('less');
  });

  it('somewhere we do not know is elsewhere, in every phase', () => {
    for (const name of Object.keys(phases) as PhaseName[]) {
      if (name === 'none') continue;
      expect(compare(rollout(name), { kind: 'unknown', what: 'a third target group' })).toEqual({
        kind: 'elsewhere',
        what: 'a third target group',
      });
    }
  });

  it('says what was found and what was decided', () => {
    const reading = { kind: 'weights', greenWeight: 25 } as const;
    expect(compare(rollout('baking'), reading)).toEqual({ kind: 'more', found: 25, decided: 15 });
  });

  it.each([
    [30, 'green', 30],
    [30, 'blue', 70],
    [99.9, 'blue', 0.1],
    [0, 'blue', 100],
  ] as const)('%d %% on green is, for a canary on %s, %d %%', (greenWeight, slot, weight) => {
    expect(canaryWeight(greenWeight, slot)).toBe(weight);
  });
});

describe('the weight the newest decision asks for', () => {
  it.each([
    ['none', null],
    ['preparing', 0],
    ['prepared', 0],
    ['shifting', 5],
    ['baking', 15],
    ['passed', 5],
    ['previewed', 0],
    ['awaiting-approval', 0],
    ['approved', 0],
    ['paused', 5],
    ['held', 5],
    ['drifted', null],
    ['all-passed', 100],
    ['promoting', 100],
    ['promoted', 100],
    ['window-over', 100],
    ['rolling-back', 0],
    ['traffic-off', 0],
    ['rolled-back', 0],
  ] as const)('%s: %s', (phase, weight) => {
    expect(desiredWeight(phases[phase].state.rollout)).toBe(weight);
  });
});
