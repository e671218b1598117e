/**
 * What an alarm leads to. Every alarm is recorded with what was done about it; the cool-off guards the
 * action, never the record, and never the way toward stable.
 */
import type { AlarmAction } from '../../../events/rollback.ts';
import type { HoldReason } from '../../../events/rollout.ts';
import type { ServiceEvent } from '../../../events/service.ts';
import { accept, type Decision } from '../decision.ts';
import { brief } from './brief.ts';
import type { CommandOf, ReceiveAlarm } from './commands.ts';
import { held, initiated } from './rollBack.ts';
import {
  activeOf,
  canBeTakenBack,
  isKeptByFireExit,
  overrideAt,
  type Rollout,
  type ServiceState,
  wouldHurtToGoBack,
} from './state.ts';

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
    reason: brief(command.reason),
    action,
    ...(command.judged === undefined ? {} : { judged: command.judged }),
  };
  return accept(received, ...consequence(state, command, action));
}

/** The action, after the cool-off: an equal one is not repeated inside it, unless it moves toward stable. */
function actionFor(state: ServiceState, command: ReceiveAlarm): AlarmAction {
  const action = wanted(state, command);
  if (action !== 'hold' && action !== 'keep-canary') return action;
  const last = state.alarms[command.alarm.name];
  const cooling = last !== undefined && command.now - last.at < command.settings.coolOffSeconds * 1000;
  return cooling && last.action === action ? 'suppressed' : action;
}

function wanted(state: ServiceState, command: ReceiveAlarm): AlarmAction {
  const { alarm, now } = command;
  const { rollout } = state;
  if (command.state === 'OK' || rollout.phase === 'none') return 'none';
  if (!canBeTakenBack(rollout, now)) {
    return rollout.phase === 'rolling-back' ? 'already-rolling-back' : 'none';
  }
  // Delivered late, from before anything moved: it cannot be about this rollout.
  if (command.state === 'ALARM' && command.changedAt < rollout.startedAt) return 'baseline';
  if (overrideAt(state, now) !== null || isKeptByFireExit(state)) return 'overridden';
  const ofStable = alarm.slot !== null && alarm.slot !== rollout.canarySlot;
  if (command.state === 'INSUFFICIENT_DATA') {
    if (ofStable && alarm.onUnknown === 'roll-back') return 'hold';
    return unlessStableIsBroken(alarm.onUnknown, rollout, now);
  }
  if (rollout.baselineAlarms.includes(alarm.name) && !worsened(command, rollout.startedAt)) return 'baseline';
  if (ofStable) return whenStableSuffers(state, now);
  if (alarm.scope === 'canary') return unlessStableIsBroken('roll-back', rollout, now);
  switch (command.blame) {
    case 'canary':
    case 'unknown':
      return unlessStableIsBroken('roll-back', rollout, now);
    case 'both':
      return unlessStableIsBroken(alarm.onBothSuffer, rollout, now);
    case 'stable':
      return whenStableSuffers(state, now);
  }
}

const whenStableSuffers = (state: ServiceState, now: number): 'keep-canary' | 'hold' =>
  mayKeepCanary(state, now) ? 'keep-canary' : 'hold';

/** A canary no worse than stable reaches 20 once in twenty times at most (Ville’s inequality). */
const worsenedAtEValue = 20;

/**
 * It was in ALARM before the start, changed again since, and now the canary suffers as stable does not. Here
 * that must be seen: what rang without the canary says nothing against it by ringing on.
 */
const worsened = ({ alarm, judged, changedAt }: ReceiveAlarm, startedAt: number): boolean =>
  alarm.scope === 'service' &&
  changedAt > startedAt &&
  judged?.blame === 'canary' &&
  judged.eValue >= worsenedAtEValue;

/** Nobody is sent onto a broken stable. */
const unlessStableIsBroken = <Action extends AlarmAction>(
  action: Action,
  rollout: Rollout,
  now: number,
): Action | 'hold' => (action === 'roll-back' && wouldHurtToGoBack(rollout, now) ? 'hold' : action);

/**
 * Going back onto a broken stable would hurt more users than the canary does (flagger#1898): a promotion
 * under way goes on, and a canary that serves the greater part and passed at this step is promoted. One of
 * which nothing is known yet is not, nor one that a person paused or is asked about.
 */
export function mayKeepCanary(state: ServiceState, now: number): boolean {
  const { rollout } = state;
  if (overrideAt(state, now) !== null) return false;
  switch (rollout.phase) {
    case 'promoting':
    case 'promoted':
      return true;
    case 'baking':
      return rollout.weight >= 50 && rollout.lastVerdict === 'pass' && state.healthFailures.canary === 0;
    default:
      return false;
  }
}

/** The promotion that keeps the canary; none where one is under way already. */
export function keptCanary(state: ServiceState, now: number): ServiceEvent[] {
  const rollout = activeOf(state);
  if (rollout === null || rollout.phase === 'promoting') return [];
  const { rolloutId } = rollout;
  return [{ type: 'PromotionOrdered', at: now, rolloutId, mode: 'stable-broken', by: 'switchback' }];
}

function consequence(state: ServiceState, command: ReceiveAlarm, action: AlarmAction): ServiceEvent[] {
  const { alarm, now } = command;
  const reason = `alarm ${alarm.name}: ${command.reason}`;
  switch (action) {
    case 'roll-back': {
      const { after = [] } = command;
      const event = initiated(state, {
        ...{ now, trigger: 'alarm', reason, by: 'switchback' },
        ...(after.length === 0 ? {} : { after }),
      });
      return event === null ? [] : [event];
    }
    case 'hold':
      return held(state, { now, reason: holdReason(state.rollout, command), why: reason });
    case 'keep-canary':
      return keptCanary(state, now);
    default:
      return [];
  }
}

function holdReason(rollout: Rollout, { alarm, state, blame, now }: ReceiveAlarm): HoldReason {
  if (wouldHurtToGoBack(rollout, now)) return 'cannot-go-back';
  if (state === 'INSUFFICIENT_DATA') return 'unknown';
  return alarm.scope === 'service' && blame === 'both' ? 'both-sides-suffer' : 'stable-suffers';
}
