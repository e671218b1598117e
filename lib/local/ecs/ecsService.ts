/**
 * ECS on one machine: a task is a set of child processes. What a container's image would hold is given by its
 * `entryPoint` and `command`; each container port is a free port of this machine, told in `PORT`.
 */
import * as sdk from '@aws-sdk/client-ecs';
import type { Clock } from '../../asl/clock.ts';
import type { Place, Publish } from '../cloudEvent.ts';
import type { TargetRegistry } from '../elb/targets.ts';
import { type LocalService, ServiceError } from '../service.ts';
import { clusterOperations } from './clusterOperations.ts';
import { definitionOperations } from './definitionOperations.ts';
import { taskStateChange } from './ecsEvents.ts';
import { EcsState } from './ecsState.ts';
import type { OutputLine } from './outputRing.ts';
import { serviceOperations } from './serviceOperations.ts';
import { ServiceScheduler } from './serviceScheduler.ts';
import { taskOperations } from './taskOperations.ts';
import { TaskRunner } from './taskRunner.ts';
import { TaskTargets } from './taskTargets.ts';

export type EcsDeps = {
  readonly clock: Clock;
  readonly place: Place;
  readonly publish: Publish;
  /** The balancers' target groups. */
  readonly targets: TargetRegistry;
  /** Put into every container's environment: the cloud's endpoint, region, credentials. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Where containers without a working directory start. */
  readonly directory?: string;
  /** Reads a container's secret by its `valueFrom`. */
  readonly secret?: (valueFrom: string) => Promise<string>;
  /** See `SchedulerWorld.settleSeconds`. */
  readonly settleSeconds?: number;
};

/** What others need of services: their counts. */
export type ServiceCounts = {
  /** null when there is no such ACTIVE service. */
  desired(cluster: string, service: string): number | null;
  setDesired(cluster: string, service: string, count: number): void;
};

export type Ecs = LocalService & {
  /** The last lines a task wrote, oldest first; empty for an unknown task. */
  output(taskArn: string): readonly OutputLine[];
  readonly counts: ServiceCounts;
};

export function ecsService(deps: EcsDeps): Ecs {
  const { clock, publish } = deps;
  const state = new EcsState(deps.place);
  const targets = new TaskTargets(deps.targets);
  const noSecrets = (valueFrom: string): Promise<string> =>
    Promise.reject(
      new ServiceError('ResourceNotFoundException', `nothing here holds the secret ${valueFrom}`),
    );
  const runner = new TaskRunner({
    clock,
    environment: { PATH: process.env.PATH ?? '', ...deps.environment },
    directory: deps.directory ?? process.cwd(),
    secret: deps.secret ?? noSecrets,
    join: (task) => {
      const { owner } = task;
      for (const group of targets.join(task))
        if (owner) scheduler.say(owner.service, `registered 1 targets in (target-group ${group})`);
    },
    leave: (task) => targets.leave(task),
    onChange: (task) => {
      publish(taskStateChange(task, clock.now()));
      scheduler.taskChanged(task);
    },
  });
  const settleSeconds = deps.settleSeconds ?? 2;
  const scheduler = new ServiceScheduler({ clock, state, runner, targets, publish, settleSeconds });
  deps.targets.onHealthChange(() => scheduler.pokeAll());
  const desk = { state, clock, scheduler, registry: deps.targets };
  return {
    scope: 'ecs',
    sdk,
    operations: {
      ...clusterOperations(state),
      ...definitionOperations(state, clock),
      ...taskOperations(state, clock, runner),
      ...serviceOperations(desk),
    },
    output: (taskArn) => state.tasks.get(taskArn.split('/').at(-1) ?? '')?.output.lines ?? [],
    counts: serviceCounts(state, scheduler),
    async close() {
      scheduler.close();
      await runner.close();
    },
  };
}

function serviceCounts(state: EcsState, scheduler: ServiceScheduler): ServiceCounts {
  const service = (cluster: string, name: string) => state.services.get(`${cluster}/${name}`) ?? null;
  return {
    desired: (cluster, name) => {
      const found = service(cluster, name);
      return found?.status === 'ACTIVE' ? found.desiredCount : null;
    },
    setDesired: (cluster, name, count) => {
      const found = service(cluster, name);
      if (found?.status !== 'ACTIVE') return;
      found.desiredCount = count;
      scheduler.poke(found);
    },
  };
}
