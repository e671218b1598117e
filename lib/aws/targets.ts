/** Traffic, workload and metrics of a target, by its kind. A bundle holds only the kinds that are configured. */
import type { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import type { ECSClient } from '@aws-sdk/client-ecs';
import type { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { EcsAlbTarget, Target } from '../../events/target.ts';
import { TargetMissing } from '../core/outage.ts';
import type { Metrics, Traffic, Workload } from '../ports.ts';
import { ecsAlbMinutes, ecsAlbPercentiles } from './metrics/ecsAlb.ts';
import { ecsAlbTraffic } from './traffic/ecsAlb.ts';
import { ecsAlbWorkload } from './workload/ecsAlb.ts';

/** The adapter's own kind, or a sentence for a kind that nothing here can serve. */
function ecsAlb(target: Target): EcsAlbTarget {
  if (target.kind === 'ecs-alb') return target;
  throw new TargetMissing(`no adapter serves targets of kind ${target.kind}: ecs-alb is served`);
}

export function awsTraffic(
  balancer: ElasticLoadBalancingV2Client,
  pause: (ms: number) => Promise<void>,
): Traffic {
  const alb = ecsAlbTraffic(balancer, pause);
  return {
    read: (target) => alb.read(ecsAlb(target)),
    shift: (target, slot, weight) => alb.shift(ecsAlb(target), slot, weight),
    markStable: (target, slot) => alb.markStable(ecsAlb(target), slot),
    stableMark: (target) => alb.stableMark(ecsAlb(target)),
  };
}

export function awsWorkload(
  ecs: ECSClient,
  balancer: ElasticLoadBalancingV2Client,
  scaling: ApplicationAutoScalingClient,
): Workload {
  const alb = ecsAlbWorkload({ ecs, balancer, scaling });
  return {
    read: (target, slot) => alb.read(ecsAlb(target), slot),
    place: (target, slot, revision, tasks) => alb.place(ecsAlb(target), slot, revision, tasks),
    scale: (target, slot, tasks) => alb.scale(ecsAlb(target), slot, tasks),
    bounds: (target, slot) => alb.bounds(ecsAlb(target), slot),
    pin: (target, slot, tasks) => alb.pin(ecsAlb(target), slot, tasks),
    release: (target, slot, bounds) => alb.release(ecsAlb(target), slot, bounds),
  };
}

export function awsMetrics(cloudWatch: CloudWatchClient): Metrics {
  return {
    minutes: ({ target, ...query }) => ecsAlbMinutes(cloudWatch, ecsAlb(target), query),
    percentiles: ({ target, ...query }) => ecsAlbPercentiles(cloudWatch, ecsAlb(target), query),
  };
}
