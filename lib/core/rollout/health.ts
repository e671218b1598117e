/**
 * Tasks that crash or fail their checks, seen outside the metrics: several in a row say as much as an alarm.
 */
import type { ServiceEvent } from '../../../events/service.ts';
import { accept, type Decision } from '../decision.ts';
import { keptCanary, mayKeepCanary } from './alarm.ts';
import { brief } from './brief.ts';
import type { CommandOf } from './commands.ts';
import { held, refuseFromBefore, takenBack } from './rollBack.ts';
import { canBeTakenBack, overrideAt, type ServiceState } from './state.ts';

/**
 * Failures further apart than this are not in a row. A crash loop's come within a minute or two of each other
 * until ECS slows its restarts down; a task lost every few hours is ordinary life.
 */
export const inARowSeconds = 600;

export function failHealth(state: ServiceState, command: CommandOf<'FailHealth'>): Decision<ServiceEvent> {
  const { now, side, what, settings } = command;
  const late = refuseFromBefore(state.rollout, command.changedAt);
  if (late !== null) return late;
  const failedAt = state.healthFailedAt[side];
  const inARow = failedAt !== null && now - failedAt <= inARowSeconds * 1000;
  const consecutive = (inARow ? state.healthFailures[side] : 0) + 1;
  const limit = settings.healthFailuresMax;
  const failed: ServiceEvent = {
    type: 'HealthCheckFailed',
    at: now,
    side,
    what: brief(what),
    consecutive,
    limit,
  };
  return accept(failed, ...(consecutive < limit ? [] : consequence(state, command)));
}

function consequence(
  state: ServiceState,
  { side, now, what, after = [] }: CommandOf<'FailHealth'>,
): ServiceEvent[] {
  if (!canBeTakenBack(state.rollout, now) || overrideAt(state, now) !== null) return [];
  if (side === 'canary') {
    const first = after.length === 0 ? {} : { after };
    return takenBack(state, { now, trigger: 'health', reason: what, by: 'switchback', ...first });
  }
  return mayKeepCanary(state, now)
    ? keptCanary(state, now)
    : held(state, { now, reason: 'stable-suffers', why: what });
}
