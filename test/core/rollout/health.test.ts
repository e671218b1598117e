import { describe, expect, it } from 'vitest';
import { inARowSeconds } from '../../../lib/core/rollout/health.ts';
import {
  at,
  baking,
  failHealth,
  judged,
  minutes,
  override,
  prepared,
  promoted,
  promotionOrdered,
  rollbackInitiated,
  started,
  stepAt,
} from './facts.ts';
import { given, type Story } from './given.ts';

const time = stepAt(0) + 60_000;
const halfTime = stepAt(5) + 120_000;
const failing = (story: Story, side: 'canary' | 'stable', times: number, now = time): Story =>
  Array.from({ length: times }).reduce<Story>((so, _, n) => so.when(failHealth(side, now + n)), story);

describe('a canary that fails its health checks', () => {
  it('is taken back at the third in a row', () => {
    given(...baking(1))
      .when(failHealth('canary', time))
      .then({ type: 'HealthCheckFailed', consecutive: 1, limit: 3 })
      .when(failHealth('canary', time + 1000))
      .then({ type: 'HealthCheckFailed', consecutive: 2 })
      .when(failHealth('canary', time + 2000))
      .then(
        { type: 'HealthCheckFailed', consecutive: 3, side: 'canary' },
        { type: 'RollbackInitiated', trigger: 'health', fromWeight: 15 },
      );
  });

  it('is not taken back for tasks lost hours apart: those are not in a row', () => {
    const later = time + inARowSeconds * 1000;
    failing(given(...baking(1)), 'canary', 2, time - 1)
      .when(failHealth('canary', later))
      .then({ type: 'HealthCheckFailed', consecutive: 3 }, { type: 'RollbackInitiated' });
    failing(given(...baking(1)), 'canary', 2, time - 1)
      .when(failHealth('canary', later + 1))
      .then({ type: 'HealthCheckFailed', consecutive: 1 });
  });

  it('is not blamed for what another did in its place before, however late that is told', () => {
    const before = at(-61);
    given(started())
      .when(failHealth('canary', time, before))
      .refused('from-before');
    given(started())
      .when(failHealth('stable', time, before))
      .refused('from-before');
    // As far as the clocks of AWS and ours may be apart.
    given(started())
      .when(failHealth('canary', time, at(-60)))
      .then({ type: 'HealthCheckFailed' });
  });

  it('is taken back before it had any traffic as well', () => {
    failing(given(started()), 'canary', 2)
      .when(failHealth('canary', time + 9))
      .then({ type: 'HealthCheckFailed' }, { type: 'RollbackInitiated', fromWeight: 0 });
  });

  it('is taken back within the window after its promotion, and not after it', () => {
    const done = given(...baking(10), promotionOrdered(minutes(190)), promoted(minutes(191), 600));
    failing(done, 'canary', 2, minutes(200))
      .when(failHealth('canary', minutes(200) + 9))
      .then({ type: 'HealthCheckFailed' }, { type: 'RollbackInitiated', trigger: 'health' });
    failing(done, 'canary', 2, minutes(201))
      .when(failHealth('canary', minutes(201) + 9))
      .then({ type: 'HealthCheckFailed', consecutive: 3 });
  });

  it('is left to whoever set an override', () => {
    failing(given(...baking(1), override(time - 1, time + 3_600_000)), 'canary', 2)
      .when(failHealth('canary', time + 9))
      .then({ type: 'HealthCheckFailed', consecutive: 3 });
  });

  it('is recorded during a rollback, and changes nothing', () => {
    failing(given(...baking(1), rollbackInitiated(time)), 'canary', 5)
      .when(failHealth('canary', time + 9))
      .then({ type: 'HealthCheckFailed', consecutive: 6 });
  });

  it('is given up before it had any traffic, whatever stable does', () => {
    failing(failing(given(started()), 'stable', 3), 'canary', 2, time + 60_000)
      .when(failHealth('canary', time + 60_009))
      .then({ type: 'HealthCheckFailed' }, { type: 'RollbackInitiated', trigger: 'health' });
  });

  it('is not sent back onto a broken stable', () => {
    failing(failing(given(...baking(1)), 'stable', 3), 'canary', 2, time + 60_000)
      .when(failHealth('canary', time + 60_009))
      .then({ type: 'HealthCheckFailed' }, { type: 'RolloutHeld', reason: 'cannot-go-back' });
  });
});

describe('a stable that fails its health checks', () => {
  it('is no broken stable before the third in a row', () => {
    expect(failing(given(...baking(1)), 'stable', 2).rollout().stableBrokenAt).toBeNull();
    expect(failing(given(...baking(1)), 'stable', 3).rollout().stableBrokenAt).toBe(time + 2);
  });

  it('holds the rollout while most users are on it', () => {
    failing(given(...baking(4), judged('pass', stepAt(4) + 1)), 'stable', 2, stepAt(4) + 1000)
      .when(failHealth('stable', stepAt(4) + 1009))
      .then({ type: 'HealthCheckFailed', side: 'stable' }, { type: 'RolloutHeld', reason: 'stable-suffers' });
  });

  it('leads to the promotion of a canary that passed and has the greater part', () => {
    const { rollout } = failing(given(...baking(5), judged('pass', halfTime - 9)), 'stable', 2, halfTime)
      .when(failHealth('stable', halfTime + 9))
      .then({ type: 'HealthCheckFailed' }, { type: 'PromotionOrdered', mode: 'stable-broken' });
    expect(rollout()).toMatchObject({ phase: 'promoting', weight: 55 });
  });

  it('does not promote a canary of which nothing is known', () => {
    failing(given(...baking(5)), 'stable', 2, halfTime)
      .when(failHealth('stable', halfTime + 9))
      .then({ type: 'HealthCheckFailed' }, { type: 'RolloutHeld', reason: 'stable-suffers' });
  });

  it('does not stop a promotion: the canary is kept', () => {
    const { rollout } = failing(
      given(...baking(5), promotionOrdered(halfTime - 9, 'full')),
      'stable',
      2,
      halfTime,
    )
      .when(failHealth('stable', halfTime + 9))
      .then({ type: 'HealthCheckFailed' });
    expect(rollout().phase).toBe('promoting');
  });

  it('after a promotion is the old side going, and changes nothing', () => {
    const done = given(...baking(10), promotionOrdered(minutes(190)), promoted(minutes(191)));
    failing(done, 'stable', 2, minutes(192))
      .when(failHealth('stable', minutes(192) + 9))
      .then({ type: 'HealthCheckFailed' });
  });

  it('is counted apart from the canary', () => {
    const { state } = given(started(), prepared())
      .when(failHealth('canary', time))
      .when(failHealth('stable', time))
      .when(failHealth('stable', time + 1));
    expect(state.healthFailures).toEqual({ canary: 1, stable: 2 });
  });
});

it('where nothing runs, a failure is recorded', () => {
  given().when(failHealth('stable', time)).then({ type: 'HealthCheckFailed', consecutive: 1 });
});
