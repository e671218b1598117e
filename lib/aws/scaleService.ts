/** One call, for the fire exit: it needs no health and no bounds. */
import { type ECSClient, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import { TargetMissing } from '../core/outage.ts';
import type { Workload } from '../ports.ts';
import { answered } from './answered.ts';

export const scaleService = (ecs: ECSClient): Pick<Workload, 'scale'> => ({
  async scale(target, slot, tasks) {
    if (target.kind !== 'ecs-alb')
      throw new TargetMissing(`a target of kind ${target.kind} has no tasks to scale`);
    const command = new UpdateServiceCommand({
      cluster: target.cluster,
      service: target.services[slot],
      desiredCount: tasks,
    });
    await answered(`UpdateService of ${target.services[slot]}`, ecs.send(command));
  },
});
