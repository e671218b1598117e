/**
 * The fire exit goes on asserting where it sent everybody, for as long as a write that was under way may
 * land, unless somebody took it again since.
 */
import { clocksApartMs } from '../core/fallback/mark.ts';
import { type FallBackService, type Place, reassertSeconds } from '../core/fallback/place.ts';
import { canaryWeight } from '../core/rollout/drift.ts';
import type { Clock, FallBackMark, Pause, Traffic } from '../ports.ts';

type World = { readonly clock: Clock; readonly pause: Pause; readonly traffic: Traffic };

export type Moved = {
  readonly settings: FallBackService;
  readonly place: Place;
  readonly movedAt: number;
  readonly mark: FallBackMark;
};
export type Note = (service: string, what: string, ok?: boolean) => void;

/** Between two assertions of the same place. */
const reassertEverySeconds = 2;

/**
 * Whoever shifts late is overruled until nobody can be late any more; what was not noted is tried again.
 * @returns those that nobody has taken the fire exit for since
 */
export async function keepThere(
  world: World,
  moved: readonly Moved[],
  unnoted: Set<Moved>,
  note: Note,
): Promise<readonly Moved[]> {
  const kept = new Set(moved);
  const until = world.clock.now() + reassertSeconds(moved.map(({ settings }) => settings)) * 1000;
  while (world.clock.now() < until && kept.size > 0) {
    await world.pause(reassertEverySeconds * 1000);
    for (const one of kept) {
      const { settings, place } = one;
      try {
        const reading = await world.traffic.read(place.target);
        if (reading.kind === 'weights' && canaryWeight(reading.greenWeight, place.slot) === 100) continue;
        const newer = await newerPull(world, one, !unnoted.has(one));
        if (newer !== null) {
          kept.delete(one);
          unnoted.delete(one);
          note(settings.service, `${newer.by} took the fire exit since (${newer.why}): left to them`, false);
          continue;
        }
        await world.traffic.shift(place.target, place.slot, 100);
        note(settings.service, 'somebody moved the traffic meanwhile: moved back');
      } catch (error) {
        note(settings.service, `asserting it again failed: ${(error as Error).message}`, false);
      }
    }
    for (const one of unnoted) {
      const { settings, mark } = one;
      const isNoted = await world.traffic.markFallBack(settings.target, mark).then(
        () => unnoted.delete(one),
        () => false,
      );
      if (isNoted) note(settings.service, 'noted on the target after all');
    }
  }
  return [...kept];
}

/** Two people in one minute, and the second went the other way: their note stands over this one's. */
async function newerPull(
  { traffic }: World,
  { settings, mark: { id, at } }: Moved,
  isNoted: boolean,
): Promise<FallBackMark | null> {
  const mark = await traffic.fallBackMark(settings.target).catch(() => null);
  const isNewer = mark !== null && mark.id !== id && mark.at > (isNoted ? at - clocksApartMs : at);
  return isNewer ? mark : null;
}
