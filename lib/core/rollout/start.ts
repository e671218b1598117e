/** May this rollout begin? One per service; a revision that hurt users before needs a reason to run again. */
import type { ServiceEvent } from '../../../events/service.ts';
import { accept, type Decision, refuse } from '../decision.ts';
import type { CommandOf, Start } from './commands.ts';
import { initiated } from './rollBack.ts';
import { activeOf, type ServiceState } from './state.ts';

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
  if (active !== null) return whileActive(state, command, active.rolloutId);
  return accept<ServiceEvent>(started(command));
}

function whileActive(state: ServiceState, command: Start, activeId: string): Decision<ServiceEvent> {
  const { plan, now } = command;
  const queued: ServiceEvent = {
    type: 'RolloutQueued',
    at: now,
    rolloutId: plan.rolloutId,
    revision: plan.revision,
    requestedBy: command.requestedBy,
    behind: activeId,
  };
  if (state.queued?.rolloutId === plan.rolloutId) return accept();
  switch (plan.settings.whileActive) {
    case 'refuse':
      return refuse(
        'rollout-active',
        `rollout ${activeId} of ${plan.service} is under way: wait for it, abort it, or set whileActive to queue or supersede.`,
      );
    case 'queue':
      return accept(queued);
    case 'supersede': {
      const rollback = initiated(state, {
        now,
        trigger: 'operator',
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
    ...(command.why === undefined ? {} : { why: command.why }),
    ...(command.knownBadOverride === undefined ? {} : { knownBadOverride: command.knownBadOverride }),
  };
}
