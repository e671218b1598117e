/**
 * One run: while faults last only safety is asked for; then they stop, a person answers what waits for one,
 * and everything has to come to an end.
 */
import { viewOf } from '../../core/eventStore/storedHead.ts';
import type { ServiceState } from '../../core/rollout/state.ts';
import type { Fault } from '../../sim/faults.ts';
import type { Finding } from './checks/book.ts';
import { check } from './checks/check.ts';
import { migrationsOf } from './checks/ends.ts';
import type { Scenario } from './scenario.ts';
import { Simulation } from './simulation.ts';

/** Virtual minutes after the faults within which every rollout must have ended. */
const settleMinutesMax = 240;
/** How fast a run comes to its end, virtual minutes. */
export type Pace = {
  /** A person looks at what waits this often. */
  readonly attendMinutes: number;
  /** What was begun before the last look of all has ended by then. */
  readonly restMinutes: number;
};

const unhurried: Pace = { attendMinutes: 5, restMinutes: 3 };

export type Outcome = {
  readonly simulation: Simulation;
  readonly findings: readonly Finding[];
  /** What was hit, as a list of single faults. */
  readonly hits: readonly Fault[];
  /** Virtual minutes it took in all. */
  readonly minutes: number;
};

export async function run(
  scenario: Scenario,
  watch: (simulation: Simulation) => void = () => {},
  pace = unhurried,
): Promise<Outcome> {
  const simulation = new Simulation(scenario);
  simulation.lambda.journal = [];
  watch(simulation);
  await simulation.runUntil(scenario.minutes * 60);
  const minutes = await settle(simulation, scenario.minutes, pace);
  const findings = [...(await check(simulation)), ...bugs(simulation)];
  return { simulation, findings, hits: simulation.world.faults.hits, minutes };
}

/** Until everything has ended and nothing more comes; answers the virtual minutes it took in all. */
async function settle(
  simulation: Simulation,
  from: number,
  { attendMinutes, restMinutes }: Pace,
): Promise<number> {
  let minutes = from;
  let calm = 0;
  while (minutes < from + settleMinutesMax) {
    await attend(simulation);
    minutes += attendMinutes;
    await simulation.runUntil(minutes * 60);
    calm = isCalm(simulation) ? calm + 1 : 0;
    if (calm < 2) continue;
    simulation.rest();
    minutes += restMinutes;
    await simulation.runUntil(minutes * 60);
    // An alarm may come into the quiet: what it began is finished as well.
    if (isCalm(simulation)) break;
    simulation.wake();
    calm = 0;
  }
  return minutes;
}

/** What nobody has to wait for: nothing under way that is not held, nothing queued. */
function isCalm({ settings, world, alarmQueue, intentQueue, stream }: Simulation): boolean {
  if (alarmQueue.open.length + intentQueue.open.length + stream.open > 0) return false;
  if (migrationsOf(world).some(({ phase }) => phase === 'taking-back')) return false;
  return settings.every(({ service }) => {
    const head = world.table.heads.get(`service/${service}`);
    const state = head?.snapshot?.state as ServiceState | undefined;
    if (state === undefined) return true;
    const { rollout, queued } = state;
    if (rollout.phase === 'promoted') return rollout.completed && queued === null;
    return (
      rollout.phase === 'held' ||
      ((rollout.phase === 'none' || rollout.phase === 'rolled-back') && queued === null)
    );
  });
}

async function attend(simulation: Simulation): Promise<void> {
  const { table } = simulation.world;
  for (const stream of table.heads.keys()) await unpark(simulation, stream);
  for (const { service } of simulation.settings) {
    const head = table.heads.get(`service/${service}`);
    const phase = (head?.snapshot?.state as ServiceState | undefined)?.rollout.phase;
    if (phase === 'awaiting-approval') simulation.operate({ service, operation: 'approve', by: 'a person' });
    if (phase === 'paused') simulation.operate({ service, operation: 'resume', by: 'a person' });
  }
}

/** What was parked in an outage flows again, and is looked at at once. */
async function unpark({ world, stream: news }: Simulation, stream: string): Promise<void> {
  const head = world.table.heads.get(stream);
  for (const subscriber of ['bus', 'people']) {
    const { parked } = await world.consumers.checkpoint(subscriber, stream);
    if (!parked || head === undefined) continue;
    await world.consumers.unpark(subscriber, stream);
    const { tail, version } = viewOf(head);
    news.tell({ stream, events: tail, version });
  }
}

/** A broken invariant is a bug wherever it shows, and so is an error that has no name of ours. */
function bugs({ lambda }: Simulation): Finding[] {
  const ours = /^(?:InvariantBroken|TypeError|ReferenceError|RangeError|SyntaxError|Error)$/;
  const found = lambda.journal?.find(({ error }) => error !== null && ours.test(error));
  if (found === undefined) return [];
  const says = `${found.instance.functionName}#${found.instance.number} ended with ${found.error}`;
  return [{ check: 'no bug shows', service: '', says }];
}
