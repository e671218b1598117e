/** Clusters, services and tasks as the API answers them. */
import type {
  Cluster as WireCluster,
  Container as WireContainer,
  Deployment as WireDeployment,
  Service as WireService,
  Task as WireTask,
} from '@aws-sdk/client-ecs';
import type {
  Cluster,
  ContainerRecord,
  DeploymentRecord,
  EcsState,
  ServiceRecord,
  TaskRecord,
} from './ecsState.ts';

const waiting = ['PROVISIONING', 'PENDING'];

/** Running tasks are those still wanted; what is being stopped counts no more. */
const isRunning = (task: TaskRecord): boolean =>
  task.lastStatus === 'RUNNING' && task.desiredStatus === 'RUNNING';
const isPending = (task: TaskRecord): boolean => waiting.includes(task.lastStatus);

export function wireCluster(state: EcsState, cluster: Cluster): WireCluster {
  const tasks = [...state.tasks.values()].filter((task) => task.cluster === cluster);
  const services = [...state.services.values()].filter((service) => service.cluster === cluster);
  return {
    clusterArn: cluster.arn,
    clusterName: cluster.name,
    status: cluster.status,
    registeredContainerInstancesCount: 0,
    runningTasksCount: tasks.filter(isRunning).length,
    pendingTasksCount: tasks.filter(isPending).length,
    activeServicesCount: services.filter(({ status }) => status === 'ACTIVE').length,
    tags: cluster.tags,
    capacityProviders: ['FARGATE', 'FARGATE_SPOT'],
    defaultCapacityProviderStrategy: [],
    settings: [],
    statistics: [],
  };
}

export function wireService(state: EcsState, service: ServiceRecord, withTags: boolean): WireService {
  const tasks = state.tasksOf(service);
  const { settings } = service;
  return {
    serviceArn: service.arn,
    serviceName: service.name,
    clusterArn: service.cluster.arn,
    status: service.status,
    desiredCount: service.desiredCount,
    runningCount: tasks.filter(isRunning).length,
    pendingCount: tasks.filter(isPending).length,
    launchType: service.launchType,
    platformVersion: 'LATEST',
    taskDefinition: service.deployments[0]?.definition.arn,
    loadBalancers: [...settings.loadBalancers],
    serviceRegistries: [],
    deploymentConfiguration: settings.deployment,
    deploymentController: { type: 'ECS' },
    deployments: service.deployments.map((deployment) => wireDeployment(service, deployment, tasks)),
    events: service.events,
    createdAt: new Date(service.createdMs),
    healthCheckGracePeriodSeconds: settings.gracePeriodSeconds,
    schedulingStrategy: 'REPLICA',
    placementConstraints: [],
    placementStrategy: [],
    enableECSManagedTags: false,
    enableExecuteCommand: false,
    propagateTags: settings.propagateTags as WireService['propagateTags'],
    networkConfiguration: settings.network,
    ...(withTags && { tags: service.tags }),
  };
}

function wireDeployment(
  service: ServiceRecord,
  deployment: DeploymentRecord,
  all: readonly TaskRecord[],
): WireDeployment {
  const tasks = all.filter((task) => task.owner?.deployment === deployment);
  const primary = service.deployments[0] === deployment;
  const running = tasks.filter(isRunning).length;
  const pending = tasks.filter(isPending).length;
  return {
    id: deployment.id,
    status: primary ? 'PRIMARY' : 'ACTIVE',
    taskDefinition: deployment.definition.arn,
    desiredCount: primary ? service.desiredCount : running + pending,
    runningCount: running,
    pendingCount: pending,
    failedTasks: deployment.failedTasks,
    createdAt: new Date(deployment.createdMs),
    updatedAt: new Date(deployment.updatedMs),
    launchType: service.launchType,
    networkConfiguration: service.settings.network,
    rolloutState: deployment.rolloutState,
    rolloutStateReason: deployment.rolloutStateReason,
  };
}

export function wireTask(task: TaskRecord): WireTask {
  const { wire } = task.definition;
  return {
    taskArn: task.arn,
    taskDefinitionArn: task.definition.arn,
    clusterArn: task.cluster.arn,
    group: task.group,
    startedBy: task.startedBy,
    launchType: task.launchType,
    platformVersion: '1.4.0',
    cpu: wire.cpu,
    memory: wire.memory,
    connectivity: 'CONNECTED',
    desiredStatus: task.desiredStatus,
    lastStatus: task.lastStatus,
    healthStatus: taskHealth(task),
    stopCode: task.stopCode,
    stoppedReason: task.stoppedReason,
    createdAt: new Date(task.createdMs),
    startedAt: dateOf(task.startedMs),
    stoppingAt: dateOf(task.stoppingMs),
    executionStoppedAt: dateOf(task.stoppedMs),
    stoppedAt: dateOf(task.stoppedMs),
    version: task.version,
    overrides: { containerOverrides: [], ...task.overrides },
    attachments: [],
    attributes: [],
    containers: task.containers.map((container) => wireContainer(task, container)),
  };
}

const wireContainer = (task: TaskRecord, container: ContainerRecord): WireContainer => ({
  containerArn: container.arn,
  taskArn: task.arn,
  name: container.definition.name,
  image: container.definition.image,
  lastStatus: container.lastStatus,
  exitCode: container.exitCode,
  reason: container.reason,
  networkBindings: [...container.bindings],
  networkInterfaces: [],
  healthStatus: container.health,
  cpu: `${container.definition.cpu ?? 0}`,
});

/** Of the essential containers with a check: the worst (ECS reference, `Task.healthStatus`). */
export function taskHealth({ containers }: TaskRecord): 'HEALTHY' | 'UNHEALTHY' | 'UNKNOWN' {
  const checked = containers.filter(
    ({ definition }) => definition.healthCheck && definition.essential !== false,
  );
  if (checked.some(({ health }) => health === 'UNHEALTHY')) return 'UNHEALTHY';
  const known = checked.length > 0 && checked.every(({ health }) => health === 'HEALTHY');
  return known ? 'HEALTHY' : 'UNKNOWN';
}

const dateOf = (ms: number | undefined): Date | undefined => (ms === undefined ? undefined : new Date(ms));
