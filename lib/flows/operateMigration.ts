/**
 * What a person asks of a migration: back (all of it, or one service with its dependents), on, or as it is.
 */
import { type Refusal, refuse } from '../core/decision.ts';
import { decideMigration, type MigrationCommand } from '../core/migration/decide.ts';
import type { Migration } from '../core/migration/state.ts';
import type { Cause } from './record.ts';
import { knownMigration, recordMigration } from './recordMigration.ts';
import { cannot, driveBack, moving, readComponents, type TakeBackWorld } from './takeBackMigration.ts';

export type MigrationOperation = {
  readonly migrationId: string;
  readonly operation: 'roll-back' | 'resume' | 'freeze';
  /** Roll back: this service and its dependents; null: all of it. */
  readonly service: string | null;
  /** Resume: other revisions, by service. */
  readonly revisions: Readonly<Record<string, string>>;
  readonly by: string;
  /** As it is recorded; `by` when absent. */
  readonly actor?: string;
  readonly why: string;
  readonly dryRun: boolean;
};

export type MigrationOperated =
  | {
      readonly outcome: 'done' | 'dry-run';
      readonly phase: string;
      /** Who goes back, dependents first, and because of whom. */
      readonly order: readonly string[];
      readonly blastRadius: string | null;
      /** Who does not, and why. */
      readonly stays: readonly string[];
    }
  | Refusal;

/** @param eventId of the request: also names the execution that follows it */
export async function operateMigration(
  world: TakeBackWorld,
  operation: MigrationOperation,
  eventId: string,
): Promise<MigrationOperated> {
  const { migrationId, dryRun } = operation;
  const cause: Cause = { correlationId: eventId, actor: operation.actor ?? operation.by };
  const from = await knownMigration(world, migrationId);
  if (from.state.phase === 'none') return refuse('no-migration', `there is no migration ${migrationId}.`);
  const command = await commandFor(world, operation, from.state);
  const decision = decideMigration(from.state, command);
  if (decision.outcome === 'refused') return decision;
  const begun = decision.events.find(({ type }) => type === 'MigrationRollbackInitiated');
  const shown = {
    order: begun?.type === 'MigrationRollbackInitiated' ? begun.order : [],
    blastRadius: begun?.type === 'MigrationRollbackInitiated' ? begun.blastRadius : null,
    stays: decision.events.flatMap((event) => (event.type === 'MigrationHeld' ? [event.reason] : [])),
  };
  if (dryRun) return { outcome: 'dry-run', phase: from.state.phase, ...shown };
  const recorded = await recordMigration(world, migrationId, command, cause, from);
  if (recorded.outcome === 'refused') return refuse(recorded.reason, recorded.sentence);
  const { phase } = recorded.state;
  if (phase === 'forward' || phase === 'taking-back') {
    const task = { migrationId, correlationId: eventId };
    await world.machines.start('migration', `${migrationId}-${eventId.slice(0, 12)}`, task);
    await driveBack(world, recorded, cause);
  }
  return { outcome: 'done', phase, ...shown };
}

async function commandFor(
  world: TakeBackWorld,
  { operation, service, revisions, by, why }: MigrationOperation,
  migration: Migration,
): Promise<MigrationCommand> {
  const now = world.clock.now();
  switch (operation) {
    case 'roll-back': {
      const components = await readComponents(world, migration);
      return {
        type: 'TakeBack',
        failed: service === null ? migration.components.map((each) => each.service) : [service],
        moving: migration.phase === 'ended' ? [] : moving(migration, components),
        cannot: await cannot(world, migration, components),
        whom: service === null ? 'everything' : 'affected',
        reason: why,
        by,
        now,
      };
    }
    case 'resume':
      return { type: 'ResumeMigration', revisions, by, now };
    case 'freeze':
      return { type: 'FreezeMigration', now };
  }
}
