import { describe, expect, it } from 'vitest';
import { differencesFrom, type Found } from '../../../lib/core/rollback/differences.ts';

const rollout = {
  canarySlot: 'green',
  stableRevision: 'shop:1',
  checkpoint: { weight: 0, desiredCounts: { stable: 3, canary: 0 }, scaling: { min: 2, max: 10 } },
} as const;

const asItWas: Found = {
  traffic: { kind: 'weights', greenWeight: 0 },
  stable: { revision: 'shop:1', desired: 3, running: 3, healthy: 3 },
  canary: { revision: 'shop:2', desired: 0, running: 0, healthy: 0 },
  scaling: { min: 2, max: 10 },
};

describe('the world after a rollback', () => {
  it('as it was has no difference, nor where the canary is gone altogether', () => {
    expect(differencesFrom(rollout, asItWas)).toEqual([]);
    expect(differencesFrom(rollout, { ...asItWas, canary: null })).toEqual([]);
  });

  it('with more tasks of stable than before is as it was: it scaled out', () => {
    const stable = { ...asItWas.stable, desired: 5, running: 5, healthy: 5 };
    expect(differencesFrom(rollout, { ...asItWas, stable })).toEqual([]);
  });

  it.each<[string, Partial<Found>, string]>([
    [
      'a weight',
      { traffic: { kind: 'weights', greenWeight: 12.5 } },
      'the canary still gets 12.5 % of the traffic',
    ],
    [
      'traffic that goes somewhere else',
      { traffic: { kind: 'unknown', what: 'the rule answers with a redirect' } },
      'the rule answers with a redirect',
    ],
    [
      'a revision',
      { stable: { ...asItWas.stable, revision: 'shop:9' } },
      'stable runs shop:9, it was shop:1',
    ],
    [
      'the health of tasks',
      { stable: { ...asItWas.stable, healthy: 2 } },
      'stable has 2 healthy tasks, it had 3',
    ],
    [
      'what runs, where nobody asks for health',
      { stable: { ...asItWas.stable, running: 1, healthy: null } },
      'stable has 1 healthy tasks, it had 3',
    ],
    [
      'the count asked for, though more still run',
      { stable: { ...asItWas.stable, desired: 1 } },
      'stable is asked for 1 tasks, it was 3',
    ],
    [
      'the scaling bounds',
      { scaling: { min: 3, max: 10 } },
      'stable scales between 3 and 10, it scaled between 2 and 10',
    ],
    ['scaling that is gone', { scaling: null }, 'stable scales by nobody, it scaled between 2 and 10'],
    [
      'tasks left over',
      { canary: { revision: 'shop:2', desired: 0, running: 2, healthy: 0 } },
      '2 tasks of shop:2 are left over',
    ],
    [
      'a service that somebody scaled up again',
      { canary: { revision: 'shop:2', desired: 1, running: 0, healthy: 0 } },
      '1 tasks of shop:2 are left over',
    ],
  ])('differs by %s', (_, found, sentence) => {
    expect(differencesFrom(rollout, { ...asItWas, ...found })).toEqual([sentence]);
  });

  it('is held to what can be known where no checkpoint was taken', () => {
    expect(differencesFrom({ ...rollout, checkpoint: null }, { ...asItWas, scaling: null })).toEqual([]);
    const mended = { ...rollout, canarySlot: 'blue', checkpoint: null } as const;
    expect(differencesFrom(mended, asItWas)).toEqual(['the canary still gets 100 % of the traffic']);
  });
});
