/**
 * Our events as other machines get them: the type in PascalCase is EventBridge's detail type, and the five
 * types a migration is followed by carry their agreed names beside it.
 */
import type { MigrationEvent } from './migration.ts';
import type { migrationDetailType, migrationOperationDetailType } from './migrationRequest.ts';
import type { Recorded } from './recorded.ts';
import type { operationDetailType, requestDetailType } from './request.ts';
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

/** @param stream `service/<name>`, a migration's or an operation's */
export function outward(stream: string, recorded: Recorded): Outward {
  const { type } = recorded.event;
  const name = (migrationNames as Readonly<Record<string, MigrationName | undefined>>)[type];
  const detail = { stream, ...(name === undefined ? {} : { name }), ...recorded };
  return { source: outwardSource, detailType: type, detail };
}

/** What a request was sent as. */
export type Asked =
  | typeof requestDetailType
  | typeof operationDetailType
  | typeof migrationDetailType
  | typeof migrationOperationDetailType;

export const refusedDetailType = 'RequestRefused';

/** No stream has it, because nothing was done: it goes to whoever asked, by the id of what they sent. */
export type RefusedRequest = {
  /** The request's event id, as PutEvents returned it. */
  readonly requestId: string;
  readonly asked: Asked;
  /** Kebab-case, stable. */
  readonly reason: string;
  /** What is wrong, where, and what would be right. */
  readonly sentence: string;
};
