/** read → decide → append for an operation's stream; what `record.ts` is for a service's. */
import type { OperationEvent } from '../../events/operation.ts';
import type { Refusal } from '../core/decision.ts';
import { decideOperation, type OperationCommand } from '../core/operations/decide.ts';
import {
  evolveOperation,
  initialOperation,
  type OperationState,
  operationSchema,
} from '../core/operations/state.ts';
import { StreamContended } from '../core/outage.ts';
import type { EventStore } from '../ports.ts';
import type { Cause } from './record.ts';
import { stateOf } from './streamState.ts';

/** Attempts against other writers of one stream before giving up. */
const attemptsMax = 8;

/** Where operations are recorded: the event store, or what keeps streams as it does. */
export type OperationStore = Pick<EventStore, 'head' | 'append' | 'read'>;

export type OperationCause = Cause & {
  /** Of this run alone: two runs that ask for the same are two commands. */
  readonly run: string;
};

export type OperationResult =
  | {
      readonly outcome: 'accepted';
      readonly state: OperationState;
      /** What this command added. */
      readonly events: readonly OperationEvent[];
    }
  | (Refusal & { readonly state: OperationState });

const folding = { schema: operationSchema, initial: initialOperation, evolve: evolveOperation };

export const operationStream = (operationId: string): string => `operation/${operationId}`;

export async function knownOperation(
  world: { readonly store: OperationStore },
  operationId: string,
): Promise<OperationState> {
  return stateOf(world.store, await world.store.head(operationStream(operationId)), folding);
}

/** @throws StreamContended when every attempt lost against another writer */
export async function recordOperation(
  { store }: { readonly store: OperationStore },
  operationId: string,
  command: OperationCommand,
  cause: OperationCause,
): Promise<OperationResult> {
  let head = await store.head(operationStream(operationId));
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const state = await stateOf(store, head, folding);
    const decision = decideOperation(state, command);
    if (decision.outcome === 'refused') return { ...decision, state };
    if (decision.events.length === 0) return { outcome: 'accepted', state, events: [] };
    const next = decision.events.reduce(evolveOperation, state);
    const appended = await store.append(head.stream, {
      expected: head.version,
      events: decision.events,
      commandId: `${cause.run}:${command.type}@${head.version}`,
      correlationId: cause.correlationId,
      actor: cause.actor,
      snapshot: { schema: operationSchema, state: next },
      // Whoever asked for it drives it: no machine is to revive it.
      active: false,
    });
    // `repeated` is this very append, whose first answer was lost: nobody else has its id.
    if (appended.outcome !== 'conflict') return { outcome: 'accepted', state: next, events: decision.events };
    head = appended.head;
  }
  throw new StreamContended(
    `${operationStream(operationId)}: ${attemptsMax} attempts lost against other writers`,
  );
}
