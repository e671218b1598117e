/**
 * Every minute over the services with something under way: finishes what a crash left, corrects more canary
 * than decided, adopts less, hears alarms whose events were lost, ends what has taken too long. The active
 * index makes idle services cost nothing.
 */
import type { Plan } from '../core/rollout/plan.ts';
import { activeOf, holderOf, type Rollout } from '../core/rollout/state.ts';
import { turnOrder } from '../core/rollout/turnOrder.ts';
import type { Alarms, Machines, Requests } from '../ports.ts';
import { driveTraffic } from './driveTraffic.ts';
import type { AlarmWorld } from './hearAlarm.ts';
import { hearFireExit } from './hearMark.ts';
import { hearMissedAlarms } from './hearMissedAlarms.ts';
import { type Cause, type Known, known, record, streamOf } from './record.ts';
import { startQueued } from './startQueued.ts';
import { watchTraffic } from './watchTraffic.ts';

type World = AlarmWorld & {
  readonly alarms: Alarms;
  readonly machines: Pick<Machines, 'start' | 'running'>;
  readonly requests: Requests;
};

/** No service is begun later in a pass: the function is given 50 s, and one service may take a while. */
const passMs = 35_000;

export type Reconciled = { readonly service: string; readonly phase: string; readonly error?: string };

/**
 * One pass. A service that fails does not stop the others; it is met again in a minute. So are those that the
 * pass does not come to: the next one begins elsewhere.
 */
export async function reconcile(world: World, correlationId: string): Promise<readonly Reconciled[]> {
  const cause: Cause = { correlationId, actor: 'switchback' };
  const done: Reconciled[] = [];
  const began = world.clock.now();
  const streams: string[] = [];
  for await (const stream of world.store.active()) streams.push(stream);
  let left = streams.length;
  for (const stream of turnOrder(streams, Math.floor(began / 60_000))) {
    if (world.clock.now() - began >= passMs) {
      world.log.write({ message: 'left for the next minute', left, correlationId });
      break;
    }
    left -= 1;
    const service = stream.replace(/^service\//, '');
    try {
      if (service === stream) {
        await reviveMigration(world, stream.replace(/^migration\//, ''), cause);
        continue;
      }
      const { rollout } = (await reconcileService(world, service, cause)).state;
      done.push({ service, phase: rollout.phase });
    } catch (error) {
      world.log.write({ message: 'not reconciled', service, error: String(error), correlationId });
      done.push({ service, phase: 'unknown', error: String(error) });
    }
  }
  return done;
}

async function reconcileService(world: World, service: string, cause: Cause): Promise<Known> {
  const from = await known(world, service);
  const { rollout } = from.state;
  // Whoever was to ask again for what waits has died on the way.
  if (holderOf(from.state) === null) await startQueued(world, service, from.state);
  if (rollout.phase === 'none' || isOver(rollout)) return from;
  const plan = (await world.store.plan(streamOf(service), rollout.rolloutId)) as Plan | null;
  if (plan === null) return from;
  const heard = await hearMissedAlarms(world, service, plan, from, cause);
  const timed = await endWhatTookTooLong(world, service, plan, heard, cause);
  const driven = await driveTraffic(world, service, timed, cause);
  const watched = await watchTraffic(world, service, driven, cause);
  await revive(world, service, watched, cause);
  return watched;
}

const isOver = (rollout: Rollout): boolean =>
  rollout.phase === 'rolled-back' || (rollout.phase === 'promoted' && rollout.completed);

async function endWhatTookTooLong(
  world: World,
  service: string,
  plan: Plan,
  from: Known,
  cause: Cause,
): Promise<Known> {
  const rollout = activeOf(from.state);
  const now = world.clock.now();
  if (rollout === null || rollout.phase === 'rolling-back') return from;
  const { rolloutTimeoutSeconds } = plan.settings;
  if (now - rollout.startedAt < rolloutTimeoutSeconds * 1000) return from;
  const told = await hearFireExit(world, service, from);
  const reason = `the rollout took longer than ${rolloutTimeoutSeconds} s`;
  return record(
    world,
    service,
    { type: 'RollBack', trigger: 'outage', reason, by: 'switchback', now },
    cause,
    { from: told },
  );
}

/** A migration does nothing but by its machine: one that ended before it did is followed by another. */
async function reviveMigration(world: World, migrationId: string, { correlationId }: Cause): Promise<void> {
  if (await world.machines.running('migration', migrationId)) return;
  const again = `${migrationId}-again-${Math.floor(world.clock.now() / 60_000)}`;
  await world.machines.start('migration', again, { migrationId, correlationId });
  world.log.write({ message: 'the execution had ended: started again', migrationId, correlationId });
}

/** An execution that ended before its rollout did is followed by another; two of them would do no harm. */
async function revive(world: World, service: string, { state }: Known, cause: Cause): Promise<void> {
  const { rollout } = state;
  if (rollout.phase === 'none' || isOver(rollout)) return;
  const { rolloutId } = rollout;
  const machine = rollout.phase === 'rolling-back' ? 'rollback' : 'rollout';
  if (await world.machines.running(machine, rolloutId)) return;
  const task = { service, rolloutId, correlationId: cause.correlationId };
  await world.machines.start(machine, `${rolloutId}-again-${Math.floor(world.clock.now() / 60_000)}`, task);
  world.log.write({ message: 'the execution had ended: started again', machine, ...task });
}
