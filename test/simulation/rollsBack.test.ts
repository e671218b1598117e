import { describe, expect, it } from 'vitest';
import { failing, operate, play, request, steps } from './scene.ts';

const bad = { 'shop:2': failing() };
const noAlarms = { alarms: [] };

describe('a bad release', () => {
  it('is taken back by its own slot’s alarm, a minute after the first users met it', async () => {
    const day = await play({ behaviours: bad });
    expect(day.phase).toBe('rolled-back');
    expect(day.greenWeights).toEqual([0, 10, 0]);
    expect(day.all('RollbackInitiated')).toMatchObject([
      { trigger: 'alarm', fromWeight: 10, reason: 'alarm shop-green-errors: threshold crossed' },
    ]);
    expect(day.secondsOf('RollbackInitiated') - day.secondsOf('TrafficShifted')).toBeLessThan(80);
    expect(day.all('RollbackCompleted')[0]?.trafficOffMs).toBeLessThan(1000);
  });

  it('is taken back by the analysis where no alarm is configured', async () => {
    const day = await play({ behaviours: bad, configuration: noAlarms });
    expect(day.all('RollbackInitiated')).toMatchObject([
      { trigger: 'analysis', evidence: { verdict: 'fail', stable: {}, canary: {} } },
    ]);
    expect(day.greenWeights).toEqual([0, 10, 0]);
  });

  it('is taken back by the analysis as soon as the minutes show it, long before the bake ends', async () => {
    const long = steps.steps.map(({ weight }) => ({ weight, bakeSeconds: weight === 100 ? 0 : 3600 }));
    const day = await play({
      behaviours: { 'shop:2': failing(600) },
      configuration: { ...noAlarms, strategy: { ...steps, steps: long } },
      minutes: 40,
    });
    expect(day.all('RollbackInitiated')).toMatchObject([{ trigger: 'analysis', fromWeight: 10 }]);
    // Ten minutes well, two of delay, and the minutes it takes to be sure.
    expect(day.secondsOf('RollbackInitiated') - day.secondsOf('TrafficShifted')).toBeLessThan(900);
  });

  it('is known bad afterwards, and starts again only with a reason', async () => {
    const day = await play({
      behaviours: bad,
      minutes: 30,
      happenings: [
        request(),
        request(600, 'shop:2', 'r2'),
        { ...request(900, 'shop:2', 'r3'), knownBadOverride: 'the database was to blame' } as never,
      ],
    });
    expect(day.all('RolloutStarted').map(({ rolloutId }) => rolloutId)).toEqual(['r1', 'r3']);
    expect(day.state.knownBad).toEqual(['shop:2']);
  });

  it('that turns bad at its last step is taken back from there', async () => {
    const day = await play({ behaviours: { 'shop:2': failing(300) } });
    expect(day.greenWeights).toEqual([0, 10, 50, 0]);
    expect(day.phase).toBe('rolled-back');
  });

  it('that turns bad within the rollback window comes back from promotion, onto tasks that were started first', async () => {
    const day = await play({ behaviours: { 'shop:2': failing(700) }, minutes: 30 });
    expect(day.all('RolloutPromoted')).toHaveLength(1);
    expect(day.greenWeights).toEqual([0, 10, 50, 100, 0]);
    const back = day.simulation.world.places.get('shop')?.balancer.shifts.at(-1);
    expect(back?.tasks.blue).toBe(3);
    expect(day.phase).toBe('rolled-back');
    expect(day.slot('green').desired).toBe(0);
  });

  it('that turns bad after the window stays: there is nothing left to take back', async () => {
    const day = await play({
      behaviours: { 'shop:2': failing(1500) },
      configuration: { rollbackWindowSeconds: 300 },
      minutes: 40,
    });
    expect(day.phase).toBe('promoted');
    expect(day.all('AlarmReceived')).toMatchObject([{ action: 'none' }]);
  });

  it('whose tasks never answer gets no traffic at all', async () => {
    const day = await play({ behaviours: { 'shop:2': { errorRate: 0, medianMs: 80, starts: false } } });
    expect(day.greenWeights).toEqual([0]);
    expect(day.phase).toBe('rolled-back');
    expect(['health', 'deployment']).toContain(day.all('RollbackInitiated')[0]?.trigger);
  });

  it('whose tasks die one after the other is taken back before anybody counts errors', async () => {
    const dying = [100, 102, 104].map((atSeconds) => ({
      ...{ atSeconds, what: 'lose-tasks' as const, service: 'shop', slot: 'green' as const, tasks: 1 },
    }));
    const day = await play({ happenings: [request(), ...dying] });
    expect(day.all('HealthCheckFailed')).toHaveLength(3);
    expect(day.all('RollbackInitiated')).toMatchObject([{ trigger: 'health' }]);
  });
});

describe('an alarm', () => {
  it('that was on before anything moved is no reason to go back, until it goes off and on again', async () => {
    const day = await play({
      configuration: { alarms: [{ name: 'shop-green-errors' }] },
      happenings: [
        { atSeconds: 10, what: 'set-alarm', alarm: 'shop-green-errors', state: 'ALARM' },
        request(),
        { atSeconds: 400, what: 'set-alarm', alarm: 'shop-green-errors', state: 'ALARM' },
      ],
      alarmTroubles: [{ alarm: 'shop-green-errors', kind: 'stuck', fromSeconds: 0, toSeconds: 60 }],
    });
    expect(day.all('RolloutStarted')[0]?.baselineAlarms).toEqual(['shop-green-errors']);
    expect(day.secondsOf('RollbackInitiated')).toBeGreaterThan(400);
  });

  it('that rings while a step is being shifted wins over the step', async () => {
    const day = await play({
      happenings: [
        request(),
        { atSeconds: 243, what: 'set-alarm', alarm: 'shop-green-errors', state: 'ALARM' },
      ],
      faults: [{ on: 'shift-traffic/traffic.write', kind: 'slow', ms: 4000, fromSeconds: 200 }],
    });
    expect(day.greenWeights.at(-1)).toBe(0);
    expect(day.phase).toBe('rolled-back');
  });

  it('whose event is lost is heard at the next look', async () => {
    const day = await play({
      behaviours: bad,
      faults: [{ on: 'deliver.alarm', kind: 'lose' }],
    });
    expect(day.all('RollbackInitiated')).toMatchObject([{ trigger: 'alarm' }]);
    expect(day.secondsOf('RollbackInitiated') - day.secondsOf('TrafficShifted')).toBeLessThan(150);
  });

  it('that is told twice, and again ten minutes later, leads to one rollback', async () => {
    const day = await play({
      behaviours: bad,
      faults: [{ on: 'deliver.alarm', kind: 'duplicate', ms: 600_000 }],
      happenings: [request(), request(500, 'shop:3', 'r2')],
      minutes: 30,
    });
    expect(day.all('RollbackInitiated').map(({ rolloutId }) => rolloutId)).toEqual(['r1']);
    expect(day.state.rollout).toMatchObject({ rolloutId: 'r2', phase: 'promoted' });
  });

  it('that comes and goes every minute has each of its changes recorded', async () => {
    const day = await play({
      configuration: { alarms: [{ name: 'shop-errors', scope: 'service' }] },
      alarms: [{ name: 'shop-errors', service: 'shop', slot: null, errorRate: 0.9, minutes: 1 }],
      alarmTroubles: [{ alarm: 'shop-errors', kind: 'flapping', fromSeconds: 100, toSeconds: 700 }],
    });
    expect(day.all('AlarmReceived').length).toBeGreaterThanOrEqual(10);
    expect(day.all('RollbackInitiated')).toHaveLength(1);
  });

  it('of the whole service holds the rollout where stable suffers as much', async () => {
    const day = await play({
      configuration: {
        alarms: [{ name: 'shop-errors', scope: 'service' }],
        strategy: { ...steps, steps: [{ weight: 50, bakeSeconds: 900 }, ...steps.steps.slice(2)] },
      },
      alarms: [{ name: 'shop-errors', service: 'shop', slot: null, errorRate: 0.05, minutes: 2 }],
      happenings: [
        request(),
        {
          ...{ atSeconds: 400, what: 'incident', service: 'shop', revision: null, minutes: 8 },
          ...{ errorRate: 0.3, slower: 1 },
        },
      ],
    });
    expect(day.all('RolloutHeld')).toMatchObject([{ reason: 'both-sides-suffer' }]);
    expect(day.greenWeights).toEqual([0, 50]);
  });

  it('takes the dependent off before what it depends on', async () => {
    const revisions = { 'shop:2': failing(), 'payment:2': failing() };
    const both = (name: string, dependsOn: readonly string[]) => ({
      ...{ revision: `${name}:1`, tasks: 2, requestsPerSecond: 20, bounds: null },
      configuration: {
        ...{ strategy: steps, dependsOn, alarms: [{ name: 'errors', scope: 'canary' }] },
        analysis: { dispersion: { historyMinutes: 30 } },
      },
    });
    const day = await play({
      services: { payment: both('payment', []), shop: both('shop', ['payment']) },
      behaviours: revisions,
      alarms: [{ name: 'errors', service: 'shop', slot: 'green', errorRate: 0.05, minutes: 1 }],
      happenings: [
        request(),
        { atSeconds: 30, what: 'request', service: 'payment', revision: 'payment:2', rolloutId: 'p1' },
      ],
    });
    const offAt = (service: string) =>
      day.simulation.world.places.get(service)?.balancer.shifts.at(-1)?.at ?? 0;
    expect(day.phase).toBe('rolled-back');
    expect(offAt('shop')).toBeLessThan(offAt('payment'));
    expect(offAt('payment') - offAt('shop')).toBeLessThan(1000);
  });
});

describe('the way back', () => {
  it('is re-zeroed when a step’s write lands after it', async () => {
    const day = await play({
      // The step to 50 % is answered with an outage and lands 20 s later, when the rollback has begun.
      faults: [{ on: 'shift-traffic/traffic.write', kind: 'late-lost', ms: 20_000, nth: 2 }],
      happenings: [
        request(),
        { atSeconds: 246, what: 'set-alarm', alarm: 'shop-green-errors', state: 'ALARM' },
        operate(248, 'abort'),
      ],
    });
    const weights = day.greenWeights;
    expect(weights.slice(0, 2)).toEqual([0, 10]);
    expect(weights.at(-1)).toBe(0);
    expect(weights).toContain(50);
    expect(day.phase).toBe('rolled-back');
  });

  it('says what is not as it was', async () => {
    const day = await play({
      behaviours: bad,
      happenings: [
        request(),
        { atSeconds: 120, what: 'lose-tasks', service: 'shop', slot: 'blue', tasks: 3 },
      ],
      configuration: { healthFailuresMax: 100 },
    });
    expect(day.all('RollbackCompleted')).toMatchObject([
      { differences: [expect.stringMatching(/^stable has \d healthy tasks, it had 3$/)] },
    ]);
  });
});
