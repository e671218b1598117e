/**
 * What alarms, failures and the way back leave in the state: the part of `evolve` that begins with bad news.
 */
import type { EventOf } from '../../../events/service.ts';
import { type ServiceState, underway } from './state.ts';

export function healthCheckFailed(state: ServiceState, event: EventOf<'HealthCheckFailed'>): ServiceState {
  const { side, consecutive, limit, at } = event;
  const broken = side === 'stable' && consecutive >= limit && state.rollout.phase !== 'none';
  return {
    ...state,
    healthFailures: { ...state.healthFailures, [side]: consecutive },
    healthFailedAt: { ...state.healthFailedAt, [side]: at },
    rollout: broken ? { ...state.rollout, stableBrokenAt: at } : state.rollout,
  };
}

export function rollbackInitiated(state: ServiceState, event: EventOf<'RollbackInitiated'>): ServiceState {
  const { rollout } = state;
  if (rollout.phase === 'none' || rollout.phase === 'rolling-back' || rollout.phase === 'rolled-back')
    return state;
  if (rollout.rolloutId !== event.rolloutId) return state;
  const { at, trigger, reason } = event;
  const others = state.knownBad.filter((revision) => revision !== rollout.revision);
  const byItself = trigger !== 'operator' && trigger !== 'superseded' && trigger !== 'migration';
  const saysNothing = trigger === 'superseded' || trigger === 'migration';
  // Whoever moved all traffic off the canary before us is not overruled: nothing is left to take off.
  const off = rollout.phase === 'held' && rollout.reason === 'drift' && rollout.weight === 0;
  return {
    ...state,
    knownBad: saysNothing ? state.knownBad : [...others, rollout.revision].slice(-8),
    rollbacks: byItself ? [...state.rollbacks, at].slice(-5) : state.rollbacks,
    rollout: {
      ...underway(rollout),
      phase: 'rolling-back',
      trigger,
      reason,
      initiatedAt: at,
      trafficOffAt: off ? at : null,
      ...(event.after === undefined ? {} : { after: event.after }),
    },
  };
}

export function rollbackCompleted(state: ServiceState, event: EventOf<'RollbackCompleted'>): ServiceState {
  const { rollout } = state;
  if (rollout.phase !== 'rolling-back' || rollout.rolloutId !== event.rolloutId) return state;
  return {
    ...state,
    rollout: { ...underway(rollout), phase: 'rolled-back', reason: rollout.reason, endedAt: event.at },
  };
}

export function alarmReceived(state: ServiceState, event: EventOf<'AlarmReceived'>): ServiceState {
  const { alarm, action, at, changedAt } = event;
  const kept = Object.entries(state.alarms).filter(([name]) => name !== alarm);
  const before = state.alarms[alarm];
  // The cool-off runs from the last action: neither good news nor what it suppressed itself begins it anew.
  const silent = action === 'suppressed' || event.state === 'OK';
  const entry =
    silent && before !== undefined
      ? { ...before, state: event.state }
      : { state: event.state, action, at, changedAt };
  const alarms = Object.fromEntries([...kept, [alarm, entry] as const].slice(-8));
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
