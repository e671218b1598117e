import { describe, expect, it } from 'vitest';
import { alarmNews } from '../../../lib/core/rollout/alarmNews.ts';
import { alarm, baking, override, serviceAlarm, started, stepAt } from './facts.ts';
import { given, type Story } from './given.ts';

const time = stepAt(0) + 60_000;
const service = (over: Parameters<typeof alarm>[1] = {}, now = time) =>
  alarm(now, { alarm: serviceAlarm, ...over });

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

  it('are no news when it has, whoever’s clock is behind', () => {
    const heardByASlowClock = baked.when(service({ blame: 'both', changedAt: time + 300 }, time));
    expect(news(heardByASlowClock, read('ALARM', time + 300))).toEqual([]);
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
