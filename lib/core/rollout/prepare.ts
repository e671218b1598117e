/** Before the first shift: what would be restored is written down, and the canary has its tasks. */
import type { ServiceEvent } from '../../../events/service.ts';
import { accept, type Decision, refuse } from '../decision.ts';
import type { CommandOf } from './commands.ts';
import type { ServiceState } from './state.ts';

export function takeCheckpoint(
  { rollout }: ServiceState,
  { checkpoint, now }: CommandOf<'TakeCheckpoint'>,
): Decision<ServiceEvent> {
  if (rollout.phase === 'none') return refuse('no-rollout', 'there is no rollout to take a checkpoint of.');
  if (rollout.checkpoint !== null) return accept();
  return accept({
    type: 'CheckpointTaken',
    at: now,
    rolloutId: rollout.rolloutId,
    weight: checkpoint.weight,
    desiredCounts: checkpoint.desiredCounts,
    revisions: { stable: rollout.stableRevision, canary: rollout.revision },
    scaling: checkpoint.scaling,
  });
}

export function confirmPrepared(
  { rollout }: ServiceState,
  { tasks, now }: CommandOf<'ConfirmPrepared'>,
): Decision<ServiceEvent> {
  if (rollout.phase === 'none') return refuse('no-rollout', 'there is no rollout to prepare a canary for.');
  if (rollout.prepared || rollout.phase === 'rolling-back' || rollout.phase === 'rolled-back')
    return accept();
  return accept({ type: 'CanaryPrepared', at: now, rolloutId: rollout.rolloutId, tasks });
}
