/**
 * Hand-written days of one service, the shop: three tasks, twenty requests a second, steps of 10, 50 and 100
 * % baked for three minutes each. The request comes after half a minute, the first users meet the canary at
 * about 55 s. Every scene is also held to everything that the checks of the simulation know.
 */
import type { ServiceEvent } from '../../events/service.ts';
import { run } from '../../lib/apps/simulate/run.ts';
import type { Happening, Scenario } from '../../lib/apps/simulate/scenario.ts';
import type { Simulation } from '../../lib/apps/simulate/simulation.ts';
import { evolve } from '../../lib/core/rollout/evolve.ts';
import { initialState, type ServiceState } from '../../lib/core/rollout/state.ts';
import type { Behaviour } from '../../lib/sim/behaviour.ts';
import { SimEventStore } from '../../lib/sim/eventStore.ts';
import { startMs } from '../../lib/sim/simClock.ts';

export const steps = {
  kind: 'canary',
  stepPercentMax: 60,
  finalFromPercent: 50,
  steps: [
    { weight: 10, bakeSeconds: 180 },
    { weight: 50, bakeSeconds: 180 },
    { weight: 100, bakeSeconds: 0 },
  ],
};

const alarms = [
  { name: 'shop-blue-errors', slot: 'blue' },
  { name: 'shop-green-errors', slot: 'green' },
];

const good = { errorRate: 0.0005, medianMs: 80 };
/** Every second request fails, from so many seconds after its first request on. */
export const failing = (turnsAfterSeconds = 0): Behaviour => ({
  ...good,
  turnsAfterSeconds,
  turned: { errorRate: 0.5, medianMs: 80 },
});

export const request = (atSeconds = 30, revision = 'shop:2', rolloutId = 'r1'): Happening => ({
  ...{ atSeconds, what: 'request', service: 'shop', revision, rolloutId },
});

type Operation = Extract<Happening, { what: 'operate' }>['operation'];

export const operate = (atSeconds: number, operation: Operation, untilMinutes?: number): Happening => ({
  ...{ atSeconds, what: 'operate', service: 'shop', operation, why: 'the scene says so' },
  ...(untilMinutes === undefined ? {} : { untilMinutes }),
});

/** Somebody gives green so much. */
export const byHand = (atSeconds: number, greenWeight: number): Happening => ({
  ...{ atSeconds, what: 'shift-by-hand', service: 'shop', greenWeight },
});

export type Scene = Partial<Omit<Scenario, 'services'>> & {
  /** Beside the steps and the two alarms on errors. */
  readonly configuration?: Readonly<Record<string, unknown>>;
  readonly services?: Scenario['services'];
  readonly watch?: (simulation: Simulation) => void;
};

function scenarioOf({ configuration = {}, watch: _, ...scene }: Scene): Scenario {
  const shop = {
    revision: 'shop:1',
    tasks: 3,
    requestsPerSecond: 20,
    bounds: { min: 1, max: 10 },
    configuration: {
      strategy: steps,
      alarms,
      analysis: { dataDelaySeconds: 60, minimumRequests: 50, dispersion: { historyMinutes: 30 } },
      ...configuration,
    },
  };
  return {
    seed: 1,
    services: { shop },
    behaviours: {},
    alarms: alarms.map(({ name, slot }) => ({
      ...{ name, service: 'shop', slot: slot as 'blue' | 'green', errorRate: 0.05, minutes: 1 },
    })),
    happenings: [request()],
    faults: [],
    metricTroubles: [],
    alarmTroubles: [],
    latency: { lowMs: 2, highMs: 20 },
    skewMsMax: 0,
    minutes: 20,
    ...scene,
  };
}

class Played {
  readonly simulation: Simulation;
  readonly state: ServiceState;
  readonly #events: readonly { readonly atSeconds: number; readonly event: ServiceEvent }[];
  readonly #service: string;

  constructor(simulation: Simulation, service: string, events: readonly ServiceEvent[]) {
    this.simulation = simulation;
    this.#service = service;
    const times = simulation.world.appendedAt.get(`service/${service}`) ?? [];
    this.#events = events.map((event, nth) => ({
      atSeconds: ((times[nth] ?? 0) - startMs) / 1000,
      event,
    }));
    this.state = events.reduce(evolve, initialState);
  }

  get phase(): string {
    return this.state.rollout.phase;
  }

  /** Types of the events, the alarms and the health of tasks left out. */
  get story(): readonly string[] {
    return this.#events
      .map(({ event: { type } }) => type)
      .filter((type) => type !== 'AlarmReceived' && type !== 'HealthCheckFailed');
  }

  all<T extends ServiceEvent['type']>(type: T): readonly Extract<ServiceEvent, { type: T }>[] {
    return this.#events.flatMap(({ event }) =>
      event.type === type ? [event as Extract<ServiceEvent, { type: T }>] : [],
    );
  }

  /** Seconds since the beginning at which the first event of the type came to stand. */
  secondsOf(type: ServiceEvent['type']): number {
    const found = this.#events.find(({ event }) => event.type === type);
    if (found === undefined) throw new Error(`no ${type} in: ${this.story.join(', ')}`);
    return found.atSeconds;
  }

  /** What green got, one after the other, as the balancer had it. */
  get greenWeights(): readonly (number | string)[] {
    const place = this.simulation.world.places.get(this.#service);
    return (place?.balancer.shifts ?? []).map(({ reading }) =>
      reading.kind === 'weights' ? reading.greenWeight : 'elsewhere',
    );
  }

  /** What people were told. */
  get told(): readonly string[] {
    return this.simulation.world.mail.told.map(({ message }) => message.subject);
  }

  slot(slot: 'blue' | 'green') {
    const place = this.simulation.world.places.get(this.#service);
    if (place === undefined) throw new Error(`there is no ${this.#service}`);
    return place.slots[slot];
  }
}

/** @throws where the run breaks a promise, with everything that was found */
export async function play(scene: Scene, service = 'shop'): Promise<Played> {
  const scenario = scenarioOf(scene);
  const { simulation, findings } = await run(scenario, scene.watch);
  if (findings.length > 0) throw new Error(findings.map(({ check, says }) => `${check}: ${says}`).join('\n'));
  return playedOf(simulation, service);
}

async function playedOf(simulation: Simulation, service = 'shop'): Promise<Played> {
  const recorded = await Array.fromAsync(
    new SimEventStore(simulation.world.table).read(`service/${service}`),
  );
  return new Played(
    simulation,
    service,
    recorded.map(({ event }) => event as ServiceEvent),
  );
}
