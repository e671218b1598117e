/**
 * decideOperation(state, command) → events | refusal. Every effect is begun here before it is done, under a
 * number of its own; whoever begins it once more, after a crash or beside a run that still lives, gets a new
 * number, and the older run can record nothing more of it. Repeating a command that already took effect is
 * accepted with no event.
 */
import {
  type From,
  type OnFailure,
  type OperationEvent,
  type Step,
  stages,
} from '../../../events/operation.ts';
import { accept, type Decision, type Refusal, refuse, unreachable } from '../decision.ts';
import { nextOf, type Operation, type OperationState, type Part, touchedSteps } from './state.ts';

type At = { readonly now: number };

export type OperationCommand =
  /** What was done already stands; `again`: from where a completed one is done once more, if at all. */
  | (At & {
      readonly type: 'RequestOperation';
      readonly operationId: string;
      readonly what: string;
      readonly steps: readonly Step[];
      readonly onFailure: OnFailure;
      readonly again: From | null;
      readonly requestedBy: string;
    })
  | (At & { readonly type: 'Begin'; readonly part: Part; readonly step: string })
  | (At & {
      readonly type: 'Confirm';
      readonly part: Part;
      readonly step: string;
      readonly intent: number;
      readonly evidence: string;
    })
  | (At & {
      readonly type: 'Fail';
      readonly part: Part;
      readonly step: string;
      readonly intent: number;
      readonly reason: string;
    })
  | (At & { readonly type: 'TakeBack'; readonly reason: string; readonly by: string });

type Of<T extends OperationCommand['type']> = Extract<OperationCommand, { type: T }>;
type Decided = Decision<OperationEvent>;

/** A HEAD has room for the state of so many. */
export const stepsMax = 16;
/** Characters of a step in JSON, its name among them. */
export const stepLengthMax = 400;
const nameLengthMax = 40;
export const operationIdLengthMax = 128;
const sentenceLengthMax = 300;

export function decideOperation(state: OperationState, command: OperationCommand): Decided {
  if (command.type === 'RequestOperation') return request(state, command);
  if (state.phase === 'none') return refuse('no-operation', 'there is no such operation: ask for it first.');
  switch (command.type) {
    case 'Begin':
      return begin(state, command);
    case 'Confirm':
      return confirm(state, command);
    case 'Fail':
      return fail(state, command);
    case 'TakeBack':
      return takeBack(state, command);
    default:
      return unreachable(command);
  }
}

function request(state: OperationState, command: Of<'RequestOperation'>): Decided {
  if (state.phase === 'none' || state.phase === 'taken-back') return plan(command);
  const { operationId, again, onFailure, requestedBy, now } = command;
  if (!isSamePlan(state, command.steps)) {
    return refuse(
      'plan-differs',
      `${operationId} stands with other steps or arguments: take it back first, or ask as it was asked for.`,
    );
  }
  if (state.phase === 'held' && state.order.length > 0) {
    return refuse('held', `${operationId} is held, ${state.reason}: mend that, then take it back.`);
  }
  if (goesOn(state, command)) return accept();
  const from = again ?? 'apply';
  return accept({ type: 'OperationReopened', at: now, operationId, from, onFailure, requestedBy });
}

/** What is under way goes on in its direction; what was only applied is done again where that is asked. */
function goesOn(state: Operation, { again, onFailure }: Of<'RequestOperation'>): boolean {
  if (state.phase === 'taking-back') return true;
  if (state.phase === 'completed') return again === null;
  if (state.phase !== 'forward') return false;
  return onFailure === state.onFailure && !(again === 'apply' && nextOf(state)?.part === 'verify');
}

function plan(command: Of<'RequestOperation'>): Decided {
  const { operationId, what, steps, onFailure, again, requestedBy, now: at } = command;
  if (again === 'verify') {
    return refuse('not-applied', `${operationId} is not applied, or not recorded here: apply it first.`);
  }
  const refused = refusePlan(operationId, steps);
  if (refused !== null) return refused;
  const planned = {
    ...{ type: 'OperationPlanned' as const, at, operationId, what: cut(what), onFailure, requestedBy },
  };
  return accept<OperationEvent>(
    planned,
    ...steps.map((step) => ({ type: 'StepPlanned' as const, at, operationId, ...step })),
  );
}

function refusePlan(operationId: string, steps: readonly Step[]): Refusal | null {
  if (operationId.length === 0 || operationId.length > operationIdLengthMax) {
    return refuse('bad-name', `an operation's name has 1–${operationIdLengthMax} characters.`);
  }
  if (steps.length === 0) return refuse('nothing-to-do', 'name at least one step.');
  if (steps.length > stepsMax) {
    return refuse('too-many', `${steps.length} steps are more than ${stepsMax}: split the operation.`);
  }
  const names = steps.map(({ step }) => step);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) return refuse('named-twice', `two steps are called ${twice}: rename one.`);
  const long = steps.find(
    (step) => step.step.length > nameLengthMax || JSON.stringify(step).length > stepLengthMax,
  );
  if (long !== undefined) {
    return refuse(
      'too-long',
      `step ${long.step.slice(0, nameLengthMax)} takes over ${stepLengthMax} characters, ` +
        `or its name over ${nameLengthMax}: name what is large instead of carrying it.`,
    );
  }
  const ranks = steps.map(({ stage }) => stages.indexOf(stage));
  const late = steps.find((_, index) => (ranks[index] ?? 0) < (ranks[index - 1] ?? 0));
  if (late === undefined) return null;
  return refuse(
    'stages-out-of-order',
    `step ${late.step} (${late.stage}) stands after a later stage: ${stages.join(', then ')}.`,
  );
}

const isSamePlan = ({ steps }: Operation, asked: readonly Step[]): boolean =>
  JSON.stringify(steps.map(asWritten)) === JSON.stringify(asked.map(asWritten));

const asWritten = ({ step, stage, kind, arguments: given, oneWay }: Step) => [
  ...[step, stage, kind, oneWay],
  Object.entries(given).toSorted(([one], [other]) => (one < other ? -1 : 1)),
];

const intentOf = { apply: 'StepStarted', verify: 'VerificationStarted', invert: 'InverseStarted' } as const;
const factOf = { apply: 'StepApplied', verify: 'StepVerified', invert: 'StepInverted' } as const;

function begin(state: Operation, { part, step, now: at }: Of<'Begin'>): Decided {
  const next = nextOf(state);
  if (next?.part !== part || next.step.step !== step) {
    return refuse('not-next', `${part} of ${step} is not what comes next: the operation is ${state.phase}.`);
  }
  const { operationId, intents } = state;
  return accept({ type: intentOf[part], at, operationId, step, intent: intents + 1 });
}

function confirm(state: Operation, command: Of<'Confirm'>): Decided {
  const refused = refuseFact(state, command);
  if (refused !== null) return refused;
  const { part, step, intent, evidence, now: at } = command;
  const { operationId } = state;
  const fact: OperationEvent = { type: factOf[part], at, operationId, step, intent, evidence: cut(evidence) };
  if (part === 'invert') {
    return state.order.length > 1
      ? accept(fact)
      : accept(fact, { type: 'OperationTakenBack', at, operationId });
  }
  const isLast = state.steps.every((each) => each.step === step || each.done === 'verified');
  return part === 'verify' && isLast
    ? accept(fact, { type: 'OperationCompleted', at, operationId })
    : accept(fact);
}

function fail(state: Operation, command: Of<'Fail'>): Decided {
  const refused = refuseFact(state, command);
  if (refused !== null) return refused;
  const { part, step, intent, now: at } = command;
  const { operationId } = state;
  const reason = cut(command.reason);
  const held = (why: string): OperationEvent => ({
    ...{ type: 'OperationHeld', at, operationId, step, reason: cut(why) },
  });
  if (part === 'invert') {
    const failed = { type: 'InverseFailed' as const, at, operationId, step, intent, reason };
    return accept<OperationEvent>(failed, held(`${step} could not be taken back: ${reason}`));
  }
  const failed: OperationEvent = { type: 'StepFailed', at, operationId, step, intent, during: part, reason };
  const passed = touchedSteps(state).find(({ oneWay }) => oneWay);
  if (passed !== undefined) {
    return accept(failed, held(`nothing takes ${passed.step} back, and ${step} failed: ${reason}`));
  }
  if (state.onFailure === 'hold') return accept(failed, held(`${step} failed: ${reason}`));
  return accept(failed, backOf(state, at, `${step}: ${reason}`, 'switchback'));
}

/** Null for the fact of the newest intent; accepted without an event when it stands already. */
function refuseFact(state: Operation, { part, step, intent }: Of<'Confirm' | 'Fail'>): Decided | null {
  const { open, closed } = state;
  if (open?.intent === intent && open.part === part && open.step === step) return null;
  if (closed === intent) return accept();
  return refuse('superseded', `another run has taken over the ${part} of ${step}: this one is not needed.`);
}

function takeBack(state: Operation, { reason, by, now: at }: Of<'TakeBack'>): Decided {
  if (state.phase === 'taking-back' || state.phase === 'taken-back') return accept();
  const passed = touchedSteps(state).find(({ oneWay }) => oneWay);
  if (passed !== undefined) {
    return refuse('one-way', `nothing takes ${passed.step} back: ask for the operation again to go on.`);
  }
  const begun = backOf(state, at, reason, by);
  if (touchedSteps(state).length > 0) return accept(begun);
  return accept(begun, { type: 'OperationTakenBack', at, operationId: state.operationId });
}

function backOf(state: Operation, at: number, reason: string, by: string): OperationEvent {
  const { operationId } = state;
  const order = touchedSteps(state).map(({ step }) => step);
  return { type: 'OperationTakeBackInitiated', at, operationId, order, reason: cut(reason), by };
}

const cut = (sentence: string): string => sentence.slice(0, sentenceLengthMax).toWellFormed();
