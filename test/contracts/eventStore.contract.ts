/** What every event store keeps to, whatever it is made of. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InvariantBroken } from '../../lib/core/decision.ts';
import { besideContract } from './eventStoreBeside.contract.ts';
import { chainContract } from './eventStoreChain.contract.ts';
import { chunkContract } from './eventStoreChunks.contract.ts';
import { appendMany, appendOf, collected, eventOf, noise, range, versionsOf } from './eventStoreEvents.ts';
import type { EventStoreWorld, Given } from './eventStoreWorlds.ts';

export function eventStoreContract(name: string, openWorld: () => Promise<EventStoreWorld>): void {
  describe(name, () => {
    let world: EventStoreWorld;
    let streams = 0;
    const newStream = () => `service/shop-${++streams}`;

    beforeAll(async () => {
      world = await openWorld();
    });
    afterAll(() => world.close());

    describe('append', () => appendContract(() => world, newStream));
    describe('chunks', () => chunkContract(() => world, newStream));
    describe('the chain', () => chainContract(() => world, newStream));
    describe('beside the streams', () => besideContract(() => world, newStream));
  });
}

const appendContract: Given = (world, newStream) => {
  it('finds a stream that nobody wrote at version 0', async () => {
    const stream = newStream();
    expect(await world().open().head(stream)).toEqual({ stream, version: 0, snapshot: null, tail: [] });
    expect(await versionsOf(world().open(), stream)).toEqual([]);
  });

  it('gives events dense versions, their place, their cause and the state', async () => {
    const stream = newStream();
    const store = world().open();
    const events = [eventOf(1), eventOf(2)];
    const snapshot = { schema: 7, state: { phase: 'baking', weight: 5 } };
    const answer = await store.append(stream, appendOf(0, 'start', { events, snapshot }));
    expect(answer).toMatchObject({ outcome: 'appended', version: 2 });
    await store.append(stream, appendOf(2, 'go on', { snapshot }));

    const head = await world().open().head(stream);
    expect(head).toMatchObject({ stream, version: 3, snapshot });
    expect(head.tail.map(({ version, id, commandId }) => [version, id, commandId])).toEqual([
      [1, `${stream}#1`, 'start'],
      [2, `${stream}#2`, 'start'],
      [3, `${stream}#3`, 'go on'],
    ]);
    expect(head.tail[1]).toMatchObject({
      schema: 1,
      correlationId: 'c-start',
      actor: 'test',
      event: events[1],
    });
    expect(await collected(store.read(stream))).toEqual(head.tail);
    expect(answer).toMatchObject({ events: head.tail.slice(0, 2) });
  });

  it('tells a writer who comes second what beat it', async () => {
    const stream = newStream();
    const [first, second] = [world().open(), world().open()];
    await second.head(stream);
    await first.append(stream, appendOf(0, 'first'));
    const answer = await second.append(stream, appendOf(0, 'second'));
    expect(answer).toEqual({ outcome: 'conflict', head: await first.head(stream) });
    expect(await versionsOf(first, stream)).toEqual([1]);
  });

  it('tells the loser of a race what beat it', async () => {
    const stream = newStream();
    await appendMany(world().open(), stream, 3);
    const [one, other] = [world().open(), world().open()];
    await Promise.all([one.head(stream), other.head(stream)]);
    const answers = await Promise.all([
      one.append(stream, appendOf(3, 'one')),
      other.append(stream, appendOf(3, 'other')),
    ]);
    const head = await world().open().head(stream);
    expect(head.version).toBe(4);
    expect(answers.map(({ outcome }) => outcome).sort()).toEqual(['appended', 'conflict']);
    expect(answers).toContainEqual({ outcome: 'conflict', head });
  });

  it('refuses a version that is yet to come', async () => {
    const stream = newStream();
    await appendMany(world().open(), stream, 2);
    const answer = await world().open().append(stream, appendOf(5, 'early'));
    expect(answer).toMatchObject({ outcome: 'conflict', head: { version: 2 } });
  });

  it('answers a repeated command with what the first one got', async () => {
    const stream = newStream();
    const store = world().open();
    const events = [eventOf(1), eventOf(2)];
    const first = await store.append(stream, appendOf(0, 'once', { events }));
    await appendMany(store, stream, 3);
    for (const expected of [0, 2, 5]) {
      for (const anyStore of [store, world().open()]) {
        const again = await anyStore.append(stream, appendOf(expected, 'once', { events }));
        expect(again).toEqual({ ...first, outcome: 'repeated' });
      }
    }
    expect(await versionsOf(store, stream)).toEqual(range(1, 5));
  });

  it('answers a repeated command with its version once its events have left the tail', async () => {
    const stream = newStream();
    const store = world().open();
    await store.append(stream, appendOf(0, 'once'));
    await appendMany(store, stream, 12, 700);
    const again = await world().open().append(stream, appendOf(13, 'once'));
    expect(again).toEqual({ outcome: 'repeated', version: 1, events: [] });
  });

  it('takes what it was given, not what becomes of it', async () => {
    const stream = newStream();
    const store = world().open();
    const event = { ...eventOf(1), left: undefined as string | undefined, in: { deep: 1 } };
    const state = { in: { deep: 1 } };
    await store.append(stream, appendOf(0, 'mine', { events: [event], snapshot: { schema: 1, state } }));
    event.in.deep = 2;
    state.in.deep = 2;
    const head = await store.head(stream);
    expect(head.tail[0]?.event).toMatchObject({ in: { deep: 1 } });
    expect(head.tail[0]?.event).not.toHaveProperty('left');
    expect(head.snapshot?.state).toEqual({ in: { deep: 1 } });
    const handedOut = head.tail[0]?.event as unknown as { in: { deep: number } };
    expect(() => {
      handedOut.in.deep = 3;
    }).toThrow(TypeError);
  });

  it.each([
    ['an event over 1 KB', [eventOf(1, 2500)], /^TrafficShifted takes \d+ bytes and an event may take 1024/],
    ['51 events', range(1, 51).map((number) => eventOf(number)), /holds 51 events, 50 is the most/],
    ['no event', [], /holds no event/],
  ])('refuses %s as a bug and appends nothing', async (_, events, sentence) => {
    const stream = newStream();
    const store = world().open();
    const attempt = store.append(stream, appendOf(0, 'bad', { events }));
    await expect(attempt).rejects.toThrow(InvariantBroken);
    await expect(store.append(stream, appendOf(0, 'bad', { events }))).rejects.toThrow(sentence);
    expect((await store.head(stream)).version).toBe(0);
  });

  it('refuses a state that no HEAD can hold', async () => {
    const stream = newStream();
    const snapshot = { schema: 1, state: noise(1, 20_000) };
    const attempt = world()
      .open()
      .append(stream, appendOf(0, 'bad', { snapshot }));
    await expect(attempt).rejects.toThrow(/HEAD of .* would take \d+ bytes and may take 8192/);
  });

  it('takes an event whose JSON is longer where it is stored in less', async () => {
    const stream = newStream();
    const store = world().open();
    const step = { weight: 5, bakeSeconds: 600, judge: 'analysed', approval: 'none' };
    const event = { ...eventOf(1), steps: range(1, 25).map(() => step) };
    expect(JSON.stringify(event).length).toBeGreaterThan(1600);
    await store.append(stream, appendOf(0, 'plan', { events: [event] }));
    expect((await store.head(stream)).tail[0]?.event).toEqual(event);
    expect(await store.verify(stream)).toEqual({ version: 1, brokenAt: null });
  });
};
