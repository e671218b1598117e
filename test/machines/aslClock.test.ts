/** The two clocks: one stands still until it is moved, the other waits for longer than a timer can. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { realClock, sleep, VirtualClock } from '../../lib/asl/clock.ts';

describe('VirtualClock', () => {
  it('fires timers in the order of their time, then of their scheduling', async () => {
    const clock = new VirtualClock(0);
    const fired: string[] = [];
    clock.schedule(20, () => fired.push(`late ${clock.now()}`));
    clock.schedule(10, () => {
      fired.push(`early ${clock.now()}`);
      clock.schedule(10, () => fired.push(`nested ${clock.now()}`));
    });
    clock.schedule(20, () => fired.push('never'))();
    await clock.advance(15);
    expect(fired).toEqual(['early 10']);
    expect(clock.now()).toBe(15);
    await clock.advance(5);
    expect(fired).toEqual(['early 10', 'late 20', 'nested 20']);
    expect(clock.nextAt).toBeNull();
  });

  it('says so when nothing is left that could settle a promise', async () => {
    const clock = new VirtualClock();
    await expect(clock.runUntil(new Promise(() => undefined))).rejects.toThrow('nothing is scheduled');
  });

  it('ends a sleep that is aborted', async () => {
    const clock = new VirtualClock();
    const stop = new AbortController();
    const sleeping = sleep(clock, 1000, stop.signal);
    stop.abort('enough');
    await expect(sleeping).rejects.toBe('enough');
    expect(clock.nextAt).toBeNull();
  });
});

describe('realClock', () => {
  afterEach(() => void vi.useRealTimers());
  const dayMs = 86_400_000;

  it('waits for a year, though a timer holds 24.8 days', () => {
    vi.useFakeTimers();
    const fired = vi.fn();
    realClock.schedule(365 * dayMs, fired);
    vi.advanceTimersByTime(364 * dayMs);
    expect(fired).not.toHaveBeenCalled();
    vi.advanceTimersByTime(dayMs);
    expect(fired).toHaveBeenCalledOnce();
  });

  it('can be told to forget, also after the first part of a long wait', () => {
    vi.useFakeTimers();
    const fired = vi.fn();
    const cancel = realClock.schedule(60 * dayMs, fired);
    vi.advanceTimersByTime(30 * dayMs);
    cancel();
    vi.advanceTimersByTime(60 * dayMs);
    expect(fired).not.toHaveBeenCalled();
  });
});
