/**
 * Which alarm states, as read now, the stream has not heard of: an event that was lost, or an alarm that went
 * off between two looks. Reading them at every look makes the push path an optimisation, not a necessity.
 */
import type { AlarmState } from '../../../events/rollback.ts';
import type { AlarmSettings } from '../config/settings.ts';
import { isKeptByFireExit, overrideAt, type ServiceState } from './state.ts';

export type AlarmSeen = {
  readonly alarm: AlarmSettings;
  readonly state: AlarmState;
  readonly changedAt: number;
  readonly reason: string;
};

type Read = {
  readonly name: string;
  readonly state: AlarmState | null;
  readonly changedAt: number | null;
  readonly reason: string;
};

/**
 * An alarm whose state cannot be read counts as INSUFFICIENT_DATA: unknown, and the policy says what that
 * does.
 */
export function alarmNews(
  state: ServiceState,
  alarms: readonly AlarmSettings[],
  readings: readonly Read[],
  now: number,
): readonly AlarmSeen[] {
  const { rollout } = state;
  if (rollout.phase === 'none') return [];
  return alarms.flatMap((alarm) => {
    const reading = readings.find(({ name }) => name === alarm.name);
    const alarmState = reading?.state ?? 'INSUFFICIENT_DATA';
    const changedAt = reading?.changedAt ?? now;
    const reason = reading?.reason ?? 'its state cannot be read';
    const seen = [{ alarm, state: alarmState, changedAt, reason }];
    const baseline = rollout.baselineAlarms.includes(alarm.name);
    // Good news counts only where it ends a baseline: the next breach of that alarm is a new one.
    if (alarmState === 'OK') return baseline ? seen : [];
    if (alarmState === 'INSUFFICIENT_DATA' && alarm.onUnknown === 'wait') return [];
    if (alarmState === 'ALARM' && baseline) return [];
    const heard = state.alarms[alarm.name];
    if (heard === undefined || heard.at < rollout.startedAt) return seen;
    const suspended = overrideAt(state, now) !== null || isKeptByFireExit(state);
    if (heard.action === 'overridden' && !suspended) return seen;
    // One that cannot be read says nothing about when it changed.
    const known = reading?.changedAt == null ? heard.state === alarmState : heard.changedAt >= changedAt;
    return known ? [] : seen;
  });
}
