/** Makes the record of a task that is to run. */
import type { LaunchType, Tag, TaskOverride } from '@aws-sdk/client-ecs';
import type { Cluster, ContainerRecord, Definition, EcsState, TaskRecord } from './ecsState.ts';
import { shortId, taskId } from './ids.ts';
import { OutputRing } from './outputRing.ts';

export type TaskWish = {
  readonly cluster: Cluster;
  readonly definition: Definition;
  readonly owner?: TaskRecord['owner'];
  readonly launchType: LaunchType;
  readonly overrides?: TaskOverride | undefined;
  readonly group?: string | undefined;
  readonly startedBy?: string | undefined;
  readonly tags?: Tag[] | undefined;
  readonly nowMs: number;
};

/** Stopped tasks are forgotten after an hour, as DescribeTasks does. */
const REMEMBERED_MS = 3_600_000;

export function createTask(state: EcsState, wish: TaskWish): TaskRecord {
  for (const task of state.tasks.values())
    if (task.stoppedMs !== undefined && wish.nowMs - task.stoppedMs > REMEMBERED_MS)
      state.tasks.delete(task.id);
  const id = taskId();
  const path = `${wish.cluster.name}/${id}`;
  const { owner = null, definition } = wish;
  const containers = (definition.wire.containerDefinitions ?? []).map(
    (container): ContainerRecord => ({
      arn: state.arn(`container/${path}/${shortId()}`),
      definition: container,
      lastStatus: 'PENDING',
      health: 'UNKNOWN',
      bindings: [],
    }),
  );
  const task: TaskRecord = {
    arn: state.arn(`task/${path}`),
    id,
    cluster: wish.cluster,
    definition,
    group: owner ? `service:${owner.service.name}` : (wish.group ?? `family:${definition.wire.family}`),
    startedBy: owner ? owner.deployment.id : wish.startedBy,
    owner,
    overrides: wish.overrides ?? {},
    launchType: wish.launchType,
    containers,
    output: new OutputRing(),
    createdMs: wish.nowMs,
    lastStatus: 'PROVISIONING',
    desiredStatus: 'RUNNING',
    version: 0,
    tags: wish.tags ?? inherited(owner, definition),
  };
  state.tasks.set(id, task);
  return task;
}

function inherited(owner: TaskRecord['owner'], definition: Definition): Tag[] {
  const from = owner?.service.settings.propagateTags;
  if (from === 'SERVICE') return [...(owner?.service.tags ?? [])];
  return from === 'TASK_DEFINITION' ? [...definition.tags] : [];
}
