/** The interlock: why a component must not be taken back, though its migration is. */
import type { Component } from '../../../events/migration.ts';
import { isKeptByFireExit, overrideAt, type ServiceState, stableIsBroken } from '../rollout/state.ts';

/** @returns null when it can go back, or has nothing to go back from */
export function cannotGoBack(component: Component, state: ServiceState, now: number): string | null {
  const { rollout } = state;
  switch (rollout.phase) {
    case 'none':
    case 'rolling-back':
    case 'rolled-back':
      return null;
    default:
  }
  const moved = rollout.phase === 'promoted';
  if (moved && component.oneWay) return 'it is past a step that nothing undoes';
  if (state.knownBad.includes(rollout.stableRevision)) {
    return `what it would go back to, ${rollout.stableRevision}, was itself rolled back before`;
  }
  if (stableIsBroken(rollout, now)) return 'what it would go back to is broken as well';
  if (isKeptByFireExit(state)) return 'the fire exit sent everybody to it';
  const override = overrideAt(state, now);
  if (override !== null) return `${override.by} suspended its rollback: ${override.why}`;
  return null;
}
