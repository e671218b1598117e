/** An operation is run, killed, run again and run twice, against a world in memory. */
import { describe, expect, it } from 'vitest';
import type { OperationEvent, Step } from '../../events/operation.ts';
import type { Effect, OperationKind, StepCall } from '../../lib/core/operations/kind.ts';
import type { Part } from '../../lib/core/operations/state.ts';
import { type OperationCause, operationStream, recordOperation } from '../../lib/flows/recordOperation.ts';
import { runOperation } from '../../lib/flows/runOperation.ts';
import { SimEventStore, SimTable } from '../../lib/sim/eventStore.ts';
import { request, step, takeBack } from '../core/operations/facts.ts';

const plan = [step('network', 'infrastructure'), step('service', 'application'), step('rows')];
const operationId = request(plan).operationId;

class Killed extends Error {}

/** Things that are there or not; each part of each step as the test wants it. */
class Things implements OperationKind {
  readonly there = new Set<string>();
  readonly done: string[] = [];
  readonly failing = new Set<string>();
  /** The newest call that a thing has seen: an older one comes too late. */
  readonly #fence = new Map<string, number>();
  around: (part: Part, when: 'before' | 'after') => void | Promise<void> = () => undefined;

  apply = (call: StepCall) => this.#effect('apply', call, (name) => this.there.add(name));
  inverse = (call: StepCall) => this.#effect('invert', call, (name) => this.there.delete(name));
  verify = (call: StepCall) => this.#effect('verify', call, () => undefined);

  async #effect(part: Part, call: StepCall, act: (name: string) => void): Promise<Effect> {
    const name = call.arguments.table ?? '';
    this.#fence.set(name, Math.max(call.intent, this.#fence.get(name) ?? 0));
    await this.around(part, 'before');
    if (this.#fence.get(name) !== call.intent) return { outcome: 'interrupted', why: 'a newer call came' };
    const fails = this.failing.has(`${part} ${name}`);
    this.done.push(`${part} ${name}`);
    // What fails may have done its work all the same.
    act(name);
    await this.around(part, 'after');
    return fails
      ? { outcome: 'failed', reason: `${name} broke` }
      : { outcome: 'done', evidence: `${name}: ${part}` };
  }
}

let runs = 0;

function rig() {
  const table = new SimTable();
  const things = new Things();
  const told: OperationEvent[] = [];
  const world = (fault?: ConstructorParameters<typeof SimEventStore>[1]) => ({
    ...{ clock: { now: () => 1_000 }, store: new SimEventStore(table, fault), kinds: { table: things } },
    report: (event: OperationEvent) => void told.push(event),
  });
  const cause = (): OperationCause => ({ correlationId: 'c', actor: 'ada', run: `r${++runs}` });
  const ask = (steps: readonly Step[] = plan, more = {}) =>
    recordOperation(world(), operationId, request(steps, more), cause());
  const run = (fault?: Parameters<typeof world>[0]) => runOperation(world(fault), operationId, cause());
  const history = async () =>
    (await Array.fromAsync(world().store.read(operationStream(operationId)))).map(({ event }) => event.type);
  return { things, told, world, cause, ask, run, history };
}

const all = ['network', 'service', 'rows'];

describe('an operation', () => {
  it('is applied and verified step by step, and every event is reported', async () => {
    const { things, told, ask, run, history } = rig();
    await ask();
    expect(await run()).toEqual({ outcome: 'completed', reason: null });
    expect(things.done).toEqual(all.flatMap((name) => [`apply ${name}`, `verify ${name}`]));
    expect((await history()).slice(4)).toEqual(told.map(({ type }) => type));
    expect(await run()).toEqual({ outcome: 'completed', reason: null });
  });

  it('that fails goes back in reverse, the step that failed first', async () => {
    const { things, ask, run } = rig();
    things.failing.add('verify service');
    await ask();
    expect(await run()).toEqual({ outcome: 'taken-back', reason: 'service: service broke' });
    expect(things.done.slice(-2)).toEqual(['invert service', 'invert network']);
    expect([...things.there]).toEqual([]);
  });

  it('whose inverse fails is held, and goes on with that inverse once it is mended', async () => {
    const { things, world, cause, ask, run } = rig();
    things.failing.add('apply rows').add('invert service');
    await ask();
    expect(await run()).toEqual({
      outcome: 'held',
      reason: 'service could not be taken back: service broke',
    });
    things.failing.clear();
    await recordOperation(world(), operationId, takeBack, cause());
    expect(await run()).toMatchObject({ outcome: 'taken-back' });
    expect(things.done.slice(-3)).toEqual(['invert service', 'invert service', 'invert network']);
  });

  it('of the largest plan can be appended', async () => {
    const { ask, run } = rig();
    await ask(Array.from({ length: 16 }, (_, at) => step(`step-${at}-${'of many'.repeat(4)}`)));
    expect(await run()).toMatchObject({ outcome: 'completed' });
  });

  it('that nobody asked for, or of a kind that nobody does, is refused in one sentence', async () => {
    const { ask, run } = rig();
    await expect(run()).rejects.toThrow(`there is no operation ${operationId}: ask for it first`);
    await ask([{ ...step('rows'), kind: 'moon' }]);
    await expect(run()).rejects.toThrow('nothing here does the kind moon: known are table');
  });
});

describe.each([
  ['when all goes well', [], 'completed', all],
  ['when a step fails', ['verify rows'], 'taken-back', []],
  ['when an inverse fails', ['apply rows', 'invert network'], 'held', null],
] as const)('killed at any call, %s', (_, failing, outcome, there) => {
  /** Kills run after run at their n-th call of anything, until one gets through. */
  async function killedAt(n: number) {
    const { things, ask, run } = rig();
    for (const each of failing) things.failing.add(each);
    await ask();
    let calls = 0;
    const count = () => {
      if (++calls === n) throw new Killed();
    };
    things.around = count;
    let died = 0;
    for (;;) {
      const ran = await run(count).catch((error: unknown) => {
        if (!(error instanceof Killed)) throw error;
        died++;
        return null;
      });
      if (ran !== null) return { ran, things, died, calls };
    }
  }

  it('it ends the same when it is run again', async () => {
    let killed = 0;
    for (let n = 1; ; n++) {
      const { ran, things, died, calls } = await killedAt(n);
      expect([n, ran.outcome]).toEqual([n, outcome]);
      if (there !== null) expect([...things.there]).toEqual(there);
      const back = things.done.filter((each) => each.startsWith('invert')).map((each) => each.slice(7));
      const once = back.filter((name, at) => name !== back[at - 1]);
      expect(once).toEqual(failing.length === 0 ? [] : ['rows', 'service', 'network']);
      killed += died;
      if (n > calls) break;
    }
    expect(killed).toBeGreaterThan(40);
  });
});

it('run twice at the same time, in any interleaving, it ends as one run would, and an older run gives way', async () => {
  const outcomes = new Set<string>();
  for (let seed = 1; seed <= 60; seed++) {
    const { things, ask, run } = rig();
    if (seed % 2 === 0) things.failing.add('verify service');
    await ask();
    let state = seed;
    const wander = async () => {
      state = (state * 48_271) % 2_147_483_647;
      for (let turns = state % 7; turns > 0; turns--)
        await new Promise<void>((resolve) => setImmediate(resolve));
    };
    things.around = wander;
    const both = await Promise.all([run(wander), run(wander)]);
    for (const { outcome } of both) outcomes.add(outcome);
    const last = await run();
    expect([seed, last.outcome]).toEqual([seed, seed % 2 === 0 ? 'taken-back' : 'completed']);
    expect([...things.there].toSorted()).toEqual(seed % 2 === 0 ? [] : all.toSorted());
  }
  expect([...outcomes]).toEqual(expect.arrayContaining(['completed', 'taken-back', 'superseded']));
});
