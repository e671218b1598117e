import { describe, expect, it } from 'vitest';
import { byHand, failing, operate, play, request } from './scene.ts';

describe('a person', () => {
  it('pauses a bake, and what was left of it is baked after the resume', async () => {
    const day = await play({ happenings: [request(), operate(100, 'pause'), operate(500, 'resume')] });
    expect(day.story.filter((type) => type === 'RolloutPaused' || type === 'RolloutResumed')).toHaveLength(2);
    expect(day.all('ShiftOrdered').map(({ weight }) => weight)).toEqual([10, 50, 100]);
    const second = day.simulation.world.places.get('shop')?.balancer.shifts[2]?.at ?? 0;
    const first = day.simulation.world.places.get('shop')?.balancer.shifts[1]?.at ?? 0;
    expect((second - first) / 1000).toBeGreaterThan(180 + 400 - 20);
  });

  it('who pauses a bad release does not keep it: it is judged all the same', async () => {
    const day = await play({
      behaviours: { 'shop:2': failing(120) },
      happenings: [request(), operate(100, 'pause')],
    });
    expect(day.phase).toBe('rolled-back');
  });

  it('moves it on before its bake is over', async () => {
    const day = await play({ happenings: [request(), operate(80, 'promote')] });
    const [, , second] = day.simulation.world.places.get('shop')?.balancer.shifts ?? [];
    expect(second?.reading).toEqual({ kind: 'weights', greenWeight: 50 });
    expect(day.secondsOf('RolloutApproved')).toBeLessThan(82);
    expect(day.phase).toBe('promoted');
  });

  it('skips every step that is left', async () => {
    const day = await play({ happenings: [request(), operate(100, 'promote-fully')] });
    expect(day.greenWeights).toEqual([0, 10, 100]);
    expect(day.all('PromotionOrdered')).toMatchObject([{ mode: 'full', by: 'a person' }]);
  });

  it('aborts at any moment: while tasks start, in a bake, between two steps, after the promotion', async () => {
    for (const atSeconds of [35, 54, 100, 237, 300, 425, 440, 700]) {
      const day = await play({ happenings: [request(), operate(atSeconds, 'abort')] });
      expect([atSeconds, day.phase, day.greenWeights.at(-1)]).toEqual([atSeconds, 'rolled-back', 0]);
    }
  });

  it('who aborts after the promotion is not sent to a side that has nothing running', async () => {
    const day = await play({ happenings: [request(), operate(700, 'abort')] });
    const shifts = day.simulation.world.places.get('shop')?.balancer.shifts ?? [];
    expect(shifts.at(-1)?.tasks.blue).toBe(3);
    expect(day.greenWeights).toEqual([0, 10, 50, 100, 0]);
  });

  it('suspends automatic rollback for a while, and is believed', async () => {
    const day = await play({
      behaviours: { 'shop:2': failing() },
      happenings: [request(), operate(60, 'override', 10)],
      minutes: 30,
    });
    expect(day.secondsOf('RollbackInitiated')).toBeGreaterThan(660);
    expect(day.all('AlarmReceived')[0]).toMatchObject({ action: 'overridden' });
    expect(day.phase).toBe('rolled-back');
    expect(day.told).toContain('shop: override set');
    expect(day.told).toContain('shop: alarm overridden');
  });

  it('is believed also while the event store is gone: the target carries the note, until it is over', async () => {
    const day = await play({
      behaviours: { 'shop:2': failing(60) },
      happenings: [request(), operate(60, 'override', 10)],
      faults: [{ on: 'on-alarm/store.*', kind: 'refuse', fromSeconds: 65, toSeconds: 500 }],
      minutes: 30,
    });
    const off = day.simulation.world.places.get('shop')?.balancer.shifts.at(-1)?.at ?? 0;
    expect((off - Date.UTC(2026, 0, 1)) / 1000).toBeGreaterThan(660);
    expect(day.phase).toBe('rolled-back');
  });
});

describe('a hand on the balancer', () => {
  it('that takes traffic off the canary is adopted: the rollout is held until somebody resumes it', async () => {
    const day = await play({ happenings: [request(), byHand(100, 0)] });
    expect(day.phase).toBe('held');
    expect(day.all('DriftFound')).toMatchObject([{ expectedWeight: 10, foundWeight: 0 }]);
    expect(day.told).toContain('shop: held (drift)');
    expect(day.greenWeights).toEqual([0, 10, 0]);
  });

  it('is taken for a new beginning by whoever resumes: the step is baked anew', async () => {
    const day = await play({ happenings: [request(), byHand(300, 10), operate(700, 'resume')], minutes: 30 });
    expect(day.phase).toBe('promoted');
    expect(day.greenWeights).toEqual([0, 10, 50, 10, 50, 100]);
  });

  it('that gives the canary more than was decided is corrected within a minute', async () => {
    const day = await play({ happenings: [request(), byHand(100, 80)] });
    expect(day.greenWeights.slice(0, 4)).toEqual([0, 10, 80, 10]);
    const [, , hand, back] = day.simulation.world.places.get('shop')?.balancer.shifts ?? [];
    expect((back?.at ?? 0) - (hand?.at ?? 0)).toBeLessThanOrEqual(61_000);
    expect(day.phase).toBe('promoted');
  });

  it('that sends everybody somewhere else is left alone', async () => {
    const day = await play({
      happenings: [request(), { atSeconds: 100, what: 'send-elsewhere', service: 'shop' }],
    });
    expect(day.all('DriftFound')).toMatchObject([{ foundWeight: null }]);
    expect(day.greenWeights).toEqual([0, 10, 'elsewhere']);
    expect(day.phase).toBe('held');
  });

  it('in the middle of a step that is tried again is not overruled by the next try', async () => {
    const day = await play({
      happenings: [request(), byHand(232.5, 0)],
      // The step to 50 % is ordered, its function dies before the write; the second try looks first.
      faults: [{ on: 'shift-traffic/traffic.write', kind: 'crash-before', nth: 2 }],
    });
    expect(day.greenWeights).toEqual([0, 10, 0]);
    expect(day.phase).toBe('held');
  });

  it('on the idle slot before the canary is prepared keeps what runs there until the traffic is off', async () => {
    const day = await play({
      happenings: [request(), byHand(31, 100)],
      faults: [{ on: 'lambda/invoke.prepare-canary', kind: 'slow', ms: 3000, nth: 1 }],
    });
    expect(day.greenWeights.slice(0, 4)).toEqual([0, 100, 0, 10]);
    expect(day.slot('green').changes[1]?.at).toBeGreaterThan(
      day.simulation.world.places.get('shop')?.balancer.shifts[2]?.at ?? 0,
    );
  });

  it('on a service that runs nothing where the traffic goes is answered with a refusal', async () => {
    const day = await play({ happenings: [byHand(10, 100), request()] });
    expect(day.story).toEqual([]);
  });
});

describe('the fire exit', () => {
  const pulled = (atSeconds: number) => ({ atSeconds, what: 'fire-exit' as const, service: 'shop' });

  it('takes everybody back to stable and holds the rollout', async () => {
    const day = await play({ happenings: [request(), pulled(300)] });
    expect(day.greenWeights).toEqual([0, 10, 50, 0]);
    expect(day.phase).toBe('held');
    expect(day.all('FellBack')).toMatchObject([{ to: 'ecs-alb/blue', by: 'a person' }]);
    expect(day.slot('green').desired).toBe(0);
  });

  it('works while the event store and the state machines are gone, and is recorded when they are back', async () => {
    const gone = { fromSeconds: 290, toSeconds: 900 } as const;
    const day = await play({
      happenings: [request(), pulled(300)],
      faults: [
        { on: 'store.*', kind: 'refuse', ...gone },
        { on: 'machines.*', kind: 'refuse', ...gone },
        { on: 'invoke.shift-traffic', kind: 'refuse', ...gone },
      ],
      minutes: 30,
    });
    const [, , , off] = day.simulation.world.places.get('shop')?.balancer.shifts ?? [];
    expect(off).toMatchObject({ reading: { greenWeight: 0 }, by: expect.stringMatching(/^fall-back#/) });
    expect(day.secondsOf('FellBack')).toBeGreaterThan(900);
    expect(day.greenWeights.at(-1)).toBe(0);
  });

  it('keeps a rollout from beginning for as long as it asserts its place', async () => {
    const day = await play({ happenings: [pulled(30), request(40), request(110, 'shop:2', 'r2')] });
    expect(day.all('RolloutStarted').map(({ rolloutId }) => rolloutId)).toEqual(['r2']);
    expect(day.phase).toBe('promoted');
  });

  it('leaves a canary without tasks: a resume prepares it anew, a promotion of nothing is refused', async () => {
    const resumed = await play({ happenings: [request(), pulled(300), operate(500, 'resume')], minutes: 30 });
    expect(resumed.greenWeights).toEqual([0, 10, 50, 0, 10, 50, 100]);
    expect(resumed.all('CanaryPrepared')).toHaveLength(2);

    const promoted = await play({ happenings: [request(), pulled(300), operate(500, 'promote-fully')] });
    expect(promoted.phase).toBe('held');
    expect(promoted.greenWeights).toEqual([0, 10, 50, 0]);
  });
});
