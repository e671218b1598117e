import { describe, expect, it } from 'vitest';
import type { Happening } from '../../lib/apps/simulate/scenario.ts';
import { byHand, failing, operate, play, request } from './scene.ts';

const bad = { 'shop:2': failing() };

describe('without the event store', () => {
  const gone = { on: 'store.*', kind: 'refuse', fromSeconds: 60, toSeconds: 600 } as const;

  it('an alarm takes the canary off all the same, found by the mark on the target', async () => {
    const day = await play({ behaviours: bad, faults: [gone] });
    const off = day.simulation.world.places.get('shop')?.balancer.shifts.at(-1);
    expect(off).toMatchObject({ reading: { greenWeight: 0 }, by: expect.stringMatching(/^on-alarm#/) });
    expect(((off?.at ?? 0) - Date.UTC(2026, 0, 1)) / 1000).toBeLessThan(90);
  });

  it('an alarm waits 500 ms for a store that says nothing, then goes its way without it', async () => {
    const silent = { on: 'on-alarm/store.read-head', kind: 'slow', ms: 20_000 } as const;
    // The queue's reader would be as quick as the alarm's own way.
    const later = { on: 'deliver.intent', kind: 'delay', ms: 5000 } as const;
    const day = await play({ behaviours: bad, faults: [silent, later] });
    const [rang] = day.all('AlarmReceived').filter(({ state }) => state === 'ALARM');
    const off = day.simulation.world.places.get('shop')?.balancer.shifts.at(-1);
    expect(off).toMatchObject({ reading: { greenWeight: 0 }, by: expect.stringMatching(/^on-alarm#/) });
    expect((off?.at ?? Number.NaN) - (rang?.changedAt ?? Number.NaN)).toBeLessThan(2000);
  });

  it('the decision waits in the intent queue and is recorded once, when the store is back', async () => {
    const day = await play({ behaviours: bad, faults: [gone] });
    expect(day.simulation.world.mail.intended.length).toBeGreaterThan(0);
    expect(day.all('RollbackInitiated')).toHaveLength(1);
    expect(day.secondsOf('RollbackInitiated')).toBeGreaterThan(600);
    expect(day.phase).toBe('rolled-back');
  });

  it('and with a slow one afterwards, however many decisions wait, all of them are recorded', async () => {
    // Each takes 5 s and more, ten of them longer than the function that is given them at once.
    const slow = { on: 'record-intents/store.*', kind: 'slow', ms: 1500, fromSeconds: 600 } as const;
    const changes = Array.from({ length: 9 }, (_, nth): Happening => {
      const state = nth % 2 === 0 ? 'INSUFFICIENT_DATA' : 'OK';
      return { atSeconds: 80 + 30 * nth, what: 'set-alarm', alarm: 'shop-blue-errors', state };
    });
    const day = await play({ happenings: [request(), ...changes], faults: [gone, slow] });
    expect(day.simulation.world.mail.intended.length).toBeGreaterThan(9);
    expect(day.phase).toBe('promoted');
  });

  it('nor the queue, the alarm’s message stays where it came from until one of them takes it', async () => {
    const day = await play({
      behaviours: bad,
      faults: [gone, { on: 'intents.send', kind: 'refuse', fromSeconds: 0, toSeconds: 700 }],
    });
    expect(day.greenWeights).toEqual([0, 10, 0]);
    const rang = day.all('AlarmReceived').find(({ state }) => state === 'ALARM');
    expect(rang).toMatchObject({ alarm: 'shop-green-errors', action: 'roll-back' });
  });

  it('an append that comes too late for an alarm is its record nevertheless, and stands once', async () => {
    const day = await play({
      behaviours: bad,
      faults: [{ on: 'on-alarm/store.write-head', kind: 'slow', ms: 3000 }],
    });
    expect(day.all('RollbackInitiated')).toHaveLength(1);
    expect(day.greenWeights).toEqual([0, 10, 0]);
  });

  it('what it told before it failed counts: a hand on the balancer is not taken for the canary', async () => {
    const day = await play({
      configuration: { rollbackWindowSeconds: 0 },
      // Promoted at 414 s; somebody goes back to the old side and the alarm of that side rings.
      happenings: [
        request(),
        byHand(500, 0),
        { atSeconds: 520, what: 'set-alarm', alarm: 'shop-blue-errors', state: 'ALARM' },
      ],
      faults: [{ on: 'on-alarm/store.write-head', kind: 'slow', ms: 3000 }],
    });
    expect(day.greenWeights).toEqual([0, 10, 50, 100, 0]);
  });
});

describe('without the event store, by a mark that names a side where nothing runs', () => {
  // Somebody took the fire exit to a side by its name, and another one moved everybody back by hand.
  it('an alarm sends nobody there', async () => {
    const day = await play({
      happenings: [
        { atSeconds: 30, what: 'fire-exit', service: 'shop', slot: 'green' },
        byHand(200, 0),
        { atSeconds: 260, what: 'set-alarm', alarm: 'shop-blue-errors', state: 'ALARM' },
      ],
      faults: [{ on: 'on-alarm/store.*', kind: 'refuse' }],
    });
    expect(day.simulation.world.places.get('shop')?.balancer.mark).toBe('green');
    expect(day.greenWeights).toEqual([0, 100, 0]);
  });
});

describe('on the way back from a promotion', () => {
  it('an alarm without the store follows the mark, and the mark is where the traffic goes', async () => {
    const day = await play({
      configuration: {
        alarms: [
          { name: 'shop-green-errors', slot: 'green' },
          { name: 'shop-errors', scope: 'service' },
        ],
      },
      behaviours: { 'shop:2': failing(700) },
      alarms: [
        { name: 'shop-green-errors', service: 'shop', slot: 'green', errorRate: 0.05, minutes: 1 },
        { name: 'shop-errors', service: 'shop', slot: null, errorRate: 0.05, minutes: 2 },
      ],
      faults: [{ on: 'on-alarm/store.*', kind: 'refuse', fromSeconds: 840, toSeconds: 1200 }],
      minutes: 30,
    });
    expect(day.greenWeights).toEqual([0, 10, 50, 100, 0]);
    expect(day.phase).toBe('rolled-back');
  });
});

describe('a machine', () => {
  it('that is stopped in the middle of a bake is followed by another one within a minute', async () => {
    const day = await play({
      happenings: [request(), { atSeconds: 100, what: 'stop-execution', machine: 'rollout' }],
    });
    expect(day.phase).toBe('promoted');
    expect([...day.simulation.desk.executions.values()].map(({ name }) => name)).toHaveLength(2);
  });

  it('that is stopped in the middle of a rollback is followed by another one as well', async () => {
    const day = await play({
      behaviours: bad,
      happenings: [request(), { atSeconds: 80, what: 'stop-execution', machine: 'rollback' }],
    });
    expect(day.phase).toBe('rolled-back');
  });

  it('whose function dies in the middle of a step tries again, and the rollout goes on', async () => {
    const day = await play({
      faults: [{ on: 'shift-traffic/store.write-head', kind: 'crash-after', nth: 2 }],
    });
    expect(day.phase).toBe('promoted');
    expect(day.greenWeights).toEqual([0, 10, 50, 100]);
  });

  it('that meets a balancer which never takes the weight goes back, and says why', async () => {
    const day = await play({
      faults: [{ on: 'shift-traffic/traffic.write', kind: 'ignore', fromSeconds: 60, toSeconds: 900 }],
      minutes: 20,
    });
    expect(day.all('RollbackInitiated')).toMatchObject([
      { trigger: 'outage', reason: expect.stringMatching(/^TrafficUnconfirmed: .* reads show/) },
    ]);
  });
});

describe('people and other machines', () => {
  it('hear of everything in its order, although the bus was away for five minutes', async () => {
    const day = await play({
      faults: [{ on: 'bus.publish', kind: 'refuse', fromSeconds: 50, toSeconds: 350 }],
    });
    const versions = day.simulation.world.mail.published.map(({ event }) => event.version);
    expect(versions).toEqual(versions.toSorted((one, other) => one - other));
    expect(new Set(versions).size).toBe(day.all('RolloutStarted').length + day.story.length - 1);
  });
});

describe('a new version of the controller', () => {
  it('folds the state again from the events when its schema is another', async () => {
    const deploys = [60, 100, 240, 300].map((atSeconds) => ({ atSeconds, what: 'deploy' as const }));
    const day = await play({ happenings: [request(), ...deploys] });
    expect(day.phase).toBe('promoted');
  });
});

describe('minutes that come late, in part, or never', () => {
  const trouble = (kind: 'late' | 'partial' | 'missing', ms: number) => ({
    metricTroubles: [{ service: 'shop', kind, ms, fromSeconds: 0, toSeconds: 900 }],
  });

  it('are waited for: without data nothing is promoted', async () => {
    const day = await play({ ...trouble('missing', 0), minutes: 15 });
    expect(day.all('ShiftOrdered')[1]?.at ?? Number.POSITIVE_INFINITY).toBeGreaterThan(
      Date.UTC(2026, 0, 1) + 900_000,
    );
  });

  it('make a verdict late, not wrong', async () => {
    const day = await play({ ...trouble('late', 200_000), behaviours: bad, configuration: { alarms: [] } });
    expect(day.phase).toBe('rolled-back');
    const good = await play({ ...trouble('late', 200_000), configuration: { alarms: [] }, minutes: 40 });
    expect(good.phase).toBe('promoted');
    const revised = await play({ ...trouble('partial', 150_000), configuration: { alarms: [] } });
    expect(revised.phase).toBe('promoted');
  });
});

describe('stable', () => {
  it('that broke keeps the canary where it is: nobody is sent onto it', async () => {
    const dying = [150, 152, 154].map((atSeconds) => ({
      ...{ atSeconds, what: 'lose-tasks' as const, service: 'shop', slot: 'blue' as const, tasks: 3 },
    }));
    const day = await play({
      behaviours: { 'shop:2': failing(110) },
      happenings: [request(), ...dying],
    });
    expect(day.all('RolloutHeld')[0]).toMatchObject({ reason: 'stable-suffers' });
    expect(day.greenWeights.slice(0, 2)).toEqual([0, 10]);
  });

  it('that broke while a canary that passed has the greater part is left for it', async () => {
    const dying = [530, 532, 534].map((atSeconds) => ({
      ...{ atSeconds, what: 'lose-tasks' as const, service: 'shop', slot: 'blue' as const, tasks: 3 },
    }));
    const strategy = {
      ...{ kind: 'canary', stepPercentMax: 60, finalFromPercent: 50 },
      steps: [
        { weight: 50, bakeSeconds: 900 },
        { weight: 100, bakeSeconds: 0 },
      ],
    };
    const day = await play({ configuration: { strategy }, happenings: [request(), ...dying] });
    expect(day.all('PromotionOrdered')).toMatchObject([{ mode: 'stable-broken' }]);
    expect(day.greenWeights).toEqual([0, 50, 100]);
    expect(day.phase).toBe('promoted');
  });

  it('keeps the tasks that it needs to take everybody back', async () => {
    const day = await play({
      happenings: [
        request(),
        { atSeconds: 100, what: 'autoscale', service: 'shop', slot: 'blue', tasks: 1 },
        operate(200, 'abort'),
      ],
    });
    expect(day.slot('blue').desired).toBe(3);
  });
});

describe('whoever looked long ago', () => {
  it('does not undo what was decided since: a correction reads the decision again', async () => {
    const day = await play({
      configuration: { evaluateSeconds: 5, scaleDownDelaySeconds: 0, shiftTimeoutSeconds: 5 },
      happenings: [request(), operate(241, 'promote-fully')],
      // It knows of 50 %, and meets the balancer after the promotion is over and the old side is gone.
      faults: [{ on: 'reconcile/traffic.read', kind: 'slow', ms: 20_000, fromSeconds: 238, toSeconds: 250 }],
    });
    expect(day.secondsOf('RolloutCompleted')).toBeLessThan(258);
    expect(day.greenWeights).toEqual([0, 10, 50, 100]);
  });
});
