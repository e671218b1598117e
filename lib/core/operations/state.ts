/**
 * What is known of one operation, folded from its stream, and what is to be done next. It is the snapshot in
 * the stream's HEAD.
 */
import type { From, OnFailure, OperationEvent, Step } from '../../../events/operation.ts';

/** Of the state below; a HEAD with another one is folded again from its events. */
export const operationSchema = 1;

/** What a kind can do with a step. */
export type Part = 'apply' | 'verify' | 'invert';

type StepState = Step & {
  readonly done: 'nothing' | 'applied' | 'verified';
  /** It was begun and not inverted since: it may have been applied, whether or not that was confirmed. */
  readonly touched: boolean;
};

export type Operation = {
  readonly operationId: string;
  readonly what: string;
  readonly onFailure: OnFailure;
  readonly phase: 'forward' | 'taking-back' | 'held' | 'completed' | 'taken-back';
  readonly steps: readonly StepState[];
  /** Steps whose inverses are still to run, the next one first; empty on the way forward. */
  readonly order: readonly string[];
  /** How many intents were recorded, over all plans of this operation. */
  readonly intents: number;
  /** The newest intent, as long as its fact is missing. */
  readonly open: { readonly part: Part; readonly step: string; readonly intent: number } | null;
  /** The intent whose fact was recorded last. */
  readonly closed: number;
  /** Why it goes back, or is held. */
  readonly reason: string | null;
};

export type OperationState = { readonly phase: 'none' } | Operation;

export const initialOperation: OperationState = { phase: 'none' };

export type Next = { readonly part: Part; readonly step: StepState };

/** null when nothing is to be done until somebody asks. */
export function nextOf(state: OperationState): Next | null {
  if (state.phase === 'forward') {
    const step = state.steps.find(({ done }) => done !== 'verified');
    return step === undefined ? null : { part: step.done === 'nothing' ? 'apply' : 'verify', step };
  }
  if (state.phase !== 'taking-back') return null;
  const step = state.steps.find((each) => each.step === state.order[0]);
  return step === undefined ? null : { part: 'invert', step };
}

/** Everything that was, or may have been, applied, in the order the inverses run: the newest step first. */
export const touchedSteps = ({ steps }: Operation): readonly StepState[] =>
  steps.filter(({ touched }) => touched).toReversed();

export function evolveOperation(state: OperationState, event: OperationEvent): OperationState {
  if (event.type === 'OperationPlanned') {
    const { operationId, what, onFailure } = event;
    const { intents, closed } = state.phase === 'none' ? { intents: 0, closed: 0 } : state;
    const nothing = { steps: [], order: [], open: null, reason: null };
    return { phase: 'forward', operationId, what, onFailure, intents, closed, ...nothing };
  }
  if (state.phase === 'none') return state;
  switch (event.type) {
    case 'StepPlanned': {
      const { step, stage, kind, arguments: given, oneWay } = event;
      const planned: StepState = {
        ...{ step, stage, kind, arguments: given, oneWay, done: 'nothing', touched: false },
      };
      return { ...state, steps: [...state.steps, planned] };
    }
    case 'OperationReopened':
      return reopened(state, event.from, event.onFailure);
    case 'OperationTakeBackInitiated':
      return { ...state, phase: 'taking-back', order: event.order, reason: event.reason, open: null };
    case 'OperationHeld':
      return { ...state, phase: 'held', reason: event.reason, open: null };
    case 'OperationCompleted':
      return { ...state, phase: 'completed' };
    case 'OperationTakenBack':
      return { ...state, phase: 'taken-back' };
    default:
      return afterEffect(state, event);
  }
}

type EffectEvent = Extract<OperationEvent, { readonly intent: number }>;

function afterEffect(state: Operation, event: EffectEvent): Operation {
  const { step, intent } = event;
  const begun = (part: Part): Operation => ({ ...state, intents: intent, open: { part, step, intent } });
  const ended = (change: Partial<StepState>): Operation => ({
    ...state,
    ...{ steps: withStep(state, step, change), open: null, closed: intent },
  });
  switch (event.type) {
    case 'StepStarted':
      return { ...begun('apply'), steps: withStep(state, step, { touched: true }) };
    case 'VerificationStarted':
      return begun('verify');
    case 'InverseStarted':
      return begun('invert');
    case 'StepApplied':
      return ended({ done: 'applied' });
    case 'StepVerified':
      return ended({ done: 'verified' });
    case 'StepInverted': {
      const order = state.order.filter((name) => name !== step);
      return { ...ended({ done: 'nothing', touched: false }), order };
    }
    case 'StepFailed':
    case 'InverseFailed':
      return { ...ended({}), reason: event.reason };
  }
}

const withStep = ({ steps }: Operation, name: string, change: Partial<StepState>): readonly StepState[] =>
  steps.map((each) => (each.step === name ? { ...each, ...change } : each));

/** A completed operation is done again as a whole, a held one from the step that failed. */
function reopened(state: Operation, from: From, onFailure: OnFailure): Operation {
  const steps = state.steps.map((each): StepState => {
    if (state.phase !== 'completed' && each.done === 'verified') return each;
    const applied = from === 'verify' && each.done !== 'nothing';
    return { ...each, done: applied ? 'applied' : 'nothing' };
  });
  return { ...state, phase: 'forward', onFailure, steps, order: [], reason: null, open: null };
}
