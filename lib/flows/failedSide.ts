/** The last thing a fall-back does: the side that failed gets no tasks any more, unless users need it. */
import { otherSlot, type Slot, type Target } from '../../events/target.ts';
import type { FallBackService } from '../core/fallback/place.ts';
import type { SlotReading, Traffic, Workload } from '../ports.ts';
import { type Side, scaleDown } from './scaleDown.ts';

/** Tasks are counted: nobody asks for their health or their bounds. */
export type TaskCounts = Pick<Workload, 'scale'> & {
  read(target: Target, slot: Slot): Promise<Pick<SlotReading, 'desired' | 'running'>>;
};

type World = { readonly traffic: Pick<Traffic, 'read'>; readonly workload: TaskCounts };

type Say = (what: string, ok?: boolean) => void;

/** @returns whether the side that failed is gone, or nothing runs there that could be scaled */
export async function scaleDownFailed(
  world: World,
  { target, fallback }: Pick<FallBackService, 'target' | 'fallback'>,
  slot: Slot,
  say: Say,
): Promise<boolean> {
  if (target.kind !== 'ecs-alb') return true;
  try {
    if (fallback.target === null) return await scaleDownBeside(world, { target, slot }, say);
    // Elsewhere: both slots of the new world are the failed side.
    for (const failed of ['blue', 'green'] as const) await world.workload.scale(target, failed, 0);
    say('blue and green scaled to 0');
    return true;
  } catch (error) {
    say(`scaling the failed side down: ${(error as Error).message}`, false);
    return false;
  }
}

/**
 * Beside the side that everybody was sent to. Both sides are read first and the traffic once more afterwards,
 * because a rollback may be under way that goes the other way: then the side is needed.
 * @returns whether it is gone
 */
async function scaleDownBeside(
  { traffic, workload }: World,
  { target, slot }: Side,
  say: Say,
): Promise<boolean> {
  const failed = otherSlot(slot);
  const [kept, before] = await Promise.all([workload.read(target, slot), workload.read(target, failed)]);
  if (kept.running === 0) {
    say(`${failed} is left as it is: ${slot}, which gets the traffic, runs no task`, false);
    return false;
  }
  if (!(await scaleDown({ traffic, workload }, { target, slot: failed }, before.desired))) {
    say(`somebody sent traffic to ${failed} meanwhile: it has its ${before.desired} tasks again`, false);
    return false;
  }
  say(`${failed} scaled to 0`);
  return true;
}
