/**
 * What the service was before the rollout, frozen into its plan. Two questions to the metrics: percentiles
 * first, because slow answers can only be counted at thresholds that are already chosen.
 */
import type { Slot } from '../../events/target.ts';
import { otherSlot } from '../../events/target.ts';
import { assumedBaseline, type Baseline } from '../core/analysis/baseline.ts';
import { freezeBaseline, slowThresholds } from '../core/analysis/freezeBaseline.ts';
import type { ServiceSettings } from '../core/config/settings.ts';
import type { Clock, Log, Metrics } from '../ports.ts';

/** Assumptions, and said so, where the history cannot be read: a start does not wait for it. */
export async function readBaseline(
  world: { readonly clock: Clock; readonly metrics: Metrics; readonly log: Log },
  { service, target, metrics: source, analysis }: ServiceSettings,
  canarySlot: Slot,
  correlationId?: string,
): Promise<Baseline> {
  const periodMs = analysis.periodSeconds * 1000;
  const toMs = Math.floor((world.clock.now() - analysis.dataDelaySeconds * 1000) / periodMs) * periodMs;
  const fromMs = toMs - Math.ceil((analysis.dispersion.historyMinutes * 60_000) / periodMs) * periodMs;
  const slot = otherSlot(canarySlot);
  const wanted = analysis.latency.thresholdPercentiles;
  try {
    const percentiles = [...wanted, 95];
    const found = await world.metrics.percentiles({ target, source, slot, fromMs, toMs, percentiles });
    const p95Ms = found?.at(-1) ?? null;
    const thresholdsMs = slowThresholds(analysis, { percentilesMs: found?.slice(0, -1) ?? [], p95Ms });
    const { periodSeconds } = analysis;
    const query = { target, source, canarySlot, periodSeconds, fromMs, toMs, thresholdsMs };
    const minutes = await world.metrics.minutes(query);
    // Before it was stable, the slot stood idle: that is no part of the service's history.
    const history = minutes.map(({ stable }) => (stable?.requests ? stable : null));
    return freezeBaseline(analysis, { history, slowThresholdsMs: thresholdsMs, p95Ms });
  } catch (error) {
    const message = 'no history: the baseline is assumed';
    world.log.write({ message, service, correlationId, error: String(error) });
    return assumedBaseline(analysis);
  }
}
