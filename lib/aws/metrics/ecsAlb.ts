/**
 * The balancer's own metrics of each slot's target group. `TargetResponseTime` is in seconds. What no target
 * answered has no target group's dimension: it stands in the balancer's own figures.
 * Source: ELB user guide, "CloudWatch metrics for your Application Load Balancer".
 */
import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import type { EcsAlbTarget, Slot } from '../../../events/target.ts';
import type { CloudWatchBusiness } from '../../core/config/metricsSource.ts';
import { type MetricsOf, publishedMetrics } from '../cloudWatch/cloudWatchMetrics.ts';
import { metricsAt, type PublishedSide, publishedBusiness } from '../cloudWatch/publishedSide.ts';

const namespace = 'AWS/ApplicationELB';

export function ecsAlbMetrics(
  client: CloudWatchClient,
  target: EcsAlbTarget,
  business: CloudWatchBusiness | undefined,
): MetricsOf {
  const ofBalancer = metricsAt(namespace, { LoadBalancer: balancerOf(target) });
  return publishedMetrics(client, {
    side: (slot) => ecsAlbSide(target, slot, business),
    unanswered: {
      failed: [ofBalancer('HTTPCode_ELB_502_Count'), ofBalancer('HTTPCode_ELB_504_Count')],
      abandoned: [ofBalancer('HTTPCode_ELB_4XX_Count')],
    },
  });
}

function ecsAlbSide(
  target: EcsAlbTarget,
  slot: Slot,
  business: CloudWatchBusiness | undefined,
): PublishedSide {
  const metric = metricsAt(namespace, sideOf(target, slot));
  return {
    requests: metric('RequestCount'),
    errors: [metric('HTTPCode_Target_5XX_Count')],
    refused: metric('TargetConnectionErrorCount'),
    answered: [2, 3, 4, 5].map((hundreds) => metric(`HTTPCode_Target_${hundreds}XX_Count`)),
    unhealthyHosts: metric('UnHealthyHostCount'),
    latency: metric('TargetResponseTime'),
    latencyUnitMs: 1000,
    business: publishedBusiness(business, slot),
  };
}

const sideOf = (target: EcsAlbTarget, slot: Slot) => ({
  TargetGroup: target.targetGroups[slot].split(':').at(-1) ?? '',
  LoadBalancer: balancerOf(target),
});

/** `targetgroup/name/id` and `app/name/id`: the dimensions are the ends of the ARNs. */
export const dimensionsOf = (target: EcsAlbTarget, slot: Slot) =>
  Object.entries(sideOf(target, slot)).map(([Name, Value]) => ({ Name, Value }));

function balancerOf({ ruleArn }: EcsAlbTarget): string {
  const [, type, name, id] = (ruleArn.split(':').at(-1) ?? '').split('/');
  return `${type}/${name}/${id}`;
}
