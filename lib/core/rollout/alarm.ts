/**
 * What an alarm leads to. Every alarm is recorded with what was done about it; the cool-off guards the action,
 * never the record, and never the way toward stable.
 */
import type { AlarmAction } from '../../../events/rollback.ts';
import type { ServiceEvent } from '../../../events/service.ts';
import { accept, type Decision } from '../decision.ts';
import type { CommandOf, ReceiveAlarm } from './commands.ts';
import { initiated } from './rollBack.ts';
import { overrideAt, type Rollout, type ServiceState } from './state.ts';

export function receiveAlarm(
  state: ServiceState,
  command: CommandOf<'ReceiveAlarm'>,
): Decision<ServiceEvent> {
  const action = actionFor(state, command);
  const received: ServiceEvent = {
    type: 'AlarmReceived',
    at: command.now,
    alarm: command.alarm.name,
    state: command.state,
    changedAt: command.changedAt,
    scope: command.alarm.scope,
    reason: command.reason.slice(0, 300),
    action,
  };
  return accept(received, ...consequence(state, command, action));
}

/** The action, after the cool-off: an equal one is not repeated inside it, unless it moves toward stable. */
export function actionFor(state: ServiceState, command: ReceiveAlarm): AlarmAction {
  const action = wanted(state, command);
  if (action !== 'hold' && action !== 'keep-canary') return action;
  const last = state.alarms[command.alarm.name];
  const cooling = last !== undefined && command.now - last.at < command.settings.coolOffSeconds * 1000;
  return cooling && last.action === action ? 'suppressed' : action;
}

function wanted(state: ServiceState, command: ReceiveAlarm): AlarmAction {
  const { alarm, now } = command;
  const { rollout } = state;
  if (command.state === 'OK') return 'none';
  if (!canBeTakenBack(rollout, now)) {
    return rollout.phase === 'rolling-back' ? 'already-rolling-back' : 'none';
  }
  if (rollout.phase === 'none') return 'none';
  if (overrideAt(state, now) !== null) return 'overridden';
  if (command.state === 'INSUFFICIENT_DATA') return alarm.onUnknown;
  if (rollout.baselineAlarms.includes(alarm.name)) return 'baseline';
  if (alarm.scope === 'canary') return stableIsBroken(rollout, now) ? 'hold' : 'roll-back';
  switch (command.blame) {
    case 'canary':
    case 'unknown':
      return stableIsBroken(rollout, now) ? 'hold' : 'roll-back';
    case 'both':
      return alarm.onBothSuffer;
    case 'stable':
      // Going back onto a broken stable would hurt more users than the canary does (flagger#1898).
      return rollout.phase === 'promoting' || rollout.weight >= 50 ? 'keep-canary' : 'hold';
  }
}

function consequence(state: ServiceState, command: ReceiveAlarm, action: AlarmAction): ServiceEvent[] {
  const { rollout } = state;
  const { alarm, now } = command;
  if (rollout.phase === 'none') return [];
  const common = { at: now, rolloutId: rollout.rolloutId };
  switch (action) {
    case 'roll-back': {
      const event = initiated(state, {
        now,
        trigger: 'alarm',
        reason: `alarm ${alarm.name}: ${command.reason}`,
        by: 'switchback',
      });
      return event === null ? [] : [event];
    }
    case 'hold': {
      if (rollout.phase === 'promoted') return [];
      const reason =
        command.state === 'INSUFFICIENT_DATA'
          ? 'unknown'
          : command.blame === 'both'
            ? 'both-sides-suffer'
            : 'stable-suffers';
      return [
        {
          ...common,
          type: 'RolloutHeld',
          reason,
          why: `alarm ${alarm.name}: ${command.reason}`.slice(0, 300),
        },
      ];
    }
    case 'keep-canary':
      return rollout.phase === 'promoting' || rollout.phase === 'promoted'
        ? []
        : [{ ...common, type: 'PromotionOrdered', mode: 'stable-broken', by: 'switchback' }];
    default:
      return [];
  }
}

function canBeTakenBack(rollout: Rollout, now: number): boolean {
  switch (rollout.phase) {
    case 'none':
    case 'rolling-back':
    case 'rolled-back':
      return false;
    case 'promoted':
      return now < rollout.rollbackWindowUntil;
    default:
      return true;
  }
}

/** Stable counts as broken for five minutes after it was last seen so. */
export const stableIsBroken = (rollout: Rollout, now: number): boolean =>
  rollout.phase !== 'none' && rollout.stableBrokenAt !== null && now - rollout.stableBrokenAt < 300_000;
