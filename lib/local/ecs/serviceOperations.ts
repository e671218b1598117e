/** Services: long-running sets of tasks. */
import type {
  CreateServiceCommandInput,
  DeleteServiceCommandInput,
  DescribeServicesCommandInput,
  ListServicesCommandInput,
  UpdateServiceCommandInput,
} from '@aws-sdk/client-ecs';
import type { Clock } from '../../asl/clock.ts';
import type { TargetRegistry } from '../elb/targets.ts';
import { type Operation, ServiceError } from '../service.ts';
import { runnableDefinition } from './definitionOperations.ts';
import { pageFor } from './ecsPage.ts';
import type { EcsState, ServiceRecord } from './ecsState.ts';
import { wireService } from './ecsWire.ts';
import type { ServiceScheduler } from './serviceScheduler.ts';
import { serviceSettings } from './serviceSettings.ts';

export type ServiceDesk = {
  readonly state: EcsState;
  readonly clock: Clock;
  readonly scheduler: ServiceScheduler;
  readonly registry: TargetRegistry;
};

/** ECS reference: DescribeServices takes at most 10. */
const DESCRIBE_MAX = 10;

export function serviceOperations(desk: ServiceDesk): Readonly<Record<string, Operation>> {
  const { state, scheduler } = desk;
  return {
    CreateService: (input: CreateServiceCommandInput) => ({
      service: wireService(state, create(desk, input), true),
    }),
    UpdateService: (input: UpdateServiceCommandInput) => ({
      service: wireService(state, update(desk, input), true),
    }),
    DeleteService: (input: DeleteServiceCommandInput) => {
      const service = state.service(state.cluster(input.cluster), input.service);
      if (service.desiredCount > 0 && input.force !== true)
        throw invalid('The service cannot be stopped while it is scaled above 0.');
      service.status = 'DRAINING';
      service.desiredCount = 0;
      scheduler.poke(service);
      return { service: wireService(state, service, true) };
    },
    DescribeServices: (input: DescribeServicesCommandInput) => {
      const cluster = state.cluster(input.cluster);
      const names = input.services ?? [];
      if (names.length === 0) throw invalid('Services cannot be empty.');
      if (names.length > DESCRIBE_MAX) throw invalid(`services must have at most ${DESCRIBE_MAX} members.`);
      const found = names.map((name) => ({ name, service: state.findService(cluster, name) }));
      const withTags = input.include?.includes('TAGS') ?? false;
      return {
        services: found.flatMap(({ service }) => (service ? [wireService(state, service, withTags)] : [])),
        failures: found.flatMap(({ name, service }) =>
          service
            ? []
            : [{ arn: state.arn(`service/${cluster.name}/${name.split('/').at(-1)}`), reason: 'MISSING' }],
        ),
      };
    },
    ListServices: (input: ListServicesCommandInput) => {
      const cluster = state.cluster(input.cluster);
      const found = [...state.services.values()].filter(
        (service) =>
          service.cluster === cluster &&
          service.status !== 'INACTIVE' &&
          (input.launchType === undefined || service.launchType === input.launchType),
      );
      const page = pageFor(
        found.map(({ arn }) => arn),
        input,
        10,
      );
      return { serviceArns: page.items, nextToken: page.next };
    },
  };
}

function create(
  { state, clock, scheduler, registry }: ServiceDesk,
  input: CreateServiceCommandInput,
): ServiceRecord {
  const cluster = state.cluster(input.cluster);
  const name = input.serviceName ?? '';
  if (!/^[\w-]{1,255}$/.test(name))
    throw invalid('Invalid service name: letters, digits, hyphens and underscores only.');
  if ((input.schedulingStrategy ?? 'REPLICA') !== 'REPLICA')
    throw invalid('The scheduling strategy DAEMON is not emulated by the local cloud.');
  const known = state.findService(cluster, name);
  if (known?.status === 'ACTIVE') throw invalid('Creation of service was not idempotent.');
  if (known?.status === 'DRAINING') throw invalid('Unable to Start a service that is still Draining.');
  const definition = runnableDefinition(state, input.taskDefinition);
  const service: ServiceRecord = {
    arn: state.arn(`service/${cluster.name}/${name}`),
    name,
    cluster,
    createdMs: clock.now(),
    launchType: input.launchType ?? 'FARGATE',
    status: 'ACTIVE',
    desiredCount: input.desiredCount ?? 0,
    deployments: [],
    lastCompleted: null,
    settings: serviceSettings(input, null, definition, registry),
    events: [],
    tags: input.tags ?? [],
  };
  state.services.set(`${cluster.name}/${name}`, service);
  scheduler.deploy(service, definition);
  return service;
}

function update(
  { state, scheduler, registry }: ServiceDesk,
  input: UpdateServiceCommandInput,
): ServiceRecord {
  const service = state.service(state.cluster(input.cluster), input.service);
  const current = service.deployments[0]?.definition;
  const definition = runnableDefinition(state, input.taskDefinition ?? current?.arn);
  const before = service.settings;
  const settings = serviceSettings(input, before, definition, registry);
  service.settings = settings;
  service.desiredCount = input.desiredCount ?? service.desiredCount;
  // What a task is made of asks for a new deployment; counts and percentages do not (ECS reference,
  // UpdateService).
  const changed =
    definition !== current ||
    JSON.stringify([settings.loadBalancers, settings.network]) !==
      JSON.stringify([before.loadBalancers, before.network]);
  if (changed || input.forceNewDeployment) scheduler.deploy(service, definition);
  else scheduler.poke(service);
  return service;
}

const invalid = (message: string): ServiceError => new ServiceError('InvalidParameterException', message);
