/**
 * evolve(state, event) → state. Folding a service's stream gives all that is known of it; the fold is total,
 * so an event that no longer fits (a late confirmation after a rollback began) changes nothing it must not.
 */

import type * as z from 'zod/mini';
import type { AlarmReceived, RollbackInitiated } from '../../../events/rollback.ts';
import type { RolloutStarted } from '../../../events/rollout.ts';
import type { ServiceEvent } from '../../../events/service.ts';
import { unreachable } from '../decision.ts';
import {
  type Active,
  activeOf,
  type BakeEnd,
  type Rollout,
  type ServiceState,
  type Underway,
} from './state.ts';

export function evolve(state: ServiceState, event: ServiceEvent): ServiceState {
  switch (event.type) {
    case 'RolloutQueued': {
      const { rolloutId, revision, requestedBy } = event;
      return { ...state, queued: { rolloutId, revision, requestedBy } };
    }
    case 'RolloutStarted':
      return started(state, event);
    case 'AlarmReceived':
      return alarmReceived(state, event);
    case 'HealthCheckFailed':
      return {
        ...state,
        healthFailures: { ...state.healthFailures, [event.side]: event.consecutive },
        rollout:
          event.side === 'stable' && state.rollout.phase !== 'none'
            ? { ...state.rollout, stableBrokenAt: event.at }
            : state.rollout,
      };
    case 'OverrideSet':
      return { ...state, override: { by: event.by, why: event.why, until: event.until } };
    case 'OverrideLifted':
      return { ...state, override: null };
    case 'RollbackInitiated':
      return rollbackInitiated(state, event);
    case 'RollbackCompleted':
      return rollbackCompleted(state, event.at);
    default:
      return { ...state, rollout: evolveRollout(state.rollout, event) };
  }
}

type RolloutOnly = Exclude<
  ServiceEvent,
  {
    type:
      | 'RolloutQueued'
      | 'RolloutStarted'
      | 'AlarmReceived'
      | 'HealthCheckFailed'
      | 'OverrideSet'
      | 'OverrideLifted'
      | 'RollbackInitiated'
      | 'RollbackCompleted';
  }
>;

function evolveRollout(rollout: Rollout, event: RolloutOnly): Rollout {
  if (rollout.phase === 'none') return rollout;
  const active = activeOf({ rollout } as ServiceState);
  switch (event.type) {
    case 'CheckpointTaken': {
      const { weight, desiredCounts, scaling } = event;
      return { ...rollout, checkpoint: { weight, desiredCounts, scaling } };
    }
    case 'CanaryPrepared':
      return rollout.phase === 'preparing' ? { ...rollout, prepared: true } : rollout;
    case 'ShiftOrdered':
      if (active === null) return rollout;
      return {
        ...underway(active),
        phase: 'shifting',
        step: event.step,
        orderedWeight: event.weight,
        lastOrderAt: event.at,
        lastVerdict: null,
        extensions: 0,
      };
    case 'TrafficShifted':
      return shifted(rollout, event.weight, event.at);
    case 'AnalysisRecorded':
      return analysed(rollout, event.verdict, event.at);
    case 'ApprovalRequested':
      if (active === null) return rollout;
      return {
        ...underway(active),
        phase: 'awaiting-approval',
        bake: bakeOf(active, event.at),
        autoAt: event.autoAt,
        approved: false,
      };
    case 'RolloutApproved':
      if (rollout.phase === 'awaiting-approval') return { ...rollout, approved: true };
      if (rollout.phase === 'baking') return { ...rollout, cleared: true };
      if (rollout.phase === 'paused') {
        return { ...underway(rollout), phase: 'baking', bake: rollout.bake, cleared: true };
      }
      return rollout;
    case 'RolloutPaused':
      if (active === null) return rollout;
      return {
        ...underway(active),
        phase: 'paused',
        bake: bakeOf(active, event.at),
        why: event.why,
        since: event.at,
      };
    case 'RolloutResumed':
      return resumed(rollout, event.at);
    case 'RolloutHeld':
      if (active === null) return rollout;
      return {
        ...underway(active),
        phase: 'held',
        bake: bakeOf(active, event.at),
        reason: event.reason,
        why: event.why,
      };
    case 'DriftFound':
      return event.foundWeight === null ? rollout : { ...rollout, weight: event.foundWeight };
    case 'PromotionOrdered':
      if (active === null) return rollout;
      return { ...underway(active), phase: 'promoting', orderedAt: event.at, lastOrderAt: event.at };
    case 'RolloutPromoted':
      return {
        ...underway(rollout),
        phase: 'promoted',
        weight: 100,
        promotedAt: event.at,
        rollbackWindowUntil: event.rollbackWindowUntil,
        completed: false,
      };
    case 'RolloutCompleted':
      return rollout.phase === 'promoted' ? { ...rollout, completed: true } : rollout;
    default:
      return unreachable(event);
  }
}

function started(state: ServiceState, event: z.infer<typeof RolloutStarted>): ServiceState {
  const { type: _, at, requestedBy: __, why: ___, knownBadOverride: ____, ...rest } = event;
  return {
    ...state,
    queued: state.queued?.rolloutId === event.rolloutId ? null : state.queued,
    knownBad: state.knownBad.filter((revision) => revision !== event.revision),
    healthFailures: { canary: 0, stable: 0 },
    rollout: {
      ...rest,
      phase: 'preparing',
      prepared: false,
      startedAt: at,
      step: -1,
      weight: 0,
      lastOrderAt: null,
      lastVerdict: null,
      extensions: 0,
      checkpoint: null,
      stableBrokenAt: null,
    },
  };
}

/** A confirmed weight: the bake begins, or, on the way back, the traffic is off. */
function shifted(rollout: Exclude<Rollout, { phase: 'none' }>, weight: number, at: number): Rollout {
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
    default:
      return { ...rollout, weight };
  }
}

function analysed(
  rollout: Exclude<Rollout, { phase: 'none' }>,
  verdict: Underway['lastVerdict'],
  at: number,
): Rollout {
  if (rollout.phase !== 'baking' || verdict !== 'inconclusive' || at < rollout.bake.endsAt) {
    return { ...rollout, lastVerdict: verdict };
  }
  // Nobody knows yet: the bake is as long again as the step's own, and counted.
  const bakeMs = (rollout.steps[rollout.step]?.bakeSeconds ?? 0) * 1000;
  return {
    ...rollout,
    lastVerdict: verdict,
    extensions: rollout.extensions + 1,
    bake: { startedAt: rollout.bake.startedAt, endsAt: at + Math.max(bakeMs, 1000) },
  };
}

/** What was left of the bake when it was interrupted is baked after the interruption. */
function resumed(rollout: Exclude<Rollout, { phase: 'none' }>, at: number): Rollout {
  if (rollout.phase !== 'paused' && rollout.phase !== 'held') return rollout;
  const since = rollout.phase === 'paused' ? rollout.since : at;
  const leftMs = Math.max(0, rollout.bake.endsAt - since);
  const bake = { startedAt: rollout.bake.startedAt, endsAt: at + leftMs };
  return { ...underway(rollout), phase: 'baking', bake, cleared: false };
}

function rollbackInitiated(state: ServiceState, event: z.infer<typeof RollbackInitiated>): ServiceState {
  const { rollout } = state;
  if (rollout.phase === 'none' || rollout.phase === 'rolled-back') return state;
  return {
    ...state,
    knownBad: [...state.knownBad.filter((revision) => revision !== rollout.revision), rollout.revision].slice(
      -8,
    ),
    rollbacks: [...state.rollbacks, event.at].slice(-5),
    rollout: {
      ...underway(rollout),
      phase: 'rolling-back',
      trigger: event.trigger,
      reason: event.reason,
      initiatedAt: event.at,
      trafficOffAt: null,
      afterPromotion: rollout.phase === 'promoted',
    },
  };
}

function rollbackCompleted(state: ServiceState, at: number): ServiceState {
  const { rollout } = state;
  if (rollout.phase !== 'rolling-back') return state;
  return {
    ...state,
    rollout: { ...underway(rollout), phase: 'rolled-back', reason: rollout.reason, endedAt: at },
  };
}

function alarmReceived(state: ServiceState, event: z.infer<typeof AlarmReceived>): ServiceState {
  const { alarm, action, at } = event;
  const kept = Object.entries(state.alarms).filter(([name]) => name !== alarm);
  const entry = action === 'suppressed' ? state.alarms[alarm] : { action, at };
  const alarms = Object.fromEntries(
    [...kept, ...(entry === undefined ? [] : [[alarm, entry] as const])].slice(-8),
  );
  // A baseline alarm that went OK is one no longer: its next breach is new.
  const cleared = event.state === 'OK' && state.rollout.phase !== 'none';
  return {
    ...state,
    alarms,
    rollout: cleared
      ? { ...state.rollout, baselineAlarms: state.rollout.baselineAlarms.filter((name) => name !== alarm) }
      : state.rollout,
  };
}

/** The bake a phase interrupts, or none to speak of. */
const bakeOf = (rollout: Active, at: number): BakeEnd =>
  'bake' in rollout ? rollout.bake : { startedAt: at, endsAt: at };

/** Just what holds in every phase: what belonged to the old phase must not leak into the next. */
function underway(rollout: Exclude<Rollout, { phase: 'none' }>): Underway {
  const { rolloutId, planHash, strategy, revision, stableRevision, canarySlot, target, steps } = rollout;
  const {
    baselineAlarms,
    startedAt,
    step,
    weight,
    lastOrderAt,
    lastVerdict,
    extensions,
    checkpoint,
    stableBrokenAt,
  } = rollout;
  return {
    ...{ rolloutId, planHash, strategy, revision, stableRevision, canarySlot, target, steps },
    ...{
      baselineAlarms,
      startedAt,
      step,
      weight,
      lastOrderAt,
      lastVerdict,
      extensions,
      checkpoint,
      stableBrokenAt,
    },
  };
}
