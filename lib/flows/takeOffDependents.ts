/**
 * Who was moved together with a service and depends on it goes back before it does: an alarm rings for one,
 * and its migration's machine may look only seconds later. Without dependents it costs nothing.
 */
import type { ServiceSettings } from '../core/config/settings.ts';
import { cannotGoBack } from '../core/migration/cannotGoBack.ts';
import { migrationOf } from '../core/migration/state.ts';
import { affectedBy, foundationsOf } from '../core/rollback/waves.ts';
import { rolloutAfter } from '../core/rollout/ahead.ts';
import type { Command } from '../core/rollout/commands.ts';
import type { ServiceState } from '../core/rollout/state.ts';
import { type Cause, type Known, known } from './record.ts';
import { type TakeOffWorld, takeOff } from './takeBackMigration.ts';

/**
 * Does nothing unless the command, which is recorded next, takes the service back. An outage of a dependent
 * is logged: the service itself does not wait for it.
 * @returns the command, with those whose traffic is off or on its way in `after`, the first to go first: they
 *   are restored first as well
 */
export async function takeOffDependents<C extends Command>(
  world: TakeOffWorld,
  service: string,
  state: ServiceState,
  command: C,
  services: readonly ServiceSettings[],
  cause: Cause,
): Promise<C & { readonly after?: readonly string[] }> {
  if (rolloutAfter(state, command)?.phase !== 'rolling-back') return command;
  const migrationId = ofMigration(service, state);
  if (migrationId === null) return command;
  const names = affectedBy(services, [service]).filter((name) => name !== service);
  const read = await Promise.all(
    names.map(async (name) => [name, await known(world, name).catch(() => null)] as const),
  );
  const back = read.filter(([name, one]) => goesBack(world, name, one, migrationId)).map(([name]) => name);
  for (const name of back) {
    const after = back.filter((other) => foundationsOf(services, other).has(name));
    const reason = `migration ${migrationId}: ${service}, which it depends on, goes back`;
    await takeOff(world, name, { after, reason }, cause).catch((error: unknown) => {
      world.log.write({ message: 'not off yet', service: name, error: String(error), ...cause });
    });
  }
  return back.length === 0 ? command : { ...command, after: back };
}

const ofMigration = (service: string, { rollout }: ServiceState): string | null =>
  rollout.phase === 'none' ? null : migrationOf(rollout.rolloutId, service);

function goesBack(
  { clock }: Pick<TakeOffWorld, 'clock'>,
  service: string,
  from: Known | null,
  migrationId: string,
): boolean {
  if (from === null || ofMigration(service, from.state) !== migrationId) return false;
  const { phase } = from.state.rollout;
  if (phase === 'rolled-back') return false;
  // One that is past a step nothing undoes has no window in which anything automatic takes it back.
  const { rollout } = from.state;
  if (rollout.phase === 'promoted' && clock.now() >= rollout.rollbackWindowUntil) return false;
  const component = { service, revision: '', dependsOn: [], oneWay: false };
  return cannotGoBack(component, from.state, clock.now()) === null;
}
