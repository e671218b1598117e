/**
 * Our events as other machines get them: the type in PascalCase is EventBridge's detail type, and the five
 * types a migration is followed by carry their agreed names beside it.
 */
import type { MigrationEvent } from './migration.ts';
import type { Recorded } from './recorded.ts';
import type { ServiceEvent } from './service.ts';

export const outwardSource = 'switchback';

export type MigrationName =
  | 'migration_started'
  | 'component_migrated'
  | 'rollback_initiated'
  | 'migration_completed'
  | 'health_check_failed';

/** The agreed name of an event; others go by their type alone. */
export const migrationNames: Readonly<
  Partial<Record<ServiceEvent['type'] | MigrationEvent['type'], MigrationName>>
> = {
  MigrationStarted: 'migration_started',
  ComponentMigrated: 'component_migrated',
  RollbackInitiated: 'rollback_initiated',
  MigrationRollbackInitiated: 'rollback_initiated',
  MigrationCompleted: 'migration_completed',
  HealthCheckFailed: 'health_check_failed',
};

export type Outward = {
  readonly source: typeof outwardSource;
  readonly detailType: string;
  /** The whole record, so that a subscriber can deduplicate by stream and version and check the chain. */
  readonly detail: Recorded & { readonly stream: string; readonly name?: MigrationName };
};

/** @param stream `service/<name>` or a migration's */
export function outward(stream: string, recorded: Recorded): Outward {
  const { type } = recorded.event;
  const name = (migrationNames as Readonly<Record<string, MigrationName | undefined>>)[type];
  const detail = { stream, ...(name === undefined ? {} : { name }), ...recorded };
  return { source: outwardSource, detailType: type, detail };
}
