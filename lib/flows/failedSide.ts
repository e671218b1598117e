/** The last thing a fall-back does: the side that failed gets no tasks any more, unless users need it. */
import { otherSlot, type Slot, type Target } from '../../events/target.ts';
import { canaryWeight } from '../core/rollout/drift.ts';
import type { SlotReading, Traffic, Workload } from '../ports.ts';

/** Tasks are counted: nobody asks for their health or their bounds. */
export type TaskCounts = Pick<Workload, 'scale'> & {
  read(target: Target, slot: Slot): Promise<Pick<SlotReading, 'desired' | 'running'>>;
};

type World = { readonly traffic: Pick<Traffic, 'read'>; readonly workload: TaskCounts };

type Side = { readonly target: Target; readonly slot: Slot };
type Say = (what: string, ok?: boolean) => void;

/**
 * Beside the side that everybody was sent to. Both sides are read first and the traffic once more afterwards,
 * because a rollback may be under way that goes the other way: then the side is needed.
 * @returns whether it is gone
 */
export async function scaleDownBeside(
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
  await workload.scale(target, failed, 0);
  const reading = await traffic.read(target);
  if (reading.kind === 'weights' && canaryWeight(reading.greenWeight, failed) > 0) {
    await workload.scale(target, failed, before.desired);
    say(`somebody sent traffic to ${failed} meanwhile: it has its ${before.desired} tasks again`, false);
    return false;
  }
  say(`${failed} scaled to 0`);
  return true;
}
