import { describe, expect, it } from 'vitest';
import {
  approvalRequested,
  at,
  bakedAt,
  baking,
  completed,
  judged,
  minutes,
  ordered,
  paused,
  plan,
  planFor,
  prepared,
  promoted,
  promotionOrdered,
  record,
  resumedAt,
  shifted,
  started,
} from './facts.ts';
import { given } from './given.ts';

const orderShift = (now: number) => ({ type: 'OrderShift', now }) as const;
const orderPromotion = (now: number) => ({ type: 'OrderPromotion', now }) as const;
const askApproval = (now: number) => ({ type: 'RequestApproval', autoAfterSeconds: 300, now }) as const;

describe('a step up', () => {
  it('is ordered once the canary is prepared, and not before', () => {
    given(started())
      .when(orderShift(at(40)))
      .refused('not-cleared');
    given(started(), prepared())
      .when(orderShift(at(40)))
      .then({ type: 'ShiftOrdered', step: 0, weight: 5 });
  });

  it('is ordered once: the order that stands is driven', () => {
    given(started(), prepared(), ordered(0, 5, at(40)))
      .when(orderShift(at(90)))
      .then();
  });

  it('begins its bake when the balancer is seen to have moved, not when it was told to', () => {
    const { rollout } = given(started(), prepared(), ordered(0, 5, at(40)))
      .when({ type: 'ConfirmShift', weight: 5, now: at(75) })
      .then({ type: 'TrafficShifted', weight: 5 });
    expect(rollout()).toMatchObject({ phase: 'baking', bake: { startedAt: at(75), endsAt: at(75 + 600) } });
  });

  it('is not confirmed by another weight', () => {
    given(started(), prepared(), ordered(0, 5, at(40)))
      .when({ type: 'ConfirmShift', weight: 15, now: at(75) })
      .refused('superseded');
  });

  it('is confirmed once', () => {
    given(...baking(0))
      .when({ type: 'ConfirmShift', weight: 5, now: at(75) })
      .then();
  });

  it('follows a pass at the end of the bake, to the millisecond', () => {
    const end = bakedAt(0);
    const early = given(...baking(0))
      .when(record('pass', end - 1))
      .then({ type: 'AnalysisRecorded' });
    early.when(orderShift(end - 1)).refused('not-cleared');
    early.when(orderShift(end)).refused('not-cleared');
    early
      .when(record('pass', end))
      .then({ type: 'AnalysisRecorded', verdict: 'pass' })
      .when(orderShift(end))
      .then({ type: 'ShiftOrdered', step: 1, weight: 15 });
  });

  it('does not follow an inconclusive end, nor a pass from before it', () => {
    const end = bakedAt(0);
    given(...baking(0), judged('pass', end - 60_000))
      .when(record('inconclusive', end))
      .when(orderShift(end))
      .refused('not-cleared');
  });

  it('does not follow a pass that a later look took back', () => {
    const end = bakedAt(0);
    given(...baking(0), judged('pass', end), judged('inconclusive', end + 60_000))
      .when(orderShift(end + 60_000))
      .refused('not-cleared');
  });

  it('needs its own pass: the one of the step before does not count', () => {
    const story = given(...baking(0), judged('pass', bakedAt(0)), ordered(1, 15, bakedAt(0)));
    story
      .and(shifted(15, bakedAt(0)))
      .when(orderShift(bakedAt(1) + 3_600_000))
      .refused('not-cleared');
  });

  it('where only target health is watched, follows the end of the bake', () => {
    const rolling = planFor({ kind: 'rolling' });
    const story = given(...baking(0, rolling));
    story.when(orderShift(bakedAt(0, rolling) - 1)).refused('not-cleared');
    story.when(orderShift(bakedAt(0, rolling))).then({ type: 'ShiftOrdered', weight: 50 });
  });

  it('is not kept from it there by an analysis that had nothing to look at', () => {
    const rolling = planFor({ kind: 'rolling' });
    given(...baking(0, rolling))
      .when(record('inconclusive', bakedAt(0, rolling)))
      .then()
      .when(orderShift(bakedAt(0, rolling)))
      .then({ type: 'ShiftOrdered', weight: 50 });
  });
});

describe('a step that asks for an approval', () => {
  const blueGreen = planFor({ kind: 'blue-green' });
  const preview = bakedAt(0, blueGreen);
  const previewed = given(...baking(0, blueGreen));
  const automatic = planFor({ kind: 'blue-green', autoPromote: true });

  it('is not asked about before the step under it is passed', () => {
    previewed.when(askApproval(preview - 1)).refused('not-cleared');
  });

  it('is not ordered without', () => {
    previewed.when(orderShift(preview)).refused('needs-approval');
    previewed
      .when(askApproval(preview))
      .then({ type: 'ApprovalRequested', step: 1, autoAt: null })
      .when(orderShift(preview + 1))
      .refused('not-cleared');
  });

  it('goes on when a person approves, who may do it twice', () => {
    previewed
      .when(askApproval(preview))
      .when({ type: 'Approve', by: 'ada', now: preview + 60_000 })
      .then({ type: 'RolloutApproved', by: 'ada' })
      .when({ type: 'Approve', by: 'ben', now: preview + 61_000 })
      .then()
      .when(orderShift(preview + 62_000))
      .then({ type: 'ShiftOrdered', step: 1, weight: 100 });
  });

  it('goes on by itself after 300 s if so configured and nothing failed, to the millisecond', () => {
    const asked = given(...baking(0, automatic))
      .when(askApproval(preview))
      .then({ type: 'ApprovalRequested', autoAt: preview + 300_000 });
    asked.when(orderShift(preview + 299_999)).refused('not-cleared');
    asked.when(orderShift(preview + 300_000)).then({ type: 'ShiftOrdered', weight: 100 });
  });

  it('where the step under it is analysed, goes on by itself only on a pass made then', () => {
    const steps = [
      ...[{ weight: 20 }, { weight: 40, approval: 'auto' as const }],
      ...[{ weight: 60 }, { weight: 80 }, { weight: 90 }, { weight: 100 }],
    ];
    const listed = planFor({ kind: 'canary', steps });
    const end = bakedAt(0, listed);
    const asked = given(...baking(0, listed), judged('pass', end), approvalRequested(1, end, end + 300_000));
    asked.when(orderShift(end + 300_000)).refused('not-cleared');
    asked
      .when(record('inconclusive', end + 300_000))
      .when(orderShift(end + 300_000))
      .refused('not-cleared');
    asked
      .when(record('pass', end + 300_000))
      .then({ type: 'AnalysisRecorded' })
      .when(orderShift(end + 300_000))
      .then({ type: 'ShiftOrdered', weight: 40 });
  });

  it('may be the first', () => {
    const steps = [20, 40, 60, 80, 90, 100].map((weight) => ({ weight, approval: 'manual' as const }));
    given(started({}, planFor({ kind: 'canary', steps })), prepared())
      .when(orderShift(at(40)))
      .refused('needs-approval')
      .when(askApproval(at(41)))
      .then({ type: 'ApprovalRequested', step: 0 })
      .when({ type: 'Approve', by: 'ada', now: at(50) })
      .when(orderShift(at(51)))
      .then({ type: 'ShiftOrdered', step: 0, weight: 20 });
  });

  it('may be the first, and go on by itself: nobody has met the canary yet', () => {
    const steps = [20, 40, 60, 80, 90, 100].map((weight) => ({ weight, approval: 'auto' as const }));
    const asked = given(started({}, planFor({ kind: 'canary', steps })), prepared()).when(
      askApproval(at(40)),
    );
    asked.when(orderShift(at(339))).refused('not-cleared');
    asked.when(orderShift(at(340))).then({ type: 'ShiftOrdered', step: 0 });
  });

  it('is asked about again after a pause', () => {
    previewed
      .when(askApproval(preview))
      .and(paused(preview + 1000), resumedAt(preview + 2000))
      .when(orderShift(preview + 3000))
      .refused('needs-approval')
      .when(askApproval(preview + 3000))
      .then({ type: 'ApprovalRequested' });
  });
});

describe('a promotion', () => {
  it('is ordered when every step is passed, and not one step earlier', () => {
    const end = bakedAt(9);
    given(...baking(9), judged('pass', end))
      .when(orderPromotion(end))
      .refused('not-cleared');
    given(...baking(10))
      .when(orderShift(bakedAt(10)))
      .refused('no-step-left')
      .when(orderPromotion(bakedAt(10)))
      .then({ type: 'PromotionOrdered', mode: 'earned', by: 'switchback' })
      .when(orderPromotion(bakedAt(10)))
      .then();
  });

  it('all at once waits for the analysis after the fact', () => {
    const atOnce = planFor({ kind: 'all-at-once' });
    const end = bakedAt(0, atOnce);
    given(...baking(0, atOnce))
      .when(orderPromotion(end))
      .refused('not-cleared');
    given(...baking(0, atOnce), judged('pass', end))
      .when(orderPromotion(end))
      .then({ type: 'PromotionOrdered' });
  });

  it('is a fact only when the balancer was seen to send the canary everything', () => {
    given(...baking(1), promotionOrdered(minutes(20), 'full'))
      .when({ type: 'ConfirmPromotion', rollbackWindowSeconds: 3600, now: minutes(21) })
      .refused('traffic-not-shifted')
      .when({ type: 'ConfirmShift', weight: 100, now: minutes(21) })
      .then({ type: 'TrafficShifted', weight: 100 })
      .when({ type: 'ConfirmPromotion', rollbackWindowSeconds: 3600, now: minutes(21) })
      .then({ type: 'RolloutPromoted', stableSlot: 'green', rollbackWindowUntil: minutes(81) })
      .when({ type: 'ConfirmPromotion', rollbackWindowSeconds: 3600, now: minutes(22) })
      .then();
  });

  it('is complete once the old side is gone, once', () => {
    given(...baking(10), promotionOrdered(minutes(190)), promoted(minutes(191)))
      .when({ type: 'ConfirmCompletion', now: minutes(192) })
      .then({ type: 'RolloutCompleted' })
      .when({ type: 'ConfirmCompletion', now: minutes(193) })
      .then();
  });

  it('by hand skips what is left, but not the preparation', () => {
    const fully = (now: number) => ({ type: 'PromoteFully', by: 'ada', now }) as const;
    given(started())
      .when(fully(at(10)))
      .refused('not-prepared');
    given(...baking(0))
      .when(fully(minutes(3)))
      .then({ type: 'PromotionOrdered', mode: 'full', by: 'ada' });
  });

  it('by hand, one step at a time, does not wait for the bake', () => {
    given(...baking(0))
      .when({ type: 'Promote', by: 'ada', now: minutes(3) })
      .then({ type: 'RolloutApproved', by: 'ada' })
      .when({ type: 'Promote', by: 'ada', now: minutes(3) })
      .then()
      .when(orderShift(minutes(3)))
      .then({ type: 'ShiftOrdered', weight: 15 });
  });
});

describe('update, pause, abort, retry', () => {
  it('tells its whole story in events', () => {
    const steps = [
      { weight: 20 },
      { weight: 40 },
      { weight: 60 },
      { weight: 80 },
      { weight: 90 },
      { weight: 100 },
    ];
    const first = planFor({ kind: 'canary', steps });
    const again = { ...first, rolloutId: 'ro-2' };
    given(started({}, first), prepared(), ordered(0, 20, at(60)), shifted(20, at(61)))
      .when({ type: 'Pause', by: 'ada', why: 'look', now: at(64) })
      .then({ type: 'RolloutPaused' })
      .when({ type: 'RollBack', trigger: 'operator', reason: 'abort', by: 'ada', now: at(70) })
      .then({ type: 'RollbackInitiated', trigger: 'operator', fromWeight: 20 })
      .when({ type: 'ConfirmShift', weight: 0, now: at(71) })
      .then({ type: 'TrafficShifted', weight: 0 })
      .when({ type: 'ConfirmRollback', differences: [], now: at(130) })
      .then({ type: 'RollbackCompleted', trafficOffMs: 1000 })
      .when({
        ...{
          type: 'Start',
          plan: again,
          planHash: 'h',
          baselineAlarms: [],
          requestedBy: 'ada',
          now: at(200),
        },
        knownBadOverride: 'aborted for lunch',
      })
      .then({ type: 'RolloutStarted', rolloutId: 'ro-2' })
      .when({ type: 'ConfirmPrepared', tasks: 3, now: at(230) })
      .when(orderShift(at(231)))
      .then({ type: 'ShiftOrdered', rolloutId: 'ro-2', weight: 20 });
  });
});

it('a finished rollout answers no command of the way forward', () => {
  const done = given(
    ...baking(10),
    promotionOrdered(minutes(190)),
    promoted(minutes(191)),
    completed(minutes(192)),
  );
  done.when(orderShift(minutes(193))).refused('not-running');
  done.when(record('fail', minutes(193))).refused('not-running');
  expect(plan.steps).toHaveLength(done.rollout().steps.length);
});
