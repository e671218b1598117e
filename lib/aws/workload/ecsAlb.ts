/** What runs in a slot: one ECS service per slot, and its targets' health. */
import { DescribeServicesCommand, type ECSClient, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import {
  DescribeTargetHealthCommand,
  type ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { EcsAlbTarget, Slot } from '../../../events/target.ts';
import { TargetMissing } from '../../core/outage.ts';
import type { SlotReading } from '../../ports.ts';
import { answered } from '../answered.ts';

export type EcsAlbClients = {
  readonly ecs: ECSClient;
  readonly balancer: ElasticLoadBalancingV2Client;
};

export function ecsAlbWorkload({ ecs, balancer }: EcsAlbClients) {
  return {
    async read(target: EcsAlbTarget, slot: Slot): Promise<SlotReading> {
      const name = target.services[slot];
      const [{ services }, { TargetHealthDescriptions = [] }] = await Promise.all([
        answered(
          `DescribeServices of ${name}`,
          ecs.send(new DescribeServicesCommand({ cluster: target.cluster, services: [name] })),
        ),
        answered(
          `DescribeTargetHealth of ${slot}`,
          balancer.send(new DescribeTargetHealthCommand({ TargetGroupArn: target.targetGroups[slot] })),
        ),
      ]);
      const service = services?.[0];
      if (service === undefined || service.status === 'INACTIVE') {
        throw new TargetMissing(
          `${target.cluster}/${name}: there is no such ECS service; correct target.services.${slot}`,
        );
      }
      const primary = service.deployments?.find(({ status }) => status === 'PRIMARY');
      return {
        revision: primary?.taskDefinition ?? service.taskDefinition ?? '',
        desired: service.desiredCount ?? 0,
        running: primary?.runningCount ?? service.runningCount ?? 0,
        healthy: TargetHealthDescriptions.filter(({ TargetHealth }) => TargetHealth?.State === 'healthy')
          .length,
      };
    },

    async place(target: EcsAlbTarget, slot: Slot, revision: string, tasks: number): Promise<void> {
      const command = new UpdateServiceCommand({
        cluster: target.cluster,
        service: target.services[slot],
        taskDefinition: revision,
        desiredCount: tasks,
      });
      await answered(`UpdateService of ${target.services[slot]}`, ecs.send(command));
    },

    async scale(target: EcsAlbTarget, slot: Slot, tasks: number): Promise<void> {
      const command = new UpdateServiceCommand({
        cluster: target.cluster,
        service: target.services[slot],
        desiredCount: tasks,
      });
      await answered(`UpdateService of ${target.services[slot]}`, ecs.send(command));
    },
  };
}
