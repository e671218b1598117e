/**
 * What ECS says of tasks and of its own deployments. A task that stops is news only when it failed: ECS stops
 * tasks all day for scaling and deployments, and says so in `stopCode` and, partly in prose, in
 * `stoppedReason`. A rollback by ECS begins as one more deployment in progress, told apart by its reason
 * alone.
 */
import * as z from 'zod/mini';
import { type Parsed, parse } from '../parsed.ts';
import { eventBridgeForm, lastOfArn, timed } from './envelope.ts';

export const EcsTaskStateChange = eventBridgeForm(
  'aws.ecs',
  'ECS Task State Change',
  z.object({
    taskArn: z.string().check(z.minLength(1)),
    clusterArn: z.string(),
    taskDefinitionArn: z.string(),
    /** `service:NAME` for a task of a service. */
    group: z.optional(z.string()),
    lastStatus: z.string(),
    desiredStatus: z.string(),
    healthStatus: z.optional(z.string()),
    stopCode: z.optional(z.string()),
    stoppedReason: z.optional(z.string()),
    containers: z.optional(
      z.array(
        z.object({
          name: z.string(),
          exitCode: z.optional(z.number()),
          reason: z.optional(z.string()),
        }),
      ),
    ),
    /** Rises with each change of the task; ECS may send one twice. */
    version: z.number(),
    updatedAt: z.string(),
  }),
);

export type TaskChanged = {
  readonly eventId: string;
  readonly taskArn: string;
  readonly version: number;
  readonly cluster: string;
  /** Of the ECS service; null for a task that none started. */
  readonly service: string | null;
  readonly taskDefinitionArn: string;
  readonly lastStatus: string;
  /** It crashed, could not start, or failed its health checks; a task that was told to stop did not. */
  readonly failed: boolean;
  /** One sentence for a person. */
  readonly what: string;
  readonly changedAt: number;
};

export function parseTaskChange(body: unknown): Parsed<TaskChanged> {
  const read = parse(EcsTaskStateChange, body, 'task event');
  if (!read.ok) return read;
  const { id, detail } = read.value;
  return timed('task event', detail.updatedAt, {
    eventId: id,
    taskArn: detail.taskArn,
    version: detail.version,
    cluster: lastOfArn(detail.clusterArn),
    service: detail.group?.startsWith('service:') ? detail.group.slice('service:'.length) : null,
    taskDefinitionArn: detail.taskDefinitionArn,
    lastStatus: detail.lastStatus,
    failed: hasFailed(detail),
    what: whatHappened(detail),
  });
}

type TaskDetail = z.infer<typeof EcsTaskStateChange>['detail'];

function hasFailed({
  lastStatus,
  desiredStatus,
  healthStatus,
  stopCode,
  stoppedReason,
}: TaskDetail): boolean {
  if (lastStatus !== 'STOPPED') return desiredStatus === 'RUNNING' && healthStatus === 'UNHEALTHY';
  switch (stopCode) {
    case 'EssentialContainerExited':
    case 'TaskFailedToStart':
      return true;
    case 'ServiceSchedulerInitiated':
      // `Task failed container health checks`, `… is unhealthy in (target-group …)`; scaling says neither.
      return /health checks?|unhealthy/i.test(stoppedReason ?? '');
    default:
      return false;
  }
}

function whatHappened(detail: TaskDetail): string {
  const { lastStatus, healthStatus, stopCode, stoppedReason, containers = [] } = detail;
  const task = `task ${lastOfArn(detail.taskArn)}`;
  if (lastStatus !== 'STOPPED') {
    return `${task} is ${lastStatus}${healthStatus === undefined ? '' : `, ${healthStatus}`}`;
  }
  const exits = containers.flatMap(({ name, exitCode, reason }) =>
    exitCode === undefined || exitCode === 0
      ? []
      : [`${name} exited with ${exitCode}${reason ? ` (${reason})` : ''}`],
  );
  const why = [stoppedReason ?? stopCode ?? 'no reason given', ...exits].join('; ');
  return `${task} stopped: ${why}`;
}

export const EcsDeploymentStateChange = z.extend(
  eventBridgeForm(
    'aws.ecs',
    'ECS Deployment State Change',
    z.object({
      eventName: z.string(),
      deploymentId: z.string(),
      updatedAt: z.string(),
      reason: z.optional(z.string()),
    }),
  ),
  {
    resources: z
      .array(z.string().check(z.regex(/:service\/.+/, 'it must be the ARN of an ECS service')))
      .check(z.minLength(1, 'it must hold the ARN of the service')),
  },
);

export type EcsDeploymentChanged = {
  readonly eventId: string;
  readonly serviceArn: string;
  readonly cluster: string;
  readonly service: string;
  readonly deploymentId: string;
  /** `other`: a name ECS has added since. */
  readonly state: 'in-progress' | 'completed' | 'failed' | 'other';
  /** ECS takes the service back by itself. */
  readonly rollingBack: boolean;
  readonly reason: string;
  readonly changedAt: number;
};

const states: Readonly<Record<string, EcsDeploymentChanged['state']>> = {
  SERVICE_DEPLOYMENT_IN_PROGRESS: 'in-progress',
  SERVICE_DEPLOYMENT_COMPLETED: 'completed',
  SERVICE_DEPLOYMENT_FAILED: 'failed',
};

export function parseEcsDeploymentChange(body: unknown): Parsed<EcsDeploymentChanged> {
  const read = parse(EcsDeploymentStateChange, body, 'deployment event');
  if (!read.ok) return read;
  const { id, resources, detail } = read.value;
  const serviceArn = resources[0] ?? '';
  const [, cluster, service] = /:service\/(?:([^/]+)\/)?([^/]+)$/.exec(serviceArn) ?? [];
  return timed('deployment event', detail.updatedAt, {
    eventId: id,
    serviceArn,
    // Old ARNs name no cluster: `service/NAME`.
    cluster: cluster ?? '',
    service: service ?? '',
    deploymentId: detail.deploymentId,
    state: states[detail.eventName] ?? 'other',
    rollingBack: /rolling back/i.test(detail.reason ?? ''),
    reason: detail.reason ?? '',
  });
}
