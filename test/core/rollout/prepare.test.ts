import { describe, expect, it } from 'vitest';
import { at, rollbackInitiated, started, v2 } from './facts.ts';
import { given } from './given.ts';

describe('before the first shift', () => {
  const checkpoint = { weight: 0, desiredCounts: { stable: 3, canary: 0 }, scaling: { min: 2, max: 10 } };
  const takeCheckpoint = (now: number) => ({ type: 'TakeCheckpoint', checkpoint, now }) as const;

  it('what a rollback restores is read again, and written down where it is news', () => {
    const scaledOut = { ...checkpoint, desiredCounts: { stable: 5, canary: 3 }, scaling: null };
    const { rollout } = given(started())
      .when(takeCheckpoint(at(5)))
      .then({ type: 'CheckpointTaken' })
      .when({ ...takeCheckpoint(at(60)), checkpoint: scaledOut })
      .then({ type: 'CheckpointTaken', ...checkpoint, desiredCounts: { stable: 5, canary: 0 } })
      .when({
        ...takeCheckpoint(at(70)),
        checkpoint: { ...scaledOut, desiredCounts: { stable: 2, canary: 3 } },
      })
      .then()
      .when({ ...takeCheckpoint(at(80)), stableRevision: 'rev-1-mended' })
      .then({ type: 'CheckpointTaken', revisions: { stable: 'rev-1-mended', canary: v2 } })
      .when({ ...takeCheckpoint(at(90)), stableRevision: 'rev-1-mended' })
      .then();
    expect(rollout().checkpoint).toEqual({ ...checkpoint, desiredCounts: { stable: 5, canary: 0 } });
    expect(rollout().stableRevision).toBe('rev-1-mended');
  });

  it('a place to fall back to is written down as it was first read, and again only where it could not be read', () => {
    const place = (value: string | null) => {
      const holds = value === null ? null : [{ name: 'stage variable environment', value }];
      return { fallbackPlace: { place: 'API stage a1b2c3/prod', holds, unrecorded: 0 } };
    };
    const read = (now: number, value: string | null) => ({
      ...takeCheckpoint(now),
      checkpoint: { ...checkpoint, ...place(value) },
    });
    const { rollout } = given(started())
      .when(takeCheckpoint(at(5)))
      .then({ type: 'CheckpointTaken' })
      .when(read(at(6), null))
      .then({ type: 'CheckpointTaken', ...place(null) })
      .when(read(at(7), null))
      .then()
      .when(read(at(8), 'phase2'))
      .then({ type: 'CheckpointTaken', ...place('phase2') })
      .when(read(at(9), 'phase1'))
      .then()
      .when(read(at(10), null))
      .then()
      .when(takeCheckpoint(at(11)))
      .then();
    expect(rollout().checkpoint).toEqual({ ...checkpoint, ...place('phase2') });
  });

  it('nothing is written down any more once it is on its way back', () => {
    given(started())
      .when(takeCheckpoint(at(5)))
      .then({ type: 'CheckpointTaken' })
      .and(rollbackInitiated(at(8)))
      .when({ ...takeCheckpoint(at(9)), stableRevision: 'another' })
      .then();
  });

  it('what a rollback restores is written down, once', () => {
    const { rollout } = given(started())
      .when(takeCheckpoint(at(5)))
      .then({ type: 'CheckpointTaken', ...checkpoint })
      .when({ ...takeCheckpoint(at(9)), checkpoint: { ...checkpoint, weight: 5 } })
      .then();
    expect(rollout().checkpoint).toEqual(checkpoint);
  });

  it('the canary is confirmed as prepared, once, also while it is held', () => {
    given(started())
      .when({ type: 'Hold', reason: 'capacity', why: 'stable is short', now: at(5) })
      .when({ type: 'ConfirmPrepared', tasks: 3, now: at(20) })
      .then({ type: 'CanaryPrepared', tasks: 3 })
      .when({ type: 'ConfirmPrepared', tasks: 3, now: at(25) })
      .then();
  });
});
