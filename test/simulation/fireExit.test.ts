/** The fire exit while nobody can be told of it: its mark on the target is met before traffic rises. */
import { describe, expect, it } from 'vitest';
import { operate, play, request } from './scene.ts';

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
