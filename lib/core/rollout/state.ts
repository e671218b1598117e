/**
 * What is known of one service, folded from its stream. `rollout` is a union: each phase carries just what
 * holds in it. It is the snapshot in the stream's HEAD, so it stays small: nothing here grows with time.
 */

import type { RollbackTrigger } from '../../../events/rollback.ts';
import type { HoldReason, Step, Strategy, Verdict } from '../../../events/rollout.ts';
import type { Slot, Target } from '../../../events/target.ts';

/** Of the state below; a HEAD with another one is folded again from its events. */
export const stateSchema = 1;

export type Checkpoint = {
  readonly weight: number;
  readonly desiredCounts: { readonly stable: number; readonly canary: number };
  /** Scaling bounds of stable before they were pinned; null where nothing scales it. */
  readonly scaling: { readonly min: number; readonly max: number } | null;
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
  /** Index of the step whose weight was last ordered; −1 before the first. */
  readonly step: number;
  /** Percent the balancer was last seen to give the canary. */
  readonly weight: number;
  /** When a shift was last ordered, epoch milliseconds: a late write may land until its timeout is over. */
  readonly lastOrderAt: number | null;
  readonly lastVerdict: Verdict | null;
  /** Inconclusive bake ends already answered with a longer bake. */
  readonly extensions: number;
  /** What a rollback restores; null until it was read. */
  readonly checkpoint: Checkpoint | null;
  /** When stable itself was last seen broken. */
  readonly stableBrokenAt: number | null;
};

export type BakeEnd = { readonly startedAt: number; readonly endsAt: number };

export type Rollout =
  | { readonly phase: 'none' }
  | (Underway & { readonly phase: 'preparing'; readonly prepared: boolean })
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
    })
  | (Underway & { readonly phase: 'promoting'; readonly orderedAt: number })
  | (Underway & {
      readonly phase: 'promoted';
      readonly promotedAt: number;
      readonly rollbackWindowUntil: number;
      /** The old side is scaled down, stable's scaling is its own again. */
      readonly completed: boolean;
    })
  | (Underway & {
      readonly phase: 'rolling-back';
      readonly trigger: RollbackTrigger;
      readonly reason: string;
      readonly initiatedAt: number;
      readonly trafficOffAt: number | null;
      /** The rollback began after the promotion, when stable may have been scaled down already. */
      readonly afterPromotion: boolean;
    })
  | (Underway & { readonly phase: 'rolled-back'; readonly reason: string; readonly endedAt: number });

export type Phase = Rollout['phase'];

export type Override = { readonly by: string; readonly why: string; readonly until: number };

export type ServiceState = {
  readonly rollout: Rollout;
  /** The newest eight revisions that were rolled back: starting one again needs an explicit override. */
  readonly knownBad: readonly string[];
  readonly override: Override | null;
  readonly queued: {
    readonly rolloutId: string;
    readonly revision: string;
    readonly requestedBy: string;
  } | null;
  /** The newest eight alarms: when each last led to something, for the cool-off. */
  readonly alarms: Readonly<Record<string, { readonly action: string; readonly at: number }>>;
  /** When the newest five rollbacks began. */
  readonly rollbacks: readonly number[];
  readonly healthFailures: { readonly canary: number; readonly stable: number };
};

export const initialState: ServiceState = {
  rollout: { phase: 'none' },
  knownBad: [],
  override: null,
  queued: null,
  alarms: {},
  rollbacks: [],
  healthFailures: { canary: 0, stable: 0 },
};

/** A rollout that still holds the service: no other may start beside it. */
export type Active = Exclude<Rollout, { phase: 'none' | 'promoted' | 'rolled-back' }>;

export function activeOf(state: ServiceState): Active | null {
  const { rollout } = state;
  switch (rollout.phase) {
    case 'none':
    case 'promoted':
    case 'rolled-back':
      return null;
    default:
      return rollout;
  }
}

/** The override, as long as it holds. */
export const overrideAt = (state: ServiceState, now: number): Override | null =>
  state.override !== null && state.override.until > now ? state.override : null;

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
      return rollout.reason === 'drift' ? null : rollout.weight;
    case 'baking':
    case 'awaiting-approval':
    case 'paused':
      return rollout.weight;
  }
}
