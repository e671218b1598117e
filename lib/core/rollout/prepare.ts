/** Before a shift: what would be restored is written down, and the canary has its tasks. */
import type { ServiceEvent } from '../../../events/service.ts';
import { accept, type Decision, refuse } from '../decision.ts';
import type { CommandOf } from './commands.ts';
import type { Checkpoint, ServiceState } from './state.ts';

/**
 * Read before every shift, written when it is not what was written before: somebody scaled stable out, or
 * mended it. Fewer tasks are no news: what stable had at the start it needs to take everything back.
 */
export function takeCheckpoint(
  { rollout }: ServiceState,
  { checkpoint, stableRevision, now }: CommandOf<'TakeCheckpoint'>,
): Decision<ServiceEvent> {
  if (rollout.phase === 'none') return refuse('no-rollout', 'there is no rollout to take a checkpoint of.');
  const known = rollout.checkpoint;
  const stable = Math.max(checkpoint.desiredCounts.stable, known?.desiredCounts.stable ?? 0);
  const revision = stableRevision || rollout.stableRevision;
  const fallbackPlace = placeBefore(known, checkpoint);
  if (known !== null) {
    const same = stable === known.desiredCounts.stable && revision === rollout.stableRevision;
    if ((same && fallbackPlace === known.fallbackPlace) || !isForward(rollout.phase)) return accept();
  }
  const { weight, desiredCounts, scaling } = known ?? checkpoint;
  return accept({
    type: 'CheckpointTaken',
    at: now,
    rolloutId: rollout.rolloutId,
    weight,
    desiredCounts: { stable, canary: desiredCounts.canary },
    revisions: { stable: revision, canary: rollout.revision },
    scaling,
    ...(fallbackPlace === undefined ? {} : { fallbackPlace }),
  });
}

/** As it was first read: what is changed later is a difference. One that could not be read may be yet. */
function placeBefore(known: Checkpoint | null, { fallbackPlace: found }: Checkpoint) {
  const before = known?.fallbackPlace;
  if (before === undefined) return found;
  return before.holds === null && found !== undefined && found.holds !== null ? found : before;
}

/** Later the sides have changed places, or are about to. */
const isForward = (phase: ServiceState['rollout']['phase']): boolean =>
  phase !== 'promoted' && phase !== 'rolling-back' && phase !== 'rolled-back';

export function confirmPrepared(
  { rollout }: ServiceState,
  { tasks, now }: CommandOf<'ConfirmPrepared'>,
): Decision<ServiceEvent> {
  if (rollout.phase === 'none') return refuse('no-rollout', 'there is no rollout to prepare a canary for.');
  if (rollout.prepared || rollout.phase === 'rolling-back' || rollout.phase === 'rolled-back')
    return accept();
  return accept({ type: 'CanaryPrepared', at: now, rolloutId: rollout.rolloutId, tasks });
}
