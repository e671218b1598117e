/**
 * One look at a migration, and what follows from it. Forward: rollouts of the current wave are asked for, and
 * what is promoted is recorded; when one of them has gone back by itself, all that the migration says goes
 * back.
 */
import type { MigrationTask } from '../../events/task.ts';
import { oneWayValue } from '../core/config/layeredValue.ts';
import type { ServiceSettings } from '../core/config/settings.ts';
import { currentWave, type Migration, rolloutIdOf } from '../core/migration/state.ts';
import { BadInput } from '../core/outage.ts';
import type { Alarms, Layers, Metrics } from '../ports.ts';
import { fileAlone } from './layeredSettings.ts';
import type { Cause } from './record.ts';
import { type KnownMigration, knownMigration, recordMigration } from './recordMigration.ts';
import { startRollout } from './startRollout.ts';
import {
  type Components,
  cannot,
  driveBack,
  moving,
  ownRollout,
  readComponents,
  type TakeBackWorld,
} from './takeBackMigration.ts';

type World = TakeBackWorld & { readonly metrics: Metrics; readonly alarms: Alarms };

/** What is configured: the file, and what stands above it. */
type Configured = { readonly services: readonly ServiceSettings[]; readonly layers: Layers };

export type MigrationAnswer = {
  readonly migrationId: string;
  readonly correlationId: string;
  readonly next: 'StepMigration' | 'Done';
  readonly waitSeconds: number;
  readonly outcome: string;
};

/** Between two looks. */
const lookEverySeconds = 2;

export async function stepMigration(
  world: World,
  task: MigrationTask,
  services: readonly ServiceSettings[],
  layers: Layers = fileAlone,
): Promise<MigrationAnswer> {
  const { migrationId, correlationId } = task;
  const cause: Cause = { correlationId, actor: 'switchback' };
  let current = await knownMigration(world, migrationId);
  if (current.state.phase === 'forward') {
    current = await forward(world, current, current.state, { services, layers }, cause);
  }
  current = await driveBack(world, current, cause);
  const { state } = current;
  const underWay = state.phase === 'forward' || state.phase === 'taking-back';
  return {
    migrationId,
    correlationId,
    next: underWay ? 'StepMigration' : 'Done',
    waitSeconds: underWay ? lookEverySeconds : 0,
    outcome: state.phase === 'ended' ? state.outcome : state.phase,
  };
}

async function forward(
  world: World,
  from: KnownMigration,
  migration: Migration,
  configured: Configured,
  cause: Cause,
): Promise<KnownMigration> {
  const components = await readComponents(world, migration);
  const failed = goneBack(migration, components);
  if (failed.length > 0) return takeBack(world, from, migration, components, failed, cause);
  const fell = migration.components.find(({ service }) => fellBack(migration, service, components));
  if (fell !== undefined) return holdFor(world, from, migration, fell.service, cause);
  let current = from;
  for (const component of currentWave(migration)) {
    const rollout = ownRollout(migration, component, components);
    // Of an attempt before this one: it went back, and a person resumed.
    const isOver = rollout?.phase === 'rolled-back';
    if (rollout === null || isOver)
      current = await request(world, current, migration, component, configured, cause);
    else if (rollout.phase === 'promoted') {
      current = await confirm(world, current, migration, component, rollout.rolloutId, cause);
    }
  }
  return current;
}

/** Somebody took the fire exit since a person last set it going: it asks nobody, and nobody goes past it. */
const fellBack = (migration: Migration, service: string, components: Components): boolean =>
  (components.get(service)?.state.fellBackAt ?? 0) > migration.begunAt;

const holdFor = (
  world: World,
  from: KnownMigration,
  { migrationId }: Migration,
  component: string,
  cause: Cause,
): Promise<KnownMigration> => {
  const reason = `${component} fell back: its traffic is where the fire exit sent it. Look, then resume or freeze.`;
  const command = { type: 'HoldMigration', component, reason, now: world.clock.now() } as const;
  return recordMigration(world, migrationId, command, cause, from);
};

/** Rollouts of this attempt that were taken back, by whomever. */
const goneBack = (migration: Migration, components: Components): readonly string[] =>
  migration.components
    .map(({ service }) => service)
    .filter((service) => {
      const rollout = ownRollout(migration, service, components);
      const isBack = rollout?.phase === 'rolling-back' || rollout?.phase === 'rolled-back';
      return (
        isBack && (isNewest(migration, service, rollout.rolloutId) || migration.migrated.includes(service))
      );
    });

const isNewest = (migration: Migration, service: string, rolloutId: string): boolean =>
  rolloutId === rolloutIdOf(migration, service);

async function takeBack(
  world: World,
  from: KnownMigration,
  migration: Migration,
  components: Components,
  failed: readonly string[],
  cause: Cause,
): Promise<KnownMigration> {
  const rollout = components.get(failed[0] ?? '')?.state.rollout;
  const why = rollout !== undefined && 'reason' in rollout ? rollout.reason : 'it was taken back';
  return recordMigration(
    world,
    migration.migrationId,
    {
      type: 'TakeBack',
      failed,
      moving: moving(migration, components),
      cannot: await cannot(world, migration, components),
      whom: migration.takeBack,
      reason: `${failed.join(' and ')}: ${why}`,
      by: 'switchback',
      now: world.clock.now(),
    },
    cause,
    from,
  );
}

async function request(
  world: World,
  from: KnownMigration,
  migration: Migration,
  service: string,
  { services, layers }: Configured,
  cause: Cause,
): Promise<KnownMigration> {
  const configured = services.find((each) => each.service === service);
  const component = migration.components.find((each) => each.service === service);
  if (configured === undefined || component === undefined) {
    throw new BadInput(`migration ${migration.migrationId}: ${service} is not configured any more`);
  }
  const { revision, oneWay } = component;
  // Whoever asks again for what waited in a queue does not know that it is one-way.
  const settings: ServiceSettings = oneWay ? { ...configured, whileActive: 'refuse' } : configured;
  const rolloutId = rolloutIdOf(migration, service);
  const started = await startRollout(
    world,
    {
      ...{ service, revision, rolloutId, requestedBy: 'switchback' },
      why: `migration ${migration.migrationId}`,
    },
    settings,
    cause.correlationId,
    oneWay ? above(layers, migration.migrationId) : layers,
  );
  if (started.outcome !== 'refused') return from;
  // It runs there already: there is nothing to move.
  if (started.reason === 'already-stable') return confirm(world, from, migration, service, rolloutId, cause);
  const command = { type: 'HoldMigration', component: service, reason: started.sentence } as const;
  return recordMigration(world, migration.migrationId, { ...command, now: world.clock.now() }, cause, from);
}

/** Once it is there, nothing automatic takes it back. */
const above = (layers: Layers, migrationId: string): Layers => ({
  values: async (service) => [...(await layers.values(service)), oneWayValue(migrationId)],
});

const confirm = (
  world: World,
  from: KnownMigration,
  { migrationId }: Migration,
  component: string,
  rolloutId: string,
  cause: Cause,
): Promise<KnownMigration> =>
  recordMigration(
    world,
    migrationId,
    { type: 'ConfirmMigrated', component, rolloutId, now: world.clock.now() },
    cause,
    from,
  );
