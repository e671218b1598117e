/** Requests that come too late, or too soon. */
import { describe, it } from 'vitest';
import { otherSlot } from '../../../events/target.ts';
import {
  baking,
  minutes,
  planFor,
  rollbackCompleted,
  rollbackInitiated,
  shifted,
  start,
  v3,
} from './facts.ts';
import { given } from './given.ts';

const rolledBack = [
  ...baking(0),
  ...[rollbackInitiated(minutes(2), 'alarm'), shifted(0, minutes(3)), rollbackCompleted(minutes(4))],
];

describe('a plan from before the newest rollout', () => {
  const old = { ...planFor({ kind: 'canary' }, { rolloutId: 'ro-0', revision: v3 }), createdAt: minutes(-1) };

  it('begins nothing: its request was told again after its own rollout was over', () => {
    given(...rolledBack)
      .when(start({ plan: old, now: minutes(30) }))
      .refused('stale-plan');
  });

  it('begins nothing where it was made while everybody was on the canary, and they are back', () => {
    const { canarySlot } = planFor({ kind: 'canary' });
    const next = planFor({ kind: 'canary' }, { rolloutId: 'ro-2', revision: v3 });
    const turned = { ...next, canarySlot: otherSlot(canarySlot), createdAt: minutes(2) };
    given(...rolledBack)
      .when(start({ plan: turned, now: minutes(30) }))
      .refused('stale-plan');
    given(...rolledBack)
      .when(start({ plan: { ...turned, canarySlot }, now: minutes(30) }))
      .then({ type: 'RolloutStarted' });
  });
});

describe('a start beside the fire exit', () => {
  const fellBack = {
    type: 'FellBack',
    at: minutes(1),
    by: 'ada',
    why: 'all is dark',
    to: 'ecs-alb/blue',
  } as const;

  it('waits until nobody asserts the place any more', () => {
    given(fellBack)
      .when(start({ now: minutes(1) + 69_999 }))
      .refused('fire-exit');
    given(fellBack)
      .when(start({ now: minutes(1) + 70_000 }))
      .then({ type: 'RolloutStarted' });
  });
});
