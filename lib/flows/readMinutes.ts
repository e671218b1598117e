/** The minutes of a rollout that are old enough to be read: the newest hours as the metrics tell them now. */
import { type Minute, withRevisions } from '../core/analysis/minutes.ts';
import type { Plan } from '../core/rollout/plan.ts';
import type { Clock, EventStore, Metrics } from '../ports.ts';

type World = {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly store: Pick<EventStore, 'minutes'>;
};

/**
 * Minutes older than this are taken as they were kept. CloudWatch revises none so late, and forgets periods
 * below a minute after three hours.
 */
const rereadSeconds = 2 * 3600;

/**
 * Every younger minute is read again each time, so a late revision of one corrects itself.
 * @param dataDelaySeconds how long ago a period must have ended: sources revise younger ones
 */
export async function readMinutes(
  world: World,
  plan: Plan,
  startedAt: number,
  dataDelaySeconds: number,
): Promise<readonly Minute[]> {
  const periodMs = plan.settings.analysis.periodSeconds * 1000;
  const fromMs = Math.ceil(startedAt / periodMs) * periodMs;
  const toMs = Math.floor((world.clock.now() - dataDelaySeconds * 1000) / periodMs) * periodMs;
  if (toMs <= fromMs) return [];
  const agedMs = Math.floor((toMs - rereadSeconds * 1000) / periodMs) * periodMs;
  if (agedMs <= fromMs) return freshMinutes(world, plan, fromMs, toMs);
  const kept = withRevisions(await world.store.minutes(plan.rolloutId), []);
  const settled = unbroken(kept, periodMs, { fromMs, toMs: agedMs });
  return settled.concat(await freshMinutes(world, plan, fromMs + settled.length * periodMs, toMs));
}

/**
 * Kept minutes of a span, up to the first that is missing: nobody looked for a while, and asks again.
 */
function unbroken(
  kept: readonly Minute[],
  periodMs: number,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): Minute[] {
  let first = 0;
  while (first < kept.length && (kept[first] as Minute).startMs < fromMs) first++;
  let end = first;
  for (let next = fromMs; next < toMs && kept[end]?.startMs === next; next += periodMs) end++;
  return kept.slice(first, end);
}

async function freshMinutes(
  { metrics }: World,
  plan: Plan,
  fromMs: number,
  toMs: number,
): Promise<readonly Minute[]> {
  return metrics.minutes({
    target: plan.target,
    source: plan.settings.metrics,
    revisions: revisionsOf(plan),
    canarySlot: plan.canarySlot,
    periodSeconds: plan.settings.analysis.periodSeconds,
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
