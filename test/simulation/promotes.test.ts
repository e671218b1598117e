import { describe, expect, it } from 'vitest';
import { operate, play, request, steps } from './scene.ts';

describe('a good release', () => {
  it('goes up step by step, each on its own verdict, and becomes stable', async () => {
    const day = await play({});
    expect(day.phase).toBe('promoted');
    expect(day.greenWeights).toEqual([0, 10, 50, 100]);
    expect(day.story).toEqual([
      ...['RolloutStarted', 'CheckpointTaken', 'CanaryPrepared'],
      ...['ShiftOrdered', 'TrafficShifted', 'AnalysisRecorded', 'AnalysisRecorded'],
      ...['ShiftOrdered', 'TrafficShifted', 'AnalysisRecorded', 'AnalysisRecorded'],
      ...['ShiftOrdered', 'TrafficShifted'],
      ...['PromotionOrdered', 'RolloutPromoted', 'RolloutCompleted'],
    ]);
    expect(day.told).toEqual(['shop: rollout started', 'shop: promoted']);
  });

  it('leaves the old side empty, and its scaling as it was', async () => {
    const day = await play({});
    expect(day.slot('blue').desired).toBe(0);
    expect(day.slot('blue').bounds).toEqual({ min: 1, max: 10 });
    expect(day.slot('green').read()).toMatchObject({ revision: 'shop:2', desired: 3, healthy: 3 });
  });

  it('goes back to the blue slot the next time', async () => {
    const day = await play({
      minutes: 40,
      happenings: [request(), request(1200, 'shop:3', 'r2')],
    });
    expect(day.greenWeights).toEqual([0, 10, 50, 100, 90, 50, 0]);
    expect(day.slot('blue').revision).toBe('shop:3');
  });

  it('needs no user to be seen healthy in a blue/green preview, and then a person', async () => {
    const day = await play({
      configuration: { strategy: { kind: 'blue-green', previewSeconds: 60, finalBakeSeconds: 120 } },
      happenings: [request(), operate(400, 'approve')],
    });
    expect(day.secondsOf('ApprovalRequested')).toBeLessThan(200);
    expect(day.all('ShiftOrdered').map(({ weight }) => weight)).toEqual([0, 100]);
    expect(day.secondsOf('RolloutApproved')).toBeGreaterThan(400);
    expect(day.phase).toBe('promoted');
  });

  it('goes on by itself after the preview where the configuration says so', async () => {
    const strategy = {
      ...{ kind: 'blue-green', previewSeconds: 60, finalBakeSeconds: 120 },
      ...{ autoPromote: true, autoPromoteSeconds: 120 },
    };
    const day = await play({ configuration: { strategy } });
    expect(day.phase).toBe('promoted');
    expect(day.all('RolloutApproved')).toEqual([]);
  });

  it('waits at a step for as long as nobody answers, and goes on a second after somebody does', async () => {
    const asking = steps.steps.map((step) => (step.weight === 50 ? { ...step, approval: 'manual' } : step));
    const day = await play({
      configuration: { strategy: { ...steps, steps: asking } },
      happenings: [request(), operate(900, 'approve')],
    });
    const ordered = day.simulation.world.places.get('shop')?.balancer.shifts.at(2);
    expect(ordered?.reading).toEqual({ kind: 'weights', greenWeight: 50 });
    expect(day.secondsOf('RolloutApproved')).toBeLessThan(902);
    expect(day.phase).toBe('promoted');
  });

  it('hands over to a second execution after a thousand looks', async () => {
    const day = await play({
      minutes: 560,
      configuration: {
        evaluateSeconds: 30,
        strategy: { kind: 'rolling', batchPercent: 50, bakeSeconds: 32_000 },
      },
    });
    const executions = [...day.simulation.desk.executions.values()].map(({ name }) => name);
    expect(executions).toEqual(['r1', 'r1-part-2']);
    expect(day.phase).toBe('promoted');
  });
});
