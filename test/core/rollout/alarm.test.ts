import { describe, expect, it } from 'vitest';
import { alarmNews } from '../../../lib/core/rollout/alarmNews.ts';
import {
  alarm,
  baking,
  canaryAlarm,
  completed,
  failHealth,
  judged,
  minutes,
  ordered,
  override,
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
    expect(state.alarms).toEqual({ [canaryAlarm.name]: { state: 'OK', action: 'none', at: time } });
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

  it('counts when it is worse: it changed since, and the canary suffers as stable does not', () => {
    baseline(serviceAlarm.name)
      .when(service({ blame: 'canary' }))
      .then({ type: 'AlarmReceived', action: 'roll-back' }, { type: 'RollbackInitiated' });
  });

  it.each(['unknown', 'both', 'stable'] as const)(
    'does not count as worse when the evidence says %s',
    (blame) => {
      baseline(serviceAlarm.name)
        .when(service({ blame }))
        .then({ type: 'AlarmReceived', action: 'baseline' });
    },
  );

  it('does not count as worse when it is the old news, come late', () => {
    baseline(serviceAlarm.name)
      .when(service({ blame: 'canary', changedAt: minutes(-3) }))
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

describe('the cool-off of 30 s', () => {
  const both = (now: number) => service({ blame: 'both' }, now);
  const resume = (now: number) => ({ type: 'Resume', by: 'ada', now }) as const;
  const first = given(...baking(0)).when(both(time));

  it('suppresses an equal action up to its last millisecond, and records the alarm', () => {
    first
      .when(resume(time + 1000))
      .when(both(time + 29_999))
      .then({ type: 'AlarmReceived', action: 'suppressed' });
  });

  it('is over after 30 s', () => {
    first
      .when(resume(time + 1000))
      .when(both(time + 30_000))
      .then({ type: 'AlarmReceived', action: 'hold' }, { type: 'RolloutHeld' });
  });

  it('runs from the last action, not from what it suppressed', () => {
    first
      .when(resume(time + 1000))
      .when(both(time + 20_000))
      .then({ type: 'AlarmReceived', action: 'suppressed' })
      .when(both(time + 30_000))
      .then({ type: 'AlarmReceived', action: 'hold' }, { type: 'RolloutHeld' });
  });

  it('is not ended by an OK in between: that is what flapping looks like', () => {
    first
      .when(resume(time + 1000))
      .when(service({ state: 'OK' }, time + 5000))
      .when(both(time + 10_000))
      .then({ type: 'AlarmReceived', action: 'suppressed' });
  });

  it('does not hold back another alarm', () => {
    const other = { ...serviceAlarm, name: 'other' };
    first
      .when(resume(time + 1000))
      .when(service({ alarm: other, blame: 'both' }, time + 2000))
      .then({ type: 'AlarmReceived', action: 'hold' }, { type: 'RolloutHeld' });
  });

  it('does not hold back another action of the same alarm', () => {
    first
      .when(service({ blame: 'canary' }, time + 2000))
      .then({ type: 'AlarmReceived', action: 'roll-back' }, { type: 'RollbackInitiated' });
  });

  it('is the configured one', () => {
    given(...baking(0))
      .when(service({ blame: 'both', settings: { coolOffSeconds: 0 } }))
      .when(resume(time + 1))
      .when(service({ blame: 'both', settings: { coolOffSeconds: 0 } }, time + 2))
      .then({ type: 'AlarmReceived', action: 'hold' }, { type: 'RolloutHeld' });
  });

  it('does not hold a rollout twice for one reason', () => {
    first.when(both(time + 60_000)).then({ type: 'AlarmReceived', action: 'hold' });
  });

  it('remembers the newest eight alarms', () => {
    const names = Array.from({ length: 10 }, (_, index) => `alarm-${index}`);
    const { state } = names.reduce<Story>(
      (story, name) => story.when(service({ alarm: { ...serviceAlarm, name }, blame: 'both' })),
      given(...baking(0)),
    );
    expect(Object.keys(state.alarms)).toEqual(names.slice(2));
  });
});

describe('an override', () => {
  const until = time + 3_600_000;
  const overridden = given(...baking(0), override(time - 1000, until));

  it('suspends what an alarm does until its last millisecond, never the record', () => {
    overridden.when(alarm(until - 1)).then({ type: 'AlarmReceived', action: 'overridden' });
    overridden.when(alarm(until)).then({ type: 'AlarmReceived' }, { type: 'RollbackInitiated' });
  });

  it('ends when it is lifted, once', () => {
    overridden
      .when({ type: 'LiftOverride', by: 'ada', now: time })
      .then({ type: 'OverrideLifted', by: 'ada' })
      .when({ type: 'LiftOverride', by: 'ada', now: time })
      .then()
      .when(alarm(time))
      .then({ type: 'AlarmReceived' }, { type: 'RollbackInitiated' });
  });

  it('that is over need not be lifted', () => {
    overridden.when({ type: 'LiftOverride', by: 'ada', now: until }).then();
  });

  it.each([
    ['with a reason', { why: '  ' }, 'no-reason'],
    ['into the future', { until: time }, 'expired'],
    ['at a time', { until: Number.NaN }, 'expired'],
    ['for a day at most', { until: time + 24 * 3_600_000 + 1 }, 'too-long'],
  ] as const)('is set %s', (_, over, reason) => {
    const set = { type: 'SetOverride', by: 'ada', why: 'load test', until, now: time } as const;
    given()
      .when({ ...set, ...over })
      .refused(reason);
    given().when(set).then({ type: 'OverrideSet', by: 'ada', until });
    given()
      .when({ ...set, until: time + 24 * 3_600_000 })
      .then({ type: 'OverrideSet' });
  });
});

describe('alarm states read at a look', () => {
  const baked = given(...baking(0));
  const read = (state: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA' | null, changedAt: number | null = time) => [
    { name: serviceAlarm.name, state, changedAt, reason: 'read' },
  ];
  const news = ({ state }: Story, readings: ReturnType<typeof read>, over = {}, now = time + 60_000) =>
    alarmNews(state, [{ ...serviceAlarm, ...over }], readings, now);

  it('are news when the stream has not heard of them', () => {
    expect(news(baked, read('ALARM'))).toEqual([
      { alarm: serviceAlarm, state: 'ALARM', changedAt: time, reason: 'read' },
    ]);
  });

  it('are no news when it has', () => {
    expect(news(baked.when(service({ blame: 'both', changedAt: time })), read('ALARM'))).toEqual([]);
  });

  it('are news when the breach is a newer one', () => {
    expect(news(baked.when(service({ blame: 'both' })), read('ALARM', time + 30_000))).toHaveLength(1);
  });

  it('are news when the action was suppressed', () => {
    const suppressed = baked
      .when(service({ blame: 'both' }))
      .when({ type: 'Resume', by: 'ada', now: time + 1 })
      .when(service({ blame: 'both', changedAt: time + 9000 }, time + 10_000))
      .then({ type: 'AlarmReceived', action: 'suppressed' });
    expect(news(suppressed, read('ALARM', time + 9000))).toHaveLength(1);
  });

  it('are news when an override kept the hands off and is over', () => {
    const until = time + 30_000;
    const kept = baked.and(override(time - 1, until)).when(service({ changedAt: time }));
    expect(news(kept, read('ALARM'), {}, until - 1)).toEqual([]);
    expect(news(kept, read('ALARM'), {}, until)).toHaveLength(1);
  });

  it('are no news when they are good', () => {
    expect(news(baked, read('OK'))).toEqual([]);
  });

  it('are news when they are good and end a baseline', () => {
    const story = given(started({ baselineAlarms: [serviceAlarm.name] }));
    expect(news(story, read('ALARM'))).toEqual([]);
    expect(news(story, read('OK'))).toHaveLength(1);
    expect(news(story.when(service({ state: 'OK' })), read('ALARM', time + 1))).toHaveLength(1);
  });

  it('that cannot be read are unknown, and the policy says what that does, once', () => {
    expect(news(baked, read(null, null), { onUnknown: 'wait' })).toEqual([]);
    const [unknown] = news(baked, read(null, null), { onUnknown: 'hold' });
    expect(unknown).toMatchObject({ state: 'INSUFFICIENT_DATA', changedAt: time + 60_000 });
    const heard = baked.when(
      service({ alarm: { ...serviceAlarm, onUnknown: 'hold' }, state: 'INSUFFICIENT_DATA' }),
    );
    expect(news(heard, read(null, null), { onUnknown: 'hold' })).toEqual([]);
    const good = heard.when(service({ state: 'OK' }, time + 1));
    expect(news(good, read(null, null), { onUnknown: 'hold' })).toHaveLength(1);
  });

  it('that are missing count as unreadable', () => {
    expect(news(baked, [], { onUnknown: 'roll-back' })).toMatchObject([
      { reason: 'its state cannot be read' },
    ]);
  });

  it('are news of no rollout where there is none', () => {
    expect(news(given(), read('ALARM'))).toEqual([]);
  });
});
