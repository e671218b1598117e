/** The balancer's own metrics of a slot's target group. `TargetResponseTime` is in seconds. */
import type { EcsAlbTarget, Slot } from '../../../events/target.ts';
import type { PublishedSide } from './cloudWatchMinutes.ts';

export function ecsAlbSide(target: EcsAlbTarget, slot: Slot): PublishedSide {
  return {
    namespace: 'AWS/ApplicationELB',
    dimensions: dimensionsOf(target, slot),
    requests: 'RequestCount',
    errors: 'HTTPCode_Target_5XX_Count',
    refused: 'TargetConnectionErrorCount',
    unhealthyHosts: 'UnHealthyHostCount',
    latency: 'TargetResponseTime',
    latencyUnitMs: 1000,
  };
}

/** `targetgroup/name/id` and `app/name/id`: the dimensions are the ends of the ARNs. */
export function dimensionsOf(target: EcsAlbTarget, slot: Slot) {
  const targetGroup = target.targetGroups[slot].split(':').at(-1) ?? '';
  const [, type, name, id] = (target.ruleArn.split(':').at(-1) ?? '').split('/');
  return [
    { Name: 'TargetGroup', Value: targetGroup },
    { Name: 'LoadBalancer', Value: `${type}/${name}/${id}` },
  ];
}
