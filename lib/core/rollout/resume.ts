/**
 * After an interruption a rollout goes on from where its traffic stands, not from where it was meant to be.
 * What was left of the bake is baked; where the traffic was moved meanwhile, the step it stands on is baked
 * anew.
 */
import { type Rollout, underway } from './state.ts';

export function resumed(rollout: Exclude<Rollout, { phase: 'none' }>, at: number): Rollout {
  if (rollout.phase !== 'paused' && rollout.phase !== 'held') return rollout;
  const step = standsOn(rollout);
  // Nothing may go to a canary that is not prepared: what it still has is taken off.
  if (!rollout.prepared || step < 0) return { ...underway(rollout), phase: 'preparing', step: -1, weight: 0 };
  if (step === rollout.step) {
    const leftMs = Math.max(0, rollout.bake.endsAt - rollout.since);
    const bake = { startedAt: rollout.bake.startedAt, endsAt: Math.max(at, rollout.since) + leftMs };
    // What was judged before the interruption is no judgement of its end.
    return { ...underway(rollout), phase: 'baking', bake, cleared: false, lastVerdictAt: null };
  }
  const bakeSeconds = rollout.steps[step]?.bakeSeconds ?? 0;
  return {
    ...underway(rollout),
    phase: 'baking',
    step,
    lastVerdict: rollout.steps[step]?.judge === 'health-only' ? 'pass' : null,
    lastVerdictAt: null,
    extensions: 0,
    bake: { startedAt: at, endsAt: at + bakeSeconds * 1000 },
    cleared: false,
  };
}

/** The highest step whose weight the canary has; −1 before the first, and where it has less than that. */
function standsOn({ steps, step, weight }: Exclude<Rollout, { phase: 'none' }>): number {
  return step < 0 && weight === 0 ? -1 : steps.findLastIndex((each) => each.weight <= weight);
}
