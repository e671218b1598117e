import { describe, expect, it } from 'vitest';
import { alarm, baking, override, serviceAlarm, stepAt } from './facts.ts';
import { given, type Story } from './given.ts';

const time = stepAt(0) + 60_000;
const service = (over: Parameters<typeof alarm>[1] = {}, now = time) =>
  alarm(now, { alarm: serviceAlarm, ...over });

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
