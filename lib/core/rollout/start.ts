/**
 * May this rollout begin? One per service; a revision that was rolled back before needs a reason to run
 * again.
 */
import type { ServiceEvent } from '../../../events/service.ts';
import { accept, type Decision, type Refusal, refuse } from '../decision.ts';
import { brief, briefest } from './brief.ts';
import type { CommandOf, Start } from './commands.ts';
import { whileFireExitActs } from './fireExit.ts';
import { initiated } from './rollBack.ts';
import { holderOf, isKeptByFireExit, type Rollout, rollbacksRemembered, type ServiceState } from './state.ts';

export function start(state: ServiceState, command: CommandOf<'Start'>): Decision<ServiceEvent> {
  const { plan } = command;
  const { rollout } = state;
  if (rollout.phase !== 'none' && rollout.rolloutId === plan.rolloutId) return accept();
  if (plan.revision === plan.stableRevision) {
    return refuse(
      'already-stable',
      `${plan.service} already runs ${plan.revision} as stable: there is nothing to roll out.`,
    );
  }
  if (state.knownBad.includes(plan.revision) && command.knownBadOverride === undefined) {
    return refuseKnownBad(plan.revision);
  }
  const holder = holderOf(state);
  if (holder !== null) return whileHeld(state, wishOf(command), holder);
  const stale = refuseStale(rollout, plan);
  if (stale !== null) return stale;
  return (
    whileFireExitActs(state, command.now, plan.settings.shiftTimeoutSeconds, {
      service: plan.service,
      next: 'request it again then',
    }) ?? accept<ServiceEvent>(started(command), ...heldForFlapping(state, command))
  );
}

/**
 * A plan from before the newest rollout: a request that is told again long after its rollout was over, or one
 * whose canary's slot is where stable lives by now.
 */
function refuseStale(rollout: Rollout, plan: Start['plan']): Refusal | null {
  if (rollout.phase === 'none') return null;
  const { rolloutId } = rollout;
  const refused = (since: string) =>
    refuse(
      'stale-plan',
      `the plan of ${plan.rolloutId} was made before ${rolloutId} ${since}: request it under a new rolloutId.`,
    );
  if (plan.createdAt < rollout.startedAt) return refused('began');
  if (rollout.phase === 'promoted' && plan.createdAt < rollout.promotedAt) return refused('was promoted');
  // All traffic was on its canary, promoted or not, when the plan took that for stable's place.
  const isOtherWayRound = rollout.phase === 'rolled-back' && plan.canarySlot !== rollout.canarySlot;
  return isOtherWayRound && plan.createdAt < rollout.endedAt ? refused('was rolled back') : null;
}

function wishOf({
  plan,
  requestedBy,
  why,
  knownBadOverride,
  now,
}: Start): Omit<CommandOf<'Enqueue'>, 'type'> {
  const { rolloutId, revision, strategy, service, settings } = plan;
  const wish = {
    ...{ rolloutId, revision, requestedBy, strategy },
    ...(why === undefined ? {} : { why }),
    ...(knownBadOverride === undefined ? {} : { knownBadOverride }),
  };
  return { service, wish, whileActive: settings.whileActive, now };
}

const dayMs = 86_400_000;

/** One rollback after the other: the next start waits for a person, who resumes or aborts it. */
function heldForFlapping({ rollbacks }: ServiceState, { plan, now }: Start): ServiceEvent[] {
  const today = rollbacks.filter((at) => now - at < dayMs).length;
  // Configuration allows no more than are remembered; a plan from before it did may.
  if (today < Math.min(plan.settings.rollbacksPerDayMax, rollbacksRemembered)) return [];
  const why = `${plan.service} was rolled back ${today} times within a day: look at it, then resume or abort.`;
  return [{ type: 'RolloutHeld', at: now, rolloutId: plan.rolloutId, reason: 'flapping', why }];
}

/**
 * The same question before a plan is made: a plan that waits would be made for a world that is gone by its
 * turn.
 */
export function enqueue(state: ServiceState, command: CommandOf<'Enqueue'>): Decision<ServiceEvent> {
  const { wish } = command;
  const { rollout } = state;
  const holder = holderOf(state);
  if (holder === null || (rollout.phase !== 'none' && rollout.rolloutId === wish.rolloutId)) return accept();
  if (state.knownBad.includes(wish.revision) && wish.knownBadOverride === undefined) {
    return refuseKnownBad(wish.revision);
  }
  return whileHeld(state, command, holder);
}

function whileHeld(
  state: ServiceState,
  { service, wish, whileActive, now }: Omit<CommandOf<'Enqueue'>, 'type'>,
  holder: Exclude<Rollout, { phase: 'none' }>,
): Decision<ServiceEvent> {
  if (state.queued?.rolloutId === wish.rolloutId) return accept();
  if (holder.revision === wish.revision && holder.phase !== 'rolling-back') {
    return refuse(
      'already-under-way',
      `rollout ${holder.rolloutId} of ${service} brings ${wish.revision} already: ` +
        'wait for it, or abort it first.',
    );
  }
  const { why, knownBadOverride, ...rest } = wish;
  const queued: ServiceEvent = {
    type: 'RolloutQueued',
    at: now,
    ...rest,
    behind: holder.rolloutId,
    ...(why === undefined ? {} : { why: briefest(why) }),
    ...(knownBadOverride === undefined ? {} : { knownBadOverride: briefest(knownBadOverride) }),
  };
  switch (whileActive) {
    case 'refuse':
      return refuse(
        'rollout-active',
        `rollout ${holder.rolloutId} of ${service} is under way: ` +
          'wait for it, abort it, or set whileActive to queue or supersede.',
      );
    case 'queue':
      return accept(queued);
    case 'supersede': {
      // Stable by now, only being tidied up; or a person's to say, who took the fire exit to it.
      if (holder.phase === 'promoted' || isKeptByFireExit(state)) return accept(queued);
      const rollback = initiated(state, {
        now,
        trigger: 'superseded',
        reason: `superseded by ${wish.revision}`,
        by: wish.requestedBy,
      });
      return rollback === null ? accept(queued) : accept(queued, rollback);
    }
  }
}

/** What waited had its turn and may not begin: nobody waits for it any more. */
export function dropQueued(
  state: ServiceState,
  { queuedId, reason, now }: CommandOf<'DropQueued'>,
): Decision<ServiceEvent> {
  if (state.queued?.rolloutId !== queuedId || holderOf(state) !== null) return accept();
  return accept({ type: 'RolloutDropped', at: now, rolloutId: queuedId, reason: brief(reason) });
}

const refuseKnownBad = (revision: string): Refusal =>
  refuse(
    'known-bad',
    `${revision} was rolled back before: fix it, or request it with knownBadOverride and the reason.`,
  );

function started(command: Start): ServiceEvent {
  const { plan, now } = command;
  return {
    type: 'RolloutStarted',
    at: now,
    rolloutId: plan.rolloutId,
    planHash: command.planHash,
    strategy: plan.strategy,
    revision: plan.revision,
    stableRevision: plan.stableRevision,
    canarySlot: plan.canarySlot,
    target: plan.target,
    steps: [...plan.steps],
    baselineAlarms: [...command.baselineAlarms],
    requestedBy: command.requestedBy,
    ...(command.why === undefined ? {} : { why: briefest(command.why) }),
    ...(command.knownBadOverride === undefined
      ? {}
      : { knownBadOverride: briefest(command.knownBadOverride) }),
  };
}
