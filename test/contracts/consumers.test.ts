/** Consumers of events: at least once, in order, whatever is delivered, shuffled, lost or poisoned. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Recorded } from '../../events/recorded.ts';
import { failuresMax, newCheckpoint, nextStep } from '../../lib/core/eventStore/consumer.ts';
import { seededRandom } from '../../lib/local/random.ts';
import type { EventStore } from '../../lib/ports.ts';
import { appendMany, appendOf, collected, range } from './eventStoreEvents.ts';
import { dynamoWorld, type EventStoreWorld, simWorld } from './eventStoreWorlds.ts';

/** What a function on the table's stream does with one image of a HEAD. */
async function deliver(
  { consumers, effects }: EventStoreWorld,
  store: EventStore,
  consumer: string,
  image: { readonly stream: string; readonly version: number; readonly tail: readonly Recorded[] },
  effect: (event: Recorded) => void,
): Promise<string> {
  const { stream, version } = image;
  let checkpoint = await consumers.checkpoint(consumer, stream);
  let step = nextStep(checkpoint, image.tail, version);
  const kind = step.step;
  if (step.step === 'read') {
    step = nextStep(checkpoint, await collected(store.read(stream, step.from)), version);
  }
  if (step.step !== 'run') return kind;
  for (const event of step.events) {
    if ((await effects.intend(stream, event.version, consumer)) !== 'done') {
      try {
        effect(event);
      } catch (error) {
        checkpoint = await consumers.failed(consumer, stream, event.version, (error as Error).message);
        return checkpoint.parked ? 'parked now' : 'failed';
      }
      await effects.done(stream, event.version, consumer);
    }
    await consumers.advance(consumer, stream, event.version - 1, event.version);
  }
  return kind;
}

describe.each([
  ['in memory', simWorld],
  ['on DynamoDB', dynamoWorld],
])('consumers %s', (_, openWorld) => {
  let world: EventStoreWorld;
  let streams = 0;
  const newStream = () => `service/consumed-${++streams}`;
  beforeAll(async () => {
    world = await openWorld();
  });
  afterAll(() => world.close());

  it('begin at 0, and only one of two moves a checkpoint', async () => {
    const stream = newStream();
    const { consumers } = world;
    expect(await consumers.checkpoint('notify', stream)).toEqual(newCheckpoint);
    const moves = await Promise.all([1, 1].map((to) => consumers.advance('notify', stream, 0, to)));
    expect(moves.sort()).toEqual([false, true]);
    expect(await consumers.advance('notify', stream, 0, 1)).toBe(false);
    expect(await consumers.advance('notify', stream, 1, 2)).toBe(true);
    expect(await consumers.checkpoint('notify', stream)).toEqual({ ...newCheckpoint, version: 2 });
    expect(await consumers.checkpoint('other', stream)).toEqual(newCheckpoint);
  });

  it('see every event once and in order, delivered in any order, some twice and some never', async () => {
    const stream = newStream();
    const store = world.open();
    const images = [];
    for (const _ of range(1, 45)) images.push(await appendMany(store, stream, 1));
    const chance = seededRandom(streams);
    const delivered = images.flatMap((image) =>
      chance() < 0.3 ? [] : chance() < 0.3 ? [image, image] : [image],
    );
    for (let at = delivered.length - 1; at > 0; at--) {
      const other = Math.floor(chance() * (at + 1));
      [delivered[at], delivered[other]] = [delivered[other] as never, delivered[at] as never];
    }
    const seen: number[] = [];
    const kinds = new Set<string>();
    for (const image of [...delivered, ...images.slice(-1)]) {
      kinds.add(await deliver(world, store, 'publish', image, ({ version }) => seen.push(version)));
    }
    expect(seen).toEqual(range(1, 45));
    expect([...kinds].sort()).toEqual(expect.arrayContaining(['drop', 'read']));
  });

  it('park a stream whose event keeps failing, let others flow, and lose nothing once unparked', async () => {
    const [poisoned, sound] = [newStream(), newStream()];
    const store = world.open();
    const images = {
      poisoned: await appendMany(store, poisoned, 5),
      sound: await appendMany(store, sound, 2),
    };
    const seen: number[] = [];
    let poison = true;
    const effect = ({ version }: Recorded) => {
      if (poison && version === 3) throw new Error('no such topic');
      seen.push(version);
    };
    const kinds: string[] = [];
    for (const _ of range(1, failuresMax + 1)) {
      kinds.push(await deliver(world, store, 'publish', images.poisoned, effect));
    }
    expect(kinds).toEqual([...range(1, failuresMax - 1).map(() => 'failed'), 'parked now', 'parked']);
    expect(await world.consumers.checkpoint('publish', poisoned)).toEqual({
      ...{ version: 2, failures: failuresMax, parked: true, why: 'no such topic' },
    });
    expect(await deliver(world, store, 'publish', images.sound, effect)).toBe('run');
    const latest = await appendMany(store, poisoned, 20);
    expect(await deliver(world, store, 'publish', latest, effect)).toBe('parked');

    poison = false;
    await world.consumers.unpark('publish', poisoned);
    await deliver(world, store, 'publish', latest, effect);
    expect(seen).toEqual([1, 2, 1, 2, ...range(3, 25)]);
    expect(await world.consumers.checkpoint('publish', poisoned)).toEqual({ ...newCheckpoint, version: 25 });
  });

  it('counts a failure at the beginning of a stream, and forgets it on success', async () => {
    const stream = newStream();
    const { consumers } = world;
    expect(await consumers.failed('notify', stream, 1, 'first')).toMatchObject({
      failures: 1,
      parked: false,
    });
    expect(await consumers.failed('notify', stream, 1, 'second')).toMatchObject({
      failures: 2,
      why: 'second',
    });
    expect(await consumers.failed('notify', stream, 7, 'not the next')).toMatchObject({ failures: 2 });
    expect(await consumers.advance('notify', stream, 0, 1)).toBe(true);
    expect(await consumers.checkpoint('notify', stream)).toEqual({ ...newCheckpoint, version: 1 });
  });

  it('tell an effect that is new from one left open and one done', async () => {
    const stream = newStream();
    await world.open().append(stream, appendOf(0, 'start'));
    const { effects } = world;
    expect(await effects.intend(stream, 1, 'notify')).toBe('new');
    expect(await effects.intend(stream, 1, 'notify')).toBe('open');
    await effects.done(stream, 1, 'notify');
    await effects.done(stream, 1, 'notify');
    expect(await effects.intend(stream, 1, 'notify')).toBe('done');
    expect(await effects.intend(stream, 1, 'publish')).toBe('new');
    expect(await effects.intend(stream, 2, 'notify')).toBe('new');
  });
});
