/**
 * Eight writers on one stream, each a process that may die before or after any step of any append and
 * begins again, and that sends a fifth of its commands twice. Nothing may be lost, doubled, skipped or out
 * of order.
 */
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../lib/local/random.ts';
import type { EventStore } from '../../lib/ports.ts';
import type { StoreFault, StoreStep } from '../../lib/sim/eventStore.ts';
import { appendOf, collected, eventOf, range } from './eventStoreEvents.ts';
import { dynamoWorld, type EventStoreWorld, simWorld } from './eventStoreWorlds.ts';

class Crash extends Error {}

const stream = 'service/orchestrator';
const steps: readonly StoreStep[] = ['read-head', 'write-chunk', 'write-head'];

type Tally = { crashes: Map<string, number>; repeated: number; conflicts: number };

/**
 * A store whose process may die around each step. Random waits, some of them long, let writers overtake
 * each other.
 */
function mortal(world: EventStoreWorld, chance: () => number, tally: Tally): () => EventStore {
  const fault: StoreFault = async (step, when) => {
    const slow = chance() < 0.05 ? 40 : 4;
    for (let turns = Math.floor(chance() * slow); turns > 0; turns--) await Promise.resolve();
    if (!steps.includes(step) || chance() >= (step === 'write-chunk' ? 0.3 : 0.04)) return;
    const place = `${when} ${step}`;
    tally.crashes.set(place, (tally.crashes.get(place) ?? 0) + 1);
    throw new Crash(place);
  };
  return () => world.open(fault);
}

/** Sends one command until it is answered, through as many deaths and lost races as it takes. */
async function sendUntilAnswered(
  open: () => EventStore,
  commandId: string,
  chance: () => number,
  tally: Tally,
) {
  const urgent = chance() < 0.1;
  const number = Number(commandId.split('.')[1]);
  for (let store = open(); ; store = open()) {
    try {
      let { version } = await store.head(stream);
      for (;;) {
        const events = range(1, 1 + (number % 3)).map((part) => eventOf(number * 10 + part, 60 + number));
        const answer = await store.append(stream, appendOf(version, commandId, { events, urgent }));
        if (answer.outcome !== 'conflict') {
          if (urgent) await store.compact(stream);
          return answer;
        }
        tally.conflicts++;
        version = answer.head.version;
      }
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
    }
  }
}

async function writer(world: EventStoreWorld, name: number, commands: number, seed: number, tally: Tally) {
  const chance = seededRandom(seed + name);
  const open = mortal(world, chance, tally);
  const answered = new Map<string, number>();
  for (const number of range(1, commands)) {
    const commandId = `${name}.${number}`;
    const answer = await sendUntilAnswered(open, commandId, chance, tally);
    answered.set(commandId, answer.version);
    if (chance() >= 0.2) continue;
    const again = await sendUntilAnswered(open, commandId, chance, tally);
    expect(again).toMatchObject({ outcome: 'repeated', version: answer.version });
    tally.repeated++;
  }
  return answered;
}

async function torture(world: EventStoreWorld, commands: number, seed: number) {
  const tally: Tally = { crashes: new Map(), repeated: 0, conflicts: 0 };
  const names = range(1, 8);
  const answers = await Promise.all(names.map((name) => writer(world, name, commands, seed, tally)));
  const store = world.open();
  const events = await collected(store.read(stream));
  return { tally, answers, events, verified: await store.verify(stream) };
}

function expectWhole({ answers, events, verified }: Awaited<ReturnType<typeof torture>>, commands: number) {
  expect(events.map(({ version }) => version)).toEqual(range(1, events.length));
  expect(verified).toEqual({ version: events.length, brokenAt: null });
  const last = new Map(events.map(({ commandId, version }) => [commandId, version]));
  for (const [index, answered] of answers.entries()) {
    expect(answered.size).toBe(commands);
    for (const [commandId, version] of answered)
      expect([commandId, last.get(commandId)]).toEqual([commandId, version]);
    // Each writer's commands stand in the order it sent them, each with all of its events, once.
    const own = events.filter(({ commandId }) => commandId.startsWith(`${index + 1}.`));
    expect(own.map(({ commandId, event }) => `${commandId} ${event.at}`)).toEqual(
      range(1, commands).flatMap((number) =>
        range(1, 1 + (number % 3)).map((part) => `${index + 1}.${number} ${eventOf(number * 10 + part).at}`),
      ),
    );
  }
}

describe('eight writers who die and repeat themselves', () => {
  it('lose, double, skip and reorder nothing in memory, in any of 200 runs', async () => {
    const crashes = new Set<string>();
    for (const seed of range(1, 200)) {
      const run = await torture(await simWorld(), 12, seed * 1000);
      expectWhole(run, 12);
      for (const place of run.tally.crashes.keys()) crashes.add(place);
    }
    expect([...crashes].sort()).toEqual(steps.flatMap((step) => [`after ${step}`, `before ${step}`]).sort());
  });

  it('lose, double, skip and reorder nothing on DynamoDB', async () => {
    const world = await dynamoWorld();
    try {
      const run = await torture(world, 20, 7);
      expectWhole(run, 20);
      const { crashes, repeated, conflicts } = run.tally;
      expect([...crashes.keys()].sort()).toEqual(
        steps.flatMap((step) => [`after ${step}`, `before ${step}`]).sort(),
      );
      expect(repeated).toBeGreaterThan(10);
      expect(conflicts).toBeGreaterThan(50);
    } finally {
      await world.close();
    }
  });
});
