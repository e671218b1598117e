/**
 * When nothing fails any more everything comes to an end that a person understands, and nothing waits for
 * ever.
 */

import type { ServiceEvent } from '../../../../events/service.ts';
import type { Migration, MigrationState } from '../../../core/migration/state.ts';
import { evolve } from '../../../core/rollout/evolve.ts';
import type { ServiceState } from '../../../core/rollout/state.ts';
import { initialState } from '../../../core/rollout/state.ts';
import type { SimWorld } from '../../../sim/world.ts';
import type { Simulation } from '../simulation.ts';
import type { Book, Finding } from './book.ts';

/** A rollout that may stand so for as long as nobody says anything. */
const restful = new Set(['none', 'rolled-back', 'held']);

export function everyRolloutEnds(book: Book): Finding[] {
  const state: ServiceState = book.events
    .map(({ event }) => event as ServiceEvent)
    .reduce(evolve, initialState);
  const { rollout } = state;
  const findings: Finding[] = [];
  const says = (what: string) =>
    findings.push({ check: 'every rollout ends', service: book.service, says: what });
  const done = rollout.phase === 'promoted' ? rollout.completed : restful.has(rollout.phase);
  if (!done) says(`${rollout.phase === 'none' ? '' : rollout.rolloutId} is ${rollout.phase}, not at an end`);
  if (state.queued !== null && rollout.phase !== 'held')
    says(`${state.queued.rolloutId} waits in the queue behind nothing`);
  return findings;
}

/** Every migration's state, as it is kept. */
export const migrationsOf = ({ table }: SimWorld): readonly Migration[] =>
  [...table.heads.values()]
    .filter(({ stream }) => stream.startsWith('migration/'))
    .map(({ snapshot }) => snapshot?.state as MigrationState)
    .filter((state) => state.phase !== 'none');

/** A migration has ended, or is held, or waits for a rollout that a person has to look at. */
export function everyMigrationEnds({ world }: Simulation, books: readonly Book[]): Finding[] {
  const waits = books.some(({ standings }) => standings.at(-1)?.phase === 'under-way');
  return migrationsOf(world).flatMap(({ migrationId, phase, stuck }) => {
    if (phase === 'ended' || phase === 'held' || stuck !== null) return [];
    if (phase === 'forward' && waits) return [];
    return [{ check: 'every migration ends', service: '', says: `${migrationId} is ${phase}` }];
  });
}

/** No message, no news and no execution is left over. */
export function nothingIsLeftOver(simulation: Simulation, books: readonly Book[]): Finding[] {
  const findings: Finding[] = [];
  const says = (what: string) => findings.push({ check: 'nothing is left over', service: '', says: what });
  for (const queue of [simulation.alarmQueue, simulation.deploymentQueue, simulation.intentQueue]) {
    const [first] = queue.open;
    if (first !== undefined)
      says(`${queue.open.length} messages in ${queue.settings.name}: ${first.body.slice(0, 200)}`);
  }
  if (simulation.stream.open > 0) says(`${simulation.stream.open} deliveries of the table's stream`);
  const held = new Set(
    books.flatMap(({ standings }) => {
      const last = standings.at(-1);
      return last?.phase === 'under-way' && last.rolloutId !== null ? [last.rolloutId] : [];
    }),
  );
  for (const execution of simulation.desk.executions.values()) {
    const mayRun =
      execution.machine === 'migration' ||
      [...held].some((rolloutId) => execution.name.startsWith(rolloutId));
    if (execution.isRunning() && !mayRun) says(`execution ${execution.machine}/${execution.name} still runs`);
  }
  return findings;
}
