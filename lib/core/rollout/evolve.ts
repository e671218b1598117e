/**
 * evolve(state, event) → state. Folding a service's stream gives all that is known of it; the fold is total,
 * so an event that no longer fits (a late confirmation after a rollback began) changes nothing it must not.
 */

import type { EventOf, ServiceEvent } from '../../../events/service.ts';
import { unreachable } from '../decision.ts';
import { type Draft, draftOf, stateOf } from './draft.ts';
import { changeRollout, judge, order, shift } from './rolloutChange.ts';
import { beginRollback, endRollback, fallBack, hearAlarm, letGo, noteFailure } from './setback.ts';
import { initialState, type ServiceState } from './state.ts';

export const evolve = (state: ServiceState, event: ServiceEvent): ServiceState => fold(state, [event]);

/** The state after all of `events`; the same as `evolve` one by one, several times as fast. */
export function fold(state: ServiceState, events: Iterable<ServiceEvent>): ServiceState {
  const draft = draftOf(state);
  for (const event of events) change(draft, event);
  return stateOf(draft);
}

/**
 * The events that most of a stream is made of come first, and each is asked for its rollout by itself: a
 * place that reads fields of many shapes is several times as slow as one that reads one.
 */
function change(draft: Draft, event: ServiceEvent): void {
  const { rollout } = draft;
  switch (event.type) {
    case 'ShiftOrdered':
      if (event.rolloutId === rollout.rolloutId) order(rollout, event);
      return;
    case 'TrafficShifted':
      if (event.rolloutId === rollout.rolloutId) shift(rollout, event.weight, event.at);
      return;
    case 'AnalysisRecorded':
      if (event.rolloutId === rollout.rolloutId) judge(rollout, event);
      return;
    case 'PromotionOrdered':
    case 'RolloutResumed':
      if (event.rolloutId !== rollout.rolloutId) return;
      if (event.type === 'RolloutResumed' || event.mode === 'full') letGo(draft);
      changeRollout(rollout, event);
      return;
    case 'CanaryPrepared':
    case 'CheckpointTaken':
    case 'RolloutPromoted':
    case 'RolloutCompleted':
    case 'ApprovalRequested':
    case 'RolloutApproved':
    case 'RolloutPaused':
    case 'RolloutHeld':
    case 'DriftFound':
      if (event.rolloutId === rollout.rolloutId) changeRollout(rollout, event);
      return;
    case 'RolloutStarted':
      start(draft, event);
      return;
    case 'AlarmReceived':
      hearAlarm(draft, event);
      return;
    case 'RollbackInitiated':
      beginRollback(draft, event);
      return;
    case 'RollbackCompleted':
      endRollback(rollout, event);
      return;
    case 'HealthCheckFailed':
      noteFailure(draft, event);
      return;
    case 'FellBack':
      fallBack(draft, event);
      return;
    default:
      changeWishes(draft, event);
  }
}

/** What people ask for beside the rollout that is under way. */
function changeWishes(
  draft: Draft,
  event: EventOf<'RolloutQueued' | 'RolloutDropped' | 'OverrideSet' | 'OverrideLifted'>,
): void {
  switch (event.type) {
    case 'RolloutQueued': {
      const { type: _, at: __, behind: ___, ...queued } = event;
      draft.queued = queued;
      return;
    }
    case 'RolloutDropped':
      if (draft.queued?.rolloutId === event.rolloutId) draft.queued = null;
      return;
    case 'OverrideSet':
      draft.override = { by: event.by, why: event.why, until: event.until };
      return;
    case 'OverrideLifted':
      draft.override = null;
      return;
    default:
      unreachable(event);
  }
}

function start(draft: Draft, event: EventOf<'RolloutStarted'>): void {
  const { rollout, queued } = draft;
  if (queued?.rolloutId === event.rolloutId) draft.queued = null;
  const known = draft.knownBad.indexOf(event.revision);
  if (known >= 0) draft.knownBad.splice(known, 1);
  letGo(draft);
  draft.alarms = initialState.alarms;
  draft.healthFailures = initialState.healthFailures;
  draft.healthFailedAt = initialState.healthFailedAt;
  rollout.phase = 'preparing';
  rollout.rolloutId = event.rolloutId;
  rollout.planHash = event.planHash;
  rollout.strategy = event.strategy;
  rollout.revision = event.revision;
  rollout.stableRevision = event.stableRevision;
  rollout.canarySlot = event.canarySlot;
  rollout.target = event.target;
  rollout.steps = event.steps;
  rollout.baselineAlarms = event.baselineAlarms;
  rollout.startedAt = event.at;
  rollout.prepared = false;
  rollout.step = -1;
  rollout.weight = 0;
  rollout.lastOrderAt = null;
  rollout.lastVerdict = null;
  rollout.lastVerdictAt = null;
  rollout.extensions = 0;
  rollout.checkpoint = null;
  rollout.stableBrokenAt = null;
  rollout.afterPromotion = false;
}
