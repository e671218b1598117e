import { describe, expect, it } from 'vitest';
import type { ServiceEvent } from '../../../events/service.ts';
import { notStarted, type Status, statusAfter, statusOf } from '../../../lib/core/migration/status.ts';
import {
  at,
  baking,
  completed,
  driftFound,
  held,
  judged,
  minutes,
  ofRollout,
  ordered,
  paused,
  promoted,
  promotionOrdered,
  resumedAt,
  rollbackCompleted,
  rollbackInitiated,
  shifted,
  started,
} from '../rollout/facts.ts';

const failed = (consecutive: number, time = minutes(3)): ServiceEvent => ({
  ...{ type: 'HealthCheckFailed', at: time, side: 'canary', what: 'task 1 stopped', consecutive, limit: 3 },
});
const fellBack: ServiceEvent = {
  ...{ type: 'FellBack', at: minutes(9), by: 'ada', why: 'all is dark', to: 'dns blue' },
};
const migrated = [...baking(10), promotionOrdered(minutes(190)), promoted(minutes(191))];
const back = [...baking(1), rollbackInitiated(minutes(20))];

describe('a component', () => {
  it.each<[string, readonly ServiceEvent[], Status]>([
    ['of which nothing is known has not started', [], 'not_started'],
    ['is in progress from its start', [started()], 'in_progress'],
    ['is in progress step by step', baking(4), 'in_progress'],
    ['is in progress while a person paused it', [...baking(1), paused(minutes(3))], 'in_progress'],
    ['is held for a person', [...baking(1), held('drift', minutes(3))], 'held'],
    [
      'is in progress again when they resume it',
      [...baking(1), held('drift', minutes(3)), resumedAt(minutes(4))],
      'in_progress',
    ],
    [
      'is in progress until the balancer shows it all',
      [...baking(10), promotionOrdered(minutes(190))],
      'in_progress',
    ],
    ['is migrated when it is promoted', migrated, 'migrated'],
    ['is migrated when the old side is gone', [...migrated, completed(minutes(192))], 'migrated'],
    ['is rolling back until it is back', back, 'rolling_back'],
    ['is rolling back when its traffic is off', [...back, shifted(0, minutes(20))], 'rolling_back'],
    [
      'is rolled back in the end',
      [...back, shifted(0, minutes(20)), rollbackCompleted(minutes(22))],
      'rolled_back',
    ],
    [
      'can be taken back after it was migrated',
      [...migrated, rollbackInitiated(minutes(195))],
      'rolling_back',
    ],
    ['that fell back is back', [...migrated, fellBack], 'rolled_back'],
    [
      'that fell back in mid-rollout is held, where the rollout is',
      [...baking(2), fellBack, driftFound(25, 0, minutes(9)), held('drift', minutes(9))],
      'held',
    ],
    [
      'whose traffic was moved back by hand after its promotion is held',
      [...migrated, held('drift', minutes(195))],
      'held',
    ],
    ['starts again', [...migrated, started({ rolloutId: 'ro-2', at: minutes(300) })], 'in_progress'],
  ])('%s', (_, events, status) => {
    expect(statusOf(events).status).toBe(status);
  });

  it('fails its health checks at the limit, not at the first', () => {
    expect(statusOf([...baking(0), failed(2)]).status).toBe('in_progress');
    expect(statusOf([...baking(0), failed(3)])).toEqual({
      ...{ status: 'health_check_failed', since: minutes(3), why: 'task 1 stopped', rolloutId: 'ro-1' },
    });
  });

  it('fails them before it has started as well', () => {
    expect(statusOf([failed(3)])).toMatchObject({ status: 'health_check_failed', rolloutId: null });
  });

  it.each([
    ['traffic that moved', ordered(1, 15, minutes(5)), shifted(15, minutes(5))],
    ['a pass', judged('pass', minutes(5))],
    ['a promotion', promoted(minutes(5))],
  ] as readonly [string, ...ServiceEvent[]][])('recovers by %s', (_, ...after) => {
    expect(statusOf([...baking(0), failed(3), ...after]).status).not.toBe('health_check_failed');
  });

  it('does not recover by a verdict that is no pass', () => {
    expect(statusOf([...baking(0), failed(3), judged('inconclusive', minutes(5))]).status).toBe(
      'health_check_failed',
    );
  });

  it('on its way back has no health to fail', () => {
    expect(statusOf([...back, failed(3, minutes(21))]).status).toBe('rolling_back');
  });

  it('says why, and since when, and keeps both until it changes', () => {
    const rollingBack = { status: 'rolling_back', since: minutes(20), why: 'it hurts', rolloutId: 'ro-1' };
    expect(statusOf(back)).toEqual(rollingBack);
    expect(statusOf([...back, shifted(0, minutes(21)), failed(3, minutes(22))])).toEqual(rollingBack);
    expect(statusOf([...back, rollbackCompleted(minutes(22))])).toMatchObject({
      why: 'it hurts',
      since: minutes(22),
    });
  });

  it('held for one reason and then for another says the newer one, since the older', () => {
    const twice = [
      ...baking(1),
      held('capacity', minutes(3)),
      { ...held('stuck', minutes(5)), why: 'no answer' },
    ];
    expect(statusOf(twice as ServiceEvent[])).toMatchObject({
      status: 'held',
      since: minutes(3),
      why: 'no answer',
    });
  });

  it('is told by the event, one at a time, as by all at once', () => {
    const all = [...migrated, ofRollout('ro-1', rollbackInitiated(minutes(195)))];
    expect(all.reduce(statusAfter, notStarted)).toEqual(statusOf(all));
    expect(at(0)).toBe(statusOf([started()]).since);
  });
});
