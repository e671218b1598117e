/** What ECS tells EventBridge, in the shapes of the ECS developer guide, "Amazon ECS events". */
import type { CloudEvent } from '../cloudEvent.ts';
import type { DeploymentRecord, ServiceRecord, TaskRecord } from './ecsState.ts';
import { wireTask } from './ecsWire.ts';

/** Health is not part of it; the times are ISO text once it is JSON. */
export function taskStateChange(task: TaskRecord, nowMs: number): CloudEvent {
  const { healthStatus, ...detail } = wireTask(task);
  const containers = (detail.containers ?? []).map(({ healthStatus: _, ...container }) => container);
  const whole = { ...detail, containers, updatedAt: new Date(nowMs), enableExecuteCommand: false };
  return {
    source: 'aws.ecs',
    detailType: 'ECS Task State Change',
    time: new Date(nowMs),
    resources: [task.arn],
    detail: JSON.parse(JSON.stringify(whole)),
  };
}

export type DeploymentEvent = 'IN_PROGRESS' | 'COMPLETED' | 'FAILED';

/** `reason` is the only thing that tells a rollback's IN_PROGRESS from a first one's. */
export function deploymentStateChange(
  service: ServiceRecord,
  deployment: DeploymentRecord,
  what: DeploymentEvent,
  nowMs: number,
): CloudEvent {
  return {
    source: 'aws.ecs',
    detailType: 'ECS Deployment State Change',
    time: new Date(nowMs),
    resources: [service.arn],
    detail: {
      eventType: what === 'FAILED' ? 'ERROR' : 'INFO',
      eventName: `SERVICE_DEPLOYMENT_${what}`,
      deploymentId: deployment.id,
      updatedAt: new Date(nowMs).toISOString(),
      reason: deployment.rolloutStateReason,
    },
  };
}

export type ServiceAction = 'SERVICE_STEADY_STATE' | 'SERVICE_TASK_START_IMPAIRED';

export function serviceAction(service: ServiceRecord, eventName: ServiceAction, nowMs: number): CloudEvent {
  return {
    source: 'aws.ecs',
    detailType: 'ECS Service Action',
    time: new Date(nowMs),
    resources: [service.arn],
    detail: {
      eventType: eventName === 'SERVICE_STEADY_STATE' ? 'INFO' : 'WARN',
      eventName,
      clusterArn: service.cluster.arn,
      createdAt: new Date(nowMs).toISOString(),
    },
  };
}
