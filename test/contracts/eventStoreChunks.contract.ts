/** How history moves from HEAD to chunks, and what overtakes whom meanwhile. */
import { expect, it } from 'vitest';
import type { StoreFault, StoreStep } from '../../lib/sim/eventStore.ts';
import { appendMany, appendOf, eventOf, range, versionsOf } from './eventStoreEvents.ts';
import type { Given } from './eventStoreWorlds.ts';

/** The steps a store takes, as they happen. */
function watched(): { readonly steps: StoreStep[]; readonly fault: StoreFault } {
  const steps: StoreStep[] = [];
  return {
    steps,
    fault: (step, when) => {
      if (when === 'before') steps.push(step);
    },
  };
}

const writes = (steps: readonly StoreStep[]) => steps.filter((step) => step.startsWith('write'));

export const chunkContract: Given = (world, newStream) => {
  it('reads a long history whole, and from any version on', async () => {
    const stream = newStream();
    await appendMany(world().open(), stream, 70);
    const store = world().open();
    expect((await store.head(stream)).tail.length).toBeLessThanOrEqual(16);
    expect(await versionsOf(store, stream)).toEqual(range(1, 70));
    for (const from of [2, 15, 16, 17, 33, 48, 69, 70, 71]) {
      expect(await versionsOf(store, stream, from)).toEqual(range(from, 70));
    }
  });

  it('writes once per append, and a chunk before it where the tail is full', async () => {
    const stream = newStream();
    const { steps, fault } = watched();
    const store = world().open(fault);
    await appendMany(store, stream, 16);
    expect(writes(steps)).toEqual(range(1, 16).map(() => 'write-head'));
    steps.length = 0;
    await appendMany(store, stream, 1);
    expect(writes(steps)).toEqual(['write-chunk', 'write-head']);
  });

  it('leaves a full tail alone on the alarm’s way, and compacts it afterwards', async () => {
    const stream = newStream();
    const { steps, fault } = watched();
    const store = world().open(fault);
    let { version } = await appendMany(store, stream, 16);
    steps.length = 0;
    for (const alarm of ['one', 'two']) {
      const events = [eventOf(version + 1, 900), eventOf(version + 2, 900)];
      const answer = await store.append(stream, appendOf(version, alarm, { urgent: true, events }));
      expect(answer.outcome).toBe('appended');
      version += 2;
    }
    expect(writes(steps)).toEqual(['write-head', 'write-head']);
    expect((await store.head(stream)).tail).toHaveLength(20);

    await store.compact(stream);
    const head = await world().open().head(stream);
    expect(head).toMatchObject({ version: 20, tail: [], snapshot: { schema: 1 } });
    steps.length = 0;
    await store.compact(stream);
    expect(writes(steps)).toEqual([]);
    await appendMany(store, stream, 2);
    expect(await versionsOf(store, stream)).toEqual(range(1, 22));
    expect(await store.verify(stream)).toEqual({ version: 22, brokenAt: null });
  });

  it('still recognises a command after its tail was compacted', async () => {
    const stream = newStream();
    const store = world().open();
    await appendMany(store, stream, 16);
    await store.append(stream, appendOf(16, 'alarm', { urgent: true }));
    await store.compact(stream);
    const again = await store.append(stream, appendOf(17, 'alarm'));
    expect(again).toEqual({ outcome: 'repeated', version: 17, events: [] });
  });

  it('goes on behind the chunk of a writer who died before its update', async () => {
    const stream = newStream();
    await appendMany(world().open(), stream, 16);
    const dying = world().open((step, when) => {
      if (step === 'write-chunk' && when === 'after') throw new Error('died');
    });
    await expect(dying.append(stream, appendOf(16, 'lost'))).rejects.toThrow('died');
    const store = world().open();
    for (const version of [16, 17, 18]) {
      await store.append(stream, appendOf(version, `urgent-${version}`, { urgent: true }));
    }
    await appendMany(world().open(), stream, 20);
    expect(await versionsOf(store, stream)).toEqual(range(1, 39));
    expect(await store.verify(stream)).toEqual({ version: 39, brokenAt: null });
  });

  it('keeps the longer chunk where a slow writer still holds a shorter one', async () => {
    const stream = newStream();
    await appendMany(world().open(), stream, 16);
    let others = async () => {
      const store = world().open();
      await store.append(stream, appendOf(16, 'alarm', { urgent: true }));
      await store.compact(stream);
      others = async () => undefined;
    };
    const slow = world().open((step, when) =>
      step === 'write-chunk' && when === 'before' ? others() : undefined,
    );
    const answer = await slow.append(stream, appendOf(16, 'slow'));
    expect(answer).toMatchObject({ outcome: 'conflict', head: { version: 17 } });
    expect(await versionsOf(world().open(), stream)).toEqual(range(1, 17));
    expect(await world().open().verify(stream)).toEqual({ version: 17, brokenAt: null });
  });

  it('keeps every event where a writer and a compaction overlap', async () => {
    const stream = newStream();
    const store = world().open();
    await appendMany(store, stream, 16);
    await store.append(stream, appendOf(16, 'alarm', { urgent: true }));
    await world().open().compact(stream); // behind the back of `store`, which saw the whole tail last
    for (const version of range(17, 36)) await store.append(stream, appendOf(version, `then-${version}`));
    expect(await versionsOf(world().open(), stream)).toEqual(range(1, 37));
    expect(await world().open().verify(stream)).toEqual({ version: 37, brokenAt: null });
  });
};
