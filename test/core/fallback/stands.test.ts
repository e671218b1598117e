/**
 * Where the fire exit sent everybody stands: what nothing automatic does after it, and who says otherwise.
 */
import { describe, expect, it } from 'vitest';
import type { Slot } from '../../../events/target.ts';
import { cannotGoBack } from '../../../lib/core/migration/cannotGoBack.ts';
import type { CommandOf } from '../../../lib/core/rollout/commands.ts';
import { nextAction } from '../../../lib/core/rollout/next.ts';
import { isKeptByFireExit } from '../../../lib/core/rollout/state.ts';
import {
  alarm,
  at,
  baking,
  failHealth,
  plan,
  promoted,
  promotionOrdered,
  record,
  resumedAt,
  rollbackInitiated,
  settings,
  started,
} from '../rollout/facts.ts';
import { given, type Story } from '../rollout/given.ts';

const fellBack = (time: number, slot: Slot | null = 'green'): CommandOf<'RecordFallBack'> => ({
  ...{ type: 'RecordFallBack', by: 'ada', why: 'all is dark', to: `ecs-alb/${slot}`, slot, now: time },
});
const back = (trigger: CommandOf<'RollBack'>['trigger'], now: number): CommandOf<'RollBack'> => ({
  ...{ type: 'RollBack', trigger, reason: 'it hurts', by: 'switchback', now },
});
const bake = given(...baking(0));
const pulled = at(100_000);
const later = pulled + 60_000;
const kept = bake.when(fellBack(pulled));
const wholly = given(...baking(5), promotionOrdered(pulled - 9000), promoted(pulled - 8000));

describe('a rollout whose canary everybody was sent to', () => {
  it('is held with all of them on it, and stable may be cold', () => {
    kept.then({ type: 'FellBack', slot: 'green' }, { type: 'RolloutHeld', reason: 'drift' });
    expect(kept.rollout()).toMatchObject({ weight: 100, afterPromotion: true, prepared: true });
  });

  it.each([
    [
      'an alarm',
      (story: Story) => story.when(alarm(later)).then({ type: 'AlarmReceived', action: 'overridden' }),
    ],
    ['a verdict', (story: Story) => story.when(record('fail', later)).then({ type: 'AnalysisRecorded' })],
    ['a deployment', (story: Story) => story.when(back('deployment', later)).refused('overridden')],
    ['an outage', (story: Story) => story.when(back('outage', later)).refused('overridden')],
    [
      'tasks that crash',
      (story: Story) => {
        const crashes = [1, 2, 3, 4, 5].map((n) => failHealth('canary', later + n));
        return crashes.reduce<Story>((so, one) => so.when(one).then({ type: 'HealthCheckFailed' }), story);
      },
    ],
  ])('is not taken back by %s', (_, happens) => {
    expect(happens(kept).rollout().phase).toBe('held');
  });

  it('is not superseded: the newer one waits', () => {
    const wish = { rolloutId: 'ro-2', revision: 'v9', requestedBy: 'ada' };
    kept
      .when({ type: 'Enqueue', service: plan.service, wish, whileActive: 'supersede', now: later })
      .then({ type: 'RolloutQueued' });
  });

  it('is not taken back with its migration', () => {
    const component = { service: plan.service, revision: '', dependsOn: [], oneWay: false };
    expect(cannotGoBack(component, bake.state, later)).toBeNull();
    expect(cannotGoBack(component, kept.state, later)).toBe('the fire exit sent everybody to it');
  });

  it('is taken back when a person aborts it, and after they resume it by whatever speaks against it', () => {
    expect(kept.when(back('operator', later)).then({ type: 'RollbackInitiated' }).rollout()).toMatchObject({
      ...{ phase: 'rolling-back', trafficOffAt: null, afterPromotion: true },
    });
    const resumed = kept.and(resumedAt(later));
    expect(resumed.rollout()).toMatchObject({ phase: 'baking', weight: 100 });
    resumed.when(alarm(later + 1000)).then(
      { type: 'AlarmReceived', action: 'roll-back' },
      {
        ...{ type: 'RollbackInitiated', fromWeight: 100 },
      },
    );
  });

  it('is no longer, once it was pulled again to the other side or to another target', () => {
    for (const slot of ['blue', null] as const) {
      expect(isKeptByFireExit(kept.when(fellBack(later, slot)).state)).toBe(false);
    }
    expect(isKeptByFireExit(kept.when(fellBack(pulled - 5000, 'blue')).state)).toBe(true);
  });

  it('is another one by the next rollout', () => {
    const next = started({ rolloutId: 'ro-2', at: later + 90_000 });
    expect(isKeptByFireExit(kept.and(next).state)).toBe(false);
    expect(isKeptByFireExit(given(started()).when(fellBack(at(-3600))).state)).toBe(false);
  });
});

describe('a promoted one', () => {
  it('stays promoted, and no alarm within its window takes anybody from it', () => {
    const stays = wholly.when(fellBack(pulled)).then({ type: 'FellBack', slot: 'green' });
    expect(stays.rollout().phase).toBe('promoted');
    stays.when(alarm(later)).then({ type: 'AlarmReceived', action: 'overridden' });
    expect(stays.when(back('operator', later)).rollout().phase).toBe('rolling-back');
  });

  it('keeps its old side for as long as the fire exit asserts its place', () => {
    const timing = { ...settings, scaleDownDelaySeconds: 0, shiftTimeoutSeconds: 60 };
    const seconds = (story: Story, now: number) =>
      nextAction(story.state, { ...timing, now, rolloutId: 'ro-1' }).waitSeconds;
    expect(seconds(wholly, later)).toBe(0);
    expect(seconds(wholly.when(fellBack(later, 'blue')), later)).toBe(60);
  });
});

describe('a rollback under way to the other side', () => {
  const order = (time: number, trigger: 'alarm' | 'operator') =>
    wholly.and(rollbackInitiated(time, trigger, 100));

  it('that nobody asked for is held where the fire exit sent everybody', () => {
    const story = order(pulled - 2000, 'alarm').when(fellBack(pulled));
    story.then({ type: 'FellBack' }, { type: 'RolloutHeld', reason: 'drift' });
    expect(story.rollout()).toMatchObject({ phase: 'held', weight: 100 });
  });

  it('goes on where it was sent the same way, or elsewhere', () => {
    for (const slot of ['blue', null] as const) {
      const story = order(pulled - 2000, 'alarm')
        .when(fellBack(pulled, slot))
        .then({ type: 'FellBack' });
      expect(story.rollout().phase).toBe('rolling-back');
    }
  });

  it('that a person asked for since goes on, and the other way round the fire exit is newer', () => {
    const asked = order(pulled + 2000, 'operator')
      .when(fellBack(pulled))
      .then({ type: 'FellBack' });
    expect(asked.rollout()).toMatchObject({ phase: 'rolling-back' });
    expect(isKeptByFireExit(asked.state)).toBe(false);
    expect(
      order(pulled - 2000, 'operator')
        .when(fellBack(pulled))
        .rollout().phase,
    ).toBe('held');
  });
});
