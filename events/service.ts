/** The union of one service's stream (`service/<name>`), and how older schema versions are read today. */
import * as z from 'zod/mini';
import * as rollback from './rollback.ts';
import * as rollout from './rollout.ts';

export const ServiceEvent = z.discriminatedUnion('type', [
  rollout.RolloutQueued,
  rollout.RolloutDropped,
  rollout.RolloutStarted,
  rollout.CanaryPrepared,
  rollout.CheckpointTaken,
  rollout.ShiftOrdered,
  rollout.TrafficShifted,
  rollout.AnalysisRecorded,
  rollout.ApprovalRequested,
  rollout.RolloutApproved,
  rollout.RolloutPaused,
  rollout.RolloutResumed,
  rollout.RolloutHeld,
  rollout.DriftFound,
  rollout.PromotionOrdered,
  rollout.RolloutPromoted,
  rollout.RolloutCompleted,
  rollback.AlarmReceived,
  rollback.HealthCheckFailed,
  rollback.RollbackInitiated,
  rollback.RollbackCompleted,
  rollback.OverrideSet,
  rollback.OverrideLifted,
  rollback.FellBack,
]);
export type ServiceEvent = z.infer<typeof ServiceEvent>;
export type EventOf<T extends ServiceEvent['type']> = Extract<ServiceEvent, { type: T }>;
