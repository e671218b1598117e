/**
 * Where each target's traffic goes, with everything that ever moved it. A write is read back, as lib/aws
 * does.
 */
import type { Slot, Target } from '../../events/target.ts';
import { invariant } from '../core/decision.ts';
import { type StableMark, stableSideBy } from '../core/fallback/mark.ts';
import { TrafficUnconfirmed } from '../core/outage.ts';
import type { FallBackMark, OverrideMark, Traffic, TrafficReading } from '../ports.ts';
import { type Instance, isAutomatic } from './instance.ts';
import type { SimClock } from './simClock.ts';
import type { Wire } from './wire.ts';

/** One move of traffic, as the balancer carried it out. */
export type Shift = {
  readonly at: number;
  /** When the request left whoever sent it. */
  readonly sentAt: number;
  readonly reading: TrafficReading;
  /** `shift-traffic#12`, or a person's or another tool's name. */
  readonly by: string;
  readonly automatic: boolean;
  /** How many tasks each slot was asked to run at that moment. */
  readonly tasks: Readonly<Record<Slot, number>>;
};

export class Balancer {
  readonly shifts: Shift[];
  /** Who looked when. */
  readonly looks: { readonly at: number; readonly by: string }[] = [];
  /** Which slot was stable by the marks from when on. */
  readonly marks: { readonly at: number; readonly slot: Slot }[];
  #stableMark: StableMark;
  /** Every note of the fire exit, oldest first; the last one stands. */
  readonly pulls: (FallBackMark & { readonly notedAt: number })[] = [];
  overrideMark: OverrideMark | null = null;
  readonly #clock: SimClock;
  readonly #tasksIn: (slot: Slot) => number;

  constructor(clock: SimClock, stableSlot: Slot, tasksIn: (slot: Slot) => number) {
    this.#clock = clock;
    this.#tasksIn = tasksIn;
    const reading = { kind: 'weights', greenWeight: stableSlot === 'green' ? 100 : 0 } as const;
    const at = clock.now();
    this.#stableMark = { slot: stableSlot, knows: null };
    this.marks = [{ at, slot: stableSlot }];
    this.shifts = [];
    this.set(reading, 'the beginning', false, at);
  }

  get reading(): TrafficReading {
    return (this.shifts.at(-1) as Shift).reading;
  }

  /** Share of the requests a slot gets now, 0–1. */
  shareOf(slot: Slot): number {
    return shareIn(this.reading, slot);
  }

  get mark(): Slot | null {
    return this.marks.at(-1)?.slot ?? null;
  }

  get fallBackMark(): FallBackMark | null {
    const newest = this.pulls.at(-1);
    if (newest === undefined) return null;
    const { notedAt: _, ...mark } = newest;
    return mark;
  }

  markStable(slot: Slot, knows: number | null): void {
    this.#stableMark = { slot, knows };
    this.#noteMark();
  }

  markFallBack(mark: FallBackMark): void {
    this.pulls.push({ ...mark, notedAt: this.#clock.now() });
    if (mark.slot !== null) this.#stableMark = { slot: mark.slot, knows: mark.at };
    this.#noteMark();
  }

  #noteMark(): void {
    const slot = stableSideBy(this.#stableMark, this.fallBackMark);
    if (slot !== null && slot !== this.mark) this.marks.push({ at: this.#clock.now(), slot });
  }

  look(by: string): TrafficReading {
    this.looks.push({ at: this.#clock.now(), by });
    return this.reading;
  }

  set(reading: TrafficReading, by: string, automatic: boolean, sentAt = this.#clock.now()): void {
    const tasks = { blue: this.#tasksIn('blue'), green: this.#tasksIn('green') };
    this.shifts.push({ at: this.#clock.now(), sentAt, reading, by, automatic, tasks });
  }
}

/** Share of the requests `slot` gets, 0–1; none where traffic goes somewhere we do not know. */
export const shareIn = (reading: TrafficReading, slot: Slot): number => {
  if (reading.kind === 'unknown') return 0;
  return (slot === 'green' ? reading.greenWeight : 100 - reading.greenWeight) / 100;
};

const greenWeightFor = (slot: Slot, weight: number): number =>
  slot === 'green' ? weight : Math.round((100 - weight) * 10) / 10;

/** Reads after a write before it counts as unconfirmed. */
const readsMax = 5;

/** The target's key: in this world every target is a listener rule. */
export function keyOf(target: Target): string {
  invariant(target.kind === 'ecs-alb', `the simulation has no target of kind ${target.kind}`);
  return target.ruleArn;
}

export function simTraffic(wire: Wire, who: Instance, balancerOf: (target: Target) => Balancer): Traffic {
  const by = `${who.functionName}#${who.number}`;
  const read = (target: Target) => wire.question(who, 'traffic.read', () => balancerOf(target).look(by));
  return {
    read,

    async shift(target, slot, weight) {
      const greenWeight = greenWeightFor(slot, weight);
      const isThere = (reading: TrafficReading) =>
        reading.kind === 'weights' && reading.greenWeight === greenWeight;
      if (isThere(await read(target))) return;
      const sentAt = wire.clock.now();
      await wire.call(who, 'traffic.write', () => {
        balancerOf(target).set({ kind: 'weights', greenWeight }, by, isAutomatic(who), sentAt);
      });
      for (let reads = 1; ; reads++) {
        const reading = await read(target);
        if (isThere(reading)) return;
        if (reads === readsMax) {
          throw new TrafficUnconfirmed(
            `ordered ${weight} % for ${slot}, reads show ${JSON.stringify(reading)} after ${readsMax}`,
          );
        }
        await wire.clock.sleep(200 * reads);
      }
    },

    markStable: (target, slot, knows) =>
      wire.call(who, 'traffic.mark', () => balancerOf(target).markStable(slot, knows)),

    stableMark: (target) => wire.question(who, 'traffic.read-mark', () => balancerOf(target).mark),

    markFallBack: (target, mark) =>
      wire.call(who, 'traffic.mark', () => balancerOf(target).markFallBack(mark)),

    fallBackMark: (target) => wire.question(who, 'traffic.read-mark', () => balancerOf(target).fallBackMark),

    markOverride: (target, mark) =>
      wire.call(who, 'traffic.mark', () => {
        balancerOf(target).overrideMark = mark;
      }),

    overrideMark: (target) => wire.question(who, 'traffic.read-mark', () => balancerOf(target).overrideMark),
  };
}

/** What a person, the fire exit or another tool does: no port, no fault, at once. */
export function shiftByHand(balancer: Balancer, canarySlot: Slot, weight: number, by: string): void {
  balancer.set({ kind: 'weights', greenWeight: greenWeightFor(canarySlot, weight) }, by, false);
}
