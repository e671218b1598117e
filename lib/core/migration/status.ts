/**
 * Where one component of a migration stands, folded from its service's events. `migrated` is traffic on the
 * new version, seen at the balancer; everything before is on the way, and everything after a fall-back is
 * back.
 */
import type { ServiceEvent } from '../../../events/service.ts';

export type Status =
  | 'not_started'
  | 'in_progress'
  | 'migrated'
  | 'rolling_back'
  | 'rolled_back'
  | 'health_check_failed'
  | 'held';

export type ComponentStatus = {
  readonly status: Status;
  /** When it became so, epoch milliseconds; null before the first event. */
  readonly since: number | null;
  /** One sentence where somebody might ask. */
  readonly why: string | null;
  readonly rolloutId: string | null;
};

export const notStarted: ComponentStatus = { status: 'not_started', since: null, why: null, rolloutId: null };

/** @param events of one service's stream, oldest first */
export const statusOf = (events: Iterable<ServiceEvent>): ComponentStatus => {
  let status = notStarted;
  for (const event of events) status = statusAfter(status, event);
  return status;
};

/**
 * One event further. Pauses and questions are part of the progress; a status keeps its time until it changes,
 * its reason is the newest.
 */
export function statusAfter(before: ComponentStatus, event: ServiceEvent): ComponentStatus {
  const become = (status: Status, why: string | null = null): ComponentStatus => {
    const rolloutId = 'rolloutId' in event ? event.rolloutId : before.rolloutId;
    const same = before.status === status && before.rolloutId === rolloutId;
    return same ? { ...before, why: why ?? before.why } : { status, since: event.at, why, rolloutId };
  };
  switch (event.type) {
    case 'RolloutStarted':
    case 'RolloutResumed':
    case 'PromotionOrdered':
      return become('in_progress');
    case 'RolloutHeld':
      return become('held', event.why);
    case 'RolloutPromoted':
    case 'RolloutCompleted':
      return become('migrated');
    case 'RollbackInitiated':
      return become('rolling_back', event.reason);
    case 'RollbackCompleted':
      return become('rolled_back', before.why);
    case 'FellBack':
      return become('rolled_back', `${event.by} fell back to ${event.to}: ${event.why}`);
    case 'HealthCheckFailed':
      return isGoingBack(before) || event.consecutive < event.limit
        ? before
        : become('health_check_failed', event.what);
    case 'TrafficShifted':
      return isRecovering(before) ? become('in_progress') : before;
    case 'AnalysisRecorded':
      return isRecovering(before) && event.verdict === 'pass' ? become('in_progress') : before;
    default:
      return before;
  }
}

/** A failed check is no news of a component that is on its way back, or is back. */
const isGoingBack = ({ status }: ComponentStatus): boolean =>
  status === 'rolling_back' || status === 'rolled_back';

/** Healthy again, for all that can be told: traffic was moved, or the analysis passed. */
const isRecovering = ({ status }: ComponentStatus): boolean => status === 'health_check_failed';
