/**
 * The whole outside on one virtual clock: a cloud in memory whose every part may fail as it was told to. What
 * runs in its functions and its state machines is handed in; this world knows neither.
 */
import type { Slot, Target } from '../../events/target.ts';
import { viewOf } from '../core/eventStore/storedHead.ts';
import type { Clock, Log } from '../ports.ts';
import {
  AlarmBoard,
  type AlarmChange,
  type AlarmDefinition,
  type AlarmTrouble,
  simAlarms,
} from './alarms.ts';
import { keyOf, simTraffic } from './balancer.ts';
import { type Behaviour, Behaviours } from './behaviour.ts';
import { SimConsumers, SimTokens } from './consumers.ts';
import { SimTable } from './eventStore.ts';
import { type Elsewhere, simFallbackPlaces } from './fallbackPlaces.ts';
import { type Fault, Faults } from './faults.ts';
import type { Instance } from './instance.ts';
import { type ExecutionDesk, simMachines } from './machines.ts';
import { Mail, simBus, simHealth, simIntents, simPeople, simRequests } from './mail.ts';
import { type Meter, minuteMs } from './meter.ts';
import { type MetricTrouble, simMetrics } from './metrics.ts';
import { type FailedTask, openPlace, type Place, type ServiceDescription, targetOf } from './places.ts';
import { SeededRandom, seedOf } from './random.ts';
import { calm, SimClock } from './simClock.ts';
import { simWorkload } from './slots.ts';
import { simStore } from './storePort.ts';
import { type Latency, Wire } from './wire.ts';
import { wiredConsumers, wiredTokens } from './wired.ts';

export type WorldDescription = {
  readonly seed: number;
  readonly services: readonly ServiceDescription[];
  /** By revision; one that is not named behaves well. */
  readonly behaviours: Readonly<Record<string, Behaviour>>;
  readonly alarms: readonly AlarmDefinition[];
  readonly faults: readonly Fault[];
  readonly metricTroubles: readonly MetricTrouble[];
  readonly alarmTroubles: readonly AlarmTrouble[];
  readonly latency: Latency;
};

type Tell = {
  readonly alarm: (change: AlarmChange) => void;
  readonly failedTask: (failed: FailedTask) => void;
};

const silent: Log = { write: () => undefined };

/** Alarms are evaluated so long after a minute ended. */
const alarmDelayMs = 10_000;

export class SimWorld {
  readonly clock = new SimClock();
  readonly faults: Faults;
  readonly random: SeededRandom;
  readonly wire: Wire;
  readonly table = new SimTable();
  readonly tokens = new SimTokens();
  readonly consumers = new SimConsumers();
  readonly behaviours: Behaviours;
  readonly places: ReadonlyMap<string, Place>;
  readonly alarms: AlarmBoard;
  readonly mail: Mail;
  /** What places to fall back to hold; a scene fills it. */
  readonly elsewhere: Elsewhere = new Map();
  /** What the functions logged; kept only where somebody set it. */
  log: { readonly at: number; readonly by: string; readonly line: object }[] | null = null;
  /** Who runs the executions: set once, before anything is started. */
  desk: ExecutionDesk | null = null;
  /** Told of each HEAD that was written. */
  onHead: ((delivery: ReturnType<typeof viewOf>) => void) | null = null;
  readonly #byTarget: ReadonlyMap<string, Place>;
  /** When each event of a stream came to stand, true milliseconds, the first one first. */
  readonly appendedAt = new Map<string, number[]>();

  /** @param tell who is told of each change of an alarm, and of each task that failed */
  constructor(description: WorldDescription, tell: Tell) {
    const { seed } = description;
    this.random = new SeededRandom(seedOf(seed, 'world'));
    this.faults = new Faults(this.clock, seedOf(seed, 'faults'), description.faults);
    const ways = new SeededRandom(seedOf(seed, 'latency'));
    this.wire = new Wire(this.clock, this.faults, ways, description.latency);
    this.behaviours = new Behaviours(description.behaviours);
    this.places = new Map(
      description.services.map((one) => [
        one.service,
        openPlace(this.clock, seed, this.behaviours, description.metricTroubles, tell.failedTask, one),
      ]),
    );
    this.#byTarget = new Map(
      [...this.places.values()].map((place) => [targetOf(place.service).ruleArn, place]),
    );
    const meters = new Map([...this.places].map(([service, { meter }]): [string, Meter] => [service, meter]));
    this.alarms = new AlarmBoard(
      this.clock,
      meters,
      description.alarms,
      description.alarmTroubles,
      tell.alarm,
    );
    this.mail = new Mail(this.clock, this.faults);
    this.#tick();
  }

  placeOf(target: Target): Place {
    const place = this.#byTarget.get(keyOf(target));
    if (place === undefined) throw new RangeError(`nothing stands at ${keyOf(target)}`);
    return place;
  }

  /** These ports, as one instance of a function reaches them. */
  portsFor<Name extends keyof Ports>(who: Instance, names: readonly Name[]): Pick<Ports, Name> {
    if (this.desk === null) throw new RangeError('nobody runs the state machines');
    const ports: Partial<Record<keyof Ports, unknown>> = {};
    for (const name of names) ports[name] = this.#ways[name](who);
    return ports as Pick<Ports, Name>;
  }

  /** How an instance comes by each of them. */
  readonly #ways = this.waysToPorts();

  waysToPorts() {
    const balancerOf = (target: Target) => this.placeOf(target).balancer;
    const slotOf = (target: Target, slot: Slot) => this.placeOf(target).slots[slot];
    const readerOf = (target: Target) => this.placeOf(target).metrics;
    const written = () => this.#headsWritten();
    const pause = (ms: number) => this.clock.sleep(ms);
    return {
      clock: (who: Instance): Clock => who.clock,
      log: (who: Instance) => this.#logOf(who),
      store: (who: Instance) => simStore(this.wire, who, this.table, written),
      consumers: (who: Instance) => wiredConsumers(this.wire, who, this.consumers),
      tokens: (who: Instance) => wiredTokens(this.wire, who, this.tokens),
      traffic: (who: Instance) => simTraffic(this.wire, who, balancerOf),
      workload: (who: Instance) => simWorkload(this.wire, who, slotOf),
      places: (who: Instance) => simFallbackPlaces(this.wire, who, this.elsewhere),
      metrics: (who: Instance) => simMetrics(this.wire, who, readerOf),
      alarms: (who: Instance) => simAlarms(this.wire, who, this.alarms),
      machines: (who: Instance) => simMachines(this.wire, who, this.desk as ExecutionDesk),
      intents: (who: Instance) => simIntents(this.wire, who, this.mail),
      requests: (who: Instance) => simRequests(this.wire, who, this.mail),
      bus: (who: Instance) => simBus(this.wire, who, this.mail),
      people: (who: Instance) => simPeople(this.wire, who, this.mail),
      health: (who: Instance) => simHealth(this.wire, who),
      pause: (_: Instance) => pause,
    };
  }

  #logOf(who: Instance): Log {
    const { log } = this;
    if (log === null) return silent;
    const by = `${who.functionName}#${who.number}`;
    return { write: (line) => log.push({ at: this.clock.now(), by, line }) };
  }

  #headsWritten(): void {
    for (const head of this.table.heads.values()) {
      const times = this.appendedAt.get(head.stream) ?? [];
      if (times.length === head.version) continue;
      this.appendedAt.set(head.stream, times);
      while (times.length < head.version) times.push(this.clock.now());
      this.onHead?.(viewOf(head));
    }
  }

  /** Once a minute what happened in it is counted, and a little later judged. */
  #tick(): void {
    this.clock.after(minuteMs, () => {
      for (const { meter } of this.places.values()) meter.count();
      this.clock.schedule(alarmDelayMs, () => this.alarms.evaluate());
      this.#tick();
      return calm;
    });
  }
}

type Ways = ReturnType<SimWorld['waysToPorts']>;
export type Ports = { readonly [Name in keyof Ways]: ReturnType<Ways[Name]> };
