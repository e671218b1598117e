/** Metrics a service publishes of itself, in the embedded metric format say; a dimension names the slot. */
import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import type { EmfSource } from '../../core/config/metricsSource.ts';
import { type MetricsOf, publishedMetrics } from '../cloudWatch/cloudWatchMetrics.ts';
import { metricsAt, publishedBusiness } from '../cloudWatch/publishedSide.ts';

export function emfMetrics(client: CloudWatchClient, source: EmfSource): MetricsOf {
  return publishedMetrics(client, {
    side: (slot) => {
      const metric = metricsAt(source.namespace, { ...source.dimensions, [source.slotDimension]: slot });
      return {
        requests: metric(source.requests),
        errors: [metric(source.errors)],
        latency: metric(source.latency),
        latencyUnitMs: source.latencyUnit === 'seconds' ? 1000 : 1,
        business: publishedBusiness(source.business, slot),
      };
    },
  });
}
