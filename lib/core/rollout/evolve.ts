/**
 * evolve(state, event) → state. Folding a service's stream gives all that is known of it; the fold is total,
 * so an event that no longer fits (a late confirmation after a rollback began) changes nothing it must not.
 */

import type { EventOf, ServiceEvent } from '../../../events/service.ts';
import { unreachable } from '../decision.ts';
import { resumed } from './resume.ts';
import { alarmReceived, healthCheckFailed, rollbackCompleted, rollbackInitiated } from './setback.ts';
import { type Active, activeOf, type BakeEnd, type Rollout, type ServiceState, underway } from './state.ts';

export function evolve(state: ServiceState, event: ServiceEvent): ServiceState {
  switch (event.type) {
    case 'RolloutQueued': {
      const { type: _, at: __, behind: ___, ...queued } = event;
      return { ...state, queued };
    }
    case 'RolloutDropped':
      return state.queued?.rolloutId === event.rolloutId ? { ...state, queued: null } : state;
    case 'RolloutStarted':
      return started(state, event);
    case 'AlarmReceived':
      return alarmReceived(state, event);
    case 'HealthCheckFailed':
      return healthCheckFailed(state, event);
    case 'OverrideSet':
      return { ...state, override: { by: event.by, why: event.why, until: event.until } };
    case 'OverrideLifted':
      return { ...state, override: null };
    case 'FellBack':
      // It scaled down the side that failed: whoever goes on has the canary prepared anew.
      return { ...unprepared(state), fellBackAt: event.at };
    case 'RollbackInitiated':
      return rollbackInitiated(state, event);
    case 'RollbackCompleted':
      return rollbackCompleted(state, event);
    default:
      return { ...state, rollout: evolveRollout(state.rollout, event) };
  }
}

function unprepared(state: ServiceState): ServiceState {
  const active = activeOf(state);
  if (active === null || active.phase === 'rolling-back') return state;
  return { ...state, rollout: { ...active, prepared: false } };
}

type RolloutOnly = Exclude<
  ServiceEvent,
  {
    type:
      | 'RolloutQueued'
      | 'RolloutDropped'
      | 'RolloutStarted'
      | 'AlarmReceived'
      | 'HealthCheckFailed'
      | 'OverrideSet'
      | 'OverrideLifted'
      | 'FellBack'
      | 'RollbackInitiated'
      | 'RollbackCompleted';
  }
>;

/** What only a rollout that goes forward can meet. */
type Forward = EventOf<
  'CanaryPrepared' | 'ShiftOrdered' | 'ApprovalRequested' | 'RolloutPaused' | 'PromotionOrdered'
>;
type Any = Exclude<Rollout, { phase: 'none' }>;

function evolveRollout(rollout: Rollout, event: RolloutOnly): Rollout {
  if (rollout.phase === 'none' || rollout.rolloutId !== event.rolloutId) return rollout;
  switch (event.type) {
    case 'CheckpointTaken': {
      const { weight, desiredCounts, scaling, revisions } = event;
      const checkpoint = { weight, desiredCounts, scaling };
      return { ...rollout, stableRevision: revisions.stable, checkpoint };
    }
    case 'CanaryPrepared':
    case 'ShiftOrdered':
    case 'ApprovalRequested':
    case 'RolloutPaused':
    case 'PromotionOrdered': {
      // Once it is on the way back nothing sends it forward again.
      const active = activeOf({ rollout });
      return active === null || active.phase === 'rolling-back' ? rollout : forward(active, event);
    }
    case 'TrafficShifted':
      return shifted(rollout, event.weight, event.at);
    case 'AnalysisRecorded':
      return analysed(rollout, event);
    case 'RolloutApproved':
      return approved(rollout);
    case 'RolloutResumed':
      return resumed(rollout, event.at);
    case 'RolloutHeld':
      return heldRollout(rollout, event);
    case 'DriftFound':
      // Somewhere we do not know is not the canary, as far as anybody can tell.
      return isBack(rollout) ? rollout : { ...rollout, weight: event.foundWeight ?? 0 };
    case 'RolloutPromoted':
      return promoted(rollout, event);
    case 'RolloutCompleted':
      return rollout.phase === 'promoted' ? { ...rollout, completed: true } : rollout;
    default:
      return unreachable(event);
  }
}

function forward(rollout: Active, event: Forward): Rollout {
  const { at } = event;
  switch (event.type) {
    case 'CanaryPrepared':
      return { ...rollout, prepared: true };
    case 'ShiftOrdered': {
      const ordered = { step: event.step, orderedWeight: event.weight, lastOrderAt: at };
      const unjudged = { lastVerdict: null, lastVerdictAt: null, extensions: 0 };
      return { ...underway(rollout), phase: 'shifting', ...ordered, ...unjudged };
    }
    case 'ApprovalRequested': {
      const { autoAt } = event;
      const bake = bakeOf(rollout, at);
      return { ...underway(rollout), phase: 'awaiting-approval', bake, autoAt, approved: false };
    }
    case 'RolloutPaused': {
      const { why } = event;
      const since = interruptedSince(rollout, at);
      return { ...underway(rollout), phase: 'paused', bake: bakeOf(rollout, at), why, since };
    }
    case 'PromotionOrdered': {
      const { mode } = event;
      const stableBrokenAt = mode === 'stable-broken' ? at : rollout.stableBrokenAt;
      const ordered = { orderedAt: at, lastOrderAt: at, stableBrokenAt };
      return { ...underway(rollout), phase: 'promoting', mode, ...ordered };
    }
    default:
      return unreachable(event);
  }
}

/** A person lets it go on: what it waited for, or what is left of its bake, is skipped. */
function approved(rollout: Any): Rollout {
  switch (rollout.phase) {
    case 'awaiting-approval':
      return { ...rollout, approved: true };
    case 'baking':
      return { ...rollout, cleared: true };
    case 'paused':
      return { ...underway(rollout), phase: 'baking', bake: rollout.bake, cleared: true };
    default:
      return rollout;
  }
}

function promoted(rollout: Any, { at, rollbackWindowUntil }: EventOf<'RolloutPromoted'>): Rollout {
  if (rollout.phase !== 'promoting') return rollout;
  const all = { weight: 100, afterPromotion: true };
  return {
    ...underway(rollout),
    ...{ phase: 'promoted', ...all, promotedAt: at, rollbackWindowUntil, completed: false },
  };
}

const isBack = ({ phase }: Any): boolean => phase === 'rolling-back' || phase === 'rolled-back';

function started(state: ServiceState, event: EventOf<'RolloutStarted'>): ServiceState {
  const { rolloutId, planHash, strategy, revision, stableRevision, canarySlot, target, steps } = event;
  return {
    ...state,
    queued: state.queued?.rolloutId === event.rolloutId ? null : state.queued,
    knownBad: state.knownBad.filter((revision) => revision !== event.revision),
    alarms: {},
    healthFailures: { canary: 0, stable: 0 },
    healthFailedAt: { canary: null, stable: null },
    rollout: {
      ...{ rolloutId, planHash, strategy, revision, stableRevision, canarySlot, target, steps },
      phase: 'preparing',
      baselineAlarms: event.baselineAlarms,
      startedAt: event.at,
      prepared: false,
      step: -1,
      weight: 0,
      lastOrderAt: null,
      lastVerdict: null,
      lastVerdictAt: null,
      extensions: 0,
      checkpoint: null,
      stableBrokenAt: null,
      afterPromotion: false,
    },
  };
}

/** A confirmed weight: the bake begins, or, on the way back, the traffic is off. */
function shifted(rollout: Any, weight: number, at: number): Rollout {
  switch (rollout.phase) {
    case 'shifting': {
      const bakeSeconds = rollout.steps[rollout.step]?.bakeSeconds ?? 0;
      const bake = { startedAt: at, endsAt: at + bakeSeconds * 1000 };
      // A step that only watches target health has nothing to wait for but its bake.
      const lastVerdict = rollout.steps[rollout.step]?.judge === 'health-only' ? 'pass' : null;
      return { ...underway(rollout), phase: 'baking', weight, bake, cleared: false, lastVerdict };
    }
    case 'rolling-back':
      return weight === 0 ? { ...rollout, weight: 0, trafficOffAt: rollout.trafficOffAt ?? at } : rollout;
    case 'rolled-back':
      return rollout;
    default:
      return { ...rollout, weight };
  }
}

/** Also a promoted rollout, when its traffic was moved back before the old side was gone. */
function heldRollout(rollout: Any, event: EventOf<'RolloutHeld'>): Rollout {
  if (isBack(rollout)) return rollout;
  const { reason, why, at } = event;
  const since = interruptedSince(rollout, at);
  return { ...underway(rollout), phase: 'held', bake: bakeOf(rollout, at), reason, why, since };
}

function analysed(rollout: Any, { verdict, at, bakeUntil }: EventOf<'AnalysisRecorded'>): Rollout {
  const judged = { lastVerdict: verdict, lastVerdictAt: at };
  if (rollout.phase !== 'baking' || bakeUntil === undefined) return { ...rollout, ...judged };
  const bake = { startedAt: rollout.bake.startedAt, endsAt: bakeUntil };
  return { ...rollout, ...judged, bake, extensions: rollout.extensions + 1 };
}

/** The bake a phase interrupts; where none was under way, the step's own is still to come. */
function bakeOf(rollout: Any, at: number): BakeEnd {
  if ('bake' in rollout) return rollout.bake;
  return { startedAt: at, endsAt: at + (rollout.steps[rollout.step]?.bakeSeconds ?? 0) * 1000 };
}

/** A bake that is interrupted twice stands still since the first time. */
const interruptedSince = (rollout: Any, at: number): number => ('since' in rollout ? rollout.since : at);
