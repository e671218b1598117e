/** Every check sees what it is there for: each promise is broken once on purpose. */
import { describe, expect, it } from 'vitest';
import type { ServiceEvent } from '../../events/service.ts';
import type { Simulation } from '../../lib/apps/simulate/simulation.ts';
import { viewOf } from '../../lib/core/eventStore/storedHead.ts';
import { SimEventStore } from '../../lib/sim/eventStore.ts';
import { type Place, targetOf } from '../../lib/sim/places.ts';
import { startMs } from '../../lib/sim/simClock.ts';
import { migrate, playMigration, rings } from './migration.ts';
import { byHand, failing, operate, play, request, type Scene } from './scene.ts';

type Tamper = (shop: Place, simulation: Simulation) => void;

/** Something that no function of ours would do, at its second. */
const tampered = (atSeconds: number, tamper: Tamper, scene: Scene = {}): Scene => ({
  ...scene,
  watch: (simulation) => {
    const shop = simulation.world.places.get('shop') as Place;
    simulation.clock.schedule(atSeconds * 1000, () => tamper(shop, simulation));
  },
});

const green = (greenWeight: number) => ({ kind: 'weights', greenWeight }) as const;
const rogue = 'rogue#1';

const forge =
  (event: Record<string, unknown>, service = 'shop'): Tamper =>
  (_, { world, clock }) => {
    const stream = `service/${service}`;
    const head = viewOf(world.table.heads.get(stream) as never);
    const forged = { at: clock.now(), rolloutId: 'r1', ...event } as unknown as ServiceEvent;
    new SimEventStore(world.table).append(stream, {
      ...{ expected: head.version, events: [forged], commandId: 'forged', correlationId: 'c' },
      ...{ actor: rogue, snapshot: head.snapshot as never, active: true },
    });
  };

/** From then on these calls of these functions never come back. */
const stuck =
  (functions: RegExp, calls = /./): Tamper =>
  (_, { world }) => {
    world.wire.gate = ({ functionName }, call) =>
      functions.test(functionName) && calls.test(call) ? new Promise(() => undefined) : null;
  };

const another = {
  ...{ type: 'RolloutStarted', rolloutId: 'r9', planHash: 'x', strategy: 'canary', revision: 'shop:9' },
  ...{ stableRevision: 'shop:1', canarySlot: 'green', target: targetOf('shop'), steps: [] },
  ...{ baselineAlarms: [], requestedBy: rogue },
};

const bad: Scene = { behaviours: { 'shop:2': failing() }, minutes: 10 };
const cases: readonly (readonly [string, Scene])[] = [
  ['every write was decided', tampered(100, (shop) => shop.balancer.set(green(77), rogue, true))],
  ['nobody is sent into the void', tampered(20, (shop) => shop.balancer.set(green(50), rogue, true))],
  ['nothing serving is scaled down', tampered(100, (shop) => shop.slots.blue.scale(0, rogue, true))],
  ['stable can take it back', tampered(100, (shop) => shop.slots.blue.scale(1, rogue, true))],
  ['stays back', tampered(500, (shop) => shop.balancer.set(green(30), rogue, true), bad)],
  [
    'nobody is overruled',
    tampered(104, (shop) => shop.balancer.set(green(10), rogue, true), {
      happenings: [request(), byHand(100, 0)],
    }),
  ],
  [
    'the fire exit stands',
    tampered(200, (shop) => shop.balancer.set(green(50), rogue, true), {
      happenings: [request(), { atSeconds: 100, what: 'fire-exit', service: 'shop', slot: 'green' }],
    }),
  ],
  ['ends as decided', tampered(1700, (shop) => shop.balancer.set(green(40), rogue, true))],
  ['marks stable', tampered(1000, (shop) => shop.balancer.markStable('blue', null))],
  ['nothing is left running', tampered(1000, (shop) => shop.slots.blue.scale(2, rogue, true))],
  [
    'scaling is given back',
    tampered(1000, (shop) => {
      shop.slots.blue.suspended = true;
    }),
  ],
  [
    'every decision once',
    tampered(100, (_, { world }) => {
      const command = { now: startMs };
      world.mail.intended.push({
        ...{ at: startMs, intent: { stream: 'service/shop', commandId: 'lost', command } as never },
      });
    }),
  ],
  ['everything is published', tampered(1000, (_, { world }) => world.mail.published.pop())],
  ['replays', tampered(100, forge({ type: 'OverrideSet', by: rogue, why: 'x', until: 9e12 }))],
  [
    'no step without verdict',
    tampered(100, forge({ type: 'ShiftOrdered', step: 1, weight: 50 }), {
      happenings: [request(), operate(110, 'abort')],
    }),
  ],
  ['one at a time', tampered(100, forge(another))],
  ['every fact was ordered', tampered(100, forge({ type: 'TrafficShifted', weight: 33 }))],
  ['every order is answered', tampered(60, stuck(/./, /^traffic\.write$/))],
  ['comes off in time', tampered(60, stuck(/./, /^traffic\.write$/), bad)],
  ['bad is off in time', tampered(60, stuck(/^(?:on-alarm|evaluate-canary|reconcile)$/), bad)],
  ['every rollout ends', tampered(60, stuck(/./, /^traffic\.write$/))],
  ['nothing is left over', tampered(60, stuck(/^publish-events$/))],
  [
    'no bug shows',
    tampered(100, (_, { world }) => {
      world.alarms.read = () => {
        throw new TypeError('planted');
      };
    }),
  ],
];

/** The foundation is said to be restored while those who stand on it are on their way back. */
const restoredEarly = forge(
  { type: 'RollbackCompleted', rolloutId: 'smith-orchestrator-1', trafficOffMs: 0, differences: [] },
  'orchestrator',
);

const migrations: readonly (readonly [string, Scene])[] = [
  [
    'dependents come first',
    tampered(405, restoredEarly, { happenings: [migrate(), rings(400, 'orchestrator')] }),
  ],
  ['every migration ends', tampered(60, stuck(/^step-migration$/))],
];

describe('a planted breach', () => {
  it.each(cases)('is seen: %s', async (check, scene) => {
    await expect(play({ minutes: 20, ...scene })).rejects.toThrow(`${check}: `);
  });

  it.each(migrations)('is seen: %s', async (check, scene) => {
    await expect(playMigration({ minutes: 20, ...scene })).rejects.toThrow(`${check}: `);
  });
});
