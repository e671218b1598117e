/** The fire exit while nobody can be told of it: its mark on the target is met before traffic rises. */
import { describe, expect, it } from 'vitest';
import { failing, operate, play, request } from './scene.ts';

const pulled = (atSeconds: number) => ({ atSeconds, what: 'fire-exit' as const, service: 'shop' });
const untold = { on: 'fall-back/intents.send', kind: 'refuse' } as const;
const told = { type: 'FellBack', by: 'a person', why: 'all is dark' };

describe('a fall-back that no queue took', () => {
  it('before anybody met the canary is met by its mark: nobody ever does', async () => {
    const day = await play({ happenings: [request(), pulled(45)], faults: [untold] });
    expect(day.greenWeights).toEqual([0]);
    expect(day.phase).toBe('held');
    expect(day.all('FellBack')).toMatchObject([told]);
    expect(day.all('RolloutHeld')).toMatchObject([
      { reason: 'drift', why: expect.stringContaining('a person fell back to ecs-alb/blue') },
    ]);
  });

  it('in the middle of a bake is found as drift, and the mark says whose it was', async () => {
    const day = await play({ happenings: [request(), pulled(100)], faults: [untold] });
    expect(day.all('FellBack')).toMatchObject([told]);
    expect(day.all('DriftFound')).toMatchObject([
      { expectedWeight: 10, foundWeight: 0, what: 'a person fell back to ecs-alb/blue: all is dark' },
    ]);
    expect(day.greenWeights).toEqual([0, 10, 0]);
  });

  it('is met by a step that was written and not confirmed, when it is tried again', async () => {
    const day = await play({
      happenings: [request(), pulled(56)],
      faults: [
        untold,
        // The first step's confirmation is lost with everything else, until the fire exit was taken.
        { on: 'shift-traffic/store.*', kind: 'refuse', fromSeconds: 51.88, toSeconds: 66 },
        { on: 'reconcile/*', kind: 'refuse', fromSeconds: 51.88, toSeconds: 66 },
      ],
    });
    expect(day.secondsOf('ShiftOrdered')).toBeLessThan(51.88);
    expect(day.all('FellBack')).toMatchObject([told]);
    expect(day.phase).toBe('held');
    expect(day.greenWeights).toEqual([0, 10, 0]);
  });

  it('is met once: whoever looked at it and resumes goes on', async () => {
    const day = await play({
      happenings: [request(), pulled(45), operate(400, 'resume')],
      faults: [untold],
      minutes: 30,
    });
    expect(day.all('FellBack')).toHaveLength(1);
    expect(day.phase).toBe('promoted');
  });

  it('lets nobody go on while it asserts its place, and afterwards whoever says so', async () => {
    const day = await play({
      happenings: [request(), pulled(100), operate(130, 'resume'), operate(400, 'resume')],
      minutes: 30,
    });
    expect(day.all('RolloutResumed')).toHaveLength(1);
    expect(day.secondsOf('RolloutResumed')).toBeGreaterThan(400);
    expect(day.greenWeights).toEqual([0, 10, 0, 10, 50, 100]);
    expect(day.phase).toBe('promoted');
  });

  it('says nothing about a rollout that is asked for when it was over', async () => {
    const day = await play({ happenings: [pulled(10), request(200)], faults: [untold] });
    expect(day.phase).toBe('promoted');
    expect(day.all('FellBack')).toEqual([]);
  });

  it('keeps a rollout from rising that began while it asserted its place', async () => {
    const day = await play({ happenings: [pulled(20), request(30)], faults: [untold] });
    expect(day.phase).toBe('held');
    expect(day.greenWeights).toEqual([0]);
  });
});

// Each moved it back to its own side every two seconds, and one of them scaled the other's down.
it('two people who take the fire exit to both sides within a minute: the second one has it', async () => {
  const to = (atSeconds: number, slot: 'blue' | 'green') => ({ ...pulled(atSeconds), slot });
  const day = await play({ happenings: [request(), to(100, 'blue'), to(121, 'green')] });
  expect(day.greenWeights.slice(0, 4)).toEqual([0, 10, 0, 100]);
  expect(day.greenWeights.length).toBeLessThan(7);
  expect(day.greenWeights.at(-1)).toBe(100);
  expect(day.slot('green').desired).toBe(3);
  expect(day.slot('blue').desired).toBe(0);
});

it('a fall-back is one record, whether the queue tells it first or the mark', async () => {
  const late = { on: 'deliver.intent', kind: 'delay', ms: 120_000 } as const;
  const day = await play({ happenings: [request(), pulled(45)], faults: [late] });
  expect(day.all('FellBack')).toHaveLength(1);
  expect(day.secondsOf('FellBack')).toBeLessThan(120);
  expect(day.phase).toBe('held');
});

it('one that is told so late that another rollout runs by then is recorded, and holds nobody', async () => {
  const late = { on: 'deliver.intent', kind: 'delay', ms: 400_000 } as const;
  const marks = { on: 'fall-back/traffic.mark', kind: 'refuse' } as const;
  const day = await play({ happenings: [pulled(10), request(200)], faults: [late, marks], minutes: 25 });
  expect(day.all('FellBack')).toHaveLength(1);
  expect(day.secondsOf('FellBack')).toBeGreaterThan(day.secondsOf('RolloutStarted'));
  expect(day.phase).toBe('promoted');
});

describe('nothing automatic takes anybody from where the fire exit sent them', () => {
  const rings = (atSeconds: number) =>
    ({ atSeconds, what: 'set-alarm', alarm: 'shop-green-errors', state: 'ALARM' }) as const;
  const toGreen = (atSeconds: number) => ({ ...pulled(atSeconds), slot: 'green' as const });
  const promotedAt = async () => Math.floor((await play({})).secondsOf('RolloutPromoted'));
  const bad = { 'shop:2': failing(100) };

  it('which was the side that a promotion had made stable: its alarm is overridden, people are told', async () => {
    const promoted = await promotedAt();
    const day = await play({
      happenings: [request(), pulled(promoted + 100), rings(promoted + 200)],
      minutes: 25,
    });
    expect(day.greenWeights).toEqual([0, 10, 50, 100]);
    expect(day.all('AlarmReceived').find(({ state }) => state === 'ALARM')?.action).toBe('overridden');
    expect(day.told).toContain('shop: alarm overridden');
    expect(day.phase).toBe('promoted');
  });

  it('until a person aborts: stable is started first where the fire exit took its tasks', async () => {
    const day = await play({ happenings: [request(), toGreen(100), operate(400, 'abort')] });
    expect(day.greenWeights).toEqual([0, 10, 100, 0]);
    expect([...new Set(day.slot('blue').changes.map(({ desired }) => desired))]).toEqual([3, 0]);
    expect(day.slot('blue').desired).toBe(3);
    expect(day.phase).toBe('rolled-back');
  });

  it('or resumes: it goes on from there', async () => {
    const day = await play({ happenings: [request(), toGreen(100), operate(400, 'resume')], minutes: 30 });
    expect(day.greenWeights).toEqual([0, 10, 100]);
    expect(day.phase).toBe('promoted');
  });

  it('in the middle of a bake, neither for an alarm nor for what the analysis says', async () => {
    const day = await play({ behaviours: bad, happenings: [request(), toGreen(100)], minutes: 25 });
    expect(day.greenWeights).toEqual([0, 10, 100]);
    expect(day.all('AnalysisRecorded').map(({ verdict }) => verdict)).toContain('fail');
    expect(day.all('RollbackInitiated')).toEqual([]);
    expect(day.phase).toBe('held');
  });

  it('nor a rollback of a promotion that was under way: it is held where they are', async () => {
    const promoted = await promotedAt();
    // The old side is gone by then, and takes its time to start.
    const day = await play({
      happenings: [request(), rings(promoted + 300), toGreen(promoted + 303)],
      minutes: 30,
    });
    expect(day.all('RollbackInitiated')).toMatchObject([{ trigger: 'alarm' }]);
    expect(day.greenWeights).toEqual([0, 10, 50, 100]);
    expect(day.phase).toBe('held');
    expect(day.slot('green').desired).toBe(3);
  });

  it('nor where no queue told of it', async () => {
    const promoted = await promotedAt();
    const day = await play({
      happenings: [request(), rings(promoted + 300), toGreen(promoted + 303)],
      faults: [untold],
      minutes: 30,
    });
    expect(day.all('FellBack')).toMatchObject([{ slot: 'green' }]);
    expect(day.greenWeights).toEqual([0, 10, 50, 100]);
    expect(day.phase).toBe('held');
  });

  // A hand had sent everybody elsewhere, and nobody met the mark: the rollout took too long and was taken
  // back, onto the side that the fire exit had scaled down (seed 50005282).
  it('nor a rollout that takes too long, where no queue told of it', async () => {
    const promoted = await promotedAt();
    const day = await play({
      configuration: { rolloutTimeoutSeconds: 1200 },
      happenings: [
        request(),
        { atSeconds: promoted + 20, what: 'send-elsewhere', service: 'shop' },
        pulled(promoted + 200),
      ],
      faults: [untold],
      minutes: 40,
    });
    expect(day.all('RollbackInitiated')).toEqual([]);
    expect(day.greenWeights).toEqual([0, 10, 50, 100, 'elsewhere', 100]);
    expect(day.phase).toBe('held');
  });

  // The store took no decision of the alarm's, and had not heard of the fire exit (seed 50002498).
  it('nor an alarm that knows the rollout and cannot record what it decides', async () => {
    const faults = [untold, { on: 'on-alarm/store.write-head', kind: 'refuse' }] as const;
    const day = await play({ happenings: [request(), toGreen(100), rings(104)], faults });
    expect(day.greenWeights).toEqual([0, 10, 100]);
    expect(day.phase).toBe('held');
  });

  // What the alarm decided without the store stood before the fire exit in the queue (seed 61000961).
  it('nor an alarm that is recorded before it', async () => {
    const day = await play({
      happenings: [request(), toGreen(100), rings(104)],
      faults: [
        { on: 'on-alarm/store.*', kind: 'refuse' },
        { on: 'fall-back/intents.send', kind: 'slow', ms: 30_000 },
      ],
    });
    expect(day.greenWeights).toEqual([0, 10, 100]);
    expect(day.all('AlarmReceived').find(({ state }) => state === 'ALARM')?.action).toBe('overridden');
    expect(day.phase).toBe('held');
  });

  it('and an alarm in the same moment, which asks nobody, puts them back', async () => {
    const day = await play({ happenings: [request(), toGreen(100), rings(104)], faults: [untold] });
    const shifts = day.simulation.world.places.get('shop')?.balancer.shifts ?? [];
    expect(day.greenWeights).toEqual([0, 10, 100, 0, 100]);
    expect(shifts.at(-1)?.by).toMatch(/^on-alarm#/);
    expect((shifts.at(-1)?.at ?? 0) - (shifts.at(-2)?.at ?? 0)).toBeLessThan(1000);
    expect(day.phase).toBe('held');
  });

  it('nor whoever carries a rollback on that was under way: its note is read before the traffic is moved', async () => {
    const day = await play({
      happenings: [request(), rings(100), toGreen(115)],
      // What the alarm took off is not confirmed before the fire exit has ended.
      faults: [untold, { on: 'store.write-head', kind: 'refuse', fromSeconds: 100.15, toSeconds: 200 }],
    });
    expect(day.all('RollbackInitiated')).toHaveLength(1);
    expect(day.greenWeights).toEqual([0, 10, 0, 100]);
    expect(day.phase).toBe('held');
  });

  it('but an alarm puts nobody back where nothing runs', async () => {
    const day = await play({
      configuration: { rollbacksPerDayMax: 1, shiftTimeoutSeconds: 20 },
      behaviours: { 'shop:2': failing() },
      // The second rollout waits for a person, and its side has no tasks when somebody is sent there.
      happenings: [request(), request(400, 'shop:3', 'r2'), toGreen(500)],
      faults: [
        untold,
        ...['evaluate-canary', 'reconcile'].map((by) => {
          return { on: `${by}/store.*`, kind: 'refuse', fromSeconds: 490, toSeconds: 600 } as const;
        }),
      ],
    });
    expect(day.slot('green').desired).toBe(0);
    expect(day.greenWeights).toEqual([0, 10, 0, 100, 0]);
  });

  // The fire exit had taken the other side's tasks, and nobody had told of it (seed 71020050).
  it('and somebody who aborts before it is heard of starts the other side first', async () => {
    const day = await play({
      configuration: { shiftTimeoutSeconds: 20 },
      happenings: [
        request(),
        { atSeconds: 80, what: 'send-elsewhere', service: 'shop' },
        toGreen(200),
        operate(260, 'abort'),
      ],
      faults: [{ on: 'deliver.intent', kind: 'delay', ms: 90_000 }],
    });
    expect(day.all('FellBack')).toHaveLength(1);
    expect(day.slot('blue').desired).toBe(3);
    expect(day.phase).toBe('rolled-back');
  });

  it('and somebody who aborts after it is not held by its record, which comes late', async () => {
    const promoted = await promotedAt();
    const day = await play({
      happenings: [request(), toGreen(promoted + 100), operate(promoted + 102, 'abort')],
      faults: [
        { on: 'deliver.intent', kind: 'delay', ms: 120_000 },
        { on: 'fall-back/traffic.mark', kind: 'refuse' },
      ],
      minutes: 30,
    });
    expect(day.all('FellBack')).toHaveLength(1);
    expect(day.phase).toBe('rolled-back');
  });
});
