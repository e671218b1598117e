/** Whatever fails and wherever a run dies: an operation ends, and goes back the way it came. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type OperationEvent, type Step, stages } from '../../../events/operation.ts';
import { decideOperation, type OperationCommand } from '../../../lib/core/operations/decide.ts';
import {
  evolveOperation,
  initialOperation,
  nextOf,
  type Operation,
  type OperationState,
} from '../../../lib/core/operations/state.ts';
import { begin, confirm, fail, request, said, step, takeBack } from './facts.ts';

/** Where a run dies in a turn: before the effect, after it, or not at all. */
const deaths = fc.infiniteStream(fc.constantFrom('lives', 'lives', 'before', 'after'));
const plans = fc
  .array(fc.record({ stage: fc.constantFrom(...stages), oneWay: fc.nat(7).map((n) => n === 0) }), {
    ...{ minLength: 1, maxLength: 6 },
  })
  .map((drawn) =>
    drawn
      .toSorted((one, other) => stages.indexOf(one.stage) - stages.indexOf(other.stage))
      .map(({ stage, oneWay }, index): Step => step(`s${index}`, stage, oneWay)),
  );
const failures = fc.record({
  failing: fc.option(fc.record({ at: fc.nat(5), part: fc.constantFrom('apply', 'verify') })),
  stuck: fc.option(fc.nat(5)),
  onFailure: fc.constantFrom('take-back', 'hold'),
  /** After so many turns a person has it taken back. */
  orderedAfter: fc.option(fc.nat(12)),
});

type Failures = typeof failures extends fc.Arbitrary<infer T> ? T : never;

function live(
  steps: readonly Step[],
  { failing, stuck, orderedAfter, onFailure }: Failures,
  dies: () => string,
) {
  let state: OperationState = initialOperation;
  const events: OperationEvent[] = [];
  const world = new Set<string>();
  const effects: string[] = [];
  const tell = (command: OperationCommand) => {
    const more = said(state, command);
    events.push(...more);
    state = more.reduce(evolveOperation, state);
  };
  tell(request(steps, { onFailure }));
  let turns = 0;
  for (let next = nextOf(state); next !== null && turns < 500; next = nextOf(state), turns++) {
    if (turns === orderedAfter && decideOperation(state, takeBack).outcome === 'accepted') {
      tell(takeBack);
      continue;
    }
    const {
      part,
      step: { step: name },
    } = next;
    tell(begin(part, name));
    const death = dies();
    if (death === 'before') continue;
    effects.push(`${part} ${name}`);
    const index = steps.findIndex((each) => each.step === name);
    const fails = part === 'invert' ? index === stuck : index === failing?.at && part === failing.part;
    if (part === 'apply') world.add(name);
    if (part === 'invert' && !fails) world.delete(name);
    if (death === 'after') continue;
    const { intents } = state as Operation;
    tell(fails ? fail(part, name, intents) : confirm(part, name, intents));
  }
  return { state: state as Operation, world, effects, events, turns };
}

/** One after the other, each once: a part that was begun again after a crash counts as one. */
const distinct = (names: readonly string[]) => names.filter((name, index) => name !== names[index - 1]);

it('ends completed with all of it there, taken back with nothing there, or held with a reason', () => {
  fc.assert(
    fc.property(plans, failures, deaths, (steps, trouble, stream) => {
      const { state, world } = live(steps, trouble, () => stream.next().value ?? 'lives');
      if (state.phase === 'completed') expect([...world]).toEqual(steps.map((each) => each.step));
      else if (state.phase === 'taken-back') expect([...world]).toEqual([]);
      else expect(state).toMatchObject({ phase: 'held', reason: expect.stringMatching(/.+/) });
    }),
    { numRuns: 400 },
  );
});

it('inverses run in the exact reverse of what was, or may have been, applied', () => {
  fc.assert(
    fc.property(plans, failures, deaths, (steps, trouble, stream) => {
      const { state, events } = live(steps, trouble, () => stream.next().value ?? 'lives');
      const begun = (type: OperationEvent['type']) =>
        distinct(events.flatMap((event) => (event.type === type && 'step' in event ? [event.step] : [])));
      const back = begun('InverseStarted');
      const order = events.findLast((event) => event.type === 'OperationTakeBackInitiated')?.order ?? [];
      expect(order).toEqual(order.length === 0 ? [] : begun('StepStarted').toReversed());
      // A held one stopped on the way: what it has inverted is where the order begins.
      expect(back).toEqual(state.phase === 'taken-back' ? order : order.slice(0, back.length));
    }),
    { numRuns: 400 },
  );
});

it('every event of a stream folds to the state it was decided on', () => {
  fc.assert(
    fc.property(plans, failures, deaths, (steps, trouble, stream) => {
      const { state, events } = live(steps, trouble, () => stream.next().value ?? 'lives');
      expect(events.reduce(evolveOperation, initialOperation as OperationState)).toEqual(state);
    }),
    { numRuns: 100 },
  );
});
