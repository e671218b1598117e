/** What the hash chain finds. */
import { expect, it } from 'vitest';
import { appendMany, versionsOf } from './eventStoreEvents.ts';
import type { Given } from './eventStoreWorlds.ts';

export const chainContract: Given = (world, newStream) => {
  it('follows from beginning to end, also where there is nothing', async () => {
    const stream = newStream();
    const store = world().open();
    expect(await store.verify(stream)).toEqual({ version: 0, brokenAt: null });
    await appendMany(store, stream, 40);
    expect(await store.verify(stream)).toEqual({ version: 40, brokenAt: null });
  });

  it.each([
    ['an event changed in a chunk', 5, 1, { weight: 99 }],
    ['an event changed in the tail', 18, undefined, { weight: 99 }],
    ['a field added', 18, undefined, { more: 1 }],
  ])('finds %s', async (_, version, chunk, change) => {
    const stream = newStream();
    await appendMany(world().open(), stream, 20);
    await world().tamper(
      stream,
      (commits) =>
        commits.map((commit, index) =>
          index !== version - (chunk ?? 17)
            ? commit
            : {
                ...commit,
                events: commit.events.map((one) => ({ ...one, event: { ...one.event, ...change } })),
              },
        ),
      chunk,
    );
    expect(await world().open().verify(stream)).toEqual({ version: 20, brokenAt: version });
  });

  it('finds another actor, a missing event and events in another order', async () => {
    const [actor, missing, order] = [newStream(), newStream(), newStream()];
    for (const stream of [actor, missing, order]) await appendMany(world().open(), stream, 20);
    await world().tamper(actor, (commits) => commits.map((one) => ({ ...one, actor: 'nobody' })));
    await world().tamper(missing, (commits) => commits.slice(0, 2), 1);
    await world().tamper(order, ([first, second, ...rest]) => [second, first, ...rest] as typeof rest);
    const verify = async (stream: string) => (await world().open().verify(stream)).brokenAt;
    expect(await verify(actor)).toBe(17);
    expect(await verify(missing)).toBe(3);
    expect(await verify(order)).toBe(17);
    await expect(versionsOf(world().open(), missing)).rejects.toThrow(/has no event 3/);
  });

  it('finds an event that was cut off at the end', async () => {
    const stream = newStream();
    await appendMany(world().open(), stream, 10);
    await world().tamper(stream, (commits) => commits.slice(0, 9));
    expect(await world().open().verify(stream)).toEqual({ version: 10, brokenAt: 10 });
  });
};
