/**
 * What a reading of the balancer means beside the newest decision. Correction moves only toward stable:
 * less canary than decided is somebody's will and is adopted, more is corrected at once.
 */
import type { Slot } from '../../../events/target.ts';
import { desiredWeight, type Rollout } from './state.ts';

export type Comparison =
  | { readonly kind: 'as-decided' }
  /** A shift under way has not landed yet. */
  | { readonly kind: 'pending' }
  | { readonly kind: 'more'; readonly found: number; readonly decided: number }
  | { readonly kind: 'less'; readonly found: number; readonly decided: number }
  | { readonly kind: 'elsewhere'; readonly what: string };

export type Reading =
  | { readonly kind: 'weights'; readonly greenWeight: number }
  | { readonly kind: 'unknown'; readonly what: string };

/** Percent the canary gets by this reading. */
export const canaryWeight = (greenWeight: number, canarySlot: Slot): number =>
  Math.round((canarySlot === 'green' ? greenWeight : 100 - greenWeight) * 10) / 10;

/**
 * @param rollout any but `none`
 * @param toleratePercent how far the nearest weight the target can hold may be off
 */
export function compare(
  rollout: Exclude<Rollout, { phase: 'none' }>,
  reading: Reading,
  toleratePercent = 0.5,
): Comparison {
  if (reading.kind === 'unknown') return { kind: 'elsewhere', what: reading.what };
  const found = canaryWeight(reading.greenWeight, rollout.canarySlot);
  const decided = desiredWeight(rollout);
  if (decided === null) return { kind: 'as-decided' }; // a person has the say
  if (isHeldAs(found, decided, toleratePercent)) return { kind: 'as-decided' };
  if (found > decided) return { kind: 'more', found, decided };
  const underWay = rollout.phase === 'shifting' || rollout.phase === 'promoting';
  const confirmed = found > rollout.weight || isHeldAs(found, rollout.weight, toleratePercent);
  return underWay && confirmed ? { kind: 'pending' } : { kind: 'less', found, decided };
}

/** Is `found` how a target holds `weight`? Every target can hold nothing and all, so those are exact. */
const isHeldAs = (found: number, weight: number, toleratePercent: number): boolean =>
  weight === 0 || weight === 100 ? found === weight : Math.abs(found - weight) <= toleratePercent;
