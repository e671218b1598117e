/**
 * Several services at once become a migration: waves by what depends on what, and a machine that walks them.
 */
import type { TakeBack } from '../../events/migration.ts';
import type { ServiceSettings } from '../core/config/settings.ts';
import { type Refusal, refuse } from '../core/decision.ts';
import { decideMigration } from '../core/migration/decide.ts';
import { initialMigration } from '../core/migration/state.ts';
import { affectedBy, blastRadius, wavesOf } from '../core/rollback/waves.ts';
import type { Clock, EventStore, Machines } from '../ports.ts';
import type { Cause } from './record.ts';
import { recordMigration } from './recordMigration.ts';

type World = {
  readonly clock: Clock;
  readonly store: EventStore;
  readonly machines: Pick<Machines, 'start'>;
};

export type MigrationRequest = {
  readonly migrationId: string;
  /** The revision each service goes to, by name. */
  readonly revisions: Readonly<Record<string, string>>;
  /** Services that cannot go back once they are migrated. */
  readonly oneWay: readonly string[];
  readonly takeBack: TakeBack;
  readonly requestedBy: string;
  /** As it is recorded; `requestedBy` when absent. */
  readonly actor?: string;
  readonly dryRun: boolean;
};

export type MigrationStarted =
  | {
      readonly outcome: 'started' | 'dry-run';
      readonly migrationId: string;
      readonly waves: readonly (readonly string[])[];
      /** What a failure of each service would take back once all have moved, one sentence each. */
      readonly blastRadius: readonly string[];
    }
  | Refusal;

export async function startMigration(
  world: World,
  request: MigrationRequest,
  services: readonly ServiceSettings[],
  correlationId: string,
): Promise<MigrationStarted> {
  const { migrationId, revisions, oneWay, takeBack, requestedBy, dryRun, actor = requestedBy } = request;
  const known = services.map(({ service }) => service);
  const unknown = [...Object.keys(revisions), ...oneWay].filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    return refuse('unknown-service', `${unknown.join(', ')}: configured are ${known.join(', ')}.`);
  }
  const components = services.flatMap(({ service, dependsOn }) => {
    const revision = revisions[service];
    const within = dependsOn.filter((name) => name in revisions);
    return revision === undefined
      ? []
      : [{ service, revision, dependsOn: within, oneWay: oneWay.includes(service) }];
  });
  const now = world.clock.now();
  const command = {
    ...({ type: 'StartMigration', migrationId, components, takeBack, requestedBy, now } as const),
  };
  const decision = decideMigration(initialMigration, command);
  if (decision.outcome === 'refused') return decision;
  const waves = wavesOf(components);
  if ('outcome' in waves) return waves;
  const shown = {
    migrationId,
    waves,
    blastRadius: components.map(({ service }) => {
      const failed = takeBack === 'everything' ? components.map((each) => each.service) : [service];
      return blastRadius(affectedBy(components, failed), [service]);
    }),
  };
  if (dryRun) return { outcome: 'dry-run', ...shown };
  const cause: Cause = { correlationId, actor };
  const recorded = await recordMigration(world, migrationId, command, cause);
  if (recorded.outcome === 'refused') return refuse(recorded.reason, recorded.sentence);
  await world.machines.start('migration', migrationId, { migrationId, correlationId });
  return { outcome: 'started', ...shown };
}
