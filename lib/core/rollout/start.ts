/** May this rollout begin? One per service; a revision that was rolled back before needs a reason to run again. */
import type { ServiceEvent } from '../../../events/service.ts';
import { accept, type Decision, refuse } from '../decision.ts';
import { briefest } from './brief.ts';
import type { CommandOf, Start } from './commands.ts';
import { initiated } from './rollBack.ts';
import { type Active, activeOf, type ServiceState } from './state.ts';

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
    return refuse(
      'known-bad',
      `${plan.revision} was rolled back before: fix it, or request it with knownBadOverride and the reason.`,
    );
  }
  const active = activeOf(state);
  if (active !== null) return whileActive(state, command, active);
  // Its canary's slot is where stable lives by now.
  if (rollout.phase === 'promoted' && plan.createdAt < rollout.promotedAt) {
    return refuse(
      'stale-plan',
      `the plan of ${plan.rolloutId} was made before ${rollout.rolloutId} was promoted: request it under a new rolloutId.`,
    );
  }
  return accept<ServiceEvent>(started(command), ...heldForFlapping(state, command));
}

const dayMs = 86_400_000;

/** One rollback after the other: the next start waits for a person, who resumes or aborts it. */
function heldForFlapping({ rollbacks }: ServiceState, { plan, now }: Start): ServiceEvent[] {
  const today = rollbacks.filter((at) => now - at < dayMs).length;
  // Five are remembered, so five is the most that can be allowed.
  if (today < Math.min(plan.settings.rollbacksPerDayMax, 5)) return [];
  const why = `${plan.service} was rolled back ${today} times within a day: look at it, then resume or abort.`;
  return [{ type: 'RolloutHeld', at: now, rolloutId: plan.rolloutId, reason: 'flapping', why }];
}

function whileActive(state: ServiceState, command: Start, active: Active): Decision<ServiceEvent> {
  const { plan, now } = command;
  if (state.queued?.rolloutId === plan.rolloutId) return accept();
  if (active.revision === plan.revision && active.phase !== 'rolling-back') {
    return refuse(
      'already-under-way',
      `rollout ${active.rolloutId} of ${plan.service} brings ${plan.revision} already: wait for it, or abort it first.`,
    );
  }
  const queued: ServiceEvent = {
    type: 'RolloutQueued',
    at: now,
    rolloutId: plan.rolloutId,
    revision: plan.revision,
    requestedBy: command.requestedBy,
    behind: active.rolloutId,
  };
  switch (plan.settings.whileActive) {
    case 'refuse':
      return refuse(
        'rollout-active',
        `rollout ${active.rolloutId} of ${plan.service} is under way: wait for it, abort it, or set whileActive to queue or supersede.`,
      );
    case 'queue':
      return accept(queued);
    case 'supersede': {
      const rollback = initiated(state, {
        now,
        trigger: 'superseded',
        reason: `superseded by ${plan.revision}`,
        by: command.requestedBy,
      });
      return rollback === null ? accept(queued) : accept(queued, rollback);
    }
  }
}

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
