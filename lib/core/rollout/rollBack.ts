/** The way back: when it begins, when it cannot, what drift means, and what ends it. */
import type { RollbackTrigger } from '../../../events/rollback.ts';
import type { Evidence, HoldReason } from '../../../events/rollout.ts';
import type { ServiceEvent } from '../../../events/service.ts';
import { accept, type Decision, type Refusal, refuse } from '../decision.ts';
import { brief, briefEvidence, briefest } from './brief.ts';
import type { CommandOf } from './commands.ts';
import {
  activeOf,
  isKeptByFireExit,
  overrideAt,
  type Rollout,
  type ServiceState,
  wouldHurtToGoBack,
} from './state.ts';

type Initiation = {
  readonly now: number;
  readonly trigger: RollbackTrigger;
  readonly reason: string;
  readonly by: string;
  readonly evidence?: Evidence;
  readonly after?: readonly string[];
};

/** Names of 32 characters, that is: with them and a reason in any script the event takes 1 KB. */
const afterMax = 10;

/**
 * The event that begins a rollback; null when one is under way, is done, or there is nothing to take back.
 */
export function initiated({ rollout }: ServiceState, initiation: Initiation): ServiceEvent | null {
  if (rollout.phase === 'none' || rollout.phase === 'rolling-back' || rollout.phase === 'rolled-back')
    return null;
  // The nearest come last, and they wait for the ones before them.
  const after = (initiation.after ?? []).slice(-afterMax);
  return {
    type: 'RollbackInitiated',
    at: initiation.now,
    rolloutId: rollout.rolloutId,
    trigger: initiation.trigger,
    reason: after.length === 0 ? brief(initiation.reason) : briefest(initiation.reason),
    by: initiation.by,
    fromWeight: rollout.weight,
    ...(initiation.evidence === undefined ? {} : { evidence: briefEvidence(initiation.evidence) }),
    ...(after.length === 0 ? {} : { after }),
  };
}

/**
 * The automatic way back. Nobody is sent onto a broken stable: the rollout is held for a person instead. Nor
 * away from where the fire exit sent them.
 */
export function takenBack(state: ServiceState, initiation: Initiation): ServiceEvent[] {
  if (isKeptByFireExit(state)) return [];
  if (wouldHurtToGoBack(state.rollout, initiation.now)) {
    const why = `${initiation.reason}; stable is broken as well, going back would not help`;
    return held(state, { now: initiation.now, reason: 'cannot-go-back', why });
  }
  const event = initiated(state, initiation);
  return event === null ? [] : [event];
}

/**
 * The event that holds a rollout; none where it is held for the same reason already, or for drift: then a
 * person has the say over the weight, and no other reason takes it back from them.
 */
export function held(
  state: ServiceState,
  { now, reason, why }: { readonly now: number; readonly reason: HoldReason; readonly why: string },
): ServiceEvent[] {
  const rollout = activeOf(state);
  if (rollout === null || rollout.phase === 'rolling-back') return [];
  if (rollout.phase === 'held' && (rollout.reason === reason || rollout.reason === 'drift')) return [];
  return [{ type: 'RolloutHeld', at: now, rolloutId: rollout.rolloutId, reason, why: brief(why) }];
}

/**
 * AWS's clocks and ours are milliseconds apart; a minute is more than that, and less than any deployment
 * takes.
 */
const clocksApartSeconds = 60;

/**
 * Delivered late, from before the rollout began: it cannot be about this one. Refused, and so only logged.
 */
export function refuseFromBefore(rollout: Rollout, changedAt: number): Refusal | null {
  if (rollout.phase === 'none' || changedAt >= rollout.startedAt - clocksApartSeconds * 1000) return null;
  const { rolloutId } = rollout;
  return refuse('from-before', `that happened before rollout ${rolloutId} began: it says nothing about it.`);
}

/** A person, a failed deployment or a lasting outage asks for it. Nothing in flight: stable is left alone. */
export function rollBack(state: ServiceState, command: CommandOf<'RollBack'>): Decision<ServiceEvent> {
  const { rollout } = state;
  const late = refuseFromBefore(rollout, command.changedAt ?? command.now);
  if (late !== null) return late;
  // What is left after a promotion is tidying up: failing at that is no reason to take a good release back.
  if (rollout.phase === 'promoted' && command.trigger === 'outage') return accept();
  if (
    rollout.phase === 'promoted' &&
    command.now >= rollout.rollbackWindowUntil &&
    !isAsked(command.trigger)
  ) {
    return refuse(
      'window-over',
      `rollout ${rollout.rolloutId} was promoted and its rollback window is over.`,
    );
  }
  if (rollout.phase === 'none') return accept();
  if (isAsked(command.trigger)) {
    const event = initiated(state, command);
    return event === null ? accept() : accept(event);
  }
  if (isKeptByFireExit(state)) {
    return refuse(
      'overridden',
      `the fire exit sent everybody to the canary of ${rollout.rolloutId}: abort it by hand, or resume it.`,
    );
  }
  const override = overrideAt(state, command.now);
  if (override !== null && suspendable.has(command.trigger) && rollout.weight > 0) {
    return refuse(
      'overridden',
      `${override.by} suspended automatic rollback (${override.why}): lift the override, or abort by hand.`,
    );
  }
  return accept(...takenBack(state, command));
}

/** A person's word, or a migration's that a person asked for: neither window nor override stops it. */
const isAsked = (trigger: RollbackTrigger): boolean => trigger === 'operator' || trigger === 'migration';

/**
 * What an override suspends. An outage is no judgement of the canary: the rollout cannot go on either way.
 */
const suspendable: ReadonlySet<RollbackTrigger> = new Set(['alarm', 'analysis', 'deployment', 'health']);

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
    trafficOffMs: Math.max(0, rollout.trafficOffAt - rollout.initiatedAt),
    differences: differences.slice(0, 5).map((difference) => difference.slice(0, 120).toWellFormed()),
  });
}

/**
 * Somebody else moved traffic toward stable, or to a place we do not know: it is adopted, a person is told.
 * Also after a promotion, as long as the old side is there to take it.
 */
export function findDrift(state: ServiceState, command: CommandOf<'FindDrift'>): Decision<ServiceEvent> {
  const { rollout } = state;
  const { foundWeight, now } = command;
  const settled = rollout.phase === 'promoted' && rollout.completed;
  if (rollout.phase === 'none' || rollout.phase === 'rolled-back' || settled) {
    return refuse('not-running', 'no rollout is under way.');
  }
  if (rollout.phase === 'rolling-back') {
    return refuse('rolling-back', 'a rollback is not held: less canary is what it wants.');
  }
  const known = rollout.phase === 'held' && rollout.reason === 'drift';
  if (known && rollout.weight === (foundWeight ?? 0)) return accept();
  if (foundWeight !== null && foundWeight >= rollout.weight) {
    return refuse(
      'not-less',
      `${foundWeight} % is no less canary than the ${rollout.weight} % last confirmed: nothing is adopted.`,
    );
  }
  const common = { at: now, rolloutId: rollout.rolloutId };
  const what = brief(command.what);
  const found: ServiceEvent = {
    ...common,
    type: 'DriftFound',
    expectedWeight: rollout.weight,
    foundWeight,
    what,
  };
  return known
    ? accept(found)
    : accept<ServiceEvent>(found, { ...common, type: 'RolloutHeld', reason: 'drift', why: what });
}

export function hold(state: ServiceState, command: CommandOf<'Hold'>): Decision<ServiceEvent> {
  const rollout = activeOf(state);
  if (rollout === null) return refuse('not-running', 'no rollout is under way.');
  if (rollout.phase === 'rolling-back')
    return refuse('rolling-back', 'a rollback is not held: it is finished.');
  return accept(...held(state, command));
}
