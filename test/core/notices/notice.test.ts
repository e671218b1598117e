import { describe, expect, it } from 'vitest';
import type { ServiceEvent } from '../../../events/service.ts';
import { flapSeconds, messagesMax, noticeOf } from '../../../lib/core/notices/notice.ts';

const at = 1_780_000_000_000;
const initiated = (when = at): ServiceEvent => ({
  type: 'RollbackInitiated',
  at: when,
  rolloutId: 'r1',
  trigger: 'alarm',
  reason: 'alarm shop-errors: 7 % of the answers are errors',
  by: 'switchback',
  fromWeight: 25,
});
const lifted = (when = at): ServiceEvent => ({ type: 'OverrideLifted', at: when, by: 'Ada' });
const shifted = (when = at): ServiceEvent => ({
  type: 'TrafficShifted',
  at: when,
  rolloutId: 'r1',
  weight: 25,
});
/** So many decisions, a second between two. */
const decisions = (count: number, make = initiated, from = at): ServiceEvent[] =>
  Array.from({ length: count }, (_, index) => make(from + index * 1000));

describe('a notice', () => {
  it('says what was decided, from where and why', () => {
    expect(noticeOf('shop', initiated(), [])).toEqual({
      subject: 'shop: rolling back',
      sentence:
        'Rolling back from 25 %, because of the alarm: alarm shop-errors: 7 % of the answers are errors',
      urgency: 'page',
      decisions: 1,
    });
  });

  it('is not made of steps on the way, only of decisions', () => {
    expect(noticeOf('shop', shifted(), [])).toBeNull();
  });

  it('names what is not as it was before the rollout', () => {
    const completed = { type: 'RollbackCompleted', at, rolloutId: 'r1', trafficOffMs: 310 } as const;
    const clean = noticeOf('shop', { ...completed, differences: [] }, []);
    const left = noticeOf('shop', { ...completed, differences: ['stable has 1 healthy task, it had 2'] }, []);
    expect(clean?.sentence).toBe('All traffic was off after 310 ms; stable is as it was.');
    expect(clean?.urgency).toBe('tell');
    expect(left).toMatchObject({
      urgency: 'page',
      sentence: expect.stringContaining('but: stable has 1 healthy task, it had 2'),
    });
  });

  it('tells who suspended automatic roll backs until when, and of each alarm that met it', () => {
    const until = Date.UTC(2026, 10, 21, 12, 30);
    const set = noticeOf('shop', { type: 'OverrideSet', at, by: 'ada', why: 'load test', until }, []);
    expect(set).toMatchObject({
      urgency: 'page',
      sentence: 'ada suspended automatic roll backs until 2026-11-21T12:30:00.000Z: load test',
    });
    const rang = {
      ...({ type: 'AlarmReceived', at, alarm: 'shop-green-errors', state: 'ALARM' } as const),
      ...({ changedAt: at, scope: 'canary', reason: '12 % failed' } as const),
    };
    expect(noticeOf('shop', { ...rang, action: 'overridden' }, [])).toMatchObject({
      urgency: 'page',
      subject: 'shop: alarm overridden',
      sentence: expect.stringContaining('12 % failed'),
    });
    expect(noticeOf('shop', { ...rang, action: 'roll-back' }, [])).toBeNull();
  });

  it('has a subject that SNS takes, however long the service is called', () => {
    expect(noticeOf('s'.repeat(120), initiated(), [])?.subject).toHaveLength(100);
  });
});

describe('while a service flaps', () => {
  it('the sixth decision within ten minutes becomes a digest that pages', () => {
    const earlier = decisions(messagesMax, lifted);
    const digest = noticeOf('shop', lifted(at + 60_000), earlier);
    expect(digest).toMatchObject({
      subject: 'shop is flapping: 6 decisions in ten minutes',
      urgency: 'page',
      decisions: 6,
    });
    expect(digest?.sentence).toContain('override lifted; override lifted');
  });

  it('what is good to know waits for the next digest, and nothing that pages does', () => {
    const seven = decisions(messagesMax + 1, lifted);
    expect(noticeOf('shop', lifted(at + 60_000), seven)).toBeNull();
    expect(noticeOf('shop', initiated(at + 60_000), seven)).toMatchObject({ urgency: 'page', decisions: 7 });
  });

  it('every fifth decision after the first digest is told again', () => {
    const told = Array.from({ length: 22 }, (_, count) =>
      noticeOf('shop', lifted(at + 60_000), decisions(count, lifted)),
    ).flatMap((notice, count) => (notice === null ? [] : [count + 1]));
    expect(told).toEqual([1, 2, 3, 4, 5, 6, 11, 16, 21]);
  });

  it('steps between the decisions do not count, nor what is older than ten minutes', () => {
    expect(noticeOf('shop', lifted(at + 60_000), decisions(40, shifted))?.decisions).toBe(1);
    const old = decisions(20, lifted, at - flapSeconds * 1000 - 20_000);
    expect(noticeOf('shop', lifted(), old)?.decisions).toBe(1);
  });
});
