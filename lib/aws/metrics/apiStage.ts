/**
 * An API Gateway stage with canary settings; green is the canary. What the canary answered is counted under
 * `<stage>/Canary` and, like its logs, again under the stage, which is therefore both sides together.
 * Source: API Gateway developer guide, "Amazon API Gateway dimensions and metrics" and "Set up an API Gateway
 * canary release deployment"; the name under which the canary's metrics stand is not documented.
 */
import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import type { ApiStageTarget } from '../../../events/target.ts';
import type { ApiStageSource } from '../../core/config/metricsSource.ts';
import { type MetricsOf, publishedMetrics } from '../cloudWatch/cloudWatchMetrics.ts';
import { metricsAt, publishedBusiness } from '../cloudWatch/publishedSide.ts';

export function apiStageMetrics(
  client: CloudWatchClient,
  { stage }: ApiStageTarget,
  { apiName, canaryStage, clientErrors, business }: ApiStageSource,
): MetricsOf {
  return publishedMetrics(client, {
    side: (slot) => {
      const Stage = slot === 'green' ? (canaryStage ?? `${stage}/Canary`) : stage;
      const metric = metricsAt('AWS/ApiGateway', { ApiName: apiName, Stage });
      return {
        requests: metric('Count'),
        errors: [metric('5XXError'), ...(clientErrors ? [metric('4XXError')] : [])],
        latency: metric('Latency'),
        latencyUnitMs: 1,
        business: publishedBusiness(business, slot),
      };
    },
    stableIsBoth: true,
  });
}
