import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { breakerThreshold, restartDelayMs } from '../../../lib/local/ecs/circuitBreaker.ts';
import { type PlanInput, type PlanTask, planRolling } from '../../../lib/local/ecs/rollingPlan.ts';

/** `new` is the newest deployment; `h` healthy, `s` starting, `u` unhealthy, `l` leaving. */
function tasks(text: string): PlanTask[] {
  const states = { h: 'healthy', s: 'starting', u: 'unhealthy', l: 'leaving' } as const;
  return text
    .split(' ')
    .filter(Boolean)
    .map((word, i) => {
      const [deployment = '', state = 'h'] = word.split(':');
      return { id: `${i}`, deployment, state: states[state as keyof typeof states] };
    });
}

const plan = (desired: number, text: string, more: Partial<PlanInput> = {}) => {
  const { start, stop } = planRolling({
    desired,
    minimumHealthyPercent: 100,
    maximumPercent: 200,
    primary: 'new',
    tasks: tasks(text),
    mayStart: true,
    ...more,
  });
  return { start, stop: stop.map(({ id }) => id).join() };
};

describe('a rolling deployment', () => {
  it.each([
    [2, '', {}, 2, ''],
    [2, 'old:h old:h', {}, 2, ''], // 200 %: both new ones beside both old ones
    [2, 'old:h old:h new:s new:s', {}, 0, ''],
    [2, 'old:h old:h new:h new:s', {}, 0, '1'], // one old may go: two stay healthy
    [2, 'old:h old:h new:h new:h', {}, 0, '1,0'],
    // No room: one old goes first
    [2, 'old:h old:h', { maximumPercent: 100, minimumHealthyPercent: 50 }, 0, '1'],
    [2, 'old:h old:l', { maximumPercent: 100, minimumHealthyPercent: 50 }, 0, ''], // and must be gone
    [2, 'old:h', { maximumPercent: 100, minimumHealthyPercent: 50 }, 1, ''],
    [4, 'old:h old:h old:h old:h', { maximumPercent: 150 }, 2, ''],
    [3, 'new:h new:h new:u', {}, 1, '2'], // the sick one is replaced
    [1, 'new:h new:h new:s', {}, 0, '2,1'], // scaling in: not yet healthy first, then the newest
    [0, 'old:h new:h', {}, 0, '1,0'],
    [2, 'old:h old:h', { mayStart: false }, 0, ''],
    [2, 'old:s old:h new:h new:h', {}, 0, '0,1'],
  ] as const)('of %i with "%s" %j starts %i and stops [%s]', (desired, text, more, start, stop) => {
    expect(plan(desired, text, more)).toEqual({ start, stop });
  });

  const someTask = fc.record({
    deployment: fc.constantFrom('old', 'older', 'new'),
    state: fc.constantFrom('starting', 'healthy', 'unhealthy', 'leaving') as fc.Arbitrary<PlanTask['state']>,
  });

  it('never goes over the maximum, and below the minimum only when it already was', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 8 }),
        fc.integer({ min: 0, max: 100 }),
        fc.integer({ min: 100, max: 200 }),
        fc.array(someTask, { maxLength: 20 }),
        (desired, minimumHealthyPercent, maximumPercent, some) => {
          const all = some.map((task, i) => ({ ...task, id: `${i}` }));
          const input = {
            desired,
            minimumHealthyPercent,
            maximumPercent,
            primary: 'new',
            tasks: all,
            mayStart: true,
          };
          const { start, stop } = planRolling(input);
          if (start > 0)
            expect(all.length + start).toBeLessThanOrEqual(Math.floor((desired * maximumPercent) / 100));
          const stopped = new Set(stop.map(({ id }) => id));
          const healthy = all.filter(({ state }) => state === 'healthy');
          const least = Math.min(healthy.length, Math.ceil((desired * minimumHealthyPercent) / 100));
          expect(healthy.filter(({ id }) => !stopped.has(id)).length).toBeGreaterThanOrEqual(
            Math.min(least, desired),
          );
        },
      ),
    );
  });
});

describe('the circuit breaker', () => {
  it.each([
    [1, undefined, 3],
    [25, undefined, 13],
    [1000, undefined, 200],
    [1, { type: 'COUNT', value: 2 }, 2],
    [10, { type: 'UNBOUNDED_PERCENT', value: 10 }, 1],
  ] as const)('of %i tasks with %j trips after %i', (desired, thresholdConfiguration, expected) => {
    const breaker = {
      enable: true,
      rollback: true,
      ...(thresholdConfiguration && { thresholdConfiguration }),
    };
    expect(breakerThreshold(breaker, desired)).toBe(expected);
    expect(breakerThreshold({ ...breaker, enable: false }, desired)).toBeNull();
  });

  it('restarts at once, then after 1, 2, 4 … seconds, at most 5 minutes', () => {
    expect([1, 2, 3, 4, 20].map(restartDelayMs)).toEqual([0, 1000, 2000, 4000, 300_000]);
  });
});
