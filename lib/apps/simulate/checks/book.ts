/**
 * A second opinion on one service: its events, read by a fold that shares no code with the product's, beside
 * what really happened at the balancer and in the slots. The checks read this book and nothing else.
 */
import type { Recorded } from '../../../../events/recorded.ts';
import type { RolloutHeld } from '../../../../events/rollout.ts';
import type { EventOf, ServiceEvent } from '../../../../events/service.ts';
import { otherSlot, type Slot } from '../../../../events/target.ts';
import type { ServiceSettings } from '../../../core/config/settings.ts';
import type { Shift } from '../../../sim/balancer.ts';
import { shareIn } from '../../../sim/balancer.ts';
import { SimEventStore } from '../../../sim/eventStore.ts';
import type { Place } from '../../../sim/places.ts';
import { startMs } from '../../../sim/simClock.ts';
import type { Simulation } from '../simulation.ts';

export type Finding = { readonly check: string; readonly service: string; readonly says: string };

type Phase = 'none' | 'under-way' | 'promoted' | 'going-back' | 'back';

/** What stands decided from one event to the next. */
export type Standing = {
  /** True milliseconds at which the event came to stand, whatever its writer's clock said. */
  readonly at: number;
  readonly recorded: Recorded | null;
  readonly event: ServiceEvent | null;
  readonly rolloutId: string | null;
  readonly phase: Phase;
  readonly canarySlot: Slot;
  /** Percent the canary is to get; null: a person has the say. */
  readonly desired: number | null;
  /** Percent it was last confirmed to have. */
  readonly confirmed: number;
  /** The least that a step of its plan gives the canary. */
  readonly firstWeight: number;
  /** It has no tasks yet, or the fire exit took them. */
  readonly emptied: boolean;
  readonly held: (typeof RolloutHeld)['_zod']['output']['reason'] | null;
};

export type Book = {
  readonly service: string;
  readonly settings: ServiceSettings;
  readonly simulation: Simulation;
  readonly place: Place;
  readonly events: readonly Recorded[];
  readonly standings: readonly Standing[];
  /** When the one who moved the balancer began to run: what was decided since then it may have acted on. */
  bornAt(shift: Shift): number;
};

export async function bookOf(simulation: Simulation, settings: ServiceSettings): Promise<Book> {
  const { service } = settings;
  const { world } = simulation;
  const place = world.places.get(service) as Place;
  const stream = `service/${service}`;
  const store = new SimEventStore(world.table);
  const events: Recorded[] = [];
  for await (const recorded of store.read(stream)) events.push(recorded);
  const standings = standingsOf(events, world.appendedAt.get(stream) ?? []);
  const lives = new Map(
    (simulation.lambda.journal ?? []).map(({ instance }) => [
      `${instance.functionName}#${instance.number}`,
      instance.startedAt,
    ]),
  );
  const bornAt = ({ by, sentAt }: Shift) => lives.get(by) ?? sentAt;
  return { service, settings, simulation, place, events, standings, bornAt };
}

/** @param times when each of the events came to stand, true milliseconds */
function standingsOf(events: readonly Recorded[], times: readonly number[]): Standing[] {
  const standings: Standing[] = [beforeAll];
  for (const [nth, recorded] of events.entries()) {
    standings.push(standingAfter(standings.at(-1) as Standing, recorded, times[nth] ?? startMs));
  }
  return standings;
}

/** What stands before anything was decided. */
export const beforeAll: Standing = {
  at: startMs,
  recorded: null,
  event: null,
  rolloutId: null,
  phase: 'none',
  canarySlot: 'green',
  desired: null,
  confirmed: 0,
  firstWeight: 0,
  emptied: false,
  held: null,
};

/** @param at when the event came to stand, true milliseconds */
export function standingAfter(last: Standing, recorded: Recorded, at: number): Standing {
  const event = recorded.event as ServiceEvent;
  const base = { ...last, at, recorded, event };
  switch (event.type) {
    case 'RolloutStarted': {
      const { rolloutId, canarySlot } = event;
      const firstWeight = event.steps[0]?.weight ?? 0;
      const anew = { phase: 'under-way', desired: 0, confirmed: 0, emptied: true, held: null } as const;
      return { ...base, rolloutId, canarySlot, firstWeight, ...anew };
    }
    case 'ShiftOrdered':
      return { ...base, desired: event.weight, held: null };
    case 'TrafficShifted':
      return { ...base, confirmed: event.weight };
    case 'DriftFound':
      return { ...base, desired: null, confirmed: event.foundWeight ?? 0 };
    case 'RolloutHeld':
      return heldBy(base, event);
    case 'RolloutPaused':
    case 'ApprovalRequested':
      return { ...base, desired: last.confirmed, held: null };
    case 'RolloutResumed': {
      // What has less than the first step, or no tasks, begins at the beginning.
      const weight = last.emptied || last.confirmed < last.firstWeight ? 0 : last.confirmed;
      return { ...base, desired: weight, confirmed: weight, held: null };
    }
    case 'FellBack': {
      const isUnderWay = last.phase === 'under-way' || last.phase === 'going-back';
      if (event.slot === undefined || event.slot !== last.canarySlot) {
        return { ...base, emptied: last.emptied || isUnderWay };
      }
      // Everybody is on the canary, and whoever was taking them off it lets them be.
      return isUnderWay ? { ...base, confirmed: 100 } : base;
    }
    case 'CanaryPrepared':
      return { ...base, emptied: false };
    case 'PromotionOrdered':
      return { ...base, desired: 100, held: null };
    case 'RolloutPromoted':
      return { ...base, phase: 'promoted', desired: 100, held: null };
    case 'RollbackInitiated':
      return { ...base, phase: 'going-back', desired: 0, held: null };
    case 'RollbackCompleted':
      return { ...base, phase: 'back', desired: 0 };
    default:
      return base;
  }
}

/** In drift a person has the say, and where stable is broken too. */
function heldBy(base: Standing, { reason }: EventOf<'RolloutHeld'>): Standing {
  const personal = reason === 'drift' || reason === 'cannot-go-back';
  return { ...base, phase: 'under-way', held: reason, desired: personal ? null : base.confirmed };
}

/** What a slot was asked to run at a time, and by whom. */
export const slotAt = ({ place }: Book, slot: Slot, at: number) =>
  place.slots[slot].changes.findLast((change) => change.at <= at);

/** Two clocks, 2 s each from the true time. */
export const clocksApartMs = 4000;

export const secondsOf = (ms: number): number => Math.round((ms - startMs) / 100) / 10;

export const standingAt = ({ standings }: Book, at: number): Standing =>
  standings.findLast((standing) => standing.at <= at) ?? beforeAll;

/** Percent the slot gets, by this reading. */
export const percentIn = (reading: Shift['reading'], slot: Slot): number =>
  Math.round(shareIn(reading, slot) * 1000) / 10;

export const stableSlotIn = ({ canarySlot }: Standing): Slot => otherSlot(canarySlot);
