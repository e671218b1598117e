/** An event takes at most 1 KB as it is stored, and the state fits a HEAD: also of the largest plan. */
import { expect, it } from 'vitest';
import type { OperationEvent, Step } from '../../../events/operation.ts';
import { storedText } from '../../../lib/aws/eventStore/stored.ts';
import { eventBytesMax, headBytesMax } from '../../../lib/core/eventStore/limits.ts';
import {
  decideOperation,
  type OperationCommand,
  operationIdLengthMax,
  stepLengthMax,
  stepsMax,
} from '../../../lib/core/operations/decide.ts';
import {
  evolveOperation,
  initialOperation,
  type Operation,
  type OperationState,
} from '../../../lib/core/operations/state.ts';
import { begin, fail, request, step } from './facts.ts';

/** Text that hardly compresses, the same at every run. */
function noise(length: number, seed: number): string {
  let state = seed * 2_654_435_761 + 1;
  return Array.from({ length }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_'[(state >> 8) % 64];
  }).join('');
}

const operationId = noise(operationIdLengthMax, 99);
const steps = Array.from({ length: stepsMax }, (_, index): Step => {
  const bare = { ...step(noise(40, index)), kind: 'stream-copy', arguments: { arn: '' } };
  const room = stepLengthMax - JSON.stringify(bare).length;
  // Arguments are names and ARNs: half of them is the same from step to step.
  const arn = `${noise(room / 2, 7)}${noise(room / 2, index + 100)}`;
  return { ...bare, arguments: { arn } };
});

it('the largest plan, its longest reasons and its way back can be stored', () => {
  const told: OperationEvent[] = [];
  const tell = (state: OperationState, command: OperationCommand): OperationState => {
    const decision = decideOperation(state, command);
    if (decision.outcome === 'refused') throw new Error(decision.sentence);
    told.push(...decision.events);
    return decision.events.reduce(evolveOperation, state);
  };
  let state = tell(initialOperation, request(steps, { operationId, what: noise(400, 5) }));
  // Every step may have been applied.
  state = {
    ...(state as Operation),
    steps: (state as Operation).steps.map((one) => ({ ...one, touched: true })),
  };
  const first = steps[0]?.step ?? '';
  state = tell(state, begin('apply', first));
  state = tell(state, { ...fail('apply', first, 1), reason: noise(400, 6) } as OperationCommand);
  expect(told.at(-1)).toMatchObject({ order: { length: stepsMax } });
  for (const event of told) {
    expect([event.type, storedText(JSON.stringify(event)).bytes <= eventBytesMax]).toEqual([
      event.type,
      true,
    ]);
  }
  expect(storedText(JSON.stringify(state)).bytes).toBeLessThan(headBytesMax);
});
