import { describe, expect, it } from 'vitest';
import { desiredWeight } from '../../../lib/core/rollout/state.ts';
import {
  alarm,
  at,
  bakedAt,
  baking,
  completed,
  driftFound,
  held,
  judged,
  minutes,
  ofRollout,
  ordered,
  paused,
  planFor,
  prepared,
  promoted,
  promotionOrdered,
  record,
  rollbackCompleted,
  rollbackInitiated,
  shifted,
  started,
  stepAt,
} from './facts.ts';
import { given } from './given.ts';

const resume = (now: number) => ({ type: 'Resume', by: 'ada', now }) as const;
const pause = (now: number) => ({ type: 'Pause', by: 'ada', why: 'lunch', now }) as const;
const hold = (now: number) => ({ type: 'Hold', reason: 'stuck', why: 'no answer', now }) as const;
const orderShift = (now: number) => ({ type: 'OrderShift', now }) as const;
const drift = (foundWeight: number | null, now: number) =>
  ({ type: 'FindDrift', foundWeight, what: 'somebody was here', now }) as const;

describe('a pause', () => {
  it('keeps the traffic where it is and stops the bake: what was left is baked after it', () => {
    const { rollout } = given(...baking(0))
      .when(pause(stepAt(0) + 240_000))
      .then({ type: 'RolloutPaused', by: 'ada', why: 'lunch' })
      .when(resume(stepAt(0) + 3_600_000))
      .then({ type: 'RolloutResumed' });
    expect(rollout()).toMatchObject({
      phase: 'baking',
      step: 0,
      bake: { startedAt: stepAt(0), endsAt: stepAt(0) + 3_600_000 + 360_000 },
    });
  });

  it('after the bake leaves nothing to bake, but the end is judged anew', () => {
    const end = bakedAt(0);
    const story = given(...baking(0), judged('pass', end))
      .when(pause(end + 1000))
      .when(resume(end + 9000));
    expect(story.rollout()).toMatchObject({ bake: { endsAt: end + 9000 } });
    story.when(orderShift(end + 9000)).refused('not-cleared');
    story
      .when(record('pass', end + 9000))
      .when(orderShift(end + 9000))
      .then({ type: 'ShiftOrdered', step: 1 });
  });

  it('does not keep a failure from taking the canary off', () => {
    given(...baking(0), paused(stepAt(0) + 1))
      .when(record('fail', stepAt(0) + 9000))
      .then({ type: 'AnalysisRecorded' }, { type: 'RollbackInitiated' });
  });

  it('ends with a step up when a person promotes', () => {
    given(...baking(0), paused(stepAt(0) + 1))
      .when({ type: 'Promote', by: 'ada', now: stepAt(0) + 9000 })
      .then({ type: 'RolloutApproved' })
      .when(orderShift(stepAt(0) + 9000))
      .then({ type: 'ShiftOrdered', step: 1 });
  });

  it('is said twice and resumed twice without harm', () => {
    given(...baking(0))
      .when(pause(at(100)))
      .when(pause(at(101)))
      .then()
      .when(resume(at(102)))
      .when(resume(at(103)))
      .then();
  });

  it('gives a long reason its first 300 characters, none of them cut in half', () => {
    const why = `${'x'.repeat(299)}😀 and more`;
    const { decision } = given(...baking(0)).when({ ...pause(at(100)), why });
    expect(decision).toHaveProperty('events.0.why', `${'x'.repeat(299)}\ufffd`);
  });
});

describe('a hold', () => {
  it('stops the bake like a pause: the time held does not count', () => {
    const { rollout } = given(...baking(0))
      .when(hold(stepAt(0) + 240_000))
      .then({ type: 'RolloutHeld', reason: 'stuck' })
      .when(resume(stepAt(0) + 3_600_000));
    expect(rollout()).toMatchObject({ bake: { endsAt: stepAt(0) + 3_600_000 + 360_000 } });
  });

  it('upon a pause leaves the bake where the pause stopped it', () => {
    const { rollout } = given(...baking(0), paused(stepAt(0) + 240_000))
      .when(hold(stepAt(0) + 500_000))
      .when(resume(stepAt(0) + 3_600_000));
    expect(rollout()).toMatchObject({ bake: { endsAt: stepAt(0) + 3_600_000 + 360_000 } });
  });

  it('before the canary is prepared goes on with the preparation, not with traffic', () => {
    const story = given(started())
      .when(hold(at(5)))
      .when(resume(at(60)));
    expect(story.rollout()).toMatchObject({ phase: 'preparing', prepared: false, step: -1 });
    story.when(orderShift(at(61))).refused('not-cleared');
  });

  it('before the canary is prepared is not skipped by a full promotion', () => {
    given(started())
      .when(hold(at(5)))
      .when({ type: 'PromoteFully', by: 'ada', now: at(6) })
      .refused('not-prepared');
  });

  it('during a shift bakes the step below anew, then orders that step again', () => {
    const time = bakedAt(1);
    const story = given(...baking(1), judged('pass', time), ordered(2, 25, time))
      .when(hold(time + 30_000))
      .when(resume(time + 60_000));
    expect(story.rollout()).toMatchObject({
      ...{ phase: 'baking', step: 1, weight: 15, lastVerdict: null },
      bake: { endsAt: time + 60_000 + 600_000 },
    });
    story
      .when(record('pass', time + 660_000))
      .when(orderShift(time + 660_000))
      .then({ type: 'ShiftOrdered', step: 2, weight: 25 });
  });

  it('during the very first shift begins again with it', () => {
    given(started(), prepared(), ordered(0, 5, at(60)))
      .when(hold(at(70)))
      .when(resume(at(80)))
      .when(orderShift(at(81)))
      .then({ type: 'ShiftOrdered', step: 0, weight: 5 });
  });

  it('during a promotion goes back to the step the traffic stands on, baked in full', () => {
    const time = stepAt(3) + 60_000;
    const { rollout } = given(...baking(3), judged('pass', time), promotionOrdered(time, 'full'))
      .when(hold(time + 1000))
      .when(resume(time + 2000));
    expect(rollout()).toMatchObject({
      phase: 'baking',
      step: 3,
      weight: 35,
      bake: { endsAt: time + 2000 + 600_000 },
    });
  });

  it('during a promotion whose traffic has moved stands on the last step', () => {
    const time = stepAt(3) + 60_000;
    const story = given(...baking(3), promotionOrdered(time, 'full'), shifted(100, time + 500))
      .when(hold(time + 1000))
      .when(resume(time + 2000));
    expect(story.rollout()).toMatchObject({ phase: 'baking', step: 10, weight: 100, lastVerdict: 'pass' });
    story.when({ type: 'OrderPromotion', now: time + 2000 }).then({ type: 'PromotionOrdered' });
  });

  it('asks for less than an order that was not confirmed: the last confirmed weight', () => {
    const { rollout } = given(...baking(1), ordered(2, 25, bakedAt(1))).when(hold(bakedAt(1) + 1));
    expect(desiredWeight(rollout())).toBe(15);
  });

  it('because stable cannot take it back keeps its hands off the weight', () => {
    expect(desiredWeight(given(...baking(1), held('cannot-go-back', bakedAt(1))).rollout())).toBeNull();
  });

  it('for one reason is recorded once, for another again', () => {
    given(...baking(0))
      .when(hold(at(100)))
      .when(hold(at(101)))
      .then()
      .when({ ...hold(at(102)), reason: 'capacity' })
      .then({ type: 'RolloutHeld', reason: 'capacity' });
  });
});

describe('somebody who moves traffic toward stable', () => {
  const time = stepAt(2) + 60_000;

  it('has the say: it is adopted, the rollout is held, a person is told', () => {
    const { rollout } = given(...baking(2))
      .when(drift(5, time))
      .then(
        { type: 'DriftFound', expectedWeight: 25, foundWeight: 5, what: 'somebody was here' },
        { type: 'RolloutHeld', reason: 'drift', why: 'somebody was here' },
      );
    expect(rollout()).toMatchObject({ phase: 'held', weight: 5 });
    expect(desiredWeight(rollout())).toBeNull();
  });

  it('is found once, and once more when they go on', () => {
    const { rollout } = given(...baking(2))
      .when(drift(5, time))
      .when(drift(5, time + 60_000))
      .then()
      .when(drift(0, time + 120_000))
      .then({ type: 'DriftFound', expectedWeight: 5, foundWeight: 0 });
    expect(rollout()).toMatchObject({ phase: 'held', reason: 'drift', weight: 0 });
  });

  it('is resumed from where the traffic stands, step by step', () => {
    const story = given(...baking(3), judged('pass', bakedAt(3)))
      .when(drift(5, bakedAt(3) + 1000))
      .when(resume(bakedAt(3) + 60_000));
    expect(story.rollout()).toMatchObject({ phase: 'baking', step: 0, weight: 5, lastVerdict: null });
    story
      .when(record('pass', bakedAt(3) + 660_000))
      .when(orderShift(bakedAt(3) + 660_000))
      .then({ type: 'ShiftOrdered', step: 1, weight: 15 });
  });

  it('to a weight between two steps is resumed on the lower one', () => {
    const { rollout } = given(...baking(3))
      .when(drift(20, time))
      .when(resume(time + 1));
    expect(rollout()).toMatchObject({ step: 1, weight: 20 });
  });

  it('down to nothing is resumed from the beginning', () => {
    const story = given(...baking(3))
      .when(drift(0, time))
      .when(resume(time + 1000));
    expect(story.rollout()).toMatchObject({ phase: 'preparing', prepared: true, step: -1 });
    story.when(orderShift(time + 1001)).then({ type: 'ShiftOrdered', step: 0, weight: 5 });
  });

  it('during a preview has a blue/green preview again', () => {
    const blueGreen = planFor({ kind: 'blue-green' });
    const { rollout } = given(...baking(1, blueGreen))
      .when(drift(0, time))
      .when(resume(time + 1000));
    expect(rollout()).toMatchObject({ phase: 'baking', step: 0, weight: 0, lastVerdict: 'pass' });
  });

  it('does not move it up: more canary than confirmed is never adopted', () => {
    given(...baking(2))
      .when(drift(26, time))
      .refused('not-less');
    given(...baking(2))
      .when(drift(25, time))
      .refused('not-less');
  });

  it('to a place we do not know: the canary has nothing that anybody can tell', () => {
    const { rollout } = given(...baking(2))
      .when(drift(null, time))
      .then({ type: 'DriftFound', foundWeight: null }, { type: 'RolloutHeld', reason: 'drift' })
      .when(drift(null, time + 60_000))
      .then();
    expect(rollout().weight).toBe(0);
  });

  it('keeps it there when the rollout is taken back after all: nothing is left to take off', () => {
    const { rollout } = given(...baking(2))
      .when(drift(null, time))
      .when(alarm(time + 1000))
      .then({ type: 'AlarmReceived' }, { type: 'RollbackInitiated', fromWeight: 0 });
    expect(rollout()).toMatchObject({ phase: 'rolling-back', trafficOffAt: time + 1000 });
  });

  it('not all the way is helped by a rollback', () => {
    const { rollout } = given(...baking(2))
      .when(drift(5, time))
      .when(alarm(time + 1000));
    expect(rollout()).toMatchObject({ phase: 'rolling-back', trafficOffAt: null });
  });

  it('does not end a rollback: less canary is what that wants', () => {
    const back = given(...baking(2), rollbackInitiated(time));
    back.when(drift(0, time + 1)).refused('rolling-back');
    back.when(drift(null, time + 1)).refused('rolling-back');
    back.when(hold(time + 1)).refused('rolling-back');
  });

  it('after a promotion is adopted as long as the old side is there', () => {
    const done = given(...baking(10), promotionOrdered(minutes(190)), promoted(minutes(191)));
    const { rollout } = done
      .when(drift(0, minutes(192)))
      .then({ type: 'DriftFound', expectedWeight: 100 }, { type: 'RolloutHeld', reason: 'drift' })
      .when({ type: 'RollBack', trigger: 'operator', reason: 'leave it', by: 'ada', now: minutes(193) })
      .then({ type: 'RollbackInitiated' });
    expect(rollout()).toMatchObject({
      phase: 'rolling-back',
      trafficOffAt: minutes(193),
      afterPromotion: true,
    });
    done
      .and(completed(minutes(192)))
      .when(drift(0, minutes(193)))
      .refused('not-running');
  });
});

describe('what comes late', () => {
  const time = stepAt(2) + 60_000;
  const back = given(...baking(2), rollbackInitiated(time));

  it.each([
    ['a shift', ordered(3, 35, time + 1)],
    ['a confirmed shift', shifted(25, time + 1)],
    ['a pause', paused(time + 1)],
    ['a hold', held('drift', time + 1)],
    ['a promotion', promotionOrdered(time + 1)],
    ['a promotion done', promoted(time + 1)],
    ['a question', { type: 'ApprovalRequested', at: time + 1, rolloutId: 'ro-1', step: 3, autoAt: null }],
    ['another weight found', driftFound(25, 5, time + 1)],
    ['the preparation', prepared(time + 1)],
  ] as const)('%s does not send a rollback forward again', (_, late) => {
    const { rollout } = back.and(late);
    expect(rollout()).toEqual(back.rollout());
    expect(desiredWeight(rollout())).toBe(0);
  });

  it('like the end of a rollback ends no other rollout, and none that goes forward', () => {
    expect(back.and(ofRollout('ro-0', rollbackCompleted(time + 9))).state).toEqual(back.state);
    expect(
      given(...baking(0))
        .and(rollbackCompleted(time))
        .rollout().phase,
    ).toBe('baking');
  });

  it('of another rollout changes nothing', () => {
    const story = given(...baking(0));
    for (const late of [ordered(1, 15, time), shifted(15, time), rollbackInitiated(time), promoted(time)]) {
      expect(story.and(ofRollout('ro-0', late)).state).toEqual(story.state);
    }
  });
});
