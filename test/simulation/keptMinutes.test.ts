/** What a verdict rests on is kept as it was judged, and outlives what the metrics remember. */
import { describe, expect, it } from 'vitest';
import type { Minute } from '../../lib/core/analysis/minutes.ts';
import { evaluateCanary } from '../../lib/flows/evaluateCanary.ts';
import { record } from '../../lib/flows/record.ts';
import type { Metrics } from '../../lib/ports.ts';
import { SimEventStore } from '../../lib/sim/eventStore.ts';
import { at, planFor, start, v1, v2 } from '../core/rollout/facts.ts';

const service = 'orchestrator';
const minuteMs = 60_000;

/** A rollout that bakes at 5 % for a day, and metrics that forget and revise as the test tells them. */
async function longRollout() {
  const plan = planFor({ kind: 'canary', bakeSeconds: 86_400 });
  const written: number[] = [];
  const store = new (class extends SimEventStore {
    override keepMinutes(rolloutId: string, block: number, minutes: readonly Minute[]): Promise<string> {
      written.push(block);
      return super.keepMinutes(rolloutId, block, minutes);
    }
  })();
  let now = at(0);
  let forgottenBeforeMs = 0;
  const revised = new Map<number, number>();
  const asked: Parameters<Metrics['minutes']>[0][] = [];
  const side = (requests: number, errors = 0) => ({ requests, errors, slow: [], p95Ms: 20 });
  const minuteAt = (startMs: number): Minute =>
    startMs < forgottenBeforeMs
      ? { startMs, periodSeconds: 60, weight: 0, canary: null, stable: null }
      : {
          startMs,
          periodSeconds: 60,
          weight: 5,
          canary: side(50, revised.get(startMs) ?? 0),
          stable: side(950),
        };
  const world = {
    clock: { now: () => now },
    store,
    log: { write: () => undefined },
    traffic: {
      read: async () => ({ kind: 'weights' as const, greenWeight: plan.canarySlot === 'green' ? 5 : 95 }),
      shift: async () => undefined,
      markStable: async () => undefined,
      stableMark: async () => null,
      markFallBack: async () => undefined,
      fallBackMark: async () => null,
      markOverride: async () => undefined,
      overrideMark: async () => null,
    },
    metrics: {
      minutes: async (query: Parameters<Metrics['minutes']>[0]) => {
        asked.push(query);
        const { fromMs, toMs } = query;
        return Array.from({ length: (toMs - fromMs) / minuteMs }, (_, i) => minuteAt(fromMs + i * minuteMs));
      },
      percentiles: async () => null,
    },
    alarms: { read: async () => [] },
  };
  for (const command of [
    start({ plan }),
    { type: 'ConfirmPrepared', tasks: 3, now },
    { type: 'OrderShift', now },
    { type: 'ConfirmShift', weight: 5, now },
  ] as const) {
    await record(world, service, { ...command, now }, { correlationId: 'c-1', actor: 'test' });
  }
  await store.keepPlan(`service/${service}`, plan.rolloutId, plan);
  return {
    asked,
    /** Looks when so many minutes are old enough to be read. */
    async lookAfter(minutes: number) {
      now = at(0) + minutes * minuteMs + plan.settings.analysis.dataDelaySeconds * 1000;
      await evaluateCanary(world, { service, rolloutId: plan.rolloutId, correlationId: 'c-1' });
    },
    revise: (index: number, errors: number) => void revised.set(at(0) + index * minuteMs, errors),
    forgetBefore: (index: number) => {
      forgottenBeforeMs = at(0) + index * minuteMs;
    },
    kept: () => store.minutes(plan.rolloutId),
    /** Blocks that were written since somebody asked last. */
    written: () => written.splice(0),
    /** What was kept of a block is only its first so many minutes, as if the rest had never been written. */
    async loseAfter(block: number, count: number) {
      const kept = (await store.minutes(plan.rolloutId)).slice(block * 60, block * 60 + count);
      await store.keepMinutes(plan.rolloutId, block, kept);
      written.pop();
    },
  };
}

describe('the minutes of a rollout', () => {
  it('are asked of the source its plan has frozen, by what runs in each slot', async () => {
    const rollout = await longRollout();
    await rollout.lookAfter(5);
    expect(rollout.asked).toMatchObject([
      { source: { kind: 'ecs-alb' }, revisions: { blue: v1, green: v2 }, canarySlot: 'green' },
    ]);
  });

  it('are read again while they are younger than two hours, and taken as they were kept after that', async () => {
    const rollout = await longRollout();
    for (let minutes = 20; minutes <= 240; minutes += 20) await rollout.lookAfter(minutes);
    rollout.forgetBefore(100);
    await rollout.lookAfter(241);
    expect(rollout.asked.at(-1)).toMatchObject({
      fromMs: at(0) + 121 * minuteMs,
      toMs: at(0) + 241 * minuteMs,
    });
    const kept = await rollout.kept();
    expect(kept).toHaveLength(241);
    expect(kept.every(({ canary }) => canary?.requests === 50)).toBe(true);
  });

  it('that were revised after the next block had begun are kept as they are now', async () => {
    const rollout = await longRollout();
    await rollout.lookAfter(60);
    rollout.revise(58, 1);
    await rollout.lookAfter(63);
    expect((await rollout.kept())[58]?.canary?.errors).toBe(1);
  });

  it('are written again only where they differ, also behind a block that was never kept whole', async () => {
    const rollout = await longRollout();
    for (const minutes of [60, 120, 121]) await rollout.lookAfter(minutes);
    expect(rollout.written()).toEqual([0, 1, 2]);
    await rollout.loseAfter(0, 10);
    await rollout.lookAfter(122);
    expect(rollout.written()).toEqual([0, 2]);
    expect(await rollout.kept()).toHaveLength(122);
  });

  it('are kept without a hole although nobody looked for hours', async () => {
    const rollout = await longRollout();
    await rollout.lookAfter(10);
    await rollout.lookAfter(190);
    const starts = (await rollout.kept()).map(({ startMs }) => (startMs - at(0)) / minuteMs);
    expect(starts).toEqual(Array.from({ length: 190 }, (_, index) => index));
  });
});
