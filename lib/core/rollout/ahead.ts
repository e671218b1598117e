/** What a command would make of a rollout, before it is recorded. */
import type { Command } from './commands.ts';
import { decide } from './decide.ts';
import { fold } from './evolve.ts';
import type { Rollout, ServiceState } from './state.ts';

/** null where it is refused. */
export function rolloutAfter(state: ServiceState, command: Command): Rollout | null {
  const decision = decide(state, command);
  return decision.outcome === 'refused' ? null : fold(state, decision.events).rollout;
}
