/** What chaos finds: the checks see through the witness on the wire what they see in the simulation. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { ServiceEvent } from '../../events/service.ts';
import { judge } from '../../lib/apps/chaos/verdict.ts';
import type { Witness } from '../../lib/apps/chaos/witness.ts';
import { evolve } from '../../lib/core/rollout/evolve.ts';
import { initialState, stateSchema } from '../../lib/core/rollout/state.ts';
import { SimEventStore } from '../../lib/sim/eventStore.ts';
import { rolloutHistory } from '../contracts/rolloutHistory.ts';

const stream = 'service/shop';

/** The store after one rollout that was promoted, and a witness who saw just what was decided. */
async function promoted() {
  const store = new SimEventStore();
  const shifts: Witness['shifts'][number][] = [];
  const appendedAt: number[] = [];
  let state = initialState;
  const move = (at: number, greenWeight: number, by: string, automatic = true) =>
    shifts.push({
      at,
      sentAt: at,
      reading: { kind: 'weights', greenWeight },
      by,
      automatic,
      tasks: { blue: 2, green: 2 },
    });
  const append = async (event: ServiceEvent, snapshot?: unknown) => {
    state = evolve(state, event);
    appendedAt.push(event.at);
    await store.append(stream, {
      expected: appendedAt.length - 1,
      events: [event],
      commandId: `command-${appendedAt.length}`,
      correlationId: 'c',
      actor: 'test',
      snapshot: { schema: stateSchema, state: snapshot ?? state },
      active: true,
    });
  };
  const history = rolloutHistory(1);
  move((history[0]?.at ?? 0) - 1, 0, 'the beginning', false);
  for (const event of history) {
    await append(event);
    if (event.type === 'ShiftOrdered') move(event.at + 1, event.weight, 'shift-traffic#a');
  }
  const end = history.at(-1)?.at ?? 0;
  const witness: Omit<Witness, 'stop'> = {
    shifts,
    appendedAt,
    looks: [],
    marks: [{ at: end, slot: 'green' }],
    changes: { blue: [], green: [] },
    bornAt: new Map([['shift-traffic#a', history[0]?.at ?? 0]]),
  };
  const stage = { store } as unknown as Parameters<typeof judge>[0];
  const found = async (...bad: string[]) =>
    (await judge(stage, witness, new Set(bad))).map(({ check }) => check);
  return { found, move, append, shifts, end };
}

let day: Awaited<ReturnType<typeof promoted>>;
beforeEach(async () => {
  day = await promoted();
});

describe('chaos', () => {
  it('has nothing to say of a rollout where all was as decided', async () => {
    expect(await day.found()).toEqual([]);
  });

  it('finds a weight that nobody decided, and that it stayed', async () => {
    day.move(day.end + 5, 40, 'shift-traffic#b');
    expect(await day.found()).toEqual(['every write was decided', 'ends as decided']);
  });

  it('finds a revision promoted that fails every visitor', async () => {
    const [started] = rolloutHistory(1);
    const revision = started?.type === 'RolloutStarted' ? started.revision : '';
    expect(await day.found(revision)).toEqual(['bad is taken back']);
  });

  it('finds a person overruled', async () => {
    const after = day.shifts[3]?.at ?? 0;
    const [before, ...later] = [day.shifts.slice(0, 4), ...day.shifts.splice(4)] as const;
    expect(before).toHaveLength(4);
    day.move(after + 90_000, 0, 'people', false);
    day.shifts.push(...later);
    expect(await day.found()).toContain('nobody is overruled');
  });

  it('finds a rollout that never ends, and a state that is not what its events say', async () => {
    const [started] = rolloutHistory(2) as [ServiceEvent];
    await day.append({ ...started, at: day.end + 10 }, { rollout: { phase: 'none' } });
    expect(await day.found()).toEqual(expect.arrayContaining(['every rollout ends', 'replays']));
  });
});
