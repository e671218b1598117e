/**
 * What can be asked of one service's rollout. Time, ids and everything read from the world arrive in the
 * command.
 */
import type { AlarmReceived, AlarmState, RollbackTrigger } from '../../../events/rollback.ts';
import type { Evidence, HoldReason, Verdict } from '../../../events/rollout.ts';
import type { Slot } from '../../../events/target.ts';
import type { AlarmSettings, ServiceSettings } from '../config/settings.ts';
import type { Plan } from './plan.ts';
import type { Checkpoint, Queued } from './state.ts';

/**
 * `now` is epoch milliseconds. `rolloutId` is the rollout the command was meant for: one that comes late,
 * when another rollout holds the service, is refused. Who speaks of the service as such leaves it out; what
 * a person said of it at `saidAt` (epoch milliseconds) is not said of a rollout that began later.
 */
type At = { readonly now: number; readonly rolloutId?: string; readonly saidAt?: number };

export type Start = At & {
  readonly type: 'Start';
  readonly plan: Plan;
  readonly planHash: string;
  /** Alarms that are in ALARM before anything moved. */
  readonly baselineAlarms: readonly string[];
  readonly requestedBy: string;
  readonly why?: string;
  /** Why a revision that was rolled back before may run again. */
  readonly knownBadOverride?: string;
};

/** What an alarm of service scope means for the two sides, judged from their counts. */
export type Blame = 'canary' | 'both' | 'stable' | 'unknown';

/** How that was found out; the event carries it. */
export type BlameEvidence = NonNullable<AlarmReceived['judged']>;

/** Before anything is planned: may it wait, must it, or may the way be made free for it? */
export type Enqueue = At & {
  readonly type: 'Enqueue';
  readonly service: string;
  readonly wish: Queued;
  readonly whileActive: ServiceSettings['whileActive'];
};

export type ReceiveAlarm = At & {
  readonly type: 'ReceiveAlarm';
  readonly alarm: AlarmSettings;
  readonly state: AlarmState;
  readonly changedAt: number;
  readonly reason: string;
  readonly blame: Blame;
  readonly judged?: BlameEvidence;
  readonly settings: Pick<ServiceSettings, 'coolOffSeconds'>;
  /** If it rolls back: services that are restored before this one. */
  readonly after?: readonly string[];
};

/** So long the fire exit keeps its place; left out: nobody asks whether it does. */
type FireExitSettings = Pick<ServiceSettings, 'service' | 'shiftTimeoutSeconds'>;

export type RecordAnalysis = At & {
  readonly type: 'RecordAnalysis';
  readonly verdict: Verdict;
  readonly evidence: Evidence;
  readonly settings: Pick<ServiceSettings, 'analysis'>;
};

export type Command =
  | Start
  | Enqueue
  | (At & { readonly type: 'DropQueued'; readonly queuedId: string; readonly reason: string })
  | (At & {
      readonly type: 'TakeCheckpoint';
      readonly checkpoint: Checkpoint;
      /** What stable was seen to run; left out: what the plan says. */
      readonly stableRevision?: string;
    })
  | (At & { readonly type: 'ConfirmPrepared'; readonly tasks: number })
  | (At & { readonly type: 'OrderShift' })
  | (At & { readonly type: 'ConfirmShift'; readonly weight: number })
  | RecordAnalysis
  | (At & { readonly type: 'RequestApproval'; readonly autoAfterSeconds: number })
  | (At & { readonly type: 'Approve'; readonly by: string })
  | (At & { readonly type: 'Pause'; readonly by: string; readonly why: string })
  | (At & { readonly type: 'Resume'; readonly by: string; readonly settings?: FireExitSettings })
  | (At & { readonly type: 'Promote'; readonly by: string })
  | (At & { readonly type: 'PromoteFully'; readonly by: string; readonly settings?: FireExitSettings })
  | (At & { readonly type: 'OrderPromotion' })
  | (At & {
      readonly type: 'ConfirmPromotion';
      readonly rollbackWindowSeconds: number;
      /** Left out: nobody learns until when the old side keeps its tasks. */
      readonly timing?: Pick<ServiceSettings, 'scaleDownDelaySeconds' | 'shiftTimeoutSeconds'>;
    })
  | (At & { readonly type: 'ConfirmCompletion' })
  | (At & {
      readonly type: 'RollBack';
      readonly trigger: RollbackTrigger;
      readonly reason: string;
      readonly by: string;
      /** When it happened, where it was told from outside: it may come late. */
      readonly changedAt?: number;
      /** Services that are restored before this one. */
      readonly after?: readonly string[];
    })
  | (At & { readonly type: 'ConfirmRollback'; readonly differences: readonly string[] })
  | ReceiveAlarm
  | (At & {
      readonly type: 'FailHealth';
      readonly side: 'canary' | 'stable';
      readonly what: string;
      /** When it happened. */
      readonly changedAt: number;
      /** If it takes the canary back: services that are restored before this one. */
      readonly after?: readonly string[];
      readonly settings: Pick<ServiceSettings, 'healthFailuresMax'>;
    })
  | (At & {
      readonly type: 'FindDrift';
      readonly foundWeight: number | null;
      readonly what: string;
      /** The confirmed weight it was found beside: by now there may be another. */
      readonly beside?: number;
    })
  | (At & { readonly type: 'Hold'; readonly reason: HoldReason; readonly why: string })
  | (At & { readonly type: 'SetOverride'; readonly by: string; readonly why: string; readonly until: number })
  | (At & { readonly type: 'LiftOverride'; readonly by: string })
  | (At & {
      readonly type: 'RecordFallBack';
      readonly by: string;
      readonly why: string;
      readonly to: string;
      /** The slot of the service's own target that got all traffic; null: it went to another target. */
      readonly slot: Slot | null;
    });

export type CommandOf<T extends Command['type']> = Extract<Command, { type: T }>;
