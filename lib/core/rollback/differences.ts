/**
 * The world after a rollback beside the checkpoint it was to restore: each thing that is not as it was, as
 * one sentence.
 */

import type { Slot } from '../../../events/target.ts';
import { canaryWeight, type Reading } from '../rollout/drift.ts';
import type { Checkpoint } from '../rollout/state.ts';

type SlotFound = {
  readonly revision: string;
  readonly desired: number;
  readonly running: number;
  readonly healthy: number | null;
};

export type Found = {
  readonly traffic: Reading;
  readonly stable: SlotFound;
  /** null: the slot is gone altogether. */
  readonly canary: SlotFound | null;
  /** Of stable; null where nothing scales it. */
  readonly scaling: Checkpoint['scaling'];
};

type Restored = {
  readonly canarySlot: Slot;
  readonly stableRevision: string;
  /** null: the rollback began before one was taken. */
  readonly checkpoint: Checkpoint | null;
};

export function differencesFrom(
  { canarySlot, stableRevision, checkpoint }: Restored,
  found: Found,
): string[] {
  const { traffic, stable, canary } = found;
  const differences: string[] = [];
  if (traffic.kind === 'unknown') differences.push(traffic.what);
  else if (canaryWeight(traffic.greenWeight, canarySlot) !== 0) {
    differences.push(
      `the canary still gets ${canaryWeight(traffic.greenWeight, canarySlot)} % of the traffic`,
    );
  }
  if (stable.revision !== stableRevision) {
    differences.push(`stable runs ${stable.revision}, it was ${stableRevision}`);
  }
  const wanted = checkpoint?.desiredCounts.stable ?? stable.desired;
  const healthy = stable.healthy ?? stable.running;
  if (healthy < wanted) differences.push(`stable has ${healthy} healthy tasks, it had ${wanted}`);
  if (stable.desired < wanted)
    differences.push(`stable is asked for ${stable.desired} tasks, it was ${wanted}`);
  if (checkpoint !== null && !sameBounds(checkpoint.scaling, found.scaling)) {
    differences.push(`stable scales ${between(found.scaling)}, it scaled ${between(checkpoint.scaling)}`);
  }
  if (canary !== null && isLeftOver(canary)) {
    differences.push(`${Math.max(canary.running, canary.desired)} tasks of ${canary.revision} are left over`);
  }
  return differences;
}

/** Tasks that nobody needs any more: of the canary, after its traffic is off and it was scaled to 0. */
export const isLeftOver = ({ desired, running }: Pick<SlotFound, 'desired' | 'running'>): boolean =>
  desired > 0 || running > 0;

const between = (bounds: Checkpoint['scaling']): string =>
  bounds === null ? 'by nobody' : `between ${bounds.min} and ${bounds.max}`;

const sameBounds = (one: Checkpoint['scaling'], other: Checkpoint['scaling']): boolean =>
  one?.min === other?.min && one?.max === other?.max;
