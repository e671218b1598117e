/** read → decide → append for a migration's stream; what `record.ts` is for a service's. */
import type { MigrationEvent } from '../../events/migration.ts';
import type { Refusal } from '../core/decision.ts';
import { decideMigration, type MigrationCommand } from '../core/migration/decide.ts';
import {
  evolveMigration,
  initialMigration,
  type MigrationState,
  migrationSchema,
} from '../core/migration/state.ts';
import { StreamContended } from '../core/outage.ts';
import type { EventStore, Head } from '../ports.ts';
import type { Cause } from './record.ts';
import { stateOf } from './streamState.ts';

/** Attempts against other writers of one stream before giving up. */
const attemptsMax = 8;

export type KnownMigration = { readonly head: Head; readonly state: MigrationState };

export type MigrationResult =
  | (KnownMigration & { readonly outcome: 'accepted'; readonly events: readonly MigrationEvent[] })
  | (KnownMigration & Refusal);

type World = { readonly store: EventStore };

const folding = { schema: migrationSchema, initial: initialMigration, evolve: evolveMigration };

const streamOf = (migrationId: string): string => `migration/${migrationId}`;

export async function knownMigration(world: World, migrationId: string): Promise<KnownMigration> {
  const head = await world.store.head(streamOf(migrationId));
  return { head, state: await stateOf(world.store, head, folding) };
}

/** @throws StreamContended when every attempt lost against another writer */
export async function recordMigration(
  world: World,
  migrationId: string,
  command: MigrationCommand,
  cause: Cause,
  from?: KnownMigration,
): Promise<MigrationResult> {
  let { head, state } = from ?? (await knownMigration(world, migrationId));
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const decision = decideMigration(state, command);
    if (decision.outcome === 'refused') return { ...decision, head, state };
    if (decision.events.length === 0) return { outcome: 'accepted', head, state, events: [] };
    const next = decision.events.reduce(evolveMigration, state);
    const snapshot = { schema: migrationSchema, state: next };
    const appended = await world.store.append(head.stream, {
      expected: head.version,
      events: decision.events,
      commandId: `${command.type}@${head.version}`,
      correlationId: cause.correlationId,
      actor: cause.actor,
      snapshot,
      active: next.phase === 'forward' || next.phase === 'taking-back',
    });
    if (appended.outcome === 'appended') {
      const { version, events: tail } = appended;
      head = { stream: head.stream, version, snapshot, tail };
      return { outcome: 'accepted', head, state: next, events: decision.events };
    }
    head = appended.outcome === 'conflict' ? appended.head : await world.store.head(head.stream);
    state = await stateOf(world.store, head, folding);
  }
  throw new StreamContended(`${head.stream}: ${attemptsMax} attempts lost against other writers`);
}
