/** Whether the scheduler may count on a task. */
import type { ServiceRecord, TaskRecord } from './ecsState.ts';
import { taskHealth } from './ecsWire.ts';
import type { PlanTask } from './rollingPlan.ts';
import type { TargetState } from './taskTargets.ts';

export type Readiness = {
  readonly state: PlanTask['state'];
  /** Look again after so long: the grace period ends then. */
  readonly againMs?: number;
};

/**
 * Healthy by every check it has; without any, `settleMs` after it began to run. Within the grace period a bad
 * check is not held against it.
 */
export function readinessOf(
  service: ServiceRecord,
  task: TaskRecord,
  target: TargetState['state'],
  times: { readonly nowMs: number; readonly settleMs: number },
): Readiness {
  if (task.desiredStatus === 'STOPPED') return { state: 'leaving' };
  if (task.lastStatus !== 'RUNNING') return { state: 'starting' };
  const ranMs = times.nowMs - (task.startedMs ?? times.nowMs);
  const own = task.containers.some(({ definition }) => definition.healthCheck) ? taskHealth(task) : null;
  if (own === 'UNHEALTHY' || target === 'unhealthy') {
    const graceMs = service.settings.gracePeriodSeconds * 1000 - ranMs;
    return graceMs > 0 ? { state: 'starting', againMs: graceMs } : { state: 'unhealthy' };
  }
  if (own === null && target === 'none') return { state: ranMs >= times.settleMs ? 'healthy' : 'starting' };
  return { state: own !== 'UNKNOWN' && target !== 'waiting' ? 'healthy' : 'starting' };
}
