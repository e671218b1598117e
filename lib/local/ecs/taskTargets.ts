/** A service's tasks in its target groups. */
import type { TargetRegistry } from '../elb/targets.ts';
import type { TaskRecord } from './ecsState.ts';

export type TargetState = {
  readonly state: 'none' | 'waiting' | 'healthy' | 'unhealthy';
  /** Of an unhealthy one: where and why. */
  readonly why?: { readonly targetGroupArn: string; readonly description: string };
};

type Place = { readonly targetGroupArn: string; readonly id: string; readonly port: number };

export class TaskTargets {
  readonly #registry: TargetRegistry;

  constructor(registry: TargetRegistry) {
    this.#registry = registry;
  }

  /** Registers the task's real ports; answers the groups, without those that were deleted meanwhile. */
  join(task: TaskRecord): readonly string[] {
    const places = placesOf(task).filter(({ targetGroupArn }) => this.#registry.exists(targetGroupArn));
    for (const { targetGroupArn, id, port } of places) this.#registry.register(targetGroupArn, { id, port });
    return places.map(({ targetGroupArn }) => targetGroupArn);
  }

  /** Resolves when no group sends it anything any more. */
  async leave(task: TaskRecord): Promise<void> {
    await Promise.all(
      placesOf(task).map(({ targetGroupArn, id, port }) =>
        this.#registry.deregister(targetGroupArn, { id, port }),
      ),
    );
  }

  /** The worst of its groups' opinions. A group no listener uses has none, and does not hold a service up. */
  stateOf(task: TaskRecord): TargetState {
    const places = placesOf(task);
    if (places.length === 0) return { state: 'none' };
    const seen = places.map((place) => ({
      place,
      health: this.#registry.health(place.targetGroupArn, place),
    }));
    const sick = seen.find(({ health }) => health?.state === 'unhealthy');
    if (sick) {
      return {
        state: 'unhealthy',
        why: { targetGroupArn: sick.place.targetGroupArn, description: sick.health?.description ?? '' },
      };
    }
    const fine = ['healthy', 'unavailable', 'unused'];
    return { state: seen.every(({ health }) => fine.includes(health?.state ?? '')) ? 'healthy' : 'waiting' };
  }

  /** Why a task is called unhealthy, in ECS's words. */
  sicknessOf(task: TaskRecord): string {
    const { why } = this.stateOf(task);
    if (!why) return `(task ${task.id}) failed container health checks.`;
    const { containerPort } =
      task.owner?.deployment.loadBalancers.find((one) => one.targetGroupArn === why.targetGroupArn) ?? {};
    return (
      `(port ${containerPort}) is unhealthy in (target-group ${why.targetGroupArn}) due to ` +
      `(reason ${why.description})`
    );
  }
}

function placesOf({ owner, containers }: TaskRecord): readonly Place[] {
  return (owner?.deployment.loadBalancers ?? []).flatMap(
    ({ targetGroupArn, containerName, containerPort }) => {
      const container = containers.find(({ definition }) => definition.name === containerName);
      const port = container?.bindings.find((binding) => binding.containerPort === containerPort)?.hostPort;
      return targetGroupArn === undefined || port === undefined
        ? []
        : [{ targetGroupArn, id: '127.0.0.1', port }];
    },
  );
}
