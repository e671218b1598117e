import { describe, expect, it } from 'vitest';
import {
  at,
  baking,
  completed,
  minutes,
  ofRollout,
  planFor,
  promoted,
  promotionOrdered,
  rollbackCompleted,
  rollbackInitiated,
  shifted,
  start,
  started,
  t0,
  v1,
  v2,
  v3,
} from './facts.ts';
import { given } from './given.ts';

const next = planFor({ kind: 'canary' }, { rolloutId: 'ro-2', revision: v3 });
const whileActive = (answer: 'refuse' | 'queue' | 'supersede', revision = v3) =>
  planFor({ kind: 'canary' }, { rolloutId: 'ro-2', revision }, { whileActive: answer });

const rolledBack = (time = minutes(2), trigger: 'alarm' | 'operator' | 'superseded' | 'outage' = 'alarm') => [
  ...[...baking(0), rollbackInitiated(time, trigger), shifted(0, time + 1000)],
  rollbackCompleted(time + 90_000),
];

describe('a rollout starts', () => {
  it('with its plan, its baseline and who asked', () => {
    const { rollout } = given()
      .when(start({ baselineAlarms: ['disk'], why: 'CVE-2026-1234' }))
      .then({
        type: 'RolloutStarted',
        baselineAlarms: ['disk'],
        why: 'CVE-2026-1234',
        at: t0,
        steps: next.steps,
      });
    expect(rollout()).toMatchObject({ phase: 'preparing', prepared: false, step: -1, weight: 0 });
  });

  it('once, however often it is asked for', () => {
    given(started()).when(start()).then();
    given(...baking(3))
      .when(start())
      .then();
    given(...rolledBack())
      .when(start())
      .then();
  });

  it('not to what is stable already', () => {
    given()
      .when(start({ plan: planFor({ kind: 'canary' }, { revision: v1 }) }))
      .refused('already-stable');
  });

  it('after a promotion, once the old side is tidied up', () => {
    given(...baking(10), promotionOrdered(minutes(190)), promoted(minutes(191)), completed(minutes(192)))
      .when(start({ plan: { ...next, createdAt: minutes(192) }, now: minutes(192) }))
      .then({ type: 'RolloutStarted', rolloutId: 'ro-2' });
  });

  it('not before: what the rollout pinned would stay pinned', () => {
    given(...baking(10), promotionOrdered(minutes(190)), promoted(minutes(191)))
      .when(start({ plan: { ...next, createdAt: minutes(191) }, now: minutes(191) }))
      .refused('rollout-active');
  });

  it('not by a plan from before the promotion: its canary would be put where stable lives', () => {
    given(...baking(10), promotionOrdered(minutes(190)), promoted(minutes(191)), completed(minutes(192)))
      .when(start({ plan: { ...next, createdAt: minutes(191) - 1 }, now: minutes(192) }))
      .refused('stale-plan');
  });

  it('with a clean slate: failures and alarms of the one before do not count', () => {
    const { state } = given(
      ...rolledBack(),
      { type: 'HealthCheckFailed', at: minutes(5), side: 'canary', what: 'x', consecutive: 2, limit: 3 },
      {
        ...{ type: 'AlarmReceived', at: minutes(5), alarm: 'a', state: 'ALARM', changedAt: minutes(5) },
        ...{ scope: 'service', reason: 'r', action: 'hold' },
      },
      started({ rolloutId: 'ro-2', revision: v3, at: minutes(6) }),
    );
    expect(state).toMatchObject({ alarms: {}, healthFailures: { canary: 0, stable: 0 } });
  });
});

describe('a second request during a rollout', () => {
  it('is refused, if so configured, with the three ways out', () => {
    const { decision } = given(...baking(0))
      .when(start({ plan: whileActive('refuse') }))
      .refused('rollout-active');
    expect(decision).toHaveProperty(
      'sentence',
      expect.stringContaining('wait for it, abort it, or set whileActive'),
    );
  });

  it('is queued, if so configured, once', () => {
    const command = start({ plan: whileActive('queue') });
    given(...baking(0))
      .when(command)
      .then({ type: 'RolloutQueued', rolloutId: 'ro-2', behind: 'ro-1', revision: v3 })
      .when(command)
      .then();
  });

  it('takes the place of the one before in the queue', () => {
    const third = planFor(
      { kind: 'canary' },
      { rolloutId: 'ro-3', revision: `${v3}3` },
      { whileActive: 'queue' },
    );
    const { state } = given(...baking(0))
      .when(start({ plan: whileActive('queue') }))
      .when(start({ plan: third }))
      .then({ type: 'RolloutQueued', rolloutId: 'ro-3' });
    expect(state.queued?.rolloutId).toBe('ro-3');
  });

  it('leaves the queue when it starts', () => {
    const command = start({ plan: whileActive('queue'), now: minutes(1) });
    const { state } = given(...baking(0))
      .when(command)
      .and(rollbackInitiated(minutes(2)), shifted(0, minutes(2)), rollbackCompleted(minutes(4)))
      .when({ ...command, now: minutes(5) })
      .then({ type: 'RolloutStarted', rolloutId: 'ro-2' });
    expect(state.queued).toBeNull();
  });

  it('supersedes, if so configured: the one before is taken back first', () => {
    const { rollout, state } = given(...baking(2))
      .when(start({ plan: whileActive('supersede'), now: minutes(30) }))
      .then(
        { type: 'RolloutQueued', rolloutId: 'ro-2' },
        { type: 'RollbackInitiated', rolloutId: 'ro-1', trigger: 'superseded', fromWeight: 25 },
      );
    expect(rollout().phase).toBe('rolling-back');
    expect(state).toMatchObject({ knownBad: [], rollbacks: [] });
  });

  it('waits behind a rollback, whatever is configured to supersede', () => {
    given(...baking(2), rollbackInitiated(minutes(30)))
      .when(start({ plan: whileActive('supersede'), now: minutes(30) }))
      .then({ type: 'RolloutQueued', rolloutId: 'ro-2' });
  });

  it.each(['refuse', 'queue', 'supersede'] as const)('of the same revision is refused (%s)', (answer) => {
    given(...baking(2))
      .when(start({ plan: whileActive(answer, v2) }))
      .refused('already-under-way');
  });
});

describe('a revision that was rolled back', () => {
  it('is known bad and needs a reason to run again', () => {
    const again = planFor({ kind: 'canary' }, { rolloutId: 'ro-2' });
    const story = given(...rolledBack());
    expect(story.state.knownBad).toEqual([v2]);
    story.when(start({ plan: again, now: minutes(10) })).refused('known-bad');
    const { state } = story
      .when(start({ plan: again, now: minutes(10), knownBadOverride: 'the database was down, not us' }))
      .then({ type: 'RolloutStarted', knownBadOverride: 'the database was down, not us' });
    expect(state.knownBad).toEqual([]);
  });

  it('is known bad as soon as the rollback begins', () => {
    const again = planFor({ kind: 'canary' }, { rolloutId: 'ro-2' }, { whileActive: 'queue' });
    given(...baking(0), rollbackInitiated(minutes(2)))
      .when(start({ plan: again, now: minutes(3) }))
      .refused('known-bad');
  });

  it('is not held against another revision', () => {
    given(...rolledBack())
      .when(start({ plan: next, now: minutes(10) }))
      .then({ type: 'RolloutStarted' });
  });

  it('is forgotten after eight others', () => {
    const rollouts = Array.from({ length: 9 }, (_, index) => [
      started({ rolloutId: `ro-${index}`, revision: `rev-${index}` }),
      ofRollout(`ro-${index}`, rollbackInitiated(minutes(1), 'operator')),
    ]).flat();
    expect(given(...rollouts).state.knownBad).toEqual(
      Array.from({ length: 8 }, (_, index) => `rev-${index + 1}`),
    );
  });

  it('is not one that merely made room for a newer one', () => {
    expect(given(...rolledBack(minutes(2), 'superseded')).state.knownBad).toEqual([]);
  });
});

describe('rollbacks one after the other', () => {
  const three = (hours: readonly number[], trigger: 'alarm' | 'operator' = 'alarm') =>
    hours.flatMap((hour, index) => [
      started({ rolloutId: `ro-${index}`, revision: `rev-${index}`, at: minutes(hour * 60) }),
      ofRollout(`ro-${index}`, rollbackInitiated(minutes(hour * 60 + 5), trigger)),
      ofRollout(`ro-${index}`, shifted(0, minutes(hour * 60 + 5))),
      ofRollout(`ro-${index}`, rollbackCompleted(minutes(hour * 60 + 7))),
    ]);
  const next = planFor({ kind: 'canary' }, { rolloutId: 'ro-9', revision: v3 });
  const fourth = { ...next, createdAt: minutes(7 * 60) };

  it('hold the next start for a person after three within a day', () => {
    const { rollout } = given(...three([1, 2, 3]))
      .when(start({ plan: fourth, now: minutes(4 * 60) }))
      .then({ type: 'RolloutStarted' }, { type: 'RolloutHeld', reason: 'flapping' })
      .when({ type: 'Resume', by: 'ada', now: minutes(5 * 60) })
      .then({ type: 'RolloutResumed' });
    expect(rollout().phase).toBe('preparing');
  });

  it('do not count when they are a day old, to the millisecond', () => {
    const dayAfterFirst = minutes(60 + 5) + 86_400_000;
    given(...three([1, 2, 3]))
      .when(start({ plan: fourth, now: dayAfterFirst - 1 }))
      .then({ type: 'RolloutStarted' }, { type: 'RolloutHeld' });
    given(...three([1, 2, 3]))
      .when(start({ plan: fourth, now: dayAfterFirst }))
      .then({ type: 'RolloutStarted' });
  });

  it('do not count when a person asked for them', () => {
    given(...three([1, 2, 3], 'operator'))
      .when(start({ plan: fourth, now: minutes(4 * 60) }))
      .then({ type: 'RolloutStarted' });
  });

  it('hold at five at the latest: no more are remembered', () => {
    const lenient = { ...fourth, settings: { ...fourth.settings, rollbacksPerDayMax: 50 } };
    given(...three([1, 2, 3, 4, 5, 6]))
      .when(start({ plan: lenient, now: minutes(7 * 60) }))
      .then({ type: 'RolloutStarted' }, { type: 'RolloutHeld', reason: 'flapping' });
  });
});

describe('a command meant for another rollout', () => {
  it('is refused, so that a late confirmation does not count for the one that came after', () => {
    const late = given(...rolledBack(), started({ rolloutId: 'ro-2', revision: v3, at: minutes(9) }))
      .when({ type: 'ConfirmPrepared', tasks: 3, rolloutId: 'ro-1', now: minutes(9) })
      .refused('other-rollout');
    expect(late.decision).toHaveProperty('sentence', expect.stringContaining('ro-2 holds it'));
    late
      .when({ type: 'ConfirmPrepared', tasks: 3, rolloutId: 'ro-2', now: minutes(9) })
      .then({ type: 'CanaryPrepared', rolloutId: 'ro-2' });
  });

  it('is refused where there is none', () => {
    given()
      .when({ type: 'OrderShift', rolloutId: 'ro-1', now: at(1) })
      .refused('other-rollout');
  });

  it('counts for whatever runs where it names none', () => {
    given(started())
      .when({ type: 'ConfirmPrepared', tasks: 3, now: at(1) })
      .then({ type: 'CanaryPrepared' });
  });
});
