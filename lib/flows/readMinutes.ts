/** The minutes of a rollout that are old enough to be read, as the metrics tell them now. */
import type { Minute } from '../core/analysis/minutes.ts';
import type { Plan } from '../core/rollout/plan.ts';
import type { Clock, Metrics } from '../ports.ts';

/**
 * Every minute is read again each time, so a late revision of one corrects itself.
 * @param dataDelaySeconds how long ago a period must have ended: sources revise younger ones
 */
export async function readMinutes(
  world: { readonly clock: Clock; readonly metrics: Metrics },
  plan: Plan,
  startedAt: number,
  dataDelaySeconds: number,
): Promise<readonly Minute[]> {
  const { periodSeconds } = plan.settings.analysis;
  const periodMs = periodSeconds * 1000;
  const fromMs = Math.ceil(startedAt / periodMs) * periodMs;
  const toMs = Math.floor((world.clock.now() - dataDelaySeconds * 1000) / periodMs) * periodMs;
  if (toMs <= fromMs) return [];
  return world.metrics.minutes({
    target: plan.target,
    source: plan.settings.metrics,
    revisions: revisionsOf(plan),
    canarySlot: plan.canarySlot,
    periodSeconds,
    fromMs,
    toMs,
    thresholdsMs: plan.baseline.slowThresholdsMs,
  });
}

/** What runs in each slot for as long as the rollout does. */
function revisionsOf({ canarySlot, revision, stableRevision }: Plan) {
  return canarySlot === 'blue'
    ? { blue: revision, green: stableRevision }
    : { blue: stableRevision, green: revision };
}
