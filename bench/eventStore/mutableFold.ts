// The limit for a fold: one object that is changed in place, for the kinds of event that rollouts without a
// person's help are made of. For any order of those it comes to the product's state; a test holds both to it.

import type { EventOf, ServiceEvent } from '../../events/service.ts';
import type { ServiceState } from '../../lib/core/rollout/state.ts';
import { emptyDraft, type MutableDraft, stateOf } from './mutableDraft.ts';

export function mutableFold(events: readonly ServiceEvent[]): ServiceState {
  const draft = emptyDraft();
  for (const event of events) change(draft, event);
  return stateOf(draft);
}

function change(draft: MutableDraft, event: ServiceEvent): void {
  const { rollout } = draft;
  switch (event.type) {
    case 'ShiftOrdered':
      if (event.rolloutId !== rollout.rolloutId || !goesForward(rollout.phase)) return;
      rollout.phase = 'shifting';
      rollout.step = event.step;
      rollout.orderedWeight = event.weight;
      rollout.lastOrderAt = event.at;
      rollout.lastVerdict = null;
      rollout.lastVerdictAt = null;
      rollout.extensions = 0;
      return;
    case 'TrafficShifted':
      if (event.rolloutId === rollout.rolloutId) shift(rollout, event.weight, event.at);
      return;
    case 'AnalysisRecorded':
      if (event.rolloutId !== rollout.rolloutId) return;
      rollout.lastVerdict = event.verdict;
      rollout.lastVerdictAt = event.at;
      if (event.bakeUntil === undefined || rollout.phase !== 'baking') return;
      rollout.bakeEndsAt = event.bakeUntil;
      rollout.extensions++;
      return;
    case 'RolloutStarted':
      start(draft, event);
      return;
    case 'CanaryPrepared':
      if (event.rolloutId === rollout.rolloutId && goesForward(rollout.phase)) rollout.prepared = true;
      return;
    case 'PromotionOrdered':
      if (event.rolloutId !== rollout.rolloutId || !goesForward(rollout.phase)) return;
      rollout.phase = 'promoting';
      rollout.mode = event.mode;
      rollout.orderedAt = event.at;
      rollout.lastOrderAt = event.at;
      if (event.mode === 'stable-broken') rollout.stableBrokenAt = event.at;
      return;
    case 'RolloutPromoted':
      if (event.rolloutId === rollout.rolloutId && rollout.phase === 'promoting') promote(rollout, event);
      return;
    case 'RolloutCompleted':
      if (event.rolloutId === rollout.rolloutId && rollout.phase === 'promoted') rollout.completed = true;
      return;
    case 'AlarmReceived':
      hear(draft, event);
      return;
    case 'RollbackInitiated':
      if (event.rolloutId === rollout.rolloutId) rollBack(draft, event);
      return;
    default:
      throw new Error(`the limit does not know ${event.type}`);
  }
}

const goesForward = (phase: string) =>
  phase === 'preparing' || phase === 'shifting' || phase === 'baking' || phase === 'promoting';

function shift(rollout: MutableDraft['rollout'], weight: number, at: number): void {
  if (rollout.phase === 'shifting') {
    const step = rollout.steps[rollout.step];
    rollout.phase = 'baking';
    rollout.weight = weight;
    rollout.bakeStartedAt = at;
    rollout.bakeEndsAt = step === undefined ? at : at + step.bakeSeconds * 1000;
    rollout.lastVerdict = step?.judge === 'health-only' ? 'pass' : null;
  } else if (rollout.phase !== 'rolling-back') {
    rollout.weight = weight;
  } else if (weight === 0) {
    rollout.weight = 0;
    rollout.trafficOffAt ??= at;
  }
}

function promote(rollout: MutableDraft['rollout'], event: EventOf<'RolloutPromoted'>): void {
  rollout.phase = 'promoted';
  rollout.weight = 100;
  rollout.afterPromotion = true;
  rollout.promotedAt = event.at;
  rollout.rollbackWindowUntil = event.rollbackWindowUntil;
  rollout.completed = false;
  rollout.oldSideUntil = event.oldSideUntil;
}

function start(draft: MutableDraft, event: EventOf<'RolloutStarted'>): void {
  const { rollout } = draft;
  const known = draft.knownBad.indexOf(event.revision);
  if (known >= 0) draft.knownBad.splice(known, 1);
  draft.alarms = {};
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
  rollout.stableBrokenAt = null;
  rollout.afterPromotion = false;
}

function hear({ rollout, alarms }: MutableDraft, event: EventOf<'AlarmReceived'>): void {
  const { alarm, state, action, at, changedAt } = event;
  const before = alarms[alarm];
  if (before !== undefined) {
    delete alarms[alarm];
  } else {
    const names = Object.keys(alarms);
    if (names.length >= 8) delete alarms[names[0] ?? ''];
  }
  const silent = action === 'suppressed' || state === 'OK';
  alarms[alarm] = silent && before !== undefined ? { ...before, state } : { state, action, at, changedAt };
  if (state === 'OK' && rollout.phase !== 'none') {
    rollout.baselineAlarms = rollout.baselineAlarms.filter((name: string) => name !== alarm);
  }
}

function rollBack(draft: MutableDraft, event: EventOf<'RollbackInitiated'>): void {
  const { rollout, knownBad, rollbacks } = draft;
  const { trigger, at } = event;
  if (rollout.phase === 'rolling-back') return;
  if (trigger !== 'superseded' && trigger !== 'migration') {
    knownBad.push(rollout.revision);
    if (knownBad.length > 8) knownBad.shift();
    if (trigger !== 'operator') {
      rollbacks.push(at);
      if (rollbacks.length > 5) rollbacks.shift();
    }
  }
  const { phase, oldSideUntil, completed } = rollout;
  const cold = phase === 'promoted' && !completed && at >= oldSideUntil - 5000;
  rollout.coldUntil = cold ? at + 60_000 : undefined;
  rollout.phase = 'rolling-back';
  rollout.trigger = trigger;
  rollout.reason = event.reason;
  rollout.initiatedAt = at;
  rollout.trafficOffAt = null;
  rollout.after = event.after;
}
