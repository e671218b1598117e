/** The bounds within which a slot's ECS service scales. */
import {
  type ApplicationAutoScalingClient,
  DescribeScalableTargetsCommand,
  RegisterScalableTargetCommand,
} from '@aws-sdk/client-application-auto-scaling';
import type { EcsAlbTarget, Slot } from '../../../events/target.ts';
import type { Bounds } from '../../ports.ts';
import { answered } from '../answered.ts';

const desiredCount = { ServiceNamespace: 'ecs', ScalableDimension: 'ecs:service:DesiredCount' } as const;

export function ecsAlbScaling(scaling: ApplicationAutoScalingClient) {
  const resourceId = (target: EcsAlbTarget, slot: Slot) =>
    `service/${target.cluster.split('/').at(-1)}/${target.services[slot]}`;

  return {
    async bounds(target: EcsAlbTarget, slot: Slot): Promise<Bounds | null> {
      const command = new DescribeScalableTargetsCommand({
        ...desiredCount,
        ResourceIds: [resourceId(target, slot)],
      });
      const { ScalableTargets } = await answered(`scaling bounds of ${slot}`, scaling.send(command));
      const found = ScalableTargets?.[0];
      return found === undefined ? null : { min: found.MinCapacity ?? 0, max: found.MaxCapacity ?? 0 };
    },

    async pin(target: EcsAlbTarget, slot: Slot, tasks: number): Promise<void> {
      const command = new RegisterScalableTargetCommand({
        ...desiredCount,
        ResourceId: resourceId(target, slot),
        MinCapacity: tasks,
        SuspendedState: { DynamicScalingInSuspended: true },
      });
      await answered(`pinning ${slot}`, scaling.send(command));
    },

    async release(target: EcsAlbTarget, slot: Slot, bounds: Bounds): Promise<void> {
      const command = new RegisterScalableTargetCommand({
        ...desiredCount,
        ResourceId: resourceId(target, slot),
        MinCapacity: bounds.min,
        MaxCapacity: bounds.max,
        SuspendedState: { DynamicScalingInSuspended: false },
      });
      await answered(`releasing ${slot}`, scaling.send(command));
    },
  };
}
