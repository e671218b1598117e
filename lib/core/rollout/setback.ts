/**
 * What alarms, failures and the way back leave in the state: the part of `evolve` that begins with bad news.
 */
import type { EventOf } from '../../../events/service.ts';
import { clocksApartMs, concernsRollout, isOverruled } from '../fallback/mark.ts';
import type { Draft, RolloutDraft } from './draft.ts';
import { functionSecondsMax } from './lateWrites.ts';
import { interrupt, mayGoForward } from './rolloutChange.ts';
import { rollbacksRemembered } from './state.ts';

export function noteFailure(draft: Draft, event: EventOf<'HealthCheckFailed'>): void {
  const { side, consecutive, limit, at } = event;
  draft.healthFailures = { ...draft.healthFailures, [side]: consecutive };
  draft.healthFailedAt = { ...draft.healthFailedAt, [side]: at };
  if (side === 'stable' && consecutive >= limit) draft.rollout.stableBrokenAt = at;
}

export function beginRollback(draft: Draft, event: EventOf<'RollbackInitiated'>): void {
  const { rollout } = draft;
  const { phase } = rollout;
  if (phase === 'none' || phase === 'rolling-back' || phase === 'rolled-back') return;
  if (rollout.rolloutId !== event.rolloutId) return;
  letGo(draft);
  const { at, trigger, reason } = event;
  if (trigger !== 'superseded' && trigger !== 'migration') {
    // It is not there yet: its start took it out.
    remember(draft.knownBad, rollout.revision, knownBadMax);
    if (trigger !== 'operator') remember(draft.rollbacks, at, rollbacksRemembered);
  }
  // Whoever moved all traffic off the canary before us is not overruled: nothing is left to take off.
  const off = phase === 'held' && rollout.holdReason === 'drift' && rollout.weight === 0;
  rollout.coldUntil = phase === 'promoted' ? coldUntil(rollout, at) : undefined;
  rollout.phase = 'rolling-back';
  rollout.trigger = trigger;
  rollout.reason = reason;
  rollout.initiatedAt = at;
  rollout.trafficOffAt = off ? at : null;
  rollout.after = event.after;
}

/** A person, or a rollout that begins, says where traffic goes from now on. */
export function letGo(draft: Draft): void {
  if (draft.fellBackTo !== undefined) draft.fellBackTo = null;
}

/**
 * The fire exit sent everybody to stable, to the canary, or to another target. It scaled the other side down:
 * whoever goes on has the canary prepared anew, and whoever goes back starts stable first.
 */
export function fallBack(draft: Draft, { at, slot, by, to }: EventOf<'FellBack'>): void {
  const { rollout } = draft;
  const toCanary = slot === rollout.canarySlot && concernsRollout(draft, at);
  const mayGoOn = mayGoForward(rollout) || rollout.phase === 'rolling-back';
  if (mayGoOn && !toCanary) rollout.prepared = false;
  // Recorded late, an older pull of it does not hide the newest.
  const isNewest = at >= (draft.fellBackAt ?? 0);
  draft.fellBackAt = Math.max(at, draft.fellBackAt ?? 0);
  // It took stable's tasks: whoever was taking everybody back, and goes on, starts them first.
  if (toCanary && rollout.phase === 'rolling-back') rollout.afterPromotion = true;
  if (!isNewest || isOverruled(rollout, at)) return;
  const stays = slot !== undefined && (rollout.phase === 'none' || concernsRollout(draft, at));
  if (stays || draft.fellBackTo !== undefined) draft.fellBackTo = stays ? slot : null;
  if (!toCanary) return;
  if (rollout.phase === 'rolling-back') {
    interrupt(rollout, 'held', `${by} fell back to ${to}`, at);
    rollout.holdReason = 'drift';
  }
  if (!mayGoForward(rollout)) return;
  rollout.weight = 100;
  rollout.afterPromotion = true;
}

function remember<Item>(newest: Item[], item: Item, max: number): void {
  newest.push(item);
  if (newest.length > max) newest.shift();
}

/** Until when a scaling down may land; left out where none can have been sent when the rollback began. */
function coldUntil({ completed, oldSideUntil }: RolloutDraft, at: number): number | undefined {
  const mayBeTidied = oldSideUntil !== undefined && at >= oldSideUntil - clocksApartMs;
  return mayBeTidied && !completed ? at + functionSecondsMax * 1000 : undefined;
}

const knownBadMax = 8;

export function endRollback(rollout: RolloutDraft, event: EventOf<'RollbackCompleted'>): void {
  if (rollout.phase !== 'rolling-back' || rollout.rolloutId !== event.rolloutId) return;
  rollout.phase = 'rolled-back';
  rollout.endedAt = event.at;
}

const alarmsMax = 8;

export function hearAlarm(draft: Draft, event: EventOf<'AlarmReceived'>): void {
  const { rollout } = draft;
  const { alarm, action, at, changedAt, state } = event;
  const before = draft.alarms[alarm];
  const names = Object.keys(draft.alarms);
  let toForget = names.length + (before === undefined ? 1 : 0) - alarmsMax;
  const alarms: { -readonly [name in keyof Draft['alarms']]: Draft['alarms'][name] } = {};
  for (const name of names) {
    const kept = draft.alarms[name];
    if (name === alarm || kept === undefined || toForget-- > 0) continue;
    alarms[name] = kept;
  }
  // The cool-off runs from the last action: neither good news nor what it suppressed itself begins it anew.
  const silent = action === 'suppressed' || state === 'OK';
  alarms[alarm] = silent && before !== undefined ? { ...before, state } : { state, action, at, changedAt };
  draft.alarms = alarms;
  // A baseline alarm that went OK is one no longer: its next breach is new.
  if (state === 'OK' && rollout.phase !== 'none') {
    rollout.baselineAlarms = rollout.baselineAlarms.filter((name) => name !== alarm);
  }
}
