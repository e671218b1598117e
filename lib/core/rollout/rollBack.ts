/** The way back: when it begins, what drift means, and what ends it. Toward stable is always allowed. */
import type { RollbackTrigger } from '../../../events/rollback.ts';
import type { Evidence } from '../../../events/rollout.ts';
import type { ServiceEvent } from '../../../events/service.ts';
import { accept, type Decision, refuse } from '../decision.ts';
import type { CommandOf } from './commands.ts';
import { activeOf, type ServiceState } from './state.ts';

type Initiation = {
  readonly now: number;
  readonly trigger: RollbackTrigger;
  readonly reason: string;
  readonly by: string;
  readonly evidence?: Evidence;
};

/** The event that begins a rollback; null when one is under way, is done, or there is nothing to take back. */
export function initiated({ rollout }: ServiceState, initiation: Initiation): ServiceEvent | null {
  if (rollout.phase === 'none' || rollout.phase === 'rolling-back' || rollout.phase === 'rolled-back')
    return null;
  return {
    type: 'RollbackInitiated',
    at: initiation.now,
    rolloutId: rollout.rolloutId,
    trigger: initiation.trigger,
    reason: initiation.reason.slice(0, 300),
    by: initiation.by,
    fromWeight: rollout.weight,
    ...(initiation.evidence === undefined ? {} : { evidence: initiation.evidence }),
  };
}

/** A person, a failed deployment or a lasting outage asks for it. Nothing in flight: stable is left alone. */
export function rollBack(state: ServiceState, command: CommandOf<'RollBack'>): Decision<ServiceEvent> {
  const { rollout } = state;
  // What is left after a promotion is tidying up: failing at that is no reason to take a good release back.
  if (rollout.phase === 'promoted' && command.trigger === 'outage') return accept();
  if (
    rollout.phase === 'promoted' &&
    command.now >= rollout.rollbackWindowUntil &&
    command.trigger !== 'operator'
  ) {
    return refuse(
      'window-over',
      `rollout ${rollout.rolloutId} was promoted and its rollback window is over.`,
    );
  }
  const event = initiated(state, command);
  return event === null ? accept() : accept(event);
}

export function confirmRollback(
  { rollout }: ServiceState,
  { now, differences }: CommandOf<'ConfirmRollback'>,
): Decision<ServiceEvent> {
  if (rollout.phase === 'rolled-back') return accept();
  if (rollout.phase !== 'rolling-back') return refuse('not-rolling-back', 'no rollback is under way.');
  if (rollout.trafficOffAt === null) {
    return refuse('traffic-on', 'the balancer has not been seen to send the canary nothing.');
  }
  return accept({
    type: 'RollbackCompleted',
    at: now,
    rolloutId: rollout.rolloutId,
    trafficOffMs: rollout.trafficOffAt - rollout.initiatedAt,
    differences: differences.slice(0, 5),
  });
}

/** Somebody else moved traffic toward stable, or to a place we do not know: it is adopted, a person is told. */
export function findDrift(state: ServiceState, command: CommandOf<'FindDrift'>): Decision<ServiceEvent> {
  const rollout = activeOf(state);
  if (rollout === null) return refuse('not-running', 'no rollout is under way.');
  if (
    rollout.phase === 'held' &&
    rollout.reason === 'drift' &&
    rollout.weight === (command.foundWeight ?? rollout.weight)
  ) {
    return accept();
  }
  const common = { at: command.now, rolloutId: rollout.rolloutId };
  return accept(
    {
      ...common,
      type: 'DriftFound',
      expectedWeight: rollout.weight,
      foundWeight: command.foundWeight,
      what: command.what,
    },
    { ...common, type: 'RolloutHeld', reason: 'drift', why: command.what },
  );
}

export function hold(state: ServiceState, { now, reason, why }: CommandOf<'Hold'>): Decision<ServiceEvent> {
  const rollout = activeOf(state);
  if (rollout === null) return refuse('not-running', 'no rollout is under way.');
  if (rollout.phase === 'rolling-back')
    return refuse('rolling-back', 'a rollback is not held: it is finished.');
  if (rollout.phase === 'held' && rollout.reason === reason) return accept();
  return accept({
    type: 'RolloutHeld',
    at: now,
    rolloutId: rollout.rolloutId,
    reason,
    why: why.slice(0, 300),
  });
}
