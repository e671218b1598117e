/** Plans, commands and what follows from them, for tests of operations. */
import { expect } from 'vitest';
import { OperationEvent, type Step, type stages } from '../../../events/operation.ts';
import { decideOperation, type OperationCommand } from '../../../lib/core/operations/decide.ts';
import {
  evolveOperation,
  initialOperation,
  type Operation,
  type OperationState,
  type Part,
} from '../../../lib/core/operations/state.ts';

export const now = 1_795_260_577_582;
export const operationId = 'smith-data';

export const step = (name: string, stage: (typeof stages)[number] = 'data', oneWay = false): Step => ({
  ...{ step: name, stage, kind: 'table', arguments: { table: name }, oneWay },
});

type Request = Extract<OperationCommand, { type: 'RequestOperation' }>;

export const request = (steps: readonly Step[], more: Partial<Request> = {}): Request => ({
  ...{
    type: 'RequestOperation',
    operationId,
    what: 'the data of MisterSmith',
    steps,
    onFailure: 'take-back',
  },
  ...{ again: null, requestedBy: 'ada', now, ...more },
});
export const begin = (part: Part, name: string): OperationCommand => ({
  type: 'Begin',
  part,
  step: name,
  now,
});
export const confirm = (part: Part, name: string, intent: number): OperationCommand => ({
  ...{ type: 'Confirm', part, step: name, intent, evidence: `${part} done`, now },
});
export const fail = (part: Part, name: string, intent: number): OperationCommand => ({
  ...{ type: 'Fail', part, step: name, intent, reason: 'it broke', now },
});
export const takeBack: OperationCommand = { type: 'TakeBack', reason: 'asked for', by: 'ada', now };

/** The events of an accepted command; each fits its schema. */
export function said(state: OperationState, command: OperationCommand): readonly OperationEvent[] {
  const decision = decideOperation(state, command);
  if (decision.outcome === 'refused') throw new Error(decision.sentence);
  for (const event of decision.events) expect(OperationEvent.parse(event)).toEqual(event);
  return decision.events;
}

/** The state after these commands, each of which is accepted. */
export const after = (...commands: readonly OperationCommand[]): Operation =>
  goingOn(initialOperation, ...commands);

export const goingOn = (state: OperationState, ...commands: readonly OperationCommand[]): Operation =>
  commands.reduce(
    (before, command) => said(before, command).reduce(evolveOperation, before),
    state,
  ) as Operation;

/** Commands that bring a step from its start to where it is verified, with the next two intents. */
export const done = (name: string, intent: number): readonly OperationCommand[] => [
  ...[begin('apply', name), confirm('apply', name, intent)],
  ...[begin('verify', name), confirm('verify', name, intent + 1)],
];
