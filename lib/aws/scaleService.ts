/** For the fire exit: tasks alone, without their health and their bounds. */
import { DescribeServicesCommand, type ECSClient, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import type { EcsAlbTarget, Slot, Target } from '../../events/target.ts';
import { TargetMissing } from '../core/outage.ts';
import { answered } from './answered.ts';

export const scaleService = (ecs: ECSClient) => ({
  async scale(target: Target, slot: Slot, tasks: number): Promise<void> {
    const { cluster, services } = withTasks(target);
    const command = new UpdateServiceCommand({ cluster, service: services[slot], desiredCount: tasks });
    await answered(`UpdateService of ${services[slot]}`, ecs.send(command));
  },
  async read(target: Target, slot: Slot) {
    const { cluster, services } = withTasks(target);
    const command = new DescribeServicesCommand({ cluster, services: [services[slot]] });
    const answer = await answered(`DescribeServices of ${services[slot]}`, ecs.send(command));
    const [found] = answer.services ?? [];
    if (found === undefined) throw new TargetMissing(`there is no ECS service ${services[slot]}`);
    return { desired: found.desiredCount ?? 0, running: found.runningCount ?? 0 };
  },
});

function withTasks(target: Target): EcsAlbTarget {
  if (target.kind === 'ecs-alb') return target;
  throw new TargetMissing(`a target of kind ${target.kind} has no tasks to scale`);
}
