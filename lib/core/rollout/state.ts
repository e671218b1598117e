/**
 * What is known of one service, folded from its stream. `rollout` is a union: each phase carries just what
 * holds in it. It is the snapshot in the stream's HEAD, so it stays small: nothing here grows with time.
 */

import type { AlarmAction, AlarmState, RollbackTrigger } from '../../../events/rollback.ts';
import type {
  FallbackPlace,
  HoldReason,
  PromotionMode,
  Step,
  Strategy,
  Verdict,
} from '../../../events/rollout.ts';
import type { EventOf } from '../../../events/service.ts';
import type { Slot, Target } from '../../../events/target.ts';

/** Rollbacks that a state remembers, and so the most that may be allowed within a day. */
export const rollbacksRemembered = 5;

/** Of the state below; a HEAD with another one is folded again from its events. */
export const stateSchema = 1;

export type Checkpoint = {
  readonly weight: number;
  readonly desiredCounts: { readonly stable: number; readonly canary: number };
  /** Scaling bounds of stable before they were pinned; null where nothing scales it. */
  readonly scaling: { readonly min: number; readonly max: number } | null;
  /** Left out where none is declared beside the target, and in what was recorded before it was read. */
  readonly fallbackPlace?: FallbackPlace | undefined;
};

export type Underway = {
  readonly rolloutId: string;
  readonly planHash: string;
  readonly strategy: Strategy;
  readonly revision: string;
  readonly stableRevision: string;
  readonly canarySlot: Slot;
  readonly target: Target;
  readonly steps: readonly Step[];
  readonly baselineAlarms: readonly string[];
  readonly startedAt: number;
  /** The canary's tasks were seen healthy: before that no traffic may go there, whoever asks. */
  readonly prepared: boolean;
  /** Index of the step whose weight was last ordered; −1 before the first. */
  readonly step: number;
  /** Percent the balancer was last seen to give the canary. */
  readonly weight: number;
  /** When a shift was last ordered, epoch milliseconds: a late write may land until its timeout is over. */
  readonly lastOrderAt: number | null;
  readonly lastVerdict: Verdict | null;
  /**
   * When it was recorded, epoch milliseconds: a bake is passed by a verdict at its end, not by an earlier
   * one.
   */
  readonly lastVerdictAt: number | null;
  /** Inconclusive bake ends already answered with a longer bake. */
  readonly extensions: number;
  /** What a rollback restores; null until it was read. */
  readonly checkpoint: Checkpoint | null;
  /** When stable itself was last seen broken. */
  readonly stableBrokenAt: number | null;
  /** It was promoted once, so stable may have been scaled down: it is warmed before it gets traffic again. */
  readonly afterPromotion: boolean;
};

export type BakeEnd = { readonly startedAt: number; readonly endsAt: number };

export type Rollout =
  | { readonly phase: 'none' }
  | (Underway & { readonly phase: 'preparing' })
  | (Underway & { readonly phase: 'shifting'; readonly orderedWeight: number })
  | (Underway & { readonly phase: 'baking'; readonly bake: BakeEnd; readonly cleared: boolean })
  | (Underway & {
      readonly phase: 'awaiting-approval';
      readonly bake: BakeEnd;
      readonly autoAt: number | null;
      readonly approved: boolean;
    })
  | (Underway & {
      readonly phase: 'paused';
      readonly bake: BakeEnd;
      readonly why: string;
      readonly since: number;
    })
  | (Underway & {
      readonly phase: 'held';
      readonly bake: BakeEnd;
      readonly reason: HoldReason;
      readonly why: string;
      readonly since: number;
    })
  | (Underway & { readonly phase: 'promoting'; readonly mode: PromotionMode; readonly orderedAt: number })
  | (Underway & {
      readonly phase: 'promoted';
      readonly promotedAt: number;
      readonly rollbackWindowUntil: number;
      /** The old side is scaled down, stable's scaling is its own again. */
      readonly completed: boolean;
      /** The old side is left alone until then; left out in what was recorded before it was known. */
      readonly oldSideUntil?: number;
    })
  | (Underway & {
      readonly phase: 'rolling-back';
      readonly trigger: RollbackTrigger;
      readonly reason: string;
      readonly initiatedAt: number;
      readonly trafficOffAt: number | null;
      /** Services that are restored before this one. */
      readonly after?: readonly string[];
      /** A scaling down of the side to go back to had begun, and may land until then. */
      readonly coldUntil?: number;
    })
  | (Underway & { readonly phase: 'rolled-back'; readonly reason: string; readonly endedAt: number });

export type Override = { readonly by: string; readonly why: string; readonly until: number };

/** A request that waits for the rollout before it: made again, as it was, when that one has ended. */
export type Queued = Readonly<Omit<EventOf<'RolloutQueued'>, 'type' | 'at' | 'behind'>>;

export type ServiceState = {
  readonly rollout: Rollout;
  /** The newest eight revisions that were rolled back: starting one again needs an explicit override. */
  readonly knownBad: readonly string[];
  readonly override: Override | null;
  readonly queued: Queued | null;
  /** When the fire exit was last pulled: it asserts its place for as long as a late write may land. */
  readonly fellBackAt?: number;
  /** Where it sent everybody, until a person, or a rollout that begins, says otherwise; null: they did. */
  readonly fellBackTo?: Slot | null;
  /** The newest eight alarms: when each last led to something, for the cool-off. */
  readonly alarms: Readonly<
    Record<
      string,
      {
        readonly state: AlarmState;
        readonly action: AlarmAction;
        readonly at: number;
        /** When CloudWatch changed it, by its own clock. */
        readonly changedAt: number;
      }
    >
  >;
  /** When the newest five rollbacks began that no person asked for. */
  readonly rollbacks: readonly number[];
  readonly healthFailures: { readonly canary: number; readonly stable: number };
  /** When each side last failed, epoch milliseconds. */
  readonly healthFailedAt: { readonly canary: number | null; readonly stable: number | null };
};

export const initialState: ServiceState = {
  rollout: { phase: 'none' },
  knownBad: [],
  override: null,
  queued: null,
  alarms: {},
  rollbacks: [],
  healthFailures: { canary: 0, stable: 0 },
  healthFailedAt: { canary: null, stable: null },
};

/** A rollout that still holds the service: no other may start beside it. */
export type Active = Exclude<Rollout, { phase: 'none' | 'promoted' | 'rolled-back' }>;

export function activeOf({ rollout }: Pick<ServiceState, 'rollout'>): Active | null {
  switch (rollout.phase) {
    case 'none':
    case 'promoted':
    case 'rolled-back':
      return null;
    default:
      return rollout;
  }
}

/**
 * What has to be over before another rollout may begin: one that is promoted still has its old side to tidy
 * up.
 */
export const holderOf = ({
  rollout,
}: Pick<ServiceState, 'rollout'>): Exclude<Rollout, { phase: 'none' }> | null =>
  rollout.phase === 'promoted' && !rollout.completed ? rollout : activeOf({ rollout });

/** The override, as long as it holds. */
export const overrideAt = (state: ServiceState, now: number): Override | null =>
  state.override !== null && state.override.until > now ? state.override : null;

/** Stable counts as broken for five minutes after it was last seen so. */
export const stableIsBroken = (rollout: Rollout, now: number): boolean =>
  rollout.phase !== 'none' && rollout.stableBrokenAt !== null && now - rollout.stableBrokenAt < 300_000;

/** Would going back send users onto a broken stable? A canary that nobody is on can always be given up. */
export const wouldHurtToGoBack = (rollout: Rollout, now: number): boolean =>
  rollout.phase !== 'none' && rollout.weight > 0 && stableIsBroken(rollout, now);

/** The fire exit sent everybody to the canary: nothing automatic takes them from there. */
export const isKeptByFireExit = ({ rollout, fellBackTo }: ServiceState): boolean =>
  rollout.phase !== 'none' && fellBackTo === rollout.canarySlot;

/** Is there a canary that something automatic may still take back? */
export function canBeTakenBack(rollout: Rollout, now: number): boolean {
  switch (rollout.phase) {
    case 'none':
    case 'rolling-back':
    case 'rolled-back':
      return false;
    case 'promoted':
      return now < rollout.rollbackWindowUntil;
    default:
      return true;
  }
}

/** The weight the newest decision asks for; null where a person or another tool has the say. */
export function desiredWeight(rollout: Rollout): number | null {
  switch (rollout.phase) {
    case 'none':
      return null;
    case 'preparing':
    case 'rolling-back':
    case 'rolled-back':
      return 0;
    case 'shifting':
      return rollout.orderedWeight;
    case 'promoting':
    case 'promoted':
      return 100;
    case 'held':
      // Stable cannot take it either: moving traffic would only choose who is hurt, and that is a person's to
      // say.
      return rollout.reason === 'drift' || rollout.reason === 'cannot-go-back' ? null : rollout.weight;
    case 'baking':
    case 'awaiting-approval':
    case 'paused':
      return rollout.weight;
  }
}
