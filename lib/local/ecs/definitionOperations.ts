/** Task definitions: families of immutable revisions. */
import type {
  ContainerDefinition,
  ListTaskDefinitionFamiliesCommandInput,
  ListTaskDefinitionsCommandInput,
  RegisterTaskDefinitionCommandInput,
} from '@aws-sdk/client-ecs';
import type { Clock } from '../../asl/clock.ts';
import { type Operation, ServiceError } from '../service.ts';
import { pageFor } from './ecsPage.ts';
import type { Definition, EcsState } from './ecsState.ts';

export function definitionOperations(state: EcsState, clock: Clock): Readonly<Record<string, Operation>> {
  return {
    RegisterTaskDefinition: (input: RegisterTaskDefinitionCommandInput) => {
      const definition = register(state, input, clock.now());
      return { taskDefinition: definition.wire, tags: definition.tags };
    },
    DescribeTaskDefinition: ({
      taskDefinition,
      include,
    }: {
      taskDefinition?: string;
      include?: string[];
    }) => {
      const definition = findDefinition(state, taskDefinition);
      if (!definition) throw clientError('Unable to describe task definition.');
      return { taskDefinition: definition.wire, ...(include?.includes('TAGS') && { tags: definition.tags }) };
    },
    DeregisterTaskDefinition: ({ taskDefinition }: { taskDefinition?: string }) => {
      const definition = /:\d+$/.test(taskDefinition ?? '') ? findDefinition(state, taskDefinition) : null;
      if (!definition)
        throw clientError('The specified task definition does not exist. Name it with its revision.');
      Object.assign(definition.wire, { status: 'INACTIVE', deregisteredAt: new Date(clock.now()) });
      return { taskDefinition: definition.wire };
    },
    ListTaskDefinitions: (input: ListTaskDefinitionsCommandInput) => {
      const wanted = input.status ?? 'ACTIVE';
      const found = [...state.definitions.values()]
        .filter(({ wire }) => wire.status === wanted)
        .filter(({ wire }) => input.familyPrefix === undefined || wire.family === input.familyPrefix)
        .map(({ arn }) => arn);
      const page = pageFor(input.sort === 'DESC' ? found.toReversed() : found, input, 100);
      return { taskDefinitionArns: page.items, nextToken: page.next };
    },
    ListTaskDefinitionFamilies: (input: ListTaskDefinitionFamiliesCommandInput) => {
      const wanted = input.status ?? 'ACTIVE';
      const families = [...state.definitions.values()]
        .filter(({ wire }) => wanted === 'ALL' || wire.status === wanted)
        .map(({ wire }) => wire.family ?? '')
        .filter((family) => family.startsWith(input.familyPrefix ?? ''));
      const page = pageFor([...new Set(families)].sort(), input, 100);
      return { families: page.items, nextToken: page.next };
    },
  };
}

/** By `family:revision`, `family` (its newest ACTIVE revision) or ARN; null when there is none. */
function findDefinition(state: EcsState, named: string | undefined): Definition | null {
  const name = (named ?? '').split('/').at(-1) ?? '';
  if (/:\d+$/.test(name)) return state.definitions.get(name) ?? null;
  return (
    [...state.definitions.values()].findLast(
      ({ wire }) => wire.family === name && wire.status === 'ACTIVE',
    ) ?? null
  );
}

/** One that can be run. @throws ServiceError */
export function runnableDefinition(state: EcsState, named: string | undefined): Definition {
  const definition = findDefinition(state, named);
  if (!definition) throw clientError('Unable to describe task definition.');
  if (definition.wire.status !== 'ACTIVE') throw clientError('TaskDefinition is inactive');
  return definition;
}

function register(state: EcsState, input: RegisterTaskDefinitionCommandInput, nowMs: number): Definition {
  const { family = '', tags, ...rest } = input;
  if (!/^[\w-]{1,255}$/.test(family))
    throw clientError('Family must have 1 to 255 letters, digits, hyphens or underscores.');
  const containers = input.containerDefinitions ?? [];
  if (containers.length === 0) throw clientError('Container list cannot be empty.');
  if (new Set(containers.map(({ name }) => name)).size !== containers.length)
    throw clientError('Container names must be unique within a task definition.');
  for (const container of containers) checkContainer(container);
  if (containers.every(({ essential }) => essential === false))
    throw clientError('A task definition must have at least one essential container.');
  const before = [...state.definitions.values()].filter(({ wire }) => wire.family === family);
  const revision = Math.max(0, ...before.map(({ wire }) => wire.revision ?? 0)) + 1;
  const arn = state.arn(`task-definition/${family}:${revision}`);
  const wire = {
    ...rest,
    family,
    revision,
    taskDefinitionArn: arn,
    status: 'ACTIVE' as const,
    registeredAt: new Date(nowMs),
    networkMode: input.networkMode ?? 'bridge',
    volumes: input.volumes ?? [],
    compatibilities: ['EC2' as const, 'FARGATE' as const],
    containerDefinitions: containers.map((container) => ({
      cpu: 0,
      essential: true,
      environment: [],
      mountPoints: [],
      volumesFrom: [],
      portMappings: [],
      ...container,
    })),
  };
  const definition: Definition = { arn, wire, tags: tags ?? [] };
  state.definitions.set(`${family}:${revision}`, definition);
  return definition;
}

/**
 * Ranges: ECS reference, `ContainerDefinition` and `HealthCheck`; the lower bounds of seconds are not asked
 * for here.
 */
function checkContainer({ name, image, portMappings, healthCheck, stopTimeout }: ContainerDefinition): void {
  if (!name || !image) throw clientError('Container.name and Container.image should not be null or empty.');
  for (const { containerPort } of portMappings ?? [])
    if (containerPort === undefined || containerPort < 1 || containerPort > 65_535)
      throw clientError(`The container ${name} needs container ports from 1 to 65535.`);
  if (healthCheck && !(healthCheck.command?.length ?? 0))
    throw clientError(`The health check of ${name} needs a command.`);
  if (stopTimeout !== undefined && (stopTimeout < 0 || stopTimeout > 120))
    throw clientError(`The stop timeout of ${name} must be at most 120 seconds.`);
}

const clientError = (message: string): ServiceError => new ServiceError('ClientException', message);
