/**
 * Alarms over what really happened, evaluated every minute, told when they change; and what goes wrong with
 * them.
 */
import type { AlarmState } from '../../events/rollback.ts';
import type { Slot } from '../../events/target.ts';
import type { AlarmReading, Alarms } from '../ports.ts';
import type { Instance } from './instance.ts';
import type { Meter } from './meter.ts';
import type { SimClock } from './simClock.ts';
import type { Wire } from './wire.ts';

export type AlarmDefinition = {
  readonly name: string;
  readonly service: string;
  /** null: both sides together. */
  readonly slot: Slot | null;
  /** Breaching above this share of errors, 0–1, or above this p95. */
  readonly errorRate?: number;
  readonly p95Ms?: number;
  /** So many breaching minutes in a row. */
  readonly minutes: number;
};

/**
 * `stuck`: it does not change; `flapping`: it changes every minute; `unreadable`: its state cannot be read.
 */
export type AlarmTrouble = {
  readonly alarm: string;
  readonly kind: 'stuck' | 'flapping' | 'insufficient-data' | 'unreadable';
  readonly fromMs: number;
  readonly toMs: number;
};

export type AlarmChange = {
  readonly alarmName: string;
  readonly state: AlarmState;
  readonly previousState: AlarmState;
  readonly changedAt: number;
  readonly reason: string;
};

type Status = { state: AlarmState; changedAt: number; breaches: number; reason: string };

export class AlarmBoard {
  readonly #clock: SimClock;
  readonly #meters: ReadonlyMap<string, Meter>;
  readonly #definitions: readonly AlarmDefinition[];
  readonly #troubles: readonly AlarmTrouble[];
  readonly #tell: (change: AlarmChange) => void;
  readonly #states = new Map<string, Status>();

  constructor(
    clock: SimClock,
    meters: ReadonlyMap<string, Meter>,
    definitions: readonly AlarmDefinition[],
    troubles: readonly AlarmTrouble[],
    tell: (change: AlarmChange) => void,
  ) {
    this.#clock = clock;
    this.#meters = meters;
    this.#definitions = definitions;
    this.#troubles = troubles;
    this.#tell = tell;
    const changedAt = clock.now();
    for (const { name } of definitions)
      this.#states.set(name, { state: 'OK', changedAt, breaches: 0, reason: 'no datapoint was breaching' });
  }

  read(name: string): AlarmReading {
    const found = this.#states.get(name);
    if (found === undefined || this.#trouble(name)?.kind === 'unreadable') {
      return { name, state: null, changedAt: null, reason: 'there is no alarm of this name' };
    }
    const { state, changedAt, reason } = found;
    return { name, state, changedAt, reason };
  }

  /** Once a minute, some seconds after its end. */
  evaluate(): void {
    for (const definition of this.#definitions) {
      const status = this.#states.get(definition.name);
      if (status === undefined) continue;
      const breaching = this.#isBreaching(definition);
      status.breaches = breaching ? status.breaches + 1 : 0;
      const trouble = this.#trouble(definition.name)?.kind;
      if (trouble === 'stuck') continue;
      if (trouble === 'insufficient-data')
        this.set(definition.name, 'INSUFFICIENT_DATA', 'no datapoint was received');
      else if (trouble === 'flapping')
        this.set(definition.name, status.state === 'ALARM' ? 'OK' : 'ALARM', 'a datapoint at the threshold');
      else if (status.breaches >= definition.minutes) this.set(definition.name, 'ALARM', 'threshold crossed');
      else if (!breaching) this.set(definition.name, 'OK', 'no datapoint was breaching');
    }
  }

  /** Also what `SetAlarmState` does. */
  set(name: string, state: AlarmState, reason: string): void {
    const status = this.#states.get(name);
    if (status === undefined || status.state === state) return;
    const previousState = status.state;
    Object.assign(status, { state, changedAt: this.#clock.now(), reason });
    this.#tell({ alarmName: name, state, previousState, changedAt: status.changedAt, reason });
  }

  #isBreaching({ service, slot, errorRate, p95Ms }: AlarmDefinition): boolean {
    const meter = this.#meters.get(service);
    if (meter === undefined || meter.length === 0) return false;
    const sides = (slot === null ? (['blue', 'green'] as const) : [slot]).map((one) =>
      meter.minute(meter.length - 1, one),
    );
    const requests = sides.reduce((sum, side) => sum + side.requests, 0);
    if (requests === 0) return false;
    const errors = sides.reduce((sum, side) => sum + side.errors, 0);
    if (errorRate !== undefined && errors / requests > errorRate) return true;
    return p95Ms !== undefined && sides.some((side) => side.p95Ms > p95Ms);
  }

  #trouble(name: string): AlarmTrouble | undefined {
    const now = this.#clock.now();
    return this.#troubles.find(({ alarm, fromMs, toMs }) => alarm === name && now >= fromMs && now < toMs);
  }
}

export const simAlarms = (wire: Wire, who: Instance, board: AlarmBoard): Alarms => ({
  read: (names) => wire.question(who, 'alarms.read', () => names.map((name) => board.read(name))),
});
