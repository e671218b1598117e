/** What a person may say to a rollout. Abort is `RollBack` with the trigger `operator`. */
import type { ServiceEvent } from '../../../events/service.ts';
import { accept, type Decision, type Refusal, refuse } from '../decision.ts';
import { concernsRollout, isOverruled } from '../fallback/mark.ts';
import { brief } from './brief.ts';
import type { CommandOf } from './commands.ts';
import { whileFireExitActs } from './fireExit.ts';
import { held } from './rollBack.ts';
import { activeOf, overrideAt, type ServiceState } from './state.ts';

/** A person goes on from where the fire exit left it, once it keeps nobody any more. */
const untilFireExitIsDone = (
  state: ServiceState,
  now: number,
  settings: CommandOf<'Resume'>['settings'],
): Refusal | null =>
  settings === undefined
    ? null
    : whileFireExitActs(state, now, settings.shiftTimeoutSeconds, {
        service: settings.service,
        next: 'say it again then',
      });

/** The longest an override may hold; it ends by itself. */
const overrideHoursMax = 24;

const notRunning = (): Refusal => refuse('not-running', 'no rollout is under way.');

export function pause(state: ServiceState, { by, why, now }: CommandOf<'Pause'>): Decision<ServiceEvent> {
  const rollout = activeOf(state);
  if (rollout === null) return notRunning();
  if (rollout.phase === 'paused') return accept();
  if (rollout.phase !== 'baking' && rollout.phase !== 'awaiting-approval') {
    return refuse(
      'cannot-pause',
      `a rollout that is ${rollout.phase} cannot be paused: abort it, or wait for the bake.`,
    );
  }
  return accept({ type: 'RolloutPaused', at: now, rolloutId: rollout.rolloutId, by, why: brief(why) });
}

export function resume(
  state: ServiceState,
  { by, now, settings }: CommandOf<'Resume'>,
): Decision<ServiceEvent> {
  const rollout = activeOf(state);
  if (rollout === null) return notRunning();
  if (rollout.phase === 'baking') return accept();
  if (rollout.phase !== 'paused' && rollout.phase !== 'held') {
    return refuse('not-paused', `the rollout is ${rollout.phase}: there is nothing to resume.`);
  }
  const kept = untilFireExitIsDone(state, now, settings);
  if (kept !== null) return kept;
  return accept({ type: 'RolloutResumed', at: now, rolloutId: rollout.rolloutId, by });
}

export function approve(state: ServiceState, { by, now }: CommandOf<'Approve'>): Decision<ServiceEvent> {
  const rollout = activeOf(state);
  if (rollout === null) return notRunning();
  if (rollout.phase !== 'awaiting-approval') {
    return refuse('nothing-to-approve', `the rollout is ${rollout.phase}: nothing waits for an approval.`);
  }
  if (rollout.approved) return accept();
  return accept({ type: 'RolloutApproved', at: now, rolloutId: rollout.rolloutId, by });
}

/** Go on to the next step now, without waiting for the rest of this one's bake. */
export function promote(state: ServiceState, { by, now }: CommandOf<'Promote'>): Decision<ServiceEvent> {
  const rollout = activeOf(state);
  if (rollout === null) return notRunning();
  switch (rollout.phase) {
    case 'baking':
      if (rollout.cleared) return accept();
      return accept({ type: 'RolloutApproved', at: now, rolloutId: rollout.rolloutId, by });
    case 'awaiting-approval':
      if (rollout.approved) return accept();
      return accept({ type: 'RolloutApproved', at: now, rolloutId: rollout.rolloutId, by });
    case 'paused':
      return accept({ type: 'RolloutApproved', at: now, rolloutId: rollout.rolloutId, by });
    default:
      return refuse('cannot-promote', `a rollout that is ${rollout.phase} cannot be moved on by hand.`);
  }
}

/** Skip every step, bake and analysis that is left. */
export function promoteFully(
  state: ServiceState,
  { by, now, settings }: CommandOf<'PromoteFully'>,
): Decision<ServiceEvent> {
  const rollout = activeOf(state);
  if (rollout === null) return notRunning();
  switch (rollout.phase) {
    case 'promoting':
      return accept();
    case 'rolling-back':
      return refuse('rolling-back', 'a rollback is under way: request the rollout again when it is done.');
    default:
      if (!rollout.prepared) {
        return refuse('not-prepared', 'the canary is not prepared yet: nothing could take the traffic.');
      }
      return (
        untilFireExitIsDone(state, now, settings) ??
        accept({ type: 'PromotionOrdered', at: now, rolloutId: rollout.rolloutId, mode: 'full', by })
      );
  }
}

export function setOverride(
  { override }: ServiceState,
  { by, why, until, now }: CommandOf<'SetOverride'>,
): Decision<ServiceEvent> {
  if (why.trim() === '') return refuse('no-reason', 'an override needs a reason: say why.');
  if (!(until > now)) return refuse('expired', 'an override must end in the future.');
  if (until - now > overrideHoursMax * 3_600_000) {
    return refuse('too-long', `an override lasts at most ${overrideHoursMax} hours.`);
  }
  if (override?.by === by && override.until === Math.round(until)) return accept();
  return accept({ type: 'OverrideSet', at: now, by, why: brief(why), until: Math.round(until) });
}

export function liftOverride(
  state: ServiceState,
  { by, now }: CommandOf<'LiftOverride'>,
): Decision<ServiceEvent> {
  if (overrideAt(state, now) === null) return accept();
  return accept({ type: 'OverrideLifted', at: now, by });
}

/**
 * What was done without asking is adopted as drift, and the rollout held. Also where its own target shows
 * nothing of it: a rollout that is still preparing, or a service that was sent somewhere else, would go on as
 * if nothing happened.
 */
export function recordFallBack(
  state: ServiceState,
  { by, why, to, slot, now }: CommandOf<'RecordFallBack'>,
): Decision<ServiceEvent> {
  if (state.fellBackAt === now) return accept(); // told by the queue, and by the mark on the target
  const fellBack = { type: 'FellBack', at: now, by, why: brief(why), to } as const;
  const events: ServiceEvent[] = [slot === null ? fellBack : { ...fellBack, slot }];
  const rollout = activeOf(state);
  if (rollout === null || !concernsRollout(state, now)) return accept(...events);
  const { rolloutId } = rollout;
  const what = brief(`${by} fell back to ${to}: ${why}`);
  if (rollout.phase === 'rolling-back') {
    const goesOn = slot !== rollout.canarySlot || isOverruled(rollout, now) || now < (state.fellBackAt ?? 0);
    const held = { type: 'RolloutHeld', at: now, rolloutId, reason: 'drift', why: what } as const;
    return goesOn ? accept(...events) : accept(...events, held);
  }
  if (slot !== null && slot !== rollout.canarySlot && rollout.weight > 0) {
    const expectedWeight = rollout.weight;
    events.push({ type: 'DriftFound', at: now, rolloutId, expectedWeight, foundWeight: 0, what });
  }
  return accept(...events, ...held(state, { now, reason: 'drift', why: what }));
}

/** The rollout that ended badly, asked for once more; its revision is known bad, so a reason is wanted. */
export function retryOf(
  { rollout }: ServiceState,
  { service, by, why, eventId }: { service: string; by: string; why: string; eventId: string },
) {
  if (rollout.phase !== 'rolled-back') {
    return refuse(
      'nothing-to-retry',
      `the last rollout of ${service} is ${rollout.phase}: only one that was rolled back is retried.`,
    );
  }
  if (why.trim() === '')
    return refuse('no-reason', 'a retry needs a reason: say why it will go better this time.');
  const attempt = eventId.replaceAll('-', '').slice(0, 8);
  return {
    service,
    revision: rollout.revision,
    rolloutId: `${rollout.rolloutId.slice(0, 55)}-${attempt}`,
    requestedBy: by,
    why,
    knownBadOverride: why,
  };
}
