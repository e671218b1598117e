/** What every event store keeps to, whatever it is made of. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InvariantBroken } from '../../lib/core/decision.ts';
import { PlanDiffers } from '../../lib/core/outage.ts';
import type { StoreFault, StoreStep } from '../../lib/sim/eventStore.ts';
import { appendMany, appendOf, collected, eventOf, noise, range, versionsOf } from './eventStoreEvents.ts';
import type { EventStoreWorld } from './eventStoreWorlds.ts';

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

type Given = (world: () => EventStoreWorld, newStream: () => string) => void;

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

const chunkContract: Given = (world, newStream) => {
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

const chainContract: Given = (world, newStream) => {
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

const besideContract: Given = (world, newStream) => {
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
