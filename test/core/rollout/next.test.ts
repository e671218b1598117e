import { describe, expect, it } from 'vitest';
import { quietSince } from '../../../lib/core/rollout/lateWrites.ts';
import { nextAction } from '../../../lib/core/rollout/next.ts';
import {
  approvalRequested,
  at,
  bakedAt,
  baking,
  completed,
  judged,
  minutes,
  ordered,
  planFor,
  prepared,
  promoted,
  promotionOrdered,
  rollbackInitiated,
  shifted,
  started,
  stepAt,
} from './facts.ts';
import { given, type Story } from './given.ts';
import { now, type PhaseName, phases } from './matrix.ts';

const timing = { rolloutId: 'ro-1', evaluateSeconds: 60, scaleDownDelaySeconds: 30, shiftTimeoutSeconds: 60 };
const next = ({ state }: Story, time: number, over: Partial<typeof timing> = {}) =>
  nextAction(state, { ...timing, ...over, now: time });

describe('what comes next', () => {
  it.each([
    ['none', 'Done', 0, 'replaced'],
    ['preparing', 'PrepareCanary', 2, 'under-way'],
    ['prepared', 'ShiftTraffic', 0, 'under-way'],
    ['shifting', 'ShiftTraffic', 0, 'under-way'],
    ['baking', 'EvaluateCanary', 60, 'under-way'],
    ['passed', 'ShiftTraffic', 0, 'under-way'],
    ['previewed', 'AwaitApproval', 60, 'under-way'],
    ['awaiting-approval', 'AwaitApproval', 60, 'under-way'],
    ['approved', 'ShiftTraffic', 0, 'under-way'],
    ['paused', 'AwaitApproval', 60, 'under-way'],
    ['held', 'AwaitApproval', 60, 'under-way'],
    ['drifted', 'AwaitApproval', 60, 'under-way'],
    ['all-passed', 'PromoteCanary', 0, 'under-way'],
    ['promoting', 'PromoteCanary', 0, 'under-way'],
    ['promoted', 'PromoteCanary', 0, 'under-way'],
    ['window-over', 'Done', 0, 'promoted'],
    ['rolling-back', 'RollBack', 0, 'under-way'],
    ['traffic-off', 'RollBack', 1, 'under-way'],
    ['rolled-back', 'Done', 0, 'rolled-back'],
  ] as const)('%s: %s after %d s', (phase, state, waitSeconds, outcome) => {
    expect(next(phases[phase], now)).toEqual({ next: state, waitSeconds, outcome });
  });

  it('is done for an execution whose rollout was replaced', () => {
    for (const name of Object.keys(phases) as PhaseName[]) {
      expect(next(phases[name], now, { rolloutId: 'ro-0' })).toEqual({
        ...{ next: 'Done', waitSeconds: 0, outcome: 'replaced' },
      });
    }
  });

  it('never spins: only a state that acts is entered at once', () => {
    const looks = new Set(['EvaluateCanary', 'AwaitApproval']);
    for (const name of Object.keys(phases) as PhaseName[]) {
      for (const time of [stepAt(0), now, now + 86_400_000]) {
        const { next: state, waitSeconds } = next(phases[name], time);
        if (looks.has(state)) expect(waitSeconds).toBeGreaterThanOrEqual(1);
      }
    }
  });
});

describe('a look during a bake', () => {
  const story = given(...baking(0));
  const end = bakedAt(0);

  it.each([
    ['comes after the configured time', stepAt(0), 60],
    ['comes at the end of the bake if that is sooner', end - 20_000, 20],
    ['comes at the end, not before it', end - 1, 1],
    ['comes after the configured time when the end is over and nothing is known', end, 60],
    ['comes after the configured time, however long the end is over', end + 86_400_000, 60],
  ])('%s', (_, time, waitSeconds) => {
    expect(next(story, time)).toMatchObject({ next: 'EvaluateCanary', waitSeconds });
  });

  it('is followed by the next step only on a pass at the end', () => {
    expect(next(story.and(judged('pass', end - 1)), end)).toMatchObject({ next: 'EvaluateCanary' });
    expect(next(story.and(judged('pass', end)), end)).toMatchObject({ next: 'ShiftTraffic' });
  });
});

describe('an approval', () => {
  const automatic = planFor({ kind: 'blue-green', autoPromote: true });
  const asked = at(200);
  const story = given(...baking(0, automatic), approvalRequested(1, asked, asked + 300_000));

  it.each([
    ['is looked at meanwhile', asked, 'EvaluateCanary', 60],
    ['is looked at when its time has come', asked + 290_000, 'EvaluateCanary', 10],
    ['that comes by itself lets the traffic move', asked + 300_000, 'ShiftTraffic', 0],
  ])('%s', (_, time, state, waitSeconds) => {
    expect(next(story, time)).toMatchObject({ next: state, waitSeconds });
  });

  it('of the first step is asked for when the canary is prepared', () => {
    const steps = [20, 40, 60, 80, 90, 100].map((weight) => ({ weight, approval: 'manual' as const }));
    const manual = given(started({}, planFor({ kind: 'canary', steps })), prepared());
    expect(next(manual, at(40))).toMatchObject({ next: 'AwaitApproval', waitSeconds: 60 });
  });
});

describe('the old side after a promotion', () => {
  const done = given(...baking(10), promotionOrdered(minutes(190)), promoted(minutes(191)));

  it('stays warm for its delay', () => {
    expect(next(done, minutes(191))).toMatchObject({ next: 'PromoteCanary', waitSeconds: 30 });
    expect(next(done, minutes(191) + 29_001)).toMatchObject({ waitSeconds: 1 });
    expect(next(done, minutes(191) + 30_000)).toMatchObject({ waitSeconds: 0 });
  });

  it('is gone when it is complete', () => {
    expect(next(done.and(completed(minutes(192))), minutes(192))).toMatchObject({
      next: 'Done',
      outcome: 'promoted',
    });
  });
});

describe('a rollback goes on watching', () => {
  const time = stepAt(0) + 600_000;
  const off = time + 900;

  it('at once while the canary gets traffic', () => {
    expect(next(given(...baking(0), rollbackInitiated(time)), time)).toMatchObject({
      next: 'RollBack',
      waitSeconds: 0,
    });
  });

  it('until a write that began just before it can have landed, however long ago its step was ordered', () => {
    const retried = given(
      started(),
      prepared(),
      ordered(0, 5, at(60)),
      rollbackInitiated(time),
      shifted(0, off),
    );
    expect(next(retried, off)).toMatchObject({ next: 'RollBack', waitSeconds: 5 });
    expect(next(retried, time + 58_500)).toMatchObject({ waitSeconds: 2 });
    expect(next(retried, time + 60_000)).toMatchObject({ waitSeconds: 1 });
  });

  it('until the delay of the warm side is over, if that is later', () => {
    const { rollout } = given(...baking(0), rollbackInitiated(time), shifted(0, off));
    const back = rollout();
    if (back.phase !== 'rolling-back') throw new Error('not rolling back');
    expect(quietSince(back, { scaleDownDelaySeconds: 30, shiftTimeoutSeconds: 60 })).toBe(time + 60_000);
    expect(quietSince(back, { scaleDownDelaySeconds: 600, shiftTimeoutSeconds: 60 })).toBe(off + 600_000);
  });

  it('as long where no shift was ever ordered: a preparation that was tried again may land as late (seed 7001786)', () => {
    const { rollout } = given(started(), prepared(), rollbackInitiated(time), shifted(0, off));
    const back = rollout();
    if (back.phase !== 'rolling-back') throw new Error('not rolling back');
    expect(quietSince(back, { scaleDownDelaySeconds: 30, shiftTimeoutSeconds: 60 })).toBe(time + 60_000);
  });
});
