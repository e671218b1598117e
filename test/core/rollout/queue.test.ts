import { describe, expect, it } from 'vitest';
import type { CommandOf } from '../../../lib/core/rollout/commands.ts';
import {
  baking,
  completed,
  minutes,
  promoted,
  promotionOrdered,
  rollbackCompleted,
  rollbackInitiated,
  shifted,
  v2,
  v3,
} from './facts.ts';
import { given } from './given.ts';

const wish = {
  rolloutId: 'ro-2',
  revision: v3,
  requestedBy: 'ada',
  why: 'a fix',
  strategy: 'linear' as const,
};
const enqueue = (over: Partial<CommandOf<'Enqueue'>> = {}): CommandOf<'Enqueue'> => ({
  ...{ type: 'Enqueue', service: 'orchestrator', wish, whileActive: 'queue', now: minutes(30), ...over },
});
const drop = (queuedId = 'ro-2') =>
  ({ type: 'DropQueued', queuedId, reason: 'known bad by now', now: minutes(40) }) as const;
const back = [rollbackInitiated(minutes(31)), shifted(0, minutes(31)), rollbackCompleted(minutes(33))];
const done = given(...baking(10), promotionOrdered(minutes(190)), promoted(minutes(191)));

describe('a request, before it is planned', () => {
  it('need not wait where nothing holds the service', () => {
    given().when(enqueue()).then();
    given(...baking(0), ...back)
      .when(enqueue())
      .then();
    done
      .and(completed(minutes(192)))
      .when(enqueue())
      .then();
  });

  it('waits as it was asked for, once', () => {
    const { state } = given(...baking(0))
      .when(enqueue())
      .then({ type: 'RolloutQueued', ...wish, behind: 'ro-1' })
      .when(enqueue())
      .then();
    expect(state.queued).toEqual(wish);
  });

  it('waits until the old side of a promoted rollout is tidied up, and never takes that one back', () => {
    for (const whileActive of ['queue', 'supersede'] as const) {
      done.when(enqueue({ whileActive })).then({ type: 'RolloutQueued', behind: 'ro-1' });
    }
  });

  it('is refused or takes the place, as configured', () => {
    given(...baking(0))
      .when(enqueue({ whileActive: 'refuse' }))
      .refused('rollout-active');
    given(...baking(0))
      .when(enqueue({ whileActive: 'supersede' }))
      .then({ type: 'RolloutQueued' }, { type: 'RollbackInitiated', trigger: 'superseded' });
  });

  it('is no news where it is what holds the service', () => {
    given(...baking(0))
      .when(enqueue({ wish: { ...wish, rolloutId: 'ro-1' } }))
      .then();
  });

  it('is refused for a revision that is under way, or was rolled back', () => {
    given(...baking(0))
      .when(enqueue({ wish: { ...wish, revision: v2 } }))
      .refused('already-under-way');
    const known = given(...baking(0), rollbackInitiated(minutes(29)));
    known.when(enqueue({ wish: { ...wish, revision: v2 } })).refused('known-bad');
    known
      .when(enqueue({ wish: { ...wish, revision: v2, knownBadOverride: 'it was the database' } }))
      .then({ type: 'RolloutQueued', knownBadOverride: 'it was the database' });
  });
});

describe('a request that waited', () => {
  const waiting = given(...baking(0)).when(enqueue());

  it('is dropped with a reason when it had its turn and may not begin, once', () => {
    const { state } = waiting
      .and(...back)
      .when(drop())
      .then({ type: 'RolloutDropped', rolloutId: 'ro-2', reason: 'known bad by now' })
      .when(drop())
      .then();
    expect(state.queued).toBeNull();
  });

  it('is not dropped before its turn, nor for another', () => {
    expect(waiting.when(drop()).then().state.queued).toEqual(wish);
    expect(
      waiting
        .and(...back)
        .when(drop('ro-3'))
        .then().state.queued,
    ).toEqual(wish);
  });

  it('is not forgotten for the end of another', () => {
    const dropped = { type: 'RolloutDropped', at: minutes(41), rolloutId: 'ro-3', reason: 'x' } as const;
    expect(waiting.and(dropped).state.queued).toEqual(wish);
  });
});
