/** Plans, minutes, waiting tokens, and the list of active streams. */
import { expect, it } from 'vitest';
import { PlanDiffers } from '../../lib/core/outage.ts';
import { appendOf, collected, range, versionsOf } from './eventStoreEvents.ts';
import type { Given } from './eventStoreWorlds.ts';

export const besideContract: Given = (world, newStream) => {
  it('keeps a plan once and refuses another under its id', async () => {
    const stream = newStream();
    const store = world().open();
    const plan = { strategy: 'canary', steps: [{ weight: 5 }, { weight: 100 }] };
    expect(await store.plan(stream, 'r1')).toBeNull();
    const hash = await store.keepPlan(stream, 'r1', plan);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    const reordered = { steps: plan.steps, strategy: 'canary' };
    expect(await world().open().keepPlan(stream, 'r1', reordered)).toBe(hash);
    await expect(store.keepPlan(stream, 'r1', { ...plan, strategy: 'linear' })).rejects.toThrow(PlanDiffers);
    expect(await world().open().plan(stream, 'r1')).toEqual(plan);
    expect(await store.keepPlan(stream, 'r2', { ...plan, strategy: 'linear' })).not.toBe(hash);
    expect(await store.plan(newStream(), 'r1')).toBeNull();
    expect(await versionsOf(store, stream)).toEqual([]);
  });

  it('keeps minutes by block and gives them back in order', async () => {
    const store = world().open();
    const rollout = newStream();
    const minutesFrom = (first: number, weight = 5) =>
      range(first, first + 1).map((number) => ({
        ...{ startMs: number * 60_000, periodSeconds: 60, weight },
        canary: { requests: 10, errors: 1, slow: [0, 2], p95Ms: 120.5 },
        stable: null,
      }));
    expect(await store.minutes(rollout)).toEqual([]);
    const old = await store.keepMinutes(rollout, 2, minutesFrom(4));
    for (const block of [10, 9, 2, 1, 0]) await store.keepMinutes(rollout, block, minutesFrom(2 * block, 15));
    expect(await world().open().minutes(rollout)).toEqual(
      [0, 1, 2, 9, 10].flatMap((block) => minutesFrom(2 * block, 15)),
    );
    expect(await store.keepMinutes(rollout, 2, minutesFrom(4))).toBe(old);
  });

  it('lists the streams with something under way', async () => {
    const store = world().open();
    const [busy, idle] = [newStream(), newStream()];
    await store.append(busy, appendOf(0, 'start'));
    await store.append(idle, appendOf(0, 'start'));
    await store.append(idle, appendOf(1, 'end', { active: false }));
    const active = await collected(store.active());
    expect(active).toContain(busy);
    expect(active).not.toContain(idle);
    expect(active).toEqual([...active].sort());
  });

  it('keeps the token an execution waits with, and the newest one', async () => {
    const stream = newStream();
    const { tokens } = world();
    expect(await tokens.find(stream, 'r1')).toBeNull();
    await tokens.keep(stream, 'r1', 'a');
    await tokens.keep(stream, 'r1', 'b');
    expect(await tokens.find(stream, 'r1')).toBe('b');
    expect(await tokens.find(stream, 'r2')).toBeNull();
  });
};
