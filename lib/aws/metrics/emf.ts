/** Metrics a service publishes of itself, in the embedded metric format say; a dimension names the slot. */
import type { Slot } from '../../../events/target.ts';
import type { EmfSource } from '../../core/config/settings.ts';
import type { PublishedSide } from './cloudWatchMinutes.ts';

export function emfSide(source: EmfSource, slot: Slot): PublishedSide {
  const dimensions = { ...source.dimensions, [source.slotDimension]: slot };
  return {
    namespace: source.namespace,
    dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
    requests: source.requests,
    errors: source.errors,
    refused: null,
    unhealthyHosts: null,
    latency: source.latency,
    latencyUnitMs: source.latencyUnit === 'seconds' ? 1000 : 1,
  };
}
