/**
 * A service's state while its events are folded: one object that is changed in place and has every field
 * that any phase has. `stateOf` shows just those of its phase, so what belonged to an old phase cannot leak
 * into the next; a new object per event would cost four fifths of the fold's speed.
 */

import type { RollbackTrigger } from '../../../events/rollback.ts';
import type { HoldReason, PromotionMode, Step } from '../../../events/rollout.ts';
import { unreachable } from '../decision.ts';
import type { Rollout, ServiceState, Underway } from './state.ts';

type Writable<T> = { -readonly [Field in keyof T]: T[Field] };

/** Fields of Underway hold in every phase; the others only where their phase sets them. */
export type RolloutDraft = Writable<Required<Underway>> & {
  phase: Rollout['phase'];
  orderedWeight: number;
  bakeStartedAt: number;
  bakeEndsAt: number;
  cleared: boolean;
  autoAt: number | null;
  approved: boolean;
  why: string;
  since: number;
  holdReason: HoldReason;
  mode: PromotionMode;
  orderedAt: number;
  promotedAt: number;
  rollbackWindowUntil: number;
  completed: boolean;
  oldSideUntil: number | undefined;
  coldUntil: number | undefined;
  trigger: RollbackTrigger;
  reason: string;
  initiatedAt: number;
  trafficOffAt: number | null;
  after: readonly string[] | undefined;
  endedAt: number;
};

export type Draft = Writable<Omit<ServiceState, 'rollout' | 'knownBad' | 'rollbacks'>> & {
  readonly rollout: RolloutDraft;
  readonly knownBad: string[];
  readonly rollbacks: number[];
};

export const draftOf = (state: ServiceState): Draft => ({
  ...state,
  rollout: rolloutDraftOf(state.rollout),
  knownBad: [...state.knownBad],
  rollbacks: [...state.rollbacks],
});

/** One literal, so that the engine sees one shape; a phase that uses a field sets it when it begins. */
function rolloutDraftOf(rollout: Rollout): RolloutDraft {
  const from: Partial<RolloutDraft> = rollout.phase === 'held' ? heldDraft(rollout) : rollout;
  const bake = 'bake' in rollout ? rollout.bake : undefined;
  return {
    phase: rollout.phase,
    rolloutId: from.rolloutId ?? nobodys,
    planHash: from.planHash ?? '',
    strategy: from.strategy ?? 'canary',
    revision: from.revision ?? '',
    stableRevision: from.stableRevision ?? '',
    canarySlot: from.canarySlot ?? 'green',
    target: from.target ?? nowhere,
    steps: from.steps ?? [],
    baselineAlarms: from.baselineAlarms ?? [],
    startedAt: from.startedAt ?? 0,
    prepared: from.prepared ?? false,
    step: from.step ?? -1,
    weight: from.weight ?? 0,
    lastOrderAt: from.lastOrderAt ?? null,
    lastVerdict: from.lastVerdict ?? null,
    lastVerdictAt: from.lastVerdictAt ?? null,
    extensions: from.extensions ?? 0,
    checkpoint: from.checkpoint ?? null,
    stableBrokenAt: from.stableBrokenAt ?? null,
    afterPromotion: from.afterPromotion ?? false,
    orderedWeight: from.orderedWeight ?? 0,
    bakeStartedAt: bake?.startedAt ?? 0,
    bakeEndsAt: bake?.endsAt ?? 0,
    cleared: from.cleared ?? false,
    autoAt: from.autoAt ?? null,
    approved: from.approved ?? false,
    why: from.why ?? '',
    since: from.since ?? 0,
    holdReason: from.holdReason ?? 'drift',
    mode: from.mode ?? 'earned',
    orderedAt: from.orderedAt ?? 0,
    promotedAt: from.promotedAt ?? 0,
    rollbackWindowUntil: from.rollbackWindowUntil ?? 0,
    completed: from.completed ?? false,
    oldSideUntil: from.oldSideUntil,
    coldUntil: from.coldUntil,
    trigger: from.trigger ?? 'alarm',
    reason: from.reason ?? '',
    initiatedAt: from.initiatedAt ?? 0,
    trafficOffAt: from.trafficOffAt ?? null,
    after: from.after,
    endedAt: from.endedAt ?? 0,
  };
}

/** A hold has a reason of its own kind. */
function heldDraft({ reason: holdReason, ...held }: Extract<Rollout, { phase: 'held' }>) {
  return { ...held, holdReason };
}

/** No event speaks of it. */
const nobodys = '(none)';
const nowhere: Underway['target'] = { kind: 'lambda-alias', functionName: '', alias: '' };

export const stateOf = (draft: Draft): ServiceState => ({ ...draft, rollout: rolloutOf(draft.rollout) });

/** A bake of the step's length begins. */
export function bakeFrom(rollout: RolloutDraft, at: number, step: Step | undefined): void {
  rollout.bakeStartedAt = at;
  rollout.bakeEndsAt = at + (step?.bakeSeconds ?? 0) * 1000;
}

/** Just what holds in its phase. */
function rolloutOf(draft: RolloutDraft): Rollout {
  const { phase } = draft;
  const bake = { startedAt: draft.bakeStartedAt, endsAt: draft.bakeEndsAt };
  switch (phase) {
    case 'none':
      return { phase };
    case 'preparing':
      return { ...underway(draft), phase };
    case 'shifting':
      return { ...underway(draft), phase, orderedWeight: draft.orderedWeight };
    case 'baking':
      return { ...underway(draft), phase, bake, cleared: draft.cleared };
    case 'awaiting-approval':
      return { ...underway(draft), phase, bake, autoAt: draft.autoAt, approved: draft.approved };
    case 'paused':
      return { ...underway(draft), phase, bake, why: draft.why, since: draft.since };
    case 'held': {
      const { holdReason: reason, why, since } = draft;
      return { ...underway(draft), phase, bake, reason, why, since };
    }
    case 'promoting':
      return { ...underway(draft), phase, mode: draft.mode, orderedAt: draft.orderedAt };
    case 'promoted': {
      const { promotedAt, rollbackWindowUntil, completed, oldSideUntil } = draft;
      const promoted = { ...underway(draft), phase, promotedAt, rollbackWindowUntil, completed };
      return oldSideUntil === undefined ? promoted : { ...promoted, oldSideUntil };
    }
    case 'rolling-back': {
      const { trigger, reason, initiatedAt, trafficOffAt, after, coldUntil } = draft;
      const back = {
        ...{ ...underway(draft), phase, trigger, reason, initiatedAt, trafficOffAt },
        ...(coldUntil === undefined ? {} : { coldUntil }),
      };
      return after === undefined ? back : { ...back, after };
    }
    case 'rolled-back':
      return { ...underway(draft), phase, reason: draft.reason, endedAt: draft.endedAt };
    default:
      return unreachable(phase);
  }
}

function underway(draft: RolloutDraft): Required<Underway> {
  return {
    rolloutId: draft.rolloutId,
    planHash: draft.planHash,
    strategy: draft.strategy,
    revision: draft.revision,
    stableRevision: draft.stableRevision,
    canarySlot: draft.canarySlot,
    target: draft.target,
    steps: draft.steps,
    baselineAlarms: draft.baselineAlarms,
    startedAt: draft.startedAt,
    prepared: draft.prepared,
    step: draft.step,
    weight: draft.weight,
    lastOrderAt: draft.lastOrderAt,
    lastVerdict: draft.lastVerdict,
    lastVerdictAt: draft.lastVerdictAt,
    extensions: draft.extensions,
    checkpoint: draft.checkpoint,
    stableBrokenAt: draft.stableBrokenAt,
    afterPromotion: draft.afterPromotion,
  };
}
