/** Tasks by themselves: run, stop, look. */
import type {
  DescribeTasksCommandInput,
  ListTasksCommandInput,
  RunTaskCommandInput,
  StopTaskCommandInput,
} from '@aws-sdk/client-ecs';
import type { Clock } from '../../asl/clock.ts';
import { type Operation, ServiceError } from '../service.ts';
import { runnableDefinition } from './definitionOperations.ts';
import { pageFor } from './ecsPage.ts';
import type { EcsState, TaskRecord } from './ecsState.ts';
import { wireTask } from './ecsWire.ts';
import { createTask } from './taskCreation.ts';
import type { TaskRunner } from './taskRunner.ts';

/** ECS reference: RunTask starts at most 10, DescribeTasks takes at most 100. */
const RUN_MAX = 10;
const DESCRIBE_MAX = 100;

export function taskOperations(
  state: EcsState,
  clock: Clock,
  runner: TaskRunner,
): Readonly<Record<string, Operation>> {
  return {
    RunTask: (input: RunTaskCommandInput) => runTask(state, clock, runner, input),
    StopTask: (input: StopTaskCommandInput) => {
      const task = state.findTask(state.cluster(input.cluster), input.task);
      if (!task) throw invalid('The referenced task was not found.');
      if (task.desiredStatus === 'RUNNING')
        void runner.stop(task, 'UserInitiated', input.reason ?? 'Task stopped by user');
      return { task: wireTask(task) };
    },
    DescribeTasks: (input: DescribeTasksCommandInput) => {
      const cluster = state.cluster(input.cluster);
      const names = input.tasks ?? [];
      if (names.length > DESCRIBE_MAX) throw invalid(`tasks must have at most ${DESCRIBE_MAX} members.`);
      const found = names.map((name) => ({ name, task: state.findTask(cluster, name) }));
      const withTags = input.include?.includes('TAGS') ?? false;
      return {
        tasks: found.flatMap(({ task }) =>
          task ? [{ ...wireTask(task), ...(withTags && { tags: task.tags }) }] : [],
        ),
        failures: found.flatMap(({ name, task }) =>
          task
            ? []
            : [{ arn: state.arn(`task/${cluster.name}/${name.split('/').at(-1)}`), reason: 'MISSING' }],
        ),
      };
    },
    ListTasks: (input: ListTasksCommandInput) => {
      const cluster = state.cluster(input.cluster);
      const service = input.serviceName === undefined ? null : state.findService(cluster, input.serviceName);
      if (input.serviceName !== undefined && !service)
        throw new ServiceError('ServiceNotFoundException', 'Service not found.');
      const wanted = input.desiredStatus ?? 'RUNNING';
      const fits = (task: TaskRecord): boolean =>
        task.cluster === cluster &&
        task.desiredStatus === wanted &&
        (service === null || task.owner?.service === service) &&
        (input.family === undefined || task.definition.wire.family === input.family) &&
        (input.startedBy === undefined || task.startedBy === input.startedBy) &&
        (input.launchType === undefined || task.launchType === input.launchType);
      const page = pageFor(
        [...state.tasks.values()].filter(fits).map(({ arn }) => arn),
        input,
        100,
      );
      return { taskArns: page.items, nextToken: page.next };
    },
  };
}

function runTask(state: EcsState, clock: Clock, runner: TaskRunner, input: RunTaskCommandInput) {
  const cluster = state.cluster(input.cluster);
  const definition = runnableDefinition(state, input.taskDefinition);
  const count = input.count ?? 1;
  if (count < 1 || count > RUN_MAX) throw invalid(`count must be between 1 and ${RUN_MAX}.`);
  const known = definition.wire.containerDefinitions?.map(({ name }) => name) ?? [];
  for (const { name } of input.overrides?.containerOverrides ?? [])
    if (!known.includes(name))
      throw invalid(`Override for container named ${name} is not a container in the TaskDefinition.`);
  const tasks = Array.from({ length: count }, () =>
    createTask(state, {
      cluster,
      definition,
      launchType: input.launchType ?? 'FARGATE',
      overrides: input.overrides,
      group: input.group,
      startedBy: input.startedBy,
      tags: input.tags,
      nowMs: clock.now(),
    }),
  );
  const answer = { tasks: tasks.map(wireTask), failures: [] };
  for (const task of tasks) void runner.start(task);
  return answer;
}

const invalid = (message: string): ServiceError => new ServiceError('InvalidParameterException', message);
