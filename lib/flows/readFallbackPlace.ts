/**
 * What the place to fall back to holds. Nothing depends on the answer but what can be said later, so one that
 * cannot be had is an unknown and stops nobody.
 */
import type { Target } from '../../events/target.ts';
import type { Plan } from '../core/rollout/plan.ts';
import type { FallbackPlaces, Log, PlaceSetting } from '../ports.ts';
import type { Cause } from './record.ts';

/** @returns null where it cannot be read; the log says why */
export async function readFallbackPlace(
  world: { readonly places: FallbackPlaces; readonly log: Log },
  target: Target,
  { service, rolloutId }: Pick<Plan, 'service' | 'rolloutId'>,
  { correlationId }: Cause,
): Promise<readonly PlaceSetting[] | null> {
  try {
    return await world.places.settings(target);
  } catch (error) {
    const message = 'the place to fall back to cannot be read';
    const why = (error as Error).message;
    world.log.write({ message, service, rolloutId, correlationId, why });
    return null;
  }
}
