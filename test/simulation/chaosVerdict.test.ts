/** What chaos finds: the checks see through the witness on the wire what they see in the simulation. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { ServiceEvent } from '../../events/service.ts';
import { Ledger } from '../../lib/apps/chaos/ledger.ts';
import type { Intended } from '../../lib/apps/chaos/post.ts';
import type { Watched } from '../../lib/apps/chaos/verdict.ts';
import { judge } from '../../lib/apps/chaos/verdict.ts';
import type { Witness } from '../../lib/apps/chaos/witness.ts';
import { evolve } from '../../lib/core/rollout/evolve.ts';
import { initialState, stateSchema } from '../../lib/core/rollout/state.ts';
import { SimEventStore } from '../../lib/sim/eventStore.ts';
import type { SlotChange } from '../../lib/sim/slots.ts';
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
  const witness: Watched['witness'] = {
    shifts,
    appendedAt,
    looks: [],
    marks: [{ at: end, slot: 'green' }],
    changes: { blue: [], green: [] },
    bornAt: new Map([['shift-traffic#a', history[0]?.at ?? 0]]),
  };
  const free = { bounds: { min: 2, max: 4 }, suspended: false };
  const scaling: { blue: Watched['scaling']['blue']; green: Watched['scaling']['green'] } = {
    ...{ blue: free, green: free },
  };
  const intended: Intended[] = [];
  const ledger = new Ledger('shop');
  const found = async (bad: readonly string[] = [], calmSince: number | null = null) => {
    const { findings } = await judge(store, [{ witness, ledger, scaling }], {
      ...{ bad: new Set(bad), intended, calmSince },
    });
    return findings.map(({ check }) => check);
  };
  return { found, move, append, shifts, end, scaling, intended, witness, ledger, store };
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
    expect(await day.found([revision])).toEqual(['bad is taken back']);
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

  it('finds a side that still runs though nobody needs it', async () => {
    const revision = 'orchestrator:1';
    const change = { at: day.end, revision, desired: 2, by: 'promote-canary#a', automatic: true };
    (day.witness.changes.blue as SlotChange[]).push(change);
    expect(await day.found()).toEqual(['nothing is left running']);
  });

  it('finds a weight confirmed that had not been ordered', async () => {
    const rolloutId = 'orchestrator-1';
    await day.append({ type: 'TrafficShifted', at: day.end + 1, rolloutId, weight: 30 });
    expect(await day.found()).toContain('every fact was ordered');
  });

  it('finds a decision that went to the queue and never came to stand', async () => {
    const command = { type: 'HearAlarm', now: day.end };
    const intent = { stream, commandId: 'alarm:1', correlationId: 'c', command } as Intended['intent'];
    day.intended.push({ at: day.end, intent });
    expect(await day.found()).toEqual(['every decision once']);
  });

  it('times a bad revision where nothing else was wrong, and nowhere else', async () => {
    const [started] = rolloutHistory(2) as [ServiceEvent];
    const at = day.end + 1000;
    await day.append({ ...started, at });
    day.move(at + 1000, 5, 'shift-traffic#a');
    const revision = started.type === 'RolloutStarted' ? started.revision : '';
    expect(await day.found([revision])).not.toContain('bad is off in time');
    expect(await day.found([revision], at)).toContain('bad is off in time');
  });

  it('lets go of what was long ago, and still knows what stands', async () => {
    await day.found();
    const all = day.ledger.events.length;
    for (const nth of [2, 3, 4, 5, 6]) {
      for (const event of rolloutHistory(nth)) {
        await day.append(event);
        if (event.type === 'ShiftOrdered') day.move(event.at + 1, event.weight, 'shift-traffic#a');
      }
    }
    await day.found();
    expect(day.ledger.forget()).not.toBeNull();
    expect(day.ledger.events).toHaveLength(4 * all);
    expect(day.ledger.standings).toHaveLength(4 * all + 1);
    expect(await day.ledger.replays(day.store)).toEqual([]);
    const command = { type: 'HearAlarm', now: day.end };
    const intent = { stream, commandId: 'command-3', correlationId: 'c', command } as Intended['intent'];
    day.intended.push({ at: day.end, intent });
    expect(await day.found()).not.toContain('every decision once');
  });
});
