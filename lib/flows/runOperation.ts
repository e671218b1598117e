/**
 * Drives an operation to where nothing is left to do: intent, effect, fact, step after step, and back in
 * reverse when one fails. It goes on from what is recorded, so running it again is how it is resumed.
 */
import type { OperationEvent } from '../../events/operation.ts';
import { invariant } from '../core/decision.ts';
import { type OperationCommand, stepsMax } from '../core/operations/decide.ts';
import type { Effect, Kinds, OperationKind } from '../core/operations/kind.ts';
import { nextOf, type Operation, type Part } from '../core/operations/state.ts';
import { BadInput, StreamContended } from '../core/outage.ts';
import type { Clock } from '../ports.ts';
import {
  knownOperation,
  type OperationCause,
  type OperationResult,
  type OperationStore,
  recordOperation,
} from './recordOperation.ts';

type World = {
  readonly clock: Clock;
  readonly store: OperationStore;
  readonly kinds: Kinds;
  /** Hears of every event this run has recorded. */
  readonly report: (event: OperationEvent) => void;
};

export type Ran =
  | { readonly outcome: 'completed' | 'taken-back' | 'held'; readonly reason: string | null }
  /** It stands in the middle: the next run goes on. `superseded`: another one does already. */
  | { readonly outcome: 'interrupted' | 'superseded'; readonly reason: string };

/** Apply, verify and invert of every step, each begun again a few times by rival runs. */
const turnsMax = 3 * stepsMax * 8;

/**
 * @throws BadInput when there is no such operation, or a kind of it is not known here; StreamContended; and
 * what a kind or the store throws: the operation stays as it is recorded
 */
export async function runOperation(world: World, operationId: string, cause: OperationCause): Promise<Ran> {
  let state = await knownOperation(world, operationId);
  for (let turn = 0; turn < turnsMax; turn++) {
    if (state.phase === 'none') throw new BadInput(`there is no operation ${operationId}: ask for it first`);
    const next = nextOf(state);
    if (next === null) return ended(state);
    const { part } = next;
    const { step } = next.step;
    const kind = kindOf(world.kinds, next.step.kind);
    const tell = async (command: OperationCommand): Promise<OperationResult> => {
      const result = await recordOperation(world, operationId, command, cause);
      if (result.outcome === 'accepted') result.events.forEach(world.report);
      return result;
    };
    const begun = await tell({ type: 'Begin', part, step, now: world.clock.now() });
    state = begun.state;
    // Another run was faster: what comes next is read from what it has recorded.
    if (begun.outcome === 'refused') continue;
    const { intents: intent } = begun.state as Operation;
    const effect = await callOf(kind, part)({ arguments: next.step.arguments, intent });
    if (effect.outcome === 'interrupted') return { outcome: 'interrupted', reason: effect.why };
    const told = await tell(factOf(effect, { part, step, intent, now: world.clock.now() }));
    if (told.outcome === 'refused') return { outcome: 'superseded', reason: told.sentence };
    state = told.state;
  }
  throw new StreamContended(`operation ${operationId}: other runs keep taking it over`);
}

type Done = { readonly part: Part; readonly step: string; readonly intent: number; readonly now: number };

const factOf = (effect: Exclude<Effect, { outcome: 'interrupted' }>, done: Done): OperationCommand =>
  effect.outcome === 'done'
    ? { type: 'Confirm', ...done, evidence: effect.evidence }
    : { type: 'Fail', ...done, reason: effect.reason };

function kindOf(kinds: Kinds, name: string): OperationKind {
  const kind = kinds[name];
  if (kind !== undefined) return kind;
  throw new BadInput(`nothing here does the kind ${name}: known are ${Object.keys(kinds).join(', ')}`);
}

const callOf = (kind: OperationKind, part: Part): OperationKind['apply'] => {
  if (part === 'apply') return (call) => kind.apply(call);
  return part === 'verify' ? (call) => kind.verify(call) : (call) => kind.inverse(call);
};

function ended({ phase, reason }: Operation): Ran {
  invariant(phase !== 'forward' && phase !== 'taking-back', `an operation that is ${phase} has a next step`);
  return { outcome: phase, reason };
}
