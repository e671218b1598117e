// What the limit for a fold changes in place, and how it shows it as the product's state.

import type { ServiceState } from '../../lib/core/rollout/state.ts';

export type MutableDraft = ReturnType<typeof emptyDraft>;

export const emptyDraft = () => ({
  // biome-ignore lint/suspicious/noExplicitAny: every field of every phase at once
  rollout: emptyRollout() as any,
  knownBad: [] as string[],
  alarms: {} as { [name: string]: ServiceState['alarms'][string] },
  rollbacks: [] as number[],
});

const emptyRollout = () => ({
  phase: 'none',
  rolloutId: '',
  planHash: '',
  strategy: '',
  revision: '',
  stableRevision: '',
  canarySlot: '',
  target: null,
  steps: [],
  baselineAlarms: [],
  startedAt: 0,
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
  orderedWeight: 0,
  bakeStartedAt: 0,
  bakeEndsAt: 0,
  mode: '',
  orderedAt: 0,
  promotedAt: 0,
  rollbackWindowUntil: 0,
  completed: false,
  oldSideUntil: undefined,
  trigger: '',
  reason: '',
  initiatedAt: 0,
  trafficOffAt: null,
  after: undefined,
  coldUntil: undefined,
});

export function stateOf({ rollout, knownBad, alarms, rollbacks }: MutableDraft): ServiceState {
  return {
    ...{ rollout: rolloutOf(rollout), knownBad, alarms, rollbacks, override: null, queued: null },
    healthFailures: { canary: 0, stable: 0 },
    healthFailedAt: { canary: null, stable: null },
  };
}

function rolloutOf(rollout: MutableDraft['rollout']): ServiceState['rollout'] {
  const { phase, bakeStartedAt, bakeEndsAt, orderedWeight, mode, orderedAt, promotedAt } = rollout;
  const { rollbackWindowUntil, completed, oldSideUntil } = rollout;
  const { trigger, reason, initiatedAt, trafficOffAt, after, coldUntil } = rollout;
  switch (phase) {
    case 'none':
      return { phase };
    case 'preparing':
      return { ...underway(rollout), phase };
    case 'shifting':
      return { ...underway(rollout), phase, orderedWeight };
    case 'baking': {
      const bake = { startedAt: bakeStartedAt, endsAt: bakeEndsAt };
      return { ...underway(rollout), phase, bake, cleared: false };
    }
    case 'promoting':
      return { ...underway(rollout), phase, mode, orderedAt };
    case 'promoted': {
      const promoted = { ...underway(rollout), phase, promotedAt, rollbackWindowUntil, completed };
      return oldSideUntil === undefined ? promoted : { ...promoted, oldSideUntil };
    }
    default: {
      const back = { ...underway(rollout), phase, trigger, reason, initiatedAt, trafficOffAt };
      const cold = coldUntil === undefined ? back : { ...back, coldUntil };
      return after === undefined ? cold : { ...cold, after };
    }
  }
}

const underway = (rollout: MutableDraft['rollout']) => ({
  rolloutId: rollout.rolloutId,
  planHash: rollout.planHash,
  strategy: rollout.strategy,
  revision: rollout.revision,
  stableRevision: rollout.stableRevision,
  canarySlot: rollout.canarySlot,
  target: rollout.target,
  steps: rollout.steps,
  baselineAlarms: rollout.baselineAlarms,
  startedAt: rollout.startedAt,
  prepared: rollout.prepared,
  step: rollout.step,
  weight: rollout.weight,
  lastOrderAt: rollout.lastOrderAt,
  lastVerdict: rollout.lastVerdict,
  lastVerdictAt: rollout.lastVerdictAt,
  extensions: rollout.extensions,
  checkpoint: rollout.checkpoint,
  stableBrokenAt: rollout.stableBrokenAt,
  afterPromotion: rollout.afterPromotion,
});
