import { describe, expect, it } from 'vitest';
import type { RollbackTrigger } from '../../../events/rollback.ts';
import { desiredWeight } from '../../../lib/core/rollout/state.ts';
import {
  alarm,
  at,
  bakedAt,
  baking,
  completed,
  failHealth,
  judged,
  minutes,
  override,
  planFor,
  promoted,
  promotionOrdered,
  record,
  rollbackInitiated,
  shifted,
  started,
  stepAt,
} from './facts.ts';
import { given, type Story } from './given.ts';

const time = stepAt(2) + 60_000;
const rollBack = (trigger: RollbackTrigger, now: number) =>
  ({
    type: 'RollBack',
    trigger,
    reason: 'it hurts',
    by: trigger === 'operator' ? 'ada' : 'switchback',
    now,
  }) as const;
const abort = (now: number) => rollBack('operator', now);
const done = given(...baking(10), promotionOrdered(minutes(190)), promoted(minutes(191), 600));

describe('an abort', () => {
  it('where nothing is in flight leaves stable alone', () => {
    given().when(abort(time)).then();
  });

  it('takes the canary off, once', () => {
    given(...baking(2))
      .when(abort(time))
      .then({ type: 'RollbackInitiated', trigger: 'operator', by: 'ada', fromWeight: 25, reason: 'it hurts' })
      .when(abort(time + 1))
      .then();
  });

  it('is done already where the rollback is under way or over', () => {
    const back = given(...baking(2), rollbackInitiated(time), shifted(0, time + 900));
    back.when(abort(time + 1000)).then();
    back
      .when({ type: 'ConfirmRollback', differences: [], now: time + 90_000 })
      .when(abort(time + 91_000))
      .then();
  });

  it('of a promotion under way takes it back', () => {
    given(...baking(10), promotionOrdered(minutes(190)))
      .when(abort(minutes(191)))
      .then({ type: 'RollbackInitiated', fromWeight: 100 });
  });

  it('is a person’s to say also when the window is over', () => {
    done.when(abort(minutes(300))).then({ type: 'RollbackInitiated', fromWeight: 100 });
    done
      .and(completed(minutes(292)))
      .when(abort(minutes(300)))
      .then({ type: 'RollbackInitiated' });
  });

  it('is not suspended by an override, nor by a broken stable', () => {
    given(...baking(2), override(time - 1, time + 3_600_000))
      .when(abort(time))
      .then({ type: 'RollbackInitiated' });
    broken(given(...baking(2)))
      .when(abort(time + 9))
      .then({ type: 'RollbackInitiated' });
  });
});

const broken = (story: Story) =>
  [0, 1, 2].reduce<Story>((so, n) => so.when(failHealth('stable', time + n)), story);

describe('a rollback that nobody asked for', () => {
  it('is refused after the window, to the millisecond', () => {
    done.when(rollBack('deployment', minutes(201) - 1)).then({ type: 'RollbackInitiated' });
    done.when(rollBack('deployment', minutes(201))).refused('window-over');
  });

  it('is not begun by what was told late, from before the rollout', () => {
    const late = { ...rollBack('deployment', time), changedAt: at(-61) };
    given(...baking(2))
      .when(late)
      .refused('from-before');
    given(...baking(2))
      .when({ ...late, changedAt: at(1) })
      .then({ type: 'RollbackInitiated', trigger: 'deployment' });
  });

  it('is suspended by an override once somebody is on the canary', () => {
    const overridden = given(...baking(2), override(time - 1, time + 60_000));
    overridden.when(rollBack('deployment', time)).refused('overridden');
    overridden.when(rollBack('deployment', time + 60_000)).then({ type: 'RollbackInitiated' });
    given(started(), override(time - 1, time + 60_000))
      .when(rollBack('deployment', time))
      .then({ type: 'RollbackInitiated' });
  });

  it('after an outage is not suspended: the rollout could not go on either way', () => {
    given(...baking(2), override(time - 1, time + 60_000))
      .when(rollBack('outage', time))
      .then({ type: 'RollbackInitiated', trigger: 'outage' });
  });

  it('after an outage does not take a promoted release back', () => {
    done.when(rollBack('outage', minutes(192))).then();
  });

  it.each(['deployment', 'outage'] as const)('sends nobody onto a broken stable (%s)', (trigger) => {
    broken(given(...baking(2)))
      .when(rollBack(trigger, time + 9))
      .then({ type: 'RolloutHeld', reason: 'cannot-go-back' })
      .when(rollBack(trigger, time + 10))
      .then();
  });
});

describe('a failed analysis', () => {
  it('takes the canary off, whatever the phase', () => {
    given(...baking(10), promotionOrdered(bakedAt(10)))
      .when(record('fail', bakedAt(10) + 1))
      .then({ type: 'AnalysisRecorded' }, { type: 'RollbackInitiated', trigger: 'analysis' });
  });

  it('is recorded, and no more, where a person skipped the analysis', () => {
    given(...baking(2), promotionOrdered(time, 'full'))
      .when(record('fail', time + 1))
      .then({ type: 'AnalysisRecorded' });
  });

  it('is recorded, and no more, under an override, and acted upon at the first look after it', () => {
    given(...baking(2), override(time - 1, time + 60_000))
      .when(record('fail', time))
      .then({ type: 'AnalysisRecorded', verdict: 'fail' })
      .when(record('fail', time + 30_000))
      .then()
      .when(record('fail', time + 60_000))
      .then({ type: 'RollbackInitiated' });
  });

  it('sends nobody onto a broken stable', () => {
    broken(given(...baking(2)))
      .when(record('fail', time + 9))
      .then({ type: 'AnalysisRecorded' }, { type: 'RolloutHeld', reason: 'cannot-go-back' });
  });

  it('after the fact takes a blue/green back to what it was', () => {
    const blueGreen = planFor({ kind: 'blue-green' });
    const end = bakedAt(1, blueGreen);
    const { rollout } = given(...baking(1, blueGreen))
      .when(record('fail', end))
      .then({ type: 'AnalysisRecorded' }, { type: 'RollbackInitiated', fromWeight: 100 })
      .when({ type: 'ConfirmShift', weight: 0, now: end + 800 })
      .then({ type: 'TrafficShifted', weight: 0 })
      .when({ type: 'ConfirmRollback', differences: [], now: end + 90_000 })
      .then({ type: 'RollbackCompleted', trafficOffMs: 800 });
    expect(rollout()).toMatchObject({
      phase: 'rolled-back',
      weight: 0,
      reason: expect.stringContaining('canary fail'),
    });
  });
});

describe('a rollback', () => {
  const back = given(...baking(2), rollbackInitiated(time, 'alarm', 25));

  it('is over only when the balancer was seen to send the canary nothing', () => {
    back.when({ type: 'ConfirmRollback', differences: [], now: time + 1 }).refused('traffic-on');
    back.when({ type: 'ConfirmShift', weight: 25, now: time + 1 }).refused('superseded');
    back
      .when({ type: 'ConfirmShift', weight: 0, now: time + 900 })
      .then({ type: 'TrafficShifted', weight: 0 })
      .when({ type: 'ConfirmShift', weight: 0, now: time + 5000 })
      .then()
      .when({ type: 'ConfirmRollback', differences: [], now: time + 61_000 })
      .then({ type: 'RollbackCompleted', trafficOffMs: 900 })
      .when({ type: 'ConfirmRollback', differences: [], now: time + 62_000 })
      .then();
  });

  it('says what is not as it was, briefly', () => {
    const differences = Array.from({ length: 9 }, (_, index) => `difference ${index}: ${'x'.repeat(200)}`);
    const { decision } = back
      .and(shifted(0, time + 900))
      .when({ type: 'ConfirmRollback', differences, now: time + 61_000 })
      .then({ type: 'RollbackCompleted' });
    const [event] = decision.outcome === 'accepted' ? decision.events : [];
    expect(event).toHaveProperty('differences.length', 5);
    expect(event).toHaveProperty('differences.0.length', 120);
  });

  it('never takes less than no time, whatever the clocks say', () => {
    back
      .and(shifted(0, time - 2000))
      .when({ type: 'ConfirmRollback', differences: [], now: time + 1 })
      .then({ type: 'RollbackCompleted', trafficOffMs: 0 });
  });

  it('wants nothing on the canary until the next rollout starts', () => {
    const ended = back
      .when({ type: 'ConfirmShift', weight: 0, now: time + 900 })
      .when({ type: 'ConfirmRollback', differences: [], now: time + 61_000 });
    for (const story of [back, ended, ended.when(alarm(time + 62_000))])
      expect(desiredWeight(story.rollout())).toBe(0);
  });

  it('does not need a prepared canary, a shift or a verdict before it', () => {
    for (const story of [given(started()), given(...baking(0), judged('inconclusive', at(90)))]) {
      story.when(alarm(at(100))).then({ type: 'AlarmReceived' }, { type: 'RollbackInitiated' });
    }
  });
});
