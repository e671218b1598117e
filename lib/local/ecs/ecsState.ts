/**
 * What ECS knows: clusters, task definitions, services with their deployments, tasks with their containers.
 */
import type {
  ContainerDefinition,
  DeploymentConfiguration,
  DeploymentRolloutState,
  HealthStatus,
  LaunchType,
  LoadBalancer,
  NetworkBinding,
  NetworkConfiguration,
  Tag,
  TaskDefinition,
  TaskOverride,
  TaskStopCode,
} from '@aws-sdk/client-ecs';
import type { Place } from '../cloudEvent.ts';
import { ServiceError } from '../service.ts';
import type { OutputRing } from './outputRing.ts';

export type Cluster = {
  readonly arn: string;
  readonly name: string;
  status: 'ACTIVE' | 'INACTIVE';
  tags: Tag[];
};

/** As it is answered, with the tags that are answered beside it. */
export type Definition = { readonly wire: TaskDefinition; readonly arn: string; tags: Tag[] };

export type ContainerRecord = {
  readonly arn: string;
  readonly definition: ContainerDefinition;
  lastStatus: 'PENDING' | 'RUNNING' | 'STOPPED';
  health: HealthStatus;
  bindings: readonly NetworkBinding[];
  exitCode?: number;
  reason?: string;
};

export type TaskStatus = 'PROVISIONING' | 'PENDING' | 'RUNNING' | 'DEACTIVATING' | 'STOPPING' | 'STOPPED';

export type TaskRecord = {
  readonly arn: string;
  /** 32 hexadecimal digits: the end of the ARN. */
  readonly id: string;
  readonly cluster: Cluster;
  readonly definition: Definition;
  readonly group: string;
  readonly startedBy: string | undefined;
  /** The service and deployment that want it; null for RunTask. */
  readonly owner: { readonly service: ServiceRecord; readonly deployment: DeploymentRecord } | null;
  readonly overrides: TaskOverride;
  readonly launchType: LaunchType;
  readonly containers: readonly ContainerRecord[];
  readonly output: OutputRing;
  readonly createdMs: number;
  lastStatus: TaskStatus;
  desiredStatus: 'RUNNING' | 'STOPPED';
  startedMs?: number;
  stoppingMs?: number;
  stoppedMs?: number;
  stopCode?: TaskStopCode;
  stoppedReason?: string;
  version: number;
  tags: Tag[];
};

export type DeploymentRecord = {
  /** `ecs-svc/<digits>`: what `startedBy` of its tasks says too. */
  readonly id: string;
  readonly definition: Definition;
  /** Where its tasks are registered, whatever the service says later. */
  readonly loadBalancers: readonly LoadBalancer[];
  readonly createdMs: number;
  updatedMs: number;
  rolloutState: DeploymentRolloutState;
  rolloutStateReason: string;
  /** Tasks that ended by themselves or were unhealthy, in a row. */
  failedTasks: number;
};

export type ServiceRecord = {
  readonly arn: string;
  readonly name: string;
  readonly cluster: Cluster;
  readonly createdMs: number;
  readonly launchType: LaunchType;
  status: 'ACTIVE' | 'DRAINING' | 'INACTIVE';
  desiredCount: number;
  /** The newest (PRIMARY) first. */
  deployments: DeploymentRecord[];
  /** What a failed deployment goes back to. */
  lastCompleted: DeploymentRecord | null;
  settings: {
    readonly loadBalancers: readonly LoadBalancer[];
    readonly deployment: DeploymentConfiguration;
    readonly gracePeriodSeconds: number;
    readonly network: NetworkConfiguration | undefined;
    readonly propagateTags: string | undefined;
  };
  /** Newest first. */
  events: { readonly id: string; readonly createdAt: Date; readonly message: string }[];
  tags: Tag[];
};

export class EcsState {
  readonly place: Place;
  readonly clusters = new Map<string, Cluster>();
  readonly definitions = new Map<string, Definition>();
  readonly services = new Map<string, ServiceRecord>();
  readonly tasks = new Map<string, TaskRecord>();

  constructor(place: Place) {
    this.place = place;
  }

  arn(resource: string): string {
    return `arn:aws:ecs:${this.place.region}:${this.place.account}:${resource}`;
  }

  /** By name or ARN; `default` when nothing is named. @throws ServiceError */
  cluster(named: string | undefined): Cluster {
    const name = (named ?? 'default').split('/').at(-1) ?? '';
    const cluster = this.clusters.get(name);
    if (cluster?.status !== 'ACTIVE')
      throw new ServiceError('ClusterNotFoundException', 'Cluster not found.');
    return cluster;
  }

  /** By name or ARN within the cluster; null when there is none. */
  findService(cluster: Cluster, named: string | undefined): ServiceRecord | null {
    return this.services.get(`${cluster.name}/${(named ?? '').split('/').at(-1)}`) ?? null;
  }

  /** An ACTIVE service. @throws ServiceError */
  service(cluster: Cluster, named: string | undefined): ServiceRecord {
    const service = this.findService(cluster, named);
    if (!service || service.status === 'INACTIVE')
      throw new ServiceError('ServiceNotFoundException', 'Service not found.');
    if (service.status !== 'ACTIVE')
      throw new ServiceError('ServiceNotActiveException', 'Service was not ACTIVE.');
    return service;
  }

  /** By id or ARN within the cluster; null when there is none. */
  findTask(cluster: Cluster, named: string | undefined): TaskRecord | null {
    const task = this.tasks.get((named ?? '').split('/').at(-1) ?? '');
    return task?.cluster === cluster ? task : null;
  }

  tasksOf(service: ServiceRecord): readonly TaskRecord[] {
    return [...this.tasks.values()].filter((task) => task.owner?.service === service);
  }

  /** Everything that can be tagged, by ARN. @throws ServiceError */
  tagged(arn: string | undefined): { tags: Tag[] } {
    const all = [this.clusters, this.definitions, this.services, this.tasks].flatMap((map) => [
      ...(map as Map<string, { readonly arn: string; tags: Tag[] }>).values(),
    ]);
    const found = all.find((each) => each.arn === arn);
    if (!found)
      throw new ServiceError('InvalidParameterException', `The specified resource ${arn} was not found.`);
    return found;
  }
}
