/** The way forward: one step at a time, each ordered before it is done and confirmed before it counts. */
import type { ServiceEvent } from '../../../events/service.ts';
import { accept, type Decision, refuse } from '../decision.ts';
import type { CommandOf } from './commands.ts';
import { leftAloneSince } from './lateWrites.ts';
import { type Active, activeOf, desiredWeight, type ServiceState } from './state.ts';

/** May the step the rollout stands on be left upwards? */
export function mayAdvance(rollout: Active, now: number): boolean {
  switch (rollout.phase) {
    case 'preparing':
      return rollout.prepared;
    case 'baking':
      return rollout.cleared || passed(rollout, now);
    case 'awaiting-approval':
      return rollout.approved || (rollout.autoAt !== null && passed(rollout, now));
    default:
      return false;
  }
}

/** When the verdict falls that lets a rollout go on by itself, epoch milliseconds; null where none can. */
export function dueAt(rollout: Active): number | null {
  switch (rollout.phase) {
    case 'baking':
      return rollout.bake.endsAt;
    case 'awaiting-approval':
      return rollout.autoAt;
    default:
      return null;
  }
}

/** A verdict from before the end is not the end's: the minutes since then may have been the bad ones. */
function passed(rollout: Active, now: number): boolean {
  const due = dueAt(rollout);
  if (due === null || now < due) return false;
  const step = rollout.steps[rollout.step];
  if (step === undefined) return true; // nothing has met the canary yet that could be judged
  if (rollout.lastVerdict !== 'pass') return false;
  return step.judge === 'health-only' || (rollout.lastVerdictAt !== null && rollout.lastVerdictAt >= due);
}

export function orderShift(state: ServiceState, { now }: CommandOf<'OrderShift'>): Decision<ServiceEvent> {
  const rollout = activeOf(state);
  if (rollout === null) return refuse('not-running', 'no rollout is under way.');
  if (rollout.phase === 'shifting') return accept(); // ordered already: the flow drives the order that stands
  if (!mayAdvance(rollout, now)) {
    return refuse('not-cleared', `step ${rollout.step + 1} is ${rollout.phase}: it has not been passed.`);
  }
  const index = rollout.step + 1;
  const step = rollout.steps[index];
  if (step === undefined)
    return refuse('no-step-left', 'every step is passed: what is left is the promotion.');
  if (step.approval !== 'none' && rollout.phase !== 'awaiting-approval') {
    return refuse('needs-approval', `step ${index + 1} (weight ${step.weight}) waits for an approval.`);
  }
  return accept({
    type: 'ShiftOrdered',
    at: now,
    rolloutId: rollout.rolloutId,
    step: index,
    weight: step.weight,
  });
}

export function confirmShift(
  state: ServiceState,
  { weight, now }: CommandOf<'ConfirmShift'>,
): Decision<ServiceEvent> {
  const { rollout } = state;
  if (rollout.phase === 'none')
    return refuse('no-rollout', 'there is no rollout whose traffic could have shifted.');
  const desired = desiredWeight(rollout);
  if (desired !== weight) {
    return refuse(
      'superseded',
      `weight ${weight} was confirmed, but the newest decision is ${desired ?? 'to keep off'}.`,
    );
  }
  const confirmed =
    rollout.phase === 'rolling-back'
      ? rollout.trafficOffAt !== null
      : rollout.phase !== 'shifting' && rollout.weight === weight;
  if (confirmed) return accept();
  return accept({ type: 'TrafficShifted', at: now, rolloutId: rollout.rolloutId, weight });
}

export function orderPromotion(
  state: ServiceState,
  { now }: CommandOf<'OrderPromotion'>,
): Decision<ServiceEvent> {
  const rollout = activeOf(state);
  if (rollout === null) return refuse('not-running', 'no rollout is under way.');
  if (rollout.phase === 'promoting') return accept();
  if (rollout.step < rollout.steps.length - 1 || !mayAdvance(rollout, now)) {
    return refuse('not-cleared', `step ${rollout.step + 1} of ${rollout.steps.length} has not been passed.`);
  }
  return accept({
    type: 'PromotionOrdered',
    at: now,
    rolloutId: rollout.rolloutId,
    mode: 'earned',
    by: 'switchback',
  });
}

export function confirmPromotion(
  { rollout }: ServiceState,
  { now, rollbackWindowSeconds, timing }: CommandOf<'ConfirmPromotion'>,
): Decision<ServiceEvent> {
  if (rollout.phase === 'promoted') return accept();
  if (rollout.phase !== 'promoting') return refuse('not-promoting', 'no promotion was ordered.');
  if (rollout.weight !== 100) {
    return refuse('traffic-not-shifted', 'the balancer has not been seen to send the canary everything.');
  }
  return accept({
    type: 'RolloutPromoted',
    at: now,
    rolloutId: rollout.rolloutId,
    revision: rollout.revision,
    stableSlot: rollout.canarySlot,
    rollbackWindowUntil: now + Math.round(rollbackWindowSeconds * 1000),
    ...(timing === undefined
      ? {}
      : { oldSideUntil: leftAloneSince({ promotedAt: now, lastOrderAt: rollout.lastOrderAt }, timing) }),
  });
}

export function confirmCompletion(
  { rollout }: ServiceState,
  { now }: CommandOf<'ConfirmCompletion'>,
): Decision<ServiceEvent> {
  if (rollout.phase !== 'promoted') return refuse('not-promoted', 'only a promoted rollout is completed.');
  if (rollout.completed) return accept();
  return accept({ type: 'RolloutCompleted', at: now, rolloutId: rollout.rolloutId });
}
