/** A scenario from a seed: which services there are, what is done to them, and what goes wrong ("swarm"). */
import type { Behaviour } from '../../sim/behaviour.ts';
import { SeededRandom, seedOf } from '../../sim/random.ts';
import { drawFaults, drawTroubles } from './drawFaults.ts';
import { drawHappenings, drawMigration, drawSlots } from './drawHappenings.ts';
import type { Scenario, ServiceScenario } from './scenario.ts';

const names = ['shop', 'basket', 'payment'];

export function drawScenario(seed: number): Scenario {
  const random = new SeededRandom(seedOf(seed, 'scenario'));
  const minutes = random.whole(15, 45);
  const services = names.slice(0, random.pick([1, 1, 1, 2, 2, 3]));
  const revisions = services.flatMap((service) => [1, 2, 3, 4].map((nth) => `${service}:${nth}`));
  const troubles = drawTroubles(new SeededRandom(seedOf(seed, 'troubles')), services, minutes * 60);
  return {
    seed,
    services: Object.fromEntries(
      services.map((service, nth) => [service, drawService(random, service, services.slice(0, nth))]),
    ),
    behaviours: Object.fromEntries(
      revisions
        .filter((revision) => !revision.endsWith(':1'))
        .map((revision) => [revision, drawBehaviour(random)]),
    ),
    alarms: services.flatMap((service) => [
      { name: `${service}-blue-errors`, service, slot: 'blue', errorRate: 0.05, minutes: 1 },
      { name: `${service}-green-errors`, service, slot: 'green', errorRate: 0.05, minutes: 1 },
      { name: `${service}-errors`, service, slot: null, errorRate: 0.03, minutes: 2 },
      { name: `${service}-slow`, service, slot: null, p95Ms: 800, minutes: 2 },
    ]),
    happenings: [
      ...drawSlots(
        new SeededRandom(seedOf(seed, 'slots')),
        drawHappenings(new SeededRandom(seedOf(seed, 'happenings')), services, minutes * 60),
      ),
      ...drawMigration(new SeededRandom(seedOf(seed, 'migration')), services, minutes * 60),
    ],
    faults: drawFaults(new SeededRandom(seedOf(seed, 'swarm')), minutes * 60),
    ...troubles,
    latency: random.pick([
      { lowMs: 1, highMs: 10 },
      { lowMs: 5, highMs: 60 },
      { lowMs: 20, highMs: 400 },
    ]),
    skewMsMax: random.pick([0, 0, 200, 2000]),
    minutes,
  };
}

const good: Behaviour = { errorRate: 0.0005, medianMs: 80 };

function drawBehaviour(random: SeededRandom): Behaviour {
  const turnsAfterSeconds = random.pick([0, 0, 120, 400, 900, 1500]);
  switch (random.pick(['good', 'good', 'good', 'broken', 'failing', 'slow', 'subtle', 'never-starts'])) {
    case 'broken':
      return { ...good, turnsAfterSeconds, turned: { errorRate: 1, medianMs: 20 } };
    case 'failing':
      return { ...good, turnsAfterSeconds, turned: { errorRate: random.between(0.05, 0.5), medianMs: 90 } };
    case 'slow':
      return {
        ...good,
        turnsAfterSeconds,
        turned: { errorRate: 0.001, medianMs: random.between(200, 2000) },
      };
    case 'subtle':
      return { ...good, turnsAfterSeconds, turned: { errorRate: 0.01, medianMs: 95 } };
    case 'never-starts':
      return { ...good, starts: false };
    default:
      return good;
  }
}

function drawService(random: SeededRandom, service: string, before: readonly string[]): ServiceScenario {
  const tasks = random.whole(1, 4);
  return {
    revision: `${service}:1`,
    tasks,
    requestsPerSecond: random.pick([2, 20, 20, 100]),
    bounds: random.pick([null, { min: 1, max: 8 }, { min: tasks, max: 10 }]),
    configuration: {
      strategy: drawStrategy(random),
      alarms: drawAlarms(random, service),
      analysis: {
        dataDelaySeconds: 60,
        minimumRequests: random.pick([20, 100]),
        dispersion: { historyMinutes: 30 },
        unknown: {
          answer: random.pick(['wait', 'extend', 'extend', 'pause', 'roll-back']),
          extendSeconds: 120,
          extensionsMax: 2,
        },
      },
      dependsOn: before.filter(() => random.chance(0.7)),
      whileActive: random.pick(['refuse', 'queue', 'supersede']),
      evaluateSeconds: random.pick([30, 60, 60]),
      rollbackWindowSeconds: random.pick([0, 300, 1200]),
      scaleDownDelaySeconds: random.pick([0, 30, 120]),
      prepareTimeoutSeconds: random.pick([120, 300]),
      rolloutTimeoutSeconds: random.pick([1200, 7200]),
      coolOffSeconds: random.pick([0, 30, 300]),
      rollbacksPerDayMax: random.pick([1, 3, 5]),
    },
  };
}

function drawStrategy(random: SeededRandom): object {
  const bakeSeconds = random.pick([60, 180, 240]);
  const approval = random.pick([undefined, undefined, undefined, 'manual', 'auto']);
  switch (random.pick(['canary', 'canary', 'steps', 'linear', 'blue-green', 'rolling', 'all-at-once'])) {
    case 'canary':
      return {
        kind: 'canary',
        startPercent: 10,
        stepPercent: 20,
        bakeSeconds,
        finalBakeSeconds: bakeSeconds,
      };
    case 'linear':
      return {
        kind: 'linear',
        stepPercent: 20,
        bakeSeconds,
        finalBakeSeconds: bakeSeconds,
        finalFromPercent: 80,
      };
    case 'blue-green':
      return {
        kind: 'blue-green',
        previewSeconds: 60,
        finalBakeSeconds: bakeSeconds,
        autoPromote: random.chance(0.7),
        autoPromoteSeconds: 120,
      };
    case 'rolling':
      return { kind: 'rolling', batchPercent: 25, bakeSeconds: 60 };
    case 'all-at-once':
      return { kind: 'all-at-once', finalBakeSeconds: bakeSeconds };
    default:
      return {
        kind: 'canary',
        stepPercentMax: 60,
        finalFromPercent: 50,
        steps: [
          { weight: 5, bakeSeconds },
          { weight: 50, bakeSeconds, ...(approval === undefined ? {} : { approval }) },
          { weight: 100, bakeSeconds: random.pick([0, 120]) },
        ],
      };
  }
}

function drawAlarms(random: SeededRandom, service: string): readonly object[] {
  const onUnknown = random.pick(['wait', 'wait', 'hold', 'roll-back']);
  const onBothSuffer = random.pick(['hold', 'roll-back']);
  const all = [
    { name: `${service}-blue-errors`, slot: 'blue', onUnknown },
    { name: `${service}-green-errors`, slot: 'green', onUnknown },
    { name: `${service}-errors`, scope: 'service', onBothSuffer },
    { name: `${service}-slow`, scope: 'service', onBothSuffer, onUnknown },
  ];
  return all.filter(() => random.chance(0.75));
}
