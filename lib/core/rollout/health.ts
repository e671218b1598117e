/** Tasks that crash or fail their checks, seen outside the metrics: several in a row say as much as an alarm. */
import type { ServiceEvent } from '../../../events/service.ts';
import { accept, type Decision } from '../decision.ts';
import { stableIsBroken } from './alarm.ts';
import type { CommandOf } from './commands.ts';
import { initiated } from './rollBack.ts';
import { activeOf, overrideAt, type ServiceState } from './state.ts';

export function failHealth(state: ServiceState, command: CommandOf<'FailHealth'>): Decision<ServiceEvent> {
  const { now, side, what, settings } = command;
  const consecutive = state.healthFailures[side] + 1;
  const failed: ServiceEvent = {
    type: 'HealthCheckFailed',
    at: now,
    side,
    what: what.slice(0, 300),
    consecutive,
  };
  const rollout = activeOf(state);
  if (rollout === null || rollout.phase === 'rolling-back') return accept<ServiceEvent>(failed);
  if (consecutive < settings.healthFailuresMax || overrideAt(state, now) !== null)
    return accept<ServiceEvent>(failed);
  if (side === 'stable') {
    // The healthy canary is kept when stable breaks late (flagger#1898); early on a person decides.
    if (rollout.phase === 'promoting') return accept<ServiceEvent>(failed);
    const common = { at: now, rolloutId: rollout.rolloutId };
    if (rollout.weight >= 50) {
      return accept<ServiceEvent>(failed, {
        ...common,
        type: 'PromotionOrdered',
        mode: 'stable-broken',
        by: 'switchback',
      });
    }
    if (rollout.phase === 'held') return accept<ServiceEvent>(failed);
    return accept<ServiceEvent>(failed, {
      ...common,
      type: 'RolloutHeld',
      reason: 'stable-suffers',
      why: what.slice(0, 300),
    });
  }
  if (stableIsBroken(rollout, now)) {
    const why = `${what}; stable is broken as well, going back would not help`.slice(0, 300);
    if (rollout.phase === 'held') return accept<ServiceEvent>(failed);
    return accept<ServiceEvent>(failed, {
      type: 'RolloutHeld',
      at: now,
      rolloutId: rollout.rolloutId,
      reason: 'cannot-go-back',
      why,
    });
  }
  const rollback = initiated(state, { now, trigger: 'health', reason: what, by: 'switchback' });
  return rollback === null ? accept<ServiceEvent>(failed) : accept<ServiceEvent>(failed, rollback);
}
