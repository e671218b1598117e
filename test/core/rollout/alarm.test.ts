import { describe, expect, it } from 'vitest';
import {
  alarm,
  baking,
  canaryAlarm,
  completed,
  failHealth,
  judged,
  minutes,
  ordered,
  paused,
  prepared,
  promoted,
  promotionOrdered,
  record,
  rollbackCompleted,
  rollbackInitiated,
  serviceAlarm,
  shifted,
  started,
  stepAt,
} from './facts.ts';
import { given, type Story } from './given.ts';

const time = stepAt(0) + 60_000;
const service = (over: Parameters<typeof alarm>[1] = {}, now = time) =>
  alarm(now, { alarm: serviceAlarm, ...over });
/** Half of the users are on the canary, and it passed at this step. */
const halfWay = given(...baking(5), judged('pass', stepAt(5) + 60_000));
const halfTime = stepAt(5) + 120_000;
const brokenStable = (story: Story, now: number) =>
  [0, 1, 2].reduce<Story>((so, n) => so.when(failHealth('stable', now + n)), story);

describe('an alarm of the canary', () => {
  it('takes the traffic off, with the alarm as its reason', () => {
    const { rollout } = given(...baking(2))
      .when(alarm(time))
      .then(
        { type: 'AlarmReceived', alarm: canaryAlarm.name, action: 'roll-back', changedAt: time - 400 },
        {
          ...{ type: 'RollbackInitiated', trigger: 'alarm', fromWeight: 25, by: 'switchback' },
          reason: expect.stringContaining(`alarm ${canaryAlarm.name}: Threshold Crossed`),
        },
      );
    expect(rollout()).toMatchObject({ phase: 'rolling-back', trafficOffAt: null });
  });

  it.each([
    ['while the canary is prepared', given(started())],
    ['while a shift is under way', given(started(), prepared(), ordered(0, 5, time - 10))],
    ['while paused', given(...baking(0), paused(time - 10))],
    ['while held', given(...baking(0)).when({ type: 'Hold', reason: 'capacity', why: 'x', now: time - 10 })],
    ['during the promotion', given(...baking(10), promotionOrdered(time - 10))],
  ] as const)('%s as well', (_, story) => {
    story.when(alarm(time)).then({ type: 'AlarmReceived' }, { type: 'RollbackInitiated' });
  });

  it('does it again within the cool-off: the way toward stable is never throttled', () => {
    const again = given(
      ...baking(0),
      rollbackInitiated(time),
      shifted(0, time + 1),
      rollbackCompleted(time + 2),
    ).and(started({ rolloutId: 'ro-2', at: time + 1000 }));
    again
      .when(alarm(time + 2000))
      .then({ type: 'AlarmReceived', action: 'roll-back' }, { type: 'RollbackInitiated' });
  });

  it('delivered late, from before the rollout began, is recorded as part of the baseline', () => {
    given(started({ at: time }), prepared())
      .when(alarm(time + 300)) // it changed 400 ms before
      .then({ type: 'AlarmReceived', action: 'baseline' });
  });

  it('is recorded during the rollback, and changes nothing', () => {
    given(...baking(0), rollbackInitiated(time))
      .when(alarm(time + 1))
      .then({ type: 'AlarmReceived', action: 'already-rolling-back' })
      .when(alarm(time + 1))
      .then({ type: 'AlarmReceived', action: 'already-rolling-back' });
  });

  it('is recorded where nothing runs, and changes nothing', () => {
    given().when(alarm(time)).then({ type: 'AlarmReceived', action: 'none' });
  });

  it('that begins with good news is remembered with it', () => {
    const { state } = given(...baking(0)).when(alarm(time, { state: 'OK' }));
    expect(state.alarms).toEqual({
      [canaryAlarm.name]: { state: 'OK', action: 'none', at: time, changedAt: time - 400 },
    });
  });

  it('that is over is recorded, and changes nothing', () => {
    given(...baking(0))
      .when(alarm(time, { state: 'OK' }))
      .then({ type: 'AlarmReceived', state: 'OK', action: 'none' });
  });

  it('rolls back within the window after the promotion, to the millisecond', () => {
    const story = given(...baking(10), promotionOrdered(minutes(190)), promoted(minutes(191), 600));
    story
      .when(alarm(minutes(201) - 1))
      .then({ type: 'AlarmReceived' }, { type: 'RollbackInitiated', fromWeight: 100 });
    story.when(alarm(minutes(201))).then({ type: 'AlarmReceived', action: 'none' });
  });

  it('rolls back within the window also when the old side is gone: it is warmed first', () => {
    const { rollout } = given(...baking(10), promotionOrdered(minutes(190)), promoted(minutes(191)))
      .and(completed(minutes(192)))
      .when(alarm(minutes(193)))
      .then({ type: 'AlarmReceived' }, { type: 'RollbackInitiated' });
    expect(rollout()).toMatchObject({ phase: 'rolling-back', afterPromotion: true });
  });

  it('sends nobody onto a broken stable: a person is asked', () => {
    const { rollout } = brokenStable(given(...baking(1)), time)
      .when(alarm(time + 1000))
      .then({ type: 'AlarmReceived', action: 'hold' }, { type: 'RolloutHeld', reason: 'cannot-go-back' });
    expect(rollout()).toMatchObject({ phase: 'held', weight: 15 });
  });

  it('takes back a canary that nobody is on, whatever stable does', () => {
    brokenStable(given(started(), prepared()), time)
      .when(alarm(time + 1000))
      .then({ type: 'AlarmReceived', action: 'roll-back' }, { type: 'RollbackInitiated', fromWeight: 0 });
  });

  it('counts stable as broken for five minutes after it was last seen so', () => {
    const story = brokenStable(given(...baking(1)), time);
    const lastSeen = time + 2;
    story
      .when(alarm(lastSeen + 299_999))
      .then({ type: 'AlarmReceived', action: 'hold' }, { type: 'RolloutHeld' });
    story.when(alarm(lastSeen + 300_000)).then({ type: 'AlarmReceived' }, { type: 'RollbackInitiated' });
  });
});

describe('an alarm of the whole service', () => {
  it.each(['canary', 'unknown'] as const)('rolls back when the evidence says %s', (blame) => {
    given(...baking(0))
      .when(service({ blame }))
      .then({ type: 'AlarmReceived' }, { type: 'RollbackInitiated' });
  });

  it('is held when both sides suffer: going back would not help', () => {
    given(...baking(0))
      .when(service({ blame: 'both' }))
      .then({ type: 'AlarmReceived', action: 'hold' }, { type: 'RolloutHeld', reason: 'both-sides-suffer' });
  });

  it('rolls back when both sides suffer, if so configured', () => {
    const strict = { ...serviceAlarm, onBothSuffer: 'roll-back' as const };
    given(...baking(0))
      .when(service({ alarm: strict, blame: 'both' }))
      .then({ type: 'AlarmReceived', action: 'roll-back' }, { type: 'RollbackInitiated' });
  });

  it('is held when stable suffers and most users are on it', () => {
    given(...baking(4), judged('pass', stepAt(4) + 1))
      .when(service({ blame: 'stable' }, stepAt(4) + 1000))
      .then({ type: 'AlarmReceived', action: 'hold' }, { type: 'RolloutHeld', reason: 'stable-suffers' });
  });

  it('keeps a canary that passed when stable suffers and the canary has the greater part', () => {
    halfWay
      .when(service({ blame: 'stable' }, halfTime))
      .then(
        { type: 'AlarmReceived', action: 'keep-canary' },
        { type: 'PromotionOrdered', mode: 'stable-broken' },
      );
  });

  it('keeps the healthy canary when stable fails during the promotion', () => {
    const { rollout } = given(...baking(5), promotionOrdered(halfTime, 'full'))
      .when(service({ blame: 'stable' }, halfTime + 1))
      .then({ type: 'AlarmReceived', action: 'keep-canary' });
    expect(rollout()).toMatchObject({ phase: 'promoting', weight: 55 });
  });

  it.each([
    ['nothing is known of yet', given(...baking(5))],
    ['the analysis could not tell about', given(...baking(5), judged('inconclusive', halfTime - 1))],
    ['a person paused', halfWay.and(paused(halfTime - 1))],
    ['a shift is under way to', halfWay.and(ordered(6, 65, halfTime - 1))],
    ['fails its health checks', halfWay.when(failHealth('canary', halfTime - 1))],
  ] as const)('does not promote a canary that %s: it is held', (_, story) => {
    story
      .when(service({ blame: 'stable' }, halfTime))
      .then({ type: 'AlarmReceived', action: 'hold' }, { type: 'RolloutHeld', reason: 'stable-suffers' });
  });

  it('does not take the say from whoever moved the traffic: drift stays drift', () => {
    const { rollout } = halfWay
      .when({ type: 'FindDrift', foundWeight: 20, what: 'somebody gave it 20 %', now: halfTime - 1 })
      .when(service({ blame: 'stable' }, halfTime))
      .then({ type: 'AlarmReceived', action: 'hold' });
    expect(rollout()).toMatchObject({ phase: 'held', reason: 'drift', weight: 20 });
  });

  it('sends nobody onto a stable that was given up a minute ago', () => {
    halfWay
      .when(service({ blame: 'stable' }, halfTime))
      .when(alarm(halfTime + 60_000))
      .then({ type: 'AlarmReceived', action: 'hold' }, { type: 'RolloutHeld', reason: 'cannot-go-back' });
  });
});

describe('an alarm that watches one slot', () => {
  const ofBlue = { ...canaryAlarm, name: 'blue-5xx', slot: 'blue' as const };
  const ofGreen = { ...canaryAlarm, name: 'green-5xx', slot: 'green' as const };

  it('takes traffic off when the canary is there', () => {
    given(...baking(0))
      .when(alarm(time, { alarm: ofGreen }))
      .then({ type: 'AlarmReceived' }, { type: 'RollbackInitiated' });
  });

  it('speaks of stable when stable is there: held, not rolled back onto it', () => {
    given(...baking(0))
      .when(alarm(time, { alarm: ofBlue }))
      .then({ type: 'AlarmReceived', action: 'hold' }, { type: 'RolloutHeld', reason: 'stable-suffers' });
  });

  it('speaks of stable when stable is there: a canary that passed is kept', () => {
    halfWay
      .when(alarm(halfTime, { alarm: ofBlue }))
      .then(
        { type: 'AlarmReceived', action: 'keep-canary' },
        { type: 'PromotionOrdered', mode: 'stable-broken' },
      );
  });

  it('never rolls back onto a stable it cannot see', () => {
    const strict = { ...ofBlue, onUnknown: 'roll-back' as const };
    given(...baking(0))
      .when(alarm(time, { alarm: strict, state: 'INSUFFICIENT_DATA' }))
      .then({ type: 'AlarmReceived', action: 'hold' }, { type: 'RolloutHeld', reason: 'unknown' });
  });
});

describe('an alarm in ALARM before the start', () => {
  const baseline = (...names: readonly string[]) =>
    given(
      started({ baselineAlarms: [...names] }),
      prepared(),
      ordered(0, 5, stepAt(0) - 1),
      shifted(5, stepAt(0)),
    );

  it('is no new breach, so that a fix can ship', () => {
    baseline(canaryAlarm.name).when(alarm(time)).then({ type: 'AlarmReceived', action: 'baseline' });
  });

  it('is one no longer when it went OK: its next breach is new', () => {
    baseline(canaryAlarm.name, 'other')
      .when(alarm(time, { state: 'OK' }))
      .then({ type: 'AlarmReceived', action: 'none' })
      .when(alarm(time + 1000))
      .then({ type: 'AlarmReceived', action: 'roll-back' }, { type: 'RollbackInitiated' });
  });

  it('leaves the other alarms what they are', () => {
    baseline('other').when(alarm(time)).then({ type: 'AlarmReceived' }, { type: 'RollbackInitiated' });
  });

  const judgedAs = (blame: 'canary' | 'both' | 'stable', eValue: number) => ({
    blame,
    judged: {
      ...{ blame, eValue, sentence: 'so it is' },
      ...{ canary: { requests: 100, errors: 9 }, stable: { requests: 900, errors: 9 } },
    },
  });

  it('counts when it is worse: it changed since, and the canary suffers as stable does not', () => {
    baseline(serviceAlarm.name)
      .when(service(judgedAs('canary', 20)))
      .then({ type: 'AlarmReceived', action: 'roll-back' }, { type: 'RollbackInitiated' });
  });

  it.each([
    ['it cannot be told apart', judgedAs('canary', 19.9)],
    ['both suffer', judgedAs('both', 50)],
    ['stable suffers', judgedAs('stable', 50)],
    ['nothing can be read', { blame: 'unknown' } as const],
  ])('does not count as worse where %s', (_, evidence) => {
    baseline(serviceAlarm.name).when(service(evidence)).then({ type: 'AlarmReceived', action: 'baseline' });
  });

  it('does not count as worse when it is the old news, come late', () => {
    baseline(serviceAlarm.name)
      .when(service({ ...judgedAs('canary', 50), changedAt: minutes(-3) }))
      .then({ type: 'AlarmReceived', action: 'baseline' });
  });

  it('is worse when the analysis says so, whatever the alarm does', () => {
    baseline(canaryAlarm.name)
      .when(record('fail', time))
      .then({ type: 'AnalysisRecorded' }, { type: 'RollbackInitiated', trigger: 'analysis' });
  });
});

describe('an alarm that cannot tell', () => {
  it.each([
    ['wait', [{ type: 'AlarmReceived', action: 'wait' }]],
    [
      'hold',
      [
        { type: 'AlarmReceived', action: 'hold' },
        { type: 'RolloutHeld', reason: 'unknown' },
      ],
    ],
    ['roll-back', [{ type: 'AlarmReceived', action: 'roll-back' }, { type: 'RollbackInitiated' }]],
  ] as const)('leads to what its policy says: %s', (onUnknown, expected) => {
    given(...baking(0))
      .when(alarm(time, { alarm: { ...canaryAlarm, onUnknown }, state: 'INSUFFICIENT_DATA' }))
      .then(...expected);
  });
});
