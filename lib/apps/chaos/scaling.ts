/** The bounds of a service's two slots, and whether they are kept from scaling in. */
import {
  ApplicationAutoScalingClient,
  DescribeScalableTargetsCommand,
} from '@aws-sdk/client-application-auto-scaling';
import type { Slot } from '../../../events/target.ts';
import type { Shop, Stage } from './stage.ts';
import type { Scaling } from './verdict.ts';

export async function scalingOf(
  stage: Pick<Stage, 'at'>,
  { target }: Shop,
): Promise<Readonly<Record<Slot, Scaling>>> {
  const { ScalableTargets = [] } = await new ApplicationAutoScalingClient(stage.at).send(
    new DescribeScalableTargetsCommand({ ServiceNamespace: 'ecs' }),
  );
  const scalingAt = (slot: Slot): Scaling => {
    const id = `service/${target.cluster}/${target.services[slot]}`;
    const found = ScalableTargets.find(({ ResourceId }) => ResourceId === id);
    if (found === undefined) return { bounds: null, suspended: false };
    const { MinCapacity: min = 0, MaxCapacity: max = 0, SuspendedState } = found;
    return { bounds: { min, max }, suspended: SuspendedState?.DynamicScalingInSuspended ?? false };
  };
  return { blue: scalingAt('blue'), green: scalingAt('green') };
}
