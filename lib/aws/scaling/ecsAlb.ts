/** The bounds within which a slot's ECS service scales. */
import {
  type ApplicationAutoScalingClient,
  DescribeScalableTargetsCommand,
  RegisterScalableTargetCommand,
  type ScalableTarget,
} from '@aws-sdk/client-application-auto-scaling';
import type { EcsAlbTarget, Slot } from '../../../events/target.ts';
import type { Bounds } from '../../ports.ts';
import { answered } from '../answered.ts';

const desiredCount = { ServiceNamespace: 'ecs', ScalableDimension: 'ecs:service:DesiredCount' } as const;

export function ecsAlbScaling(scaling: ApplicationAutoScalingClient) {
  const resourceId = (target: EcsAlbTarget, slot: Slot) =>
    `service/${target.cluster.split('/').at(-1)}/${target.services[slot]}`;
  const describe = async (target: EcsAlbTarget, slot: Slot): Promise<ScalableTarget | null> => {
    const ResourceIds = [resourceId(target, slot)];
    const command = new DescribeScalableTargetsCommand({ ...desiredCount, ResourceIds });
    const { ScalableTargets } = await answered(`scaling bounds of ${slot}`, scaling.send(command));
    return ScalableTargets?.[0] ?? null;
  };

  return {
    async bounds(target: EcsAlbTarget, slot: Slot): Promise<Bounds | null> {
      const found = await describe(target, slot);
      return found === null ? null : { min: found.MinCapacity ?? 0, max: found.MaxCapacity ?? 0 };
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

    /** Registering starts what a minimum is short of, also on a side that was scaled to 0 meanwhile. */
    async release(target: EcsAlbTarget, slot: Slot, bounds: Bounds): Promise<void> {
      const found = await describe(target, slot);
      const isReleased =
        found?.MinCapacity === bounds.min &&
        found.MaxCapacity === bounds.max &&
        found.SuspendedState?.DynamicScalingInSuspended !== true;
      if (isReleased) return;
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
