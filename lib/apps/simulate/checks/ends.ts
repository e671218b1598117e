/**
 * When nothing fails any more everything comes to an end that a person understands, and nothing waits for
 * ever.
 */

import type { ServiceEvent } from '../../../../events/service.ts';
import { evolve } from '../../../core/rollout/evolve.ts';
import type { ServiceState } from '../../../core/rollout/state.ts';
import { initialState } from '../../../core/rollout/state.ts';
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
    const mayRun = [...held].some((rolloutId) => execution.name.startsWith(rolloutId));
    if (execution.isRunning() && !mayRun) says(`execution ${execution.machine}/${execution.name} still runs`);
  }
  return findings;
}
