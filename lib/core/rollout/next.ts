/**
 * What comes next, from the state alone: the answer every function of the rollout gives its state machine.
 * The machine knows time and order; this is where the order is decided.
 */
import type { Step } from '../../../events/rollout.ts';
import { leftAloneSince, type Off, quietSince } from './lateWrites.ts';
import { mayAdvance } from './progress.ts';
import type { ServiceState } from './state.ts';

export type NextState =
  | 'PrepareCanary'
  | 'ShiftTraffic'
  | 'EvaluateCanary'
  | 'AwaitApproval'
  | 'PromoteCanary'
  | 'RollBack'
  | 'Done';

export type Next = {
  readonly next: NextState;
  /** How long the machine waits first; for `AwaitApproval`: how long for the answer, until it looks again. */
  readonly waitSeconds: number;
  readonly outcome: 'promoted' | 'rolled-back' | 'replaced' | 'under-way';
};

type Timing = {
  readonly now: number;
  readonly rolloutId: string;
  readonly evaluateSeconds: number;
  readonly scaleDownDelaySeconds: number;
  readonly shiftTimeoutSeconds: number;
};

/** Tasks take their time to start; a look costs two transitions and a call. */
const prepareLookSeconds = 2;

const underWay = (next: NextState, waitSeconds = 0): Next => ({ next, waitSeconds, outcome: 'under-way' });

export function nextAction({ rollout, fellBackAt }: ServiceState, timing: Timing): Next {
  const { now, evaluateSeconds } = timing;
  if (rollout.phase === 'none' || rollout.rolloutId !== timing.rolloutId) {
    return { next: 'Done', waitSeconds: 0, outcome: 'replaced' };
  }
  switch (rollout.phase) {
    case 'preparing':
      return rollout.prepared
        ? toNextStep(rollout, evaluateSeconds)
        : underWay('PrepareCanary', Math.min(prepareLookSeconds, evaluateSeconds));
    case 'shifting':
      return underWay('ShiftTraffic');
    case 'baking':
      if (mayAdvance(rollout, now)) return toNextStep(rollout, evaluateSeconds);
      return underWay('EvaluateCanary', untilLook(rollout.bake.endsAt, now, evaluateSeconds));
    case 'awaiting-approval':
      if (mayAdvance(rollout, now)) return underWay('ShiftTraffic');
      if (rollout.autoAt !== null)
        return underWay('EvaluateCanary', untilLook(rollout.autoAt, now, evaluateSeconds));
      return underWay('AwaitApproval', evaluateSeconds);
    case 'paused':
    case 'held':
      // A person is waited for; it is looked at all the same.
      return underWay('AwaitApproval', evaluateSeconds);
    case 'promoting':
      return underWay('PromoteCanary');
    case 'rolling-back':
      if (rollout.trafficOffAt === null) return underWay('RollBack');
      // Others are restored before it, or its tasks take their time to end: looked at again, and not at once.
      return underWay('RollBack', Math.max(1, restSeconds(rollout, timing)));
    case 'promoted': {
      if (rollout.completed) return { next: 'Done', waitSeconds: 0, outcome: 'promoted' };
      const seconds = Math.ceil((leftAloneSince(rollout, timing, fellBackAt) - now) / 1000);
      return underWay('PromoteCanary', Math.max(0, seconds));
    }
    case 'rolled-back':
      return { next: 'Done', waitSeconds: 0, outcome: 'rolled-back' };
  }
}

function toNextStep(
  rollout: { readonly steps: readonly Step[]; readonly step: number },
  evaluateSeconds: number,
): Next {
  const step = rollout.steps[rollout.step + 1];
  if (step === undefined) return underWay('PromoteCanary');
  return step.approval === 'none' ? underWay('ShiftTraffic') : underWay('AwaitApproval', evaluateSeconds);
}

/**
 * The next look, or the end of the bake if that is still ahead and sooner; never 0, the machine must not
 * spin.
 */
const untilLook = (endsAt: number, now: number, evaluateSeconds: number): number =>
  Math.max(1, now < endsAt ? Math.min(evaluateSeconds, Math.ceil((endsAt - now) / 1000)) : evaluateSeconds);

/**
 * How long the rollback goes on watching: a late write of a shift may land until its timeout is over, and
 * the side without traffic stays warm for its delay.
 */
function restSeconds(rollout: Off, timing: Timing): number {
  const quietAt = quietSince(rollout, timing);
  return Math.max(0, Math.min(5, Math.ceil((quietAt - timing.now) / 1000)));
}
