/**
 * read → decide → append, for every flow. A lost race is decided again on what won, without another read; a
 * refusal is an answer. Nothing here knows what the commands mean.
 */
import type { Recorded } from '../../events/recorded.ts';
import type { ServiceEvent } from '../../events/service.ts';
import type { Refusal } from '../core/decision.ts';
import { EventStoreUnavailable, StreamContended } from '../core/outage.ts';
import type { Command } from '../core/rollout/commands.ts';
import { decide } from '../core/rollout/decide.ts';
import { fold } from '../core/rollout/evolve.ts';
import { activeOf, initialState, type ServiceState, stateSchema } from '../core/rollout/state.ts';
import type { EventStore, Head } from '../ports.ts';

/** Attempts against other writers of one stream before giving up. */
const attemptsMax = 8;

/** Who acts and what it belongs to: on every event and every log line. */
export type Cause = {
  readonly correlationId: string;
  readonly actor: string;
  /** The rollout this is done for: what comes late, when another one holds the service, changes nothing. */
  readonly rolloutId?: string;
};

/**
 * Whoever carries a rollback on, it belongs to what began it: one id finds all of it. Costs no read; where
 * the tail has been moved to a chunk meanwhile, what is asked now is the cause.
 */
export function causeOfRollback({ head, state }: Known, cause: Cause): Cause {
  if (state.rollout.phase !== 'rolling-back') return cause;
  const begun = head.tail.findLast(({ event }) => event.type === 'RollbackInitiated');
  return begun === undefined ? cause : { ...cause, correlationId: begun.correlationId };
}

export type Known = { readonly head: Head; readonly state: ServiceState };

export type Result =
  | {
      readonly outcome: 'accepted';
      readonly state: ServiceState;
      readonly head: Head;
      readonly events: readonly ServiceEvent[];
    }
  | (Refusal & { readonly state: ServiceState; readonly head: Head });

type Options = {
  /** What is known already: saves the read. */
  readonly from?: Known;
  /** The outside event's id where there is one, so that its repetition changes nothing. */
  readonly commandId?: string;
  /** Tells commands of one type apart that two callers may give at one version: whose rollout it is about. */
  readonly about?: string;
  /** The alarm's way: the store says within 500 ms that it cannot, and keeps its housekeeping for later. */
  readonly urgent?: boolean;
};

export const streamOf = (service: string): string => `service/${service}`;

/** What is known of a service: one read where the snapshot is of today's schema. */
export async function known(
  world: { readonly store: EventStore },
  service: string,
  options: Pick<Options, 'urgent'> = {},
): Promise<Known> {
  const head = await world.store.head(streamOf(service), options);
  return { head, state: await stateOf(world, head) };
}

/**
 * Takes a decision and appends it.
 * @throws StreamContended when every attempt lost against another writer
 */
export async function record(
  world: { readonly store: EventStore },
  service: string,
  command: Command,
  cause: Cause,
  { from, commandId, about = '', urgent }: Options = {},
): Promise<Result> {
  const { rolloutId } = cause;
  const meant = rolloutId === undefined ? command : { ...command, rolloutId };
  let { head, state } = from ?? (await known(world, service));
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const decision = decide(state, meant);
    if (decision.outcome === 'refused') return { ...decision, state, head };
    if (decision.events.length === 0) return { outcome: 'accepted', state, head, events: [] };
    const next = fold(state, decision.events);
    const appended = await world.store.append(head.stream, {
      expected: head.version,
      events: decision.events,
      commandId: commandId ?? `${command.type}${about}@${head.version}`,
      correlationId: cause.correlationId,
      actor: cause.actor,
      snapshot: { schema: stateSchema, state: next },
      active: keepsActive(next),
      ...(urgent === undefined ? {} : { urgent }),
    });
    if (appended.outcome === 'conflict') {
      head = appended.head;
      state = await stateOf(world, head);
      continue;
    }
    if (appended.outcome === 'repeated') {
      return { outcome: 'accepted', ...(await known(world, service)), events: appended.events.map(eventOf) };
    }
    const snapshot = { schema: stateSchema, state: next };
    return {
      outcome: 'accepted',
      state: next,
      head: { stream: head.stream, version: appended.version, snapshot, tail: appended.events },
      events: decision.events,
    };
  }
  throw new StreamContended(`${head.stream}: ${attemptsMax} attempts lost against other writers`);
}

/** The schema was checked when the event was appended; `read` brings older shapes to today's. */
const eventOf = (recorded: Recorded): ServiceEvent => recorded.event as ServiceEvent;

async function stateOf(world: { readonly store: EventStore }, head: Head): Promise<ServiceState> {
  if (head.version === 0) return initialState;
  if (head.snapshot?.schema === stateSchema) return head.snapshot.state as ServiceState;
  const events: ServiceEvent[] = [];
  let version = 0;
  for await (const recorded of world.store.read(head.stream)) {
    if (recorded.version > head.version) break; // appended after the head was read
    events.push(eventOf(recorded));
    version = recorded.version;
  }
  if (version !== head.version) {
    throw new EventStoreUnavailable(
      `${head.stream}: the head is at ${head.version}, only ${version} events could be read`,
    );
  }
  return fold(initialState, events);
}

/** Under way, or not yet tidied up, or somebody waits in the queue. */
const keepsActive = (state: ServiceState): boolean =>
  activeOf(state) !== null ||
  (state.rollout.phase === 'promoted' && !state.rollout.completed) ||
  state.queued !== null;
