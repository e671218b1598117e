/** What a rollout's own events change in it, as long as it is the one they speak of: a part of `evolve`. */

import type { EventOf } from '../../../events/service.ts';
import { unreachable } from '../decision.ts';
import { bakeFrom, type RolloutDraft } from './draft.ts';
import { resume } from './resume.ts';

type RolloutEvent = EventOf<
  | 'CanaryPrepared'
  | 'CheckpointTaken'
  | 'PromotionOrdered'
  | 'RolloutPromoted'
  | 'RolloutCompleted'
  | 'ApprovalRequested'
  | 'RolloutApproved'
  | 'RolloutPaused'
  | 'RolloutResumed'
  | 'RolloutHeld'
  | 'DriftFound'
>;

export function changeRollout(rollout: RolloutDraft, event: RolloutEvent): void {
  switch (event.type) {
    case 'CanaryPrepared':
    case 'ApprovalRequested':
    case 'RolloutPaused':
    case 'PromotionOrdered':
      // Once it is on the way back nothing sends it forward again.
      if (mayGoForward(rollout)) goForward(rollout, event);
      return;
    case 'CheckpointTaken': {
      const { weight, desiredCounts, scaling, revisions, fallbackPlace } = event;
      const checkpoint = { weight, desiredCounts, scaling };
      rollout.checkpoint = fallbackPlace === undefined ? checkpoint : { ...checkpoint, fallbackPlace };
      rollout.stableRevision = revisions.stable;
      return;
    }
    case 'RolloutApproved':
      approve(rollout);
      return;
    case 'RolloutResumed':
      resume(rollout, event.at);
      return;
    case 'RolloutHeld':
      hold(rollout, event);
      return;
    case 'DriftFound':
      // Somewhere we do not know is not the canary, as far as anybody can tell.
      if (!isBack(rollout)) rollout.weight = event.foundWeight ?? 0;
      return;
    case 'RolloutPromoted':
      promote(rollout, event);
      return;
    case 'RolloutCompleted':
      if (rollout.phase === 'promoted') rollout.completed = true;
      return;
    default:
      unreachable(event);
  }
}

export function mayGoForward({ phase }: RolloutDraft): boolean {
  return phase !== 'none' && phase !== 'promoted' && phase !== 'rolling-back' && phase !== 'rolled-back';
}

function goForward(
  rollout: RolloutDraft,
  event: EventOf<'CanaryPrepared' | 'ApprovalRequested' | 'RolloutPaused' | 'PromotionOrdered'>,
): void {
  const { at } = event;
  switch (event.type) {
    case 'CanaryPrepared':
      rollout.prepared = true;
      return;
    case 'ApprovalRequested':
      keepBake(rollout, at);
      rollout.phase = 'awaiting-approval';
      rollout.autoAt = event.autoAt;
      rollout.approved = false;
      return;
    case 'RolloutPaused':
      interrupt(rollout, 'paused', event.why, at);
      return;
    case 'PromotionOrdered':
      rollout.phase = 'promoting';
      rollout.mode = event.mode;
      rollout.orderedAt = at;
      rollout.lastOrderAt = at;
      if (event.mode === 'stable-broken') rollout.stableBrokenAt = at;
      return;
    default:
      unreachable(event);
  }
}

/** A person lets it go on: what it waited for, or what is left of its bake, is skipped. */
function approve(rollout: RolloutDraft): void {
  if (rollout.phase === 'awaiting-approval') rollout.approved = true;
  if (rollout.phase !== 'baking' && rollout.phase !== 'paused') return;
  rollout.phase = 'baking';
  rollout.cleared = true;
}

function promote(rollout: RolloutDraft, event: EventOf<'RolloutPromoted'>): void {
  if (rollout.phase !== 'promoting') return;
  rollout.phase = 'promoted';
  rollout.weight = 100;
  rollout.afterPromotion = true;
  rollout.promotedAt = event.at;
  rollout.rollbackWindowUntil = event.rollbackWindowUntil;
  rollout.completed = false;
  rollout.oldSideUntil = event.oldSideUntil;
}

const isBack = ({ phase }: RolloutDraft): boolean => phase === 'rolling-back' || phase === 'rolled-back';

export function order(rollout: RolloutDraft, event: EventOf<'ShiftOrdered'>): void {
  if (!mayGoForward(rollout)) return;
  rollout.phase = 'shifting';
  rollout.step = event.step;
  rollout.orderedWeight = event.weight;
  rollout.lastOrderAt = event.at;
  rollout.lastVerdict = null;
  rollout.lastVerdictAt = null;
  rollout.extensions = 0;
}

/** A confirmed weight: the bake begins, or, on the way back, the traffic is off. */
export function shift(rollout: RolloutDraft, weight: number, at: number): void {
  switch (rollout.phase) {
    case 'shifting': {
      const step = rollout.steps[rollout.step];
      rollout.phase = 'baking';
      rollout.weight = weight;
      // As bakeFrom does: to call it where every step passes costs a tenth of the fold's speed.
      rollout.bakeStartedAt = at;
      rollout.bakeEndsAt = at + (step?.bakeSeconds ?? 0) * 1000;
      rollout.cleared = false;
      // A step that only watches target health has nothing to wait for but its bake.
      rollout.lastVerdict = step?.judge === 'health-only' ? 'pass' : null;
      return;
    }
    case 'rolling-back':
      if (weight !== 0) return;
      rollout.weight = 0;
      rollout.trafficOffAt ??= at;
      return;
    case 'rolled-back':
      return;
    default:
      rollout.weight = weight;
  }
}

/** Also a promoted rollout, when its traffic was moved back before the old side was gone. */
function hold(rollout: RolloutDraft, event: EventOf<'RolloutHeld'>): void {
  if (isBack(rollout)) return;
  interrupt(rollout, 'held', event.why, event.at);
  rollout.holdReason = event.reason;
}

/** A bake that is interrupted twice stands still since the first time. */
export function interrupt(rollout: RolloutDraft, phase: 'paused' | 'held', why: string, at: number): void {
  keepBake(rollout, at);
  if (rollout.phase !== 'paused' && rollout.phase !== 'held') rollout.since = at;
  rollout.phase = phase;
  rollout.why = why;
}

export function judge(rollout: RolloutDraft, { verdict, at, bakeUntil }: EventOf<'AnalysisRecorded'>): void {
  rollout.lastVerdict = verdict;
  rollout.lastVerdictAt = at;
  if (rollout.phase !== 'baking' || bakeUntil === undefined) return;
  rollout.bakeEndsAt = bakeUntil;
  rollout.extensions++;
}

/** The bake a phase interrupts; where none was under way, the step's own is still to come. */
function keepBake(rollout: RolloutDraft, at: number): void {
  switch (rollout.phase) {
    case 'baking':
    case 'awaiting-approval':
    case 'paused':
    case 'held':
      return;
    default:
      bakeFrom(rollout, at, rollout.steps[rollout.step]);
  }
}
