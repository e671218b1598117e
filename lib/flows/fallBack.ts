/**
 * The fire exit. It moves traffic and nothing else stands before that: no event store, no machine, no
 * parameter, no alarm. Then it goes on asserting what it did for as long as somebody's late write may land,
 * asks the old world for its health, scales the failed side down once nothing reaches it, and says what it
 * did, step by step.
 */

import type { Slot } from '../../events/target.ts';
import type { Refusal } from '../core/decision.ts';
import { fallBackCommandId } from '../core/fallback/mark.ts';
import {
  drainSeconds,
  type FallBackRequest,
  type FallBackService,
  type Place,
  placeOf,
  whoFallsBack,
} from '../core/fallback/place.ts';
import { canaryWeight } from '../core/rollout/drift.ts';
import type { Clock, Health, IntentQueue, Log, Pause, Traffic } from '../ports.ts';
import { scaleDownFailed, type TaskCounts } from './failedSide.ts';
import { keepThere, type Moved, type Note } from './keepFallBack.ts';

type World = {
  readonly clock: Clock;
  readonly pause: Pause;
  readonly traffic: Traffic;
  readonly workload: TaskCounts;
  readonly health: Health;
  readonly intents: IntentQueue;
  readonly log: Log;
};

export type FallBackStep = {
  readonly service: string;
  readonly what: string;
  readonly ok: boolean;
  /** Since the call began. */
  readonly atMs: number;
};

export type FellBack = {
  readonly outcome: 'fell-back' | 'incomplete' | 'dry-run';
  readonly steps: readonly FallBackStep[];
  /** Where the record went: the queue, or only this answer and the log. */
  readonly recorded: 'intent-queue' | 'answer';
};

/** @param eventId makes a repeated call the same record */
export async function fallBack(
  world: World,
  request: FallBackRequest,
  services: readonly FallBackService[],
  eventId: string,
): Promise<FellBack | Refusal> {
  const who = whoFallsBack(services, request);
  if ('outcome' in who) return who;
  const beganAt = world.clock.now();
  const steps: FallBackStep[] = [];
  const note: Note = (service, what, ok = true) => {
    const step = { service, what, ok, atMs: world.clock.now() - beganAt };
    steps.push(step);
    world.log.write({ message: 'fall back', correlationId: eventId, ...step });
  };
  const moved: Moved[] = [];
  // All asked at once, each waited for when it is its turn.
  const marks = who.map((settings) => [settings, markOf(world, request, settings)] as const);
  for (const [settings, mark] of marks) {
    const place = await move(world, request, settings, await mark, note);
    if (place === null) continue;
    const movedAt = world.clock.now();
    const slot = settings.fallback.target === null ? place.slot : null;
    const { by, why } = request;
    moved.push({ settings, place, movedAt, mark: { at: movedAt, id: eventId, by, why, slot } });
  }
  if (request.dryRun) return { outcome: 'dry-run', steps, recorded: 'answer' };
  const unnoted = new Set<Moved>();
  const recorded = await recordIt(world, moved, unnoted, note);
  for (const { settings } of moved) await showOverride(world, settings, note);
  const kept = await keepThere(world, moved, unnoted, note);
  let complete = kept.length === who.length;
  for (const one of kept) complete = (await settle(world, one, note)) && complete;
  return { outcome: complete ? 'fell-back' : 'incomplete', steps, recorded };
}

/** The mark is read only where neither the request nor the configuration names the slot. */
async function markOf(
  world: World,
  request: FallBackRequest,
  { fallback, target }: FallBackService,
): Promise<Slot | null> {
  if ((request.slot ?? fallback.slot) !== null) return null;
  return world.traffic.stableMark(fallback.target ?? target).catch(() => null);
}

async function move(
  world: World,
  request: FallBackRequest,
  settings: FallBackService,
  mark: Slot | null,
  note: Note,
): Promise<Place | null> {
  const { service } = settings;
  const place = placeOf(settings, request, mark);
  if ('outcome' in place) {
    note(service, place.sentence, false);
    return null;
  }
  const what = `all traffic to ${place.slot} (${place.target.kind})`;
  if (request.dryRun) {
    note(service, `would send ${what}`);
    return place;
  }
  try {
    await world.traffic.shift(place.target, place.slot, 100);
    note(service, what);
    return place;
  } catch (error) {
    note(service, `${what}: ${(error as Error).message}`, false);
    return place; // asserted again below: it may only have been slow
  }
}

async function recordIt(
  world: World,
  moved: readonly Moved[],
  unnoted: Set<Moved>,
  note: Note,
): Promise<FellBack['recorded']> {
  let recorded: FellBack['recorded'] = 'intent-queue';
  for (const one of moved) {
    const { settings, place, mark } = one;
    const { at: now, id, by, why, slot } = mark;
    const to = `${place.target.kind}/${place.slot}`;
    const command = { type: 'RecordFallBack', ...{ by, why, to, slot, now } };
    // Of the same moment: whoever reads both knows that they speak of one.
    await world.traffic.markFallBack(settings.target, mark).catch((error: Error) => {
      unnoted.add(one);
      note(settings.service, `not noted on the target: ${error.message}`);
    });
    const stream = `service/${settings.service}`;
    const intent = { stream, commandId: fallBackCommandId(id), correlationId: id, command };
    try {
      await world.intents.send(intent);
    } catch (error) {
      recorded = 'answer';
      note(settings.service, `not recorded beside this answer and the log: ${(error as Error).message}`);
    }
  }
  return recorded;
}

/** It suspends what is automatic, and this was a person. */
async function showOverride(world: World, { service, target }: FallBackService, note: Note): Promise<void> {
  const mark = await world.traffic.overrideMark(target).catch(() => null);
  if (mark === null || mark.until <= world.clock.now()) return;
  const until = new Date(mark.until).toISOString();
  note(service, `${mark.by} suspended automatic roll backs until ${until} (${mark.why}); this is none`);
}

/**
 * @returns whether the balancer shows what was asked for, the old world is healthy and the failed side gone
 */
async function settle(world: World, moved: Moved, note: Note): Promise<boolean> {
  const { service, fallback } = moved.settings;
  const arrived = await hasArrived(world, moved, note);
  let well = arrived;
  if (fallback.healthUrl !== null) {
    const healthy = await world.health.check(fallback.healthUrl);
    note(service, `${fallback.healthUrl} answers ${healthy.what}`, healthy.ok);
    well = well && healthy.ok;
  }
  if (!fallback.scaleDown || !arrived) return well;
  const { place } = moved;
  const say = (what: string, ok?: boolean) => note(service, what, ok);
  return (await scaleDownFailed(world, moved.settings, place.slot, say)) && well;
}

/** Users may be sent elsewhere until the record's time to live is over. */
async function hasArrived(world: World, { settings, place, movedAt }: Moved, note: Note): Promise<boolean> {
  const drainMs = movedAt + drainSeconds(place.target) * 1000 - world.clock.now();
  if (drainMs > 0) await world.pause(drainMs);
  try {
    const reading = await world.traffic.read(place.target);
    const arrived = reading.kind === 'weights' && canaryWeight(reading.greenWeight, place.slot) === 100;
    note(
      settings.service,
      arrived
        ? `a read shows all traffic at ${place.slot}`
        : `a read does not show all traffic at ${place.slot}`,
      arrived,
    );
    return arrived;
  } catch (error) {
    note(settings.service, `where the traffic is cannot be read: ${(error as Error).message}`, false);
    return false;
  }
}
