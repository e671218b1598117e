// The limit for a fold: one object that is changed in place, for the events of a rollout without surprises.
// It keeps every field any phase has; `stateOf` shows it as the product's state, and the bench demands that
// both agree.

import type { ServiceEvent } from '../../events/service.ts';
import type { ServiceState } from '../../lib/core/rollout/state.ts';

type Draft = {
  // biome-ignore lint/suspicious/noExplicitAny: the draft of every phase at once
  rollout: any;
  knownBad: string[];
  alarms: Record<string, { state: string; action: string; at: number }>;
  rollbacks: number[];
};

export function mutableFold(events: readonly ServiceEvent[]): ServiceState {
  const draft: Draft = { rollout: emptyRollout(), knownBad: [], alarms: {}, rollbacks: [] };
  for (const event of events) change(draft, event);
  return stateOf(draft);
}

const emptyRollout = () => ({
  ...{ phase: 'none', rolloutId: '', planHash: '', strategy: '', revision: '', stableRevision: '' },
  ...{
    canarySlot: '',
    target: null,
    steps: [] as unknown[],
    baselineAlarms: [],
    startedAt: 0,
    prepared: false,
  },
  ...{ step: -1, weight: 0, lastOrderAt: 0, lastVerdict: null, lastVerdictAt: 0, extensions: 0 },
  ...{
    checkpoint: null,
    stableBrokenAt: null,
    afterPromotion: false,
    orderedWeight: 0,
    bakeFrom: 0,
    bakeTo: 0,
  },
  ...{ mode: '', orderedAt: 0, promotedAt: 0, rollbackWindowUntil: 0, completed: false },
  ...{ trigger: '', reason: '', initiatedAt: 0, trafficOffAt: null },
});

function change(draft: Draft, event: ServiceEvent): void {
  const { rollout } = draft;
  switch (event.type) {
    case 'RolloutStarted':
      start(draft, event);
      return;
    case 'CanaryPrepared':
      rollout.prepared = true;
      return;
    case 'ShiftOrdered':
      rollout.phase = 'shifting';
      rollout.step = event.step;
      rollout.orderedWeight = event.weight;
      rollout.lastOrderAt = event.at;
      rollout.lastVerdict = null;
      rollout.lastVerdictAt = null;
      rollout.extensions = 0;
      return;
    case 'TrafficShifted':
      shift(rollout, event.weight, event.at);
      return;
    case 'AnalysisRecorded':
      rollout.lastVerdict = event.verdict;
      rollout.lastVerdictAt = event.at;
      return;
    case 'PromotionOrdered':
      rollout.phase = 'promoting';
      rollout.mode = event.mode;
      rollout.orderedAt = event.at;
      rollout.lastOrderAt = event.at;
      return;
    case 'RolloutPromoted':
      rollout.phase = 'promoted';
      rollout.weight = 100;
      rollout.afterPromotion = true;
      rollout.promotedAt = event.at;
      rollout.rollbackWindowUntil = event.rollbackWindowUntil;
      rollout.completed = false;
      return;
    case 'RolloutCompleted':
      rollout.completed = true;
      return;
    case 'AlarmReceived':
      delete draft.alarms[event.alarm];
      draft.alarms[event.alarm] = { state: event.state, action: event.action, at: event.at };
      return;
    case 'RollbackInitiated':
      rollBack(draft, event);
      return;
    default:
      throw new Error(`the limit does not know ${event.type}`);
  }
}

function shift(rollout: Draft['rollout'], weight: number, at: number): void {
  if (rollout.phase === 'shifting') {
    rollout.phase = 'baking';
    rollout.weight = weight;
    rollout.bakeFrom = at;
    rollout.bakeTo = at + rollout.steps[rollout.step].bakeSeconds * 1000;
    rollout.lastVerdict = null;
  } else if (rollout.phase === 'rolling-back' && weight === 0) {
    rollout.weight = 0;
    rollout.trafficOffAt ??= at;
  }
}

function start(draft: Draft, event: Extract<ServiceEvent, { type: 'RolloutStarted' }>): void {
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
  rollout.afterPromotion = false;
}

function rollBack(draft: Draft, event: Extract<ServiceEvent, { type: 'RollbackInitiated' }>): void {
  const { rollout, knownBad, rollbacks } = draft;
  knownBad.push(rollout.revision);
  if (knownBad.length > 8) knownBad.shift();
  rollbacks.push(event.at);
  if (rollbacks.length > 5) rollbacks.shift();
  rollout.phase = 'rolling-back';
  rollout.trigger = event.trigger;
  rollout.reason = event.reason;
  rollout.initiatedAt = event.at;
  rollout.trafficOffAt = null;
}

function stateOf(draft: Draft): ServiceState {
  const { rollout, knownBad, alarms, rollbacks } = draft;
  const { bakeFrom, bakeTo, orderedWeight, mode, orderedAt, promotedAt, rollbackWindowUntil } = rollout;
  const { completed, trigger, reason, initiatedAt, trafficOffAt, ...underway } = rollout;
  for (const name of ['bakeFrom', 'bakeTo', 'orderedWeight', 'mode', 'orderedAt']) delete underway[name];
  for (const name of ['promotedAt', 'rollbackWindowUntil']) delete underway[name];
  const ofPhase: Record<string, object> = {
    shifting: { orderedWeight },
    baking: { bake: { startedAt: bakeFrom, endsAt: bakeTo }, cleared: false },
    promoting: { mode, orderedAt },
    promoted: { promotedAt, rollbackWindowUntil, completed },
    'rolling-back': { trigger, reason, initiatedAt, trafficOffAt },
  };
  return {
    rollout: { ...underway, ...ofPhase[rollout.phase] },
    knownBad,
    alarms,
    rollbacks,
    ...{ override: null, queued: null },
    healthFailures: { canary: 0, stable: 0 },
    healthFailedAt: { canary: null, stable: null },
  } as unknown as ServiceState;
}
