/**
 * A side gets no tasks any more. A scheduler has no conditional write, so the traffic is read afterwards: the
 * fire exit, or a hand, may have sent users there in that moment.
 */
import type { Slot, Target } from '../../events/target.ts';
import { canaryWeight } from '../core/rollout/drift.ts';
import type { Traffic, Workload } from '../ports.ts';

type World = { readonly traffic: Pick<Traffic, 'read'>; readonly workload: Pick<Workload, 'scale'> };

export type Side = { readonly target: Target; readonly slot: Slot };

/**
 * @param tasks it has them again where it is needed
 * @returns whether it is gone
 */
export async function scaleDown(
  { traffic, workload }: World,
  { target, slot }: Side,
  tasks: number,
): Promise<boolean> {
  await workload.scale(target, slot, 0);
  const reading = await traffic.read(target);
  if (reading.kind === 'unknown' || canaryWeight(reading.greenWeight, slot) === 0) return true;
  await workload.scale(target, slot, tasks);
  return false;
}
