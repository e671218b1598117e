/**
 * Subscribers over the event store in memory: whatever the stream does, each hears everything once and in
 * order.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failuresMax, parkAfterSeconds } from '../../lib/core/eventStore/consumer.ts';
import { publishEvents, type Subscriber } from '../../lib/flows/publishEvents.ts';
import { unpark } from '../../lib/flows/unpark.ts';
import type { Delivery, Log } from '../../lib/ports.ts';
import { SimConsumers } from '../../lib/sim/consumers.ts';
import { SimEventStore } from '../../lib/sim/eventStore.ts';
import { appendMany, range } from './eventStoreEvents.ts';

type Line = Parameters<Log['write']>[0];

function office() {
  const lines: Line[] = [];
  const world = {
    store: new SimEventStore(),
    consumers: new SimConsumers(),
    log: { write: (line: Line) => void lines.push(line) },
  };
  return { ...world, world, lines };
}

/** Hears everything; fails where it is told to. */
function listener(name: string, fails: (stream: string, version: number) => boolean = () => false) {
  const heard: string[] = [];
  const subscriber: Subscriber = {
    name,
    async handle(stream, { version }) {
      if (fails(stream, version)) throw new Error(`${stream}#${version} is not understood`);
      heard.push(`${stream}#${version}`);
    },
  };
  return { ...subscriber, heard };
}

/** The stream's HEAD after each of `count` appends, as its records show it. */
async function images(store: SimEventStore, stream: string, count: number): Promise<Delivery[]> {
  const made: Delivery[] = [];
  for (const _ of range(1, count)) {
    const { tail, version } = await appendMany(store, stream, 1);
    made.push({ stream, events: tail, version });
  }
  return made;
}

const all = (stream: string, count: number): string[] => range(1, count).map((n) => `${stream}#${n}`);

describe('a subscriber', () => {
  it('hears every event once and in order, whatever comes twice, late, together or not at all', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ nth: fc.nat(59), again: fc.boolean(), failing: fc.boolean() }), {
          maxLength: 60,
        }),
        fc.array(fc.nat(99), { maxLength: 8 }),
        async (order, batches) => {
          const { store, world } = office();
          const streams = ['service/a', 'service/b', 'service/c'];
          const made = await Promise.all(streams.map((stream) => images(store, stream, 20)));
          const deliveries = made.flat();
          let failing = false;
          const one = listener('bus', () => failing);
          const picked = order.flatMap(({ nth, again, failing: fails }) => {
            const delivery = { ...(deliveries[nth] as Delivery), ageSeconds: 0 };
            return [{ delivery, fails }, ...(again ? [{ delivery, fails: false }] : [])];
          });
          for (const { delivery, fails } of picked) {
            failing = fails;
            await publishEvents(world, [delivery], [one]);
          }
          failing = false;
          const size = 1 + (batches[0] ?? 0);
          for (let from = 0; from < deliveries.length; from += size) {
            expect(await publishEvents(world, deliveries.slice(from, from + size), [one])).toEqual([]);
          }
          for (const stream of streams) {
            expect(one.heard.filter((id) => id.startsWith(stream))).toEqual(all(stream, 20));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('that was away for longer than a HEAD remembers reads the rest from the table', async () => {
    const { store, world } = office();
    const newest = (await images(store, 'service/a', 70)).at(-1) as Delivery;
    const late = listener('bus');
    expect(newest.events[0]?.version).toBeGreaterThan(1);
    await publishEvents(world, [newest], [late]);
    expect(late.heard).toEqual(all('service/a', 70));
  });

  it('that fails stops nobody else, and only it hears the event again', async () => {
    const { store, world } = office();
    const deliveries = await images(store, 'service/a', 3);
    let down = true;
    const broken = listener('people', () => down);
    const sound = listener('bus');
    expect(await publishEvents(world, deliveries, [broken, sound])).toEqual(deliveries);
    expect(sound.heard).toEqual(all('service/a', 3));
    down = false;
    expect(await publishEvents(world, deliveries, [broken, sound])).toEqual([]);
    expect(broken.heard).toEqual(all('service/a', 3));
    expect(sound.heard).toHaveLength(3);
  });

  it('meets an event it failed at once per batch, however many records of the stream are in it', async () => {
    const { store, world, consumers } = office();
    const deliveries = await images(store, 'service/a', 12);
    await publishEvents(world, deliveries, [listener('bus', () => true)]);
    expect(await consumers.checkpoint('bus', 'service/a')).toMatchObject({ failures: 1, parked: false });
  });
});

describe('a stream that a subscriber cannot get past', () => {
  const poison = (stream: string, version: number) => stream === 'service/poison' && version === 2;

  it('is parked for it, said in the log with the event, and nothing else waits', async () => {
    const { store, world, lines, consumers } = office();
    const deliveries = [
      ...(await images(store, 'service/poison', 4)),
      ...(await images(store, 'service/a', 3)),
    ];
    const [bus, people] = [listener('bus', poison), listener('people')];
    let again: readonly Delivery[] = deliveries;
    for (const _ of range(1, failuresMax)) again = await publishEvents(world, again, [bus, people]);
    expect(again.filter(({ stream }) => stream !== 'service/poison')).toEqual([]);
    expect(await publishEvents(world, deliveries, [bus, people])).toEqual([]);
    expect(bus.heard.filter((id) => id.startsWith('service/poison'))).toEqual(['service/poison#1']);
    expect(bus.heard.filter((id) => id.startsWith('service/a'))).toEqual(all('service/a', 3));
    expect(people.heard.filter((id) => id.startsWith('service/poison'))).toEqual(all('service/poison', 4));
    expect(await consumers.checkpoint('bus', 'service/poison')).toMatchObject({ version: 1, parked: true });
    expect(lines.filter(({ message }) => message === 'stream parked: a person must look')).toHaveLength(1);
    expect(lines.find(({ message }) => message.includes('parked'))).toMatchObject({
      ...{ subscriber: 'bus', stream: 'service/poison', version: 2 },
      correlationId: expect.stringContaining('fill'),
    });
  });

  it('is not parked by an outage that is over soon, however often it was tried meanwhile', async () => {
    const { store, world, consumers } = office();
    const [delivery] = (await images(store, 'service/a', 1)) as [Delivery];
    let down = true;
    const bus = listener('bus', () => down);
    const young = { ...delivery, ageSeconds: parkAfterSeconds - 1 };
    for (const _ of range(1, 4 * failuresMax)) {
      expect(await publishEvents(world, [young], [bus])).toEqual([young]);
    }
    down = false;
    expect(await publishEvents(world, [young], [bus])).toEqual([]);
    expect(await consumers.checkpoint('bus', 'service/a')).toMatchObject({ version: 1, failures: 0 });
    expect(bus.heard).toEqual(['service/a#1']);
  });

  it('tells everything it missed once a person lets it flow', async () => {
    const { store, world, consumers } = office();
    let poisonous = true;
    const bus = listener('bus', (stream, version) => poisonous && poison(stream, version));
    const deliveries = await images(store, 'service/poison', 4);
    for (const _ of range(1, failuresMax)) await publishEvents(world, deliveries, [bus]);
    await images(store, 'service/poison', 30);
    poisonous = false;
    await consumers.unpark('bus', 'service/poison');
    await publishEvents(world, [deliveries[3] as Delivery], [bus]);
    await publishEvents(world, await images(store, 'service/poison', 1), [bus]);
    expect(bus.heard).toEqual(all('service/poison', 35));
  });

  it('once unparked by a person tells all it missed at once, and says so in the log', async () => {
    const { store, world, lines } = office();
    let poisonous = true;
    const bus = listener('bus', (stream, version) => poisonous && poison(stream, version));
    const people = listener('people');
    const deliveries = await images(store, 'service/poison', 4);
    for (const _ of range(1, failuresMax)) await publishEvents(world, deliveries, [bus, people]);
    poisonous = false;
    const asked = { stream: 'service/poison', by: 'ada', why: 'the rule is mended' };
    expect(await unpark(world, asked, [bus, people], 'request-1')).toEqual({
      outcome: 'done',
      subscribers: [
        { name: 'bus', wasParked: true, told: 4, of: 4, why: null },
        { name: 'people', wasParked: false, told: 4, of: 4, why: null },
      ],
    });
    expect(bus.heard).toEqual(all('service/poison', 4));
    expect(people.heard).toEqual(all('service/poison', 4));
    expect(lines.at(-1)).toMatchObject({ message: 'stream unparked', ...asked, correlationId: 'request-1' });
    await unpark(world, asked, [bus, people], 'request-2');
    expect(bus.heard).toEqual(all('service/poison', 4));
  });

  it('unparked too early says what it fails with still, and is parked again, not at once', async () => {
    const { store, world, consumers } = office();
    const bus = listener('bus', poison);
    const deliveries = await images(store, 'service/poison', 2);
    for (const _ of range(1, failuresMax)) await publishEvents(world, deliveries, [bus]);
    const answer = await unpark(
      world,
      { stream: 'service/poison', by: 'ada', why: 'hope', subscriber: 'bus' },
      [bus],
      'request-1',
    );
    expect(answer).toMatchObject({
      subscribers: [{ told: 1, of: 2, why: expect.stringContaining('service/poison#2 is not understood') }],
    });
    expect(await consumers.checkpoint('bus', 'service/poison')).toMatchObject({ parked: false, failures: 1 });
    for (const _ of range(2, failuresMax)) await publishEvents(world, deliveries, [bus]);
    expect(await consumers.checkpoint('bus', 'service/poison')).toMatchObject({ version: 1, parked: true });
  });

  it('is unparked by its names only: of a subscriber and a stream that are there', async () => {
    const { store, world } = office();
    await images(store, 'service/a', 1);
    const bus = listener('bus');
    const asked = { stream: 'service/a', by: 'ada', why: 'mended' };
    expect(await unpark(world, { ...asked, subscriber: 'buss' }, [bus], 'r')).toMatchObject({
      reason: 'no-such-subscriber',
      sentence: 'no subscriber is called "buss": there are bus.',
    });
    expect(await unpark(world, { ...asked, stream: 'service/b' }, [bus], 'r')).toMatchObject({
      reason: 'no-such-stream',
    });
  });
});
