import { describe, expect, it } from 'vitest';
import type { AnalysisPolicy } from '../../../lib/core/analysis/policy.ts';
import { bakedAt, baking, judged, ordered, record, settings, stepAt } from './facts.ts';
import { given, type Story } from './given.ts';

const orderShift = (now: number) => ({ type: 'OrderShift', now }) as const;

describe('the end of a bake of which nothing is known', () => {
  const policy = (unknown: Partial<AnalysisPolicy['unknown']>): AnalysisPolicy => ({
    ...settings.analysis,
    unknown: { ...settings.analysis.unknown, ...unknown },
  });
  const end = bakedAt(0);

  it('is put off by the policy’s own extension', () => {
    const { rollout } = given(...baking(0))
      .when(record('inconclusive', end, policy({ answer: 'extend', extendSeconds: 240 })))
      .then({ type: 'AnalysisRecorded', bakeUntil: end + 240_000 });
    expect(rollout()).toMatchObject({ phase: 'baking', bake: { endsAt: end + 240_000 }, extensions: 1 });
  });

  it('is not put off before it came', () => {
    const { rollout } = given(...baking(0))
      .when(record('inconclusive', end - 1))
      .then({ type: 'AnalysisRecorded' });
    expect(rollout()).toMatchObject({ bake: { endsAt: end }, extensions: 0 });
  });

  it('is put off three times, then a person is asked, and gets as much time again', () => {
    const extend = policy({ answer: 'extend', extendSeconds: 600, extensionsMax: 3 });
    let story: Story = given(...baking(0));
    for (const time of [end, end + 600_000, end + 1_200_000]) {
      story = story.when(record('inconclusive', time, extend)).then({ type: 'AnalysisRecorded' });
    }
    const { rollout } = story
      .when(record('inconclusive', end + 1_800_000, extend))
      .then({ type: 'AnalysisRecorded' }, { type: 'RolloutPaused', by: 'switchback' })
      .when({ type: 'Resume', by: 'ada', now: end + 3_600_000 })
      .then({ type: 'RolloutResumed' });
    expect(rollout()).toMatchObject({ phase: 'baking', bake: { endsAt: end + 4_200_000 } });
  });

  it('counts its extensions anew at the next step', () => {
    const { rollout } = given(...baking(0), judged('inconclusive', end, end + 1), ordered(1, 15, end + 2));
    expect(rollout()).toHaveProperty('extensions', 0);
  });

  it('waits, if so configured: recorded once, and a later pass lets it go on at once', () => {
    const wait = policy({ answer: 'wait' });
    given(...baking(0))
      .when(record('inconclusive', end, wait))
      .then({ type: 'AnalysisRecorded' })
      .when(record('inconclusive', end + 60_000, wait))
      .then()
      .when(record('pass', end + 120_000, wait))
      .then({ type: 'AnalysisRecorded', verdict: 'pass' })
      .when(orderShift(end + 120_000))
      .then({ type: 'ShiftOrdered', weight: 15 });
  });

  it('pauses, if so configured', () => {
    given(...baking(0))
      .when(record('inconclusive', end, policy({ answer: 'pause' })))
      .then(
        { type: 'AnalysisRecorded' },
        { type: 'RolloutPaused', why: expect.stringContaining('not enough is known') },
      );
  });

  it('rolls back, if so configured', () => {
    given(...baking(0))
      .when(record('inconclusive', end, policy({ answer: 'roll-back' })))
      .then({ type: 'AnalysisRecorded' }, { type: 'RollbackInitiated', trigger: 'analysis' });
  });

  it.each(['wait', 'extend', 'pause', 'roll-back'] as const)('is never a pass (%s)', (answer) => {
    given(...baking(0))
      .when(record('inconclusive', end, policy({ answer })))
      .when(orderShift(end + 86_400_000))
      .refused('not-cleared');
  });

  it('does not stop a person who moved it on', () => {
    given(...baking(0))
      .when({ type: 'Promote', by: 'ada', now: end - 1 })
      .when(record('inconclusive', end, policy({ answer: 'pause' })))
      .then({ type: 'AnalysisRecorded' })
      .when(orderShift(end))
      .then({ type: 'ShiftOrdered' });
  });
});

describe('a verdict is recorded', () => {
  it('when it differs from the one before, not at every look', () => {
    given(...baking(0))
      .when(record('inconclusive', stepAt(0) + 60_000))
      .then({ type: 'AnalysisRecorded' })
      .when(record('inconclusive', stepAt(0) + 120_000))
      .then()
      .when(record('pass', stepAt(0) + 180_000))
      .then({ type: 'AnalysisRecorded' })
      .when(record('pass', stepAt(0) + 240_000))
      .then();
  });

  it('with its evidence', () => {
    given(...baking(0))
      .when(record('fail', stepAt(0) + 60_000))
      .then(
        { type: 'AnalysisRecorded', evidence: { eValue: 412.3 } },
        {
          type: 'RollbackInitiated',
          trigger: 'analysis',
          evidence: { canary: { requests: 4100, errors: 12 } },
        },
      );
  });
});
