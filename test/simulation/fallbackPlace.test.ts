/** What the place to fall back to held is known after a rollback, whatever becomes of it meanwhile. */
import { describe, expect, it } from 'vitest';
import type { ApiStageTarget } from '../../events/target.ts';
import type { Fault } from '../../lib/sim/faults.ts';
import { failing, play } from './scene.ts';

const stage: ApiStageTarget = {
  ...{ kind: 'api-stage', restApiId: 'a1b2c3', stage: 'prod' },
  variable: { name: 'environment', values: { blue: 'phase1', green: 'phase2' } },
};
const holding = (environment: string) => [{ name: 'stage variable environment', value: environment }];

/** A bad release whose place to fall back to is set by hand after so many seconds. */
const day = (faults: readonly Fault[] = [], turnedAfterSeconds: number | null = null, known = true) =>
  play({
    behaviours: { 'shop:2': failing() },
    configuration: { fallback: { target: stage, slot: 'blue' } },
    faults,
    watch: ({ world }) => {
      if (known) world.elsewhere.set(stage, holding('phase2'));
      if (turnedAfterSeconds === null) return;
      world.clock.schedule(turnedAfterSeconds * 1000, () => {
        world.elsewhere.clear();
        world.elsewhere.set(stage, holding('phase1'));
      });
    },
  });

const place = 'API stage a1b2c3/prod';

describe('the place to fall back to', () => {
  it('is in the checkpoint, and no difference after a rollback where nobody touched it', async () => {
    const played = await day();
    expect(played.all('CheckpointTaken').map(({ fallbackPlace }) => fallbackPlace)).toEqual([
      { place, holds: holding('phase2'), unrecorded: 0 },
    ]);
    expect(played.all('RollbackCompleted')).toMatchObject([{ differences: [] }]);
  });

  it('that somebody changed in mid-rollout is a difference', async () => {
    const played = await day([], 70);
    expect(played.all('RollbackCompleted')).toMatchObject([
      { differences: [`stage variable environment is "phase1", it was "phase2" (${place})`] },
    ]);
  });

  it('that cannot be read at first holds nobody up, and is written down as soon as it can be', async () => {
    const played = await day([{ on: 'prepare-canary/places.settings', kind: 'refuse', nth: 1 }]);
    expect(played.all('CheckpointTaken').map(({ fallbackPlace }) => fallbackPlace?.holds)).toEqual([
      null,
      holding('phase2'),
    ]);
    const undisturbed = await day();
    expect(played.secondsOf('TrafficShifted') - undisturbed.secondsOf('TrafficShifted')).toBeLessThan(1);
    expect(played.all('RollbackCompleted')).toMatchObject([{ differences: [] }]);
  });

  it('that can never be read is an unknown in the end, as late as otherwise', async () => {
    const played = await day([], null, false);
    expect(played.all('CheckpointTaken').map(({ fallbackPlace }) => fallbackPlace)).toEqual([
      { place, holds: null, unrecorded: 0 },
    ]);
    expect(played.all('RollbackCompleted')).toMatchObject([
      { differences: [`whether ${place} is as it was is unknown: it could not be read before the rollout`] },
    ]);
    const undisturbed = await day();
    expect(played.secondsOf('RollbackCompleted') - undisturbed.secondsOf('RollbackCompleted')).toBeLessThan(
      2,
    );
  });

  it('that cannot be read any more is an unknown, as late as otherwise', async () => {
    const played = await day([{ on: 'roll-back/places.settings', kind: 'refuse' }]);
    expect(played.all('RollbackCompleted')).toMatchObject([
      { differences: [`whether ${place} is as it was is unknown: it cannot be read`] },
    ]);
  });
});
