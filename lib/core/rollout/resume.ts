/**
 * After an interruption a rollout goes on from where its traffic stands, not from where it was meant to be.
 * What was left of the bake is baked; where the traffic was moved meanwhile, the step it stands on is baked
 * anew.
 */
import { bakeFrom, type RolloutDraft } from './draft.ts';

export function resume(rollout: RolloutDraft, at: number): void {
  if (rollout.phase !== 'paused' && rollout.phase !== 'held') return;
  const step = standsOn(rollout);
  // Nothing may go to a canary that is not prepared: what it still has is taken off.
  if (!rollout.prepared || step < 0) {
    rollout.phase = 'preparing';
    rollout.step = -1;
    rollout.weight = 0;
    return;
  }
  rollout.phase = 'baking';
  rollout.cleared = false;
  // What was judged before the interruption is no judgement of its end.
  rollout.lastVerdictAt = null;
  if (step === rollout.step) {
    const { bakeEndsAt, since } = rollout;
    rollout.bakeEndsAt = Math.max(at, since) + Math.max(0, bakeEndsAt - since);
    return;
  }
  const stands = rollout.steps[step];
  rollout.step = step;
  rollout.lastVerdict = stands?.judge === 'health-only' ? 'pass' : null;
  rollout.extensions = 0;
  bakeFrom(rollout, at, stands);
}

/** The highest step whose weight the canary has; −1 before the first, and where it has less than that. */
function standsOn({ steps, step, weight }: RolloutDraft): number {
  return step < 0 && weight === 0 ? -1 : steps.findLastIndex((each) => each.weight <= weight);
}
