/**
 * decide(state, command) → events | refusal. Pure and total: every command has an answer in every phase.
 * Repeating a command that already took effect is accepted with no event, so every retry is harmless.
 */
import type { ServiceEvent } from '../../../events/service.ts';
import { type Decision, type Refusal, refuse, unreachable } from '../decision.ts';
import { receiveAlarm } from './alarm.ts';
import type { Command } from './commands.ts';
import { failHealth } from './health.ts';
import {
  approve,
  liftOverride,
  pause,
  promote,
  promoteFully,
  recordFallBack,
  resume,
  setOverride,
} from './operator.ts';
import { confirmPrepared, takeCheckpoint } from './prepare.ts';
import { confirmCompletion, confirmPromotion, confirmShift, orderPromotion, orderShift } from './progress.ts';
import { confirmRollback, findDrift, hold, rollBack } from './rollBack.ts';
import { dropQueued, enqueue, start } from './start.ts';
import type { ServiceState } from './state.ts';
import { recordAnalysis, requestApproval } from './verdict.ts';

export function decide(state: ServiceState, command: Command): Decision<ServiceEvent> {
  return meantForAnother(state, command) ?? saidTooEarly(state, command) ?? answer(state, command);
}

function meantForAnother({ rollout }: ServiceState, { rolloutId }: Command): Refusal | null {
  if (rolloutId === undefined || (rollout.phase !== 'none' && rollout.rolloutId === rolloutId)) return null;
  const holder = rollout.phase === 'none' ? 'no rollout holds it' : `${rollout.rolloutId} holds it`;
  return refuse('other-rollout', `this was meant for rollout ${rolloutId} of the service, but ${holder}.`);
}

/** EventBridge tells when something was said to the second, and two clocks may differ by two more. */
const saidAtBlurMs = 3000;

/**
 * EventBridge brings an event again for as long as nobody took it, and Lambda a call that failed: by then
 * another rollout may hold the service.
 */
function saidTooEarly({ rollout }: ServiceState, { saidAt }: Command): Refusal | null {
  if (saidAt === undefined || rollout.phase === 'none') return null;
  if (rollout.startedAt <= saidAt + saidAtBlurMs) return null;
  const { rolloutId } = rollout;
  return refuse(
    'said-before',
    `this was said before ${rolloutId} began: if it is meant for it, say it again.`,
  );
}

function answer(state: ServiceState, command: Command): Decision<ServiceEvent> {
  switch (command.type) {
    case 'Start':
      return start(state, command);
    case 'Enqueue':
      return enqueue(state, command);
    case 'DropQueued':
      return dropQueued(state, command);
    case 'TakeCheckpoint':
      return takeCheckpoint(state, command);
    case 'ConfirmPrepared':
      return confirmPrepared(state, command);
    case 'OrderShift':
      return orderShift(state, command);
    case 'ConfirmShift':
      return confirmShift(state, command);
    case 'RecordAnalysis':
      return recordAnalysis(state, command);
    case 'RequestApproval':
      return requestApproval(state, command);
    case 'Approve':
      return approve(state, command);
    case 'Pause':
      return pause(state, command);
    case 'Resume':
      return resume(state, command);
    case 'Promote':
      return promote(state, command);
    case 'PromoteFully':
      return promoteFully(state, command);
    case 'OrderPromotion':
      return orderPromotion(state, command);
    case 'ConfirmPromotion':
      return confirmPromotion(state, command);
    case 'ConfirmCompletion':
      return confirmCompletion(state, command);
    case 'RollBack':
      return rollBack(state, command);
    case 'ConfirmRollback':
      return confirmRollback(state, command);
    case 'ReceiveAlarm':
      return receiveAlarm(state, command);
    case 'FailHealth':
      return failHealth(state, command);
    case 'FindDrift':
      return findDrift(state, command);
    case 'Hold':
      return hold(state, command);
    case 'SetOverride':
      return setOverride(state, command);
    case 'LiftOverride':
      return liftOverride(state, command);
    case 'RecordFallBack':
      return recordFallBack(state, command);
    default:
      return unreachable(command);
  }
}
