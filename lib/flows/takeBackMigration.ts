/**
 * A migration on its way back. Traffic is taken off every service that goes back in one invocation,
 * dependents first; then each is restored and verified by its own rollback, which waits until its dependents
 * are done.
 */
import { otherSlot } from '../../events/target.ts';
import { cannotGoBack } from '../core/migration/cannotGoBack.ts';
import { type Migration, rolloutIdOf } from '../core/migration/state.ts';
import { CanaryNotReady, TargetMissing } from '../core/outage.ts';
import { foundationsOf } from '../core/rollback/waves.ts';
import type { ServiceState } from '../core/rollout/state.ts';
import type { Clock, EventStore, Log, Machines, Traffic, Workload } from '../ports.ts';
import { driveTraffic } from './driveTraffic.ts';
import { type Cause, type Known, known, record } from './record.ts';
import { type KnownMigration, recordMigration } from './recordMigration.ts';

export type TakeBackWorld = {
  readonly clock: Clock;
  readonly store: EventStore;
  readonly traffic: Traffic;
  readonly workload: Pick<Workload, 'read' | 'place'>;
  readonly machines: Pick<Machines, 'start'>;
  readonly log: Log;
};

/** Who cannot see to the tasks leaves a service that was promoted to its machine. */
export type TakeOffWorld = Omit<TakeBackWorld, 'workload'> & Partial<Pick<TakeBackWorld, 'workload'>>;

/** What every component's own stream says now. */
export type Components = ReadonlyMap<string, Known>;

export async function readComponents(
  world: { readonly store: EventStore },
  migration: Migration,
): Promise<Components> {
  const names = migration.components.map(({ service }) => service);
  return new Map(await Promise.all(names.map(async (name) => [name, await known(world, name)] as const)));
}

/**
 * The newest rollout of this migration for the component; null when another one took its place, or none
 * began.
 */
export function ownRollout(migration: Migration, service: string, components: Components) {
  const rollout = components.get(service)?.state.rollout;
  if (rollout === undefined || rollout.phase === 'none') return null;
  for (let attempt = migration.attempt; attempt > 0; attempt--) {
    if (rollout.rolloutId === rolloutIdOf({ ...migration, attempt }, service)) return rollout;
  }
  return null;
}

/** Why components that have moved cannot go back, by name. */
export async function cannot(
  world: Pick<TakeBackWorld, 'clock' | 'workload'>,
  migration: Migration,
  components: Components,
): Promise<Readonly<Record<string, string>>> {
  const reasons: Record<string, string> = {};
  for (const component of migration.components) {
    const { service } = component;
    const state = components.get(service)?.state;
    if (state === undefined || state.rollout.phase === 'none') continue;
    const reason =
      ownRollout(migration, service, components) === null
        ? `it was released again since (${state.rollout.rolloutId})`
        : (cannotGoBack(component, state, world.clock.now()) ?? (await goneReason(world, state)));
    if (reason !== null) reasons[service] = reason;
  }
  return reasons;
}

async function goneReason(
  world: Pick<TakeBackWorld, 'workload'>,
  { rollout }: ServiceState,
): Promise<string | null> {
  if (rollout.phase === 'none') return null;
  try {
    const stable = await world.workload.read(rollout.target, otherSlot(rollout.canarySlot));
    return stable.revision === '' ? 'there is nothing to go back to' : null;
  } catch (error) {
    if (error instanceof TargetMissing) return `what it would go back to is gone: ${error.message}`;
    throw error;
  }
}

/** Components whose rollout has begun, whatever became of it. */
export const moving = (migration: Migration, components: Components): readonly string[] =>
  migration.components
    .map(({ service }) => service)
    .filter((service) => ownRollout(migration, service, components) !== null);

/** One pass of the way back; any number of them come to the same end. */
export async function driveBack(
  world: TakeBackWorld,
  from: KnownMigration,
  cause: Cause,
): Promise<KnownMigration> {
  let current = from;
  if (from.state.phase !== 'taking-back') return from;
  const { order, components, reason, migrationId } = from.state;
  const outages: unknown[] = [];
  for (const service of order) {
    try {
      const after = order.filter((name) => foundationsOf(components, name).has(service));
      await takeOff(world, service, { after, reason: `migration ${migrationId}: ${reason}` }, cause);
    } catch (error) {
      // The old side is starting again; whoever is warm does not wait for it.
      if (!(error instanceof CanaryNotReady)) outages.push(error);
      world.log.write({ message: 'not off yet', service, error: String(error), ...cause });
    }
  }
  for (const component of order) {
    const { head, state } = await known(world, component);
    if (isCold(state, world.clock.now())) {
      const reason = `${component} cannot go back: what it would go back to did not start within ${coldSecondsMax} s. Start it, and its roll back goes on by itself; or freeze.`;
      const command = { type: 'HoldMigration', component, reason, now: world.clock.now() } as const;
      current = await recordMigration(world, migrationId, command, cause, current);
    }
    if (state.rollout.phase !== 'rolled-back') continue;
    const ended = head.tail.findLast(({ event }) => event.type === 'RollbackCompleted')?.event;
    const differences = (ended?.differences ?? []) as readonly string[];
    const now = world.clock.now();
    current = await recordMigration(
      world,
      migrationId,
      { type: 'ConfirmBack', component, differences, now },
      cause,
      current,
    );
  }
  if (outages.length > 0) throw outages[0];
  return current;
}

/** So long the old side of a promoted service may take to start before a person is asked, seconds. */
const coldSecondsMax = 600;

const isCold = ({ rollout }: ServiceState, now: number): boolean =>
  rollout.phase === 'rolling-back' &&
  rollout.trafficOffAt === null &&
  now > rollout.initiatedAt + coldSecondsMax * 1000;

/** Begins a service's way back and takes its traffic off; what is done already is not done again. */
export async function takeOff(
  world: TakeOffWorld,
  service: string,
  { after, reason }: { readonly after: readonly string[]; readonly reason: string },
  cause: Cause,
): Promise<void> {
  const command = {
    ...({ type: 'RollBack', trigger: 'migration', by: 'switchback' } as const),
    ...{ reason, now: world.clock.now() },
    ...(after.length === 0 ? {} : { after }),
  };
  const begun = await record(world, service, command, cause);
  const { rollout } = begun.state;
  if (rollout.phase !== 'rolling-back') return;
  await world.machines.start('rollback', `${rollout.rolloutId}-back`, {
    ...{ service, rolloutId: rollout.rolloutId, correlationId: cause.correlationId },
  });
  await driveTraffic(world, service, begun, cause);
}
