/** How a deployment begins, completes and fails, with the sentences ECS says of it. */
import type { Definition, DeploymentRecord, ServiceRecord } from './ecsState.ts';
import { deploymentId } from './ids.ts';

export function newDeployment(
  service: ServiceRecord,
  definition: Definition,
  nowMs: number,
): DeploymentRecord {
  const id = deploymentId();
  return {
    id,
    definition,
    loadBalancers: service.settings.loadBalancers,
    createdMs: nowMs,
    updatedMs: nowMs,
    rolloutState: 'IN_PROGRESS',
    rolloutStateReason: `ECS deployment ${id} in progress.`,
    failedTasks: 0,
  };
}

export function complete(deployment: DeploymentRecord, nowMs: number): void {
  deployment.rolloutState = 'COMPLETED';
  deployment.rolloutStateReason = `ECS deployment ${deployment.id} completed.`;
  deployment.updatedMs = nowMs;
}

export function fail(deployment: DeploymentRecord, nowMs: number): void {
  deployment.rolloutState = 'FAILED';
  deployment.rolloutStateReason = 'ECS deployment circuit breaker: tasks failed to start.';
  deployment.updatedMs = nowMs;
}

/**
 * The deployment to go back to, in progress again: the last completed one itself while it still has tasks,
 * else a new one with its task definition.
 */
export function rollBackTo(service: ServiceRecord, last: DeploymentRecord, nowMs: number): DeploymentRecord {
  const back = service.deployments.includes(last) ? last : newDeployment(service, last.definition, nowMs);
  back.rolloutState = 'IN_PROGRESS';
  back.rolloutStateReason = `ECS deployment circuit breaker: rolling back to deploymentId ${last.id}.`;
  return back;
}
