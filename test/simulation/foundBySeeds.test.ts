/** What drawn days once broke, told by hand: each scene names what was wrong. */
import { describe, expect, it } from 'vitest';
import { startMs } from '../../lib/sim/simClock.ts';
import { operate, play, request } from './scene.ts';

describe('a call that comes late', () => {
  // The first request came again when its rollout and the next one were over, and its old plan was begun.
  it('with the request of a rollout that is over begins nothing', async () => {
    const day = await play({
      happenings: [request(), request(600, 'shop:3', 'r2'), operate(700, 'abort')],
      faults: [{ on: 'bus/deliver.request', kind: 'duplicate', ms: 900_000, nth: 1 }],
      minutes: 40,
    });
    expect(day.all('RolloutStarted').map(({ rolloutId }) => rolloutId)).toEqual(['r1', 'r2']);
    expect(day.phase).toBe('rolled-back');
  });

  // The canary was given up, and a slow preparation gave it its tasks afterwards: nobody looked again.
  it('gives a canary that was aborted in its preparation no tasks', async () => {
    const day = await play({
      configuration: { scaleDownDelaySeconds: 0 },
      happenings: [request(), operate(40, 'abort')],
      faults: [{ on: 'prepare-canary/workload.place', kind: 'slow', ms: 25_000, nth: 1 }],
    });
    expect(day.phase).toBe('rolled-back');
    expect(day.slot('green').changes.map(({ desired }) => desired)).toEqual([0, 3, 0]);
  });

  // A scheduler has no conditional write: what the preparation asked for twice landed the second time when
  // the canary served, and somebody had given it more meanwhile.
  it('in the preparation leaves the canary what it was prepared with', async () => {
    const late = { on: 'prepare-canary/workload.place', kind: 'late' } as const;
    const day = await play({
      happenings: [request(), { atSeconds: 95, what: 'autoscale', service: 'shop', slot: 'green', tasks: 7 }],
      faults: [
        { ...late, ms: 20_000, toSeconds: 45 },
        { ...late, ms: 60_000, fromSeconds: 45, toSeconds: 49 },
      ],
    });
    const counts = day.slot('green').changes.map(({ desired }) => desired);
    expect(counts.filter((count, nth) => count !== counts[nth - 1])).toEqual([0, 3, 7, 3]);
    expect(day.phase).toBe('promoted');
  });

  // The second request was planned while green was stable, and began when blue was: its canary's slot was
  // where everybody was, and its stable slot was empty.
  it('with a plan from before stable moved back begins no rollout', async () => {
    const day = await play({
      configuration: { whileActive: 'queue' },
      happenings: [request(), request(700, 'shop:3', 'r2'), operate(703, 'abort')],
      faults: [{ on: 'start-rollout/store.write-head', kind: 'refuse', fromSeconds: 690, toSeconds: 800 }],
      minutes: 30,
    });
    expect(day.all('RolloutStarted').map(({ rolloutId }) => rolloutId)).toEqual(['r1']);
    expect(day.greenWeights).toEqual([0, 10, 50, 100, 0]);
    expect(day.slot('blue').read()).toMatchObject({ revision: 'shop:1', healthy: 3 });
  });

  // The mark went to the canary before the promotion stood, and stayed there until the rollback had ended:
  // whoever pulled the fire exit meanwhile was sent back to the canary.
  it('cannot mark as stable a canary whose promotion was overtaken by a rollback', async () => {
    const faults = [{ on: 'promote-canary/store.write-head', kind: 'slow', ms: 8000, nth: 2 }] as const;
    const ordered = Math.floor((await play({ faults })).secondsOf('PromotionOrdered'));
    const fireExit = { atSeconds: ordered + 6, what: 'fire-exit', service: 'shop' } as const;
    const day = await play({ faults, happenings: [request(), operate(ordered + 3, 'abort'), fireExit] });
    expect(day.all('RolloutPromoted')).toEqual([]);
    expect(day.simulation.world.places.get('shop')?.balancer.marks.map(({ slot }) => slot)).toEqual(['blue']);
    expect(day.phase).toBe('rolled-back');
    expect(day.greenWeights).toEqual([0, 10, 50, 100, 0]);
  });

  // A fire exit that had read the old mark came just after the promotion; tidying up marked the canary again.
  it('leaves the mark where a fire exit put it', async () => {
    const configuration = { scaleDownDelaySeconds: 0 };
    const ordered = Math.floor((await play({ configuration })).secondsOf('PromotionOrdered'));
    const faults = [
      { on: 'fall-back/traffic.read', kind: 'slow', ms: 6000, nth: 1 },
      { on: 'reconcile/traffic.read', kind: 'refuse', fromSeconds: ordered, toSeconds: ordered + 90 },
    ] as const;
    const fireExit = { atSeconds: ordered - 2, what: 'fire-exit', service: 'shop' } as const;
    const day = await play({ configuration, faults, happenings: [request(), fireExit] });
    expect(day.all('RolloutPromoted')).toHaveLength(1);
    const marks = day.simulation.world.places.get('shop')?.balancer.marks ?? [];
    expect(marks.map(({ slot }) => slot)).toEqual(['blue', 'green', 'blue']);
    expect(day.greenWeights.at(-1)).toBe(0);
  });

  // The promotion was being tidied up when somebody aborted it: everybody was sent to the old side, and then
  // it was scaled down.
  it('and scales down the side that a rollback goes back to is waited for', async () => {
    const faults = [{ on: 'promote-canary/workload.scale', kind: 'slow', ms: 8000, nth: 1 }] as const;
    const tidied = (await play({ faults })).secondsOf('RolloutCompleted');
    const day = await play({ faults, happenings: [request(), operate(Math.floor(tidied) - 4, 'abort')] });
    expect(day.phase).toBe('rolled-back');
    expect(day.slot('blue').changes.map(({ desired }) => desired)).toContain(0);
    expect(day.simulation.world.places.get('shop')?.balancer.shifts.at(-1)?.tasks.blue).toBe(3);
  });
});

describe('a rollout that makes way', () => {
  // Both had read the same version, and the second was told that its word stood already: it was planned
  // while everybody was on the canary, and began when they were back, the wrong way round.
  it('for two that are asked for at once queues the newer one', async () => {
    const strategy = { kind: 'all-at-once', bakeSeconds: 600 };
    const day = await play({
      configuration: { whileActive: 'supersede', strategy },
      happenings: [request(), request(200, 'shop:3', 'r2'), request(200, 'shop:4', 'r3')],
      minutes: 30,
    });
    const queued = day.all('RolloutQueued');
    expect(queued.map(({ rolloutId }) => rolloutId).toSorted()).toEqual(['r2', 'r3']);
    expect(day.greenWeights.slice(0, 3)).toEqual([0, 100, 0]);
    expect(day.phase).toBe('promoted');
    expect(day.slot('green').revision).toBe(queued[1]?.revision);
  });

  // It was taken back in the store alone: its users stayed on it until its own machine looked again.
  it('is off at once, not at its next look', async () => {
    const day = await play({
      configuration: { whileActive: 'supersede' },
      happenings: [request(), request(100, 'shop:3', 'r2')],
      minutes: 30,
    });
    const off = day.simulation.world.places.get('shop')?.balancer.shifts[2];
    expect(off?.reading).toEqual({ kind: 'weights', greenWeight: 0 });
    expect((off?.at ?? 0) / 1000 - day.secondsOf('RollbackInitiated') - startMs / 1000).toBeLessThan(2);
    expect(day.phase).toBe('promoted');
  });
});

describe('a step that is overtaken by a hold', () => {
  // Its write landed when stable's alarm had held the rollout: the canary kept it until the next look.
  it('takes back at once what it wrote itself', async () => {
    const faults = [{ on: 'shift-traffic/traffic.write', kind: 'slow', ms: 6000, nth: 1 }] as const;
    const alarm = 'shop-blue-errors';
    const ordered = (await play({ faults })).secondsOf('ShiftOrdered');
    const day = await play({
      faults,
      happenings: [request(), { atSeconds: ordered + 2, what: 'set-alarm', alarm, state: 'ALARM' }],
    });
    const shifts = day.simulation.world.places.get('shop')?.balancer.shifts ?? [];
    expect(day.phase).toBe('held');
    expect(day.greenWeights).toEqual([0, 10, 0]);
    expect((shifts[2]?.at ?? 0) - (shifts[1]?.at ?? 0)).toBeLessThan(1000);
  });
});

describe('a promotion that two are tidying up', () => {
  // The second gave the old side its minimum back when the first had scaled it to 0: that started tasks
  // again, and the second died before it scaled them down.
  it('starts nothing again on the side that is gone', async () => {
    const day = await play({
      faults: [
        { on: 'lambda/invoke.promote-canary', kind: 'duplicate', ms: 300 },
        { on: 'promote-canary/store.write-head', kind: 'slow', ms: 3000 },
        { on: 'promote-canary/workload.scale', kind: 'crash-before', nth: 2 },
      ],
    });
    expect(day.phase).toBe('promoted');
    expect(day.slot('blue').changes.map(({ desired }) => desired)).toEqual([3, 0]);
    expect(day.slot('blue').bounds).toEqual({ min: 1, max: 10 });
  });
});

describe('a record of the fire exit that comes again', () => {
  // It had been pulled again since, so the record was news: the rollout that somebody had resumed was held.
  it('after more than sixteen commands holds nobody a second time', async () => {
    const pulled = { what: 'fire-exit', service: 'shop' } as const;
    const day = await play({
      configuration: { strategy: { kind: 'linear', stepPercent: 10, bakeSeconds: 60, finalBakeSeconds: 60 } },
      happenings: [
        request(),
        { atSeconds: 60, ...pulled },
        operate(200, 'resume'),
        { atSeconds: 300, ...pulled },
        operate(500, 'resume'),
      ],
      minutes: 30,
      watch: ({ clock, world: { mail } }) =>
        clock.schedule(2_000_000, () => {
          for (const { intent } of mail.intended) mail.onIntent(intent);
        }),
    });
    expect(day.all('FellBack')).toHaveLength(2);
    expect(day.phase).toBe('promoted');
  });
});

describe('a promotion that marks its side after the fire exit was pulled', () => {
  const late = { on: 'promote-canary/traffic.mark', kind: 'slow', ms: 3000, nth: 1 } as const;
  const gone = { on: 'on-alarm/store.*', kind: 'refuse' } as const;
  const rings = (atSeconds: number, slot: 'blue' | 'green') =>
    ({ atSeconds, what: 'set-alarm', alarm: `shop-${slot}-errors`, state: 'ALARM' }) as const;

  // The fire exit sent everybody to the old side and scaled the promoted one to 0; the mark named that one,
  // and an alarm of the old side, without the store, sent everybody there (seed 40031954).
  it('does not say where users belong: no alarm sends them to the side that it left', async () => {
    const promoted = Math.floor((await play({ faults: [late] })).secondsOf('RolloutPromoted'));
    const fireExit = { atSeconds: promoted + 1.5, what: 'fire-exit', service: 'shop' } as const;
    const day = await play({
      faults: [late, gone],
      happenings: [request(), fireExit, rings(promoted + 400, 'blue'), rings(promoted + 500, 'green')],
    });
    expect(day.greenWeights).toEqual([0, 10, 50, 100, 0]);
    expect(day.slot('green').desired).toBe(0);
    expect(day.simulation.world.places.get('shop')?.balancer.mark).toBe('blue');
  });

  it('sends whoever takes the fire exit once more where the first one went', async () => {
    const promoted = Math.floor((await play({ faults: [late] })).secondsOf('RolloutPromoted'));
    const pulled = { what: 'fire-exit', service: 'shop' } as const;
    const day = await play({
      faults: [late],
      happenings: [
        request(),
        { ...pulled, atSeconds: promoted + 1.5 },
        { ...pulled, atSeconds: promoted + 300 },
      ],
    });
    expect(day.greenWeights).toEqual([0, 10, 50, 100, 0]);
  });

  // The note of weeks ago stays on the target: whoever begins later says that he knows of it.
  it('is outranked by the next rollout, whose canary comes off without the store', async () => {
    const promoted = Math.floor((await play({ faults: [late] })).secondsOf('RolloutPromoted'));
    const at = promoted + 800;
    const day = await play({
      faults: [late, gone],
      happenings: [
        request(),
        { atSeconds: promoted + 1.5, what: 'fire-exit', service: 'shop' },
        operate(promoted + 400, 'abort'),
        request(at, 'shop:3', 'r2'),
        rings(at + 100, 'green'),
      ],
      minutes: 40,
    });
    const off = day.simulation.world.places.get('shop')?.balancer.shifts.at(-1);
    expect(day.greenWeights).toEqual([0, 10, 50, 100, 0, 10, 0]);
    expect(off?.by).toMatch(/^on-alarm#/);
    expect(day.phase).toBe('rolled-back');
  });
});
