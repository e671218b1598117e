/** Stable must be able to take everything back, the canary to carry what it gets. */

import { otherSlot } from '../../events/target.ts';
import type { Rollout } from '../core/rollout/state.ts';
import type { SlotReading, Workload } from '../ports.ts';

export type Shortage = { readonly side: 'stable' | 'canary'; readonly what: string };

export type Sides = { readonly stable: SlotReading; readonly canary: SlotReading };

/** What runs on both sides now. */
export async function readSides(
  workload: Pick<Workload, 'read'>,
  { target, canarySlot }: Exclude<Rollout, { phase: 'none' }>,
): Promise<Sides> {
  const [stable, canary] = await Promise.all([
    workload.read(target, otherSlot(canarySlot)),
    workload.read(target, canarySlot),
  ]);
  return { stable, canary };
}

/** Who has too few healthy tasks for more canary; stable first, null where nobody has. */
export function shortOfCapacity(
  { stable, canary }: Sides,
  rollout: Exclude<Rollout, { phase: 'none' }>,
): Shortage | null {
  const needed = rollout.checkpoint?.desiredCounts.stable ?? stable.desired;
  const stableHealthy = stable.healthy ?? stable.running;
  // A promotion does not come back: it is decided, or stable is what broke.
  if (rollout.phase !== 'promoting' && stableHealthy < needed) {
    return {
      side: 'stable',
      what: `stable has ${stableHealthy} healthy tasks of the ${needed} it needs to take everything back`,
    };
  }
  if (canary.revision !== rollout.revision) {
    return { side: 'canary', what: `the canary's slot runs ${canary.revision}, not ${rollout.revision}` };
  }
  const canaryHealthy = canary.healthy ?? canary.running;
  if (canaryHealthy < canary.desired || canaryHealthy === 0) {
    return { side: 'canary', what: `the canary has ${canaryHealthy} healthy tasks of ${canary.desired}` };
  }
  return null;
}
