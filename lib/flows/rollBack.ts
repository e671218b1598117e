/**
 * The way back, one pass of it: traffic off the canary first, then re-read and re-zeroed until no write that
 * is still under way can land, then the canary is scaled down and the restored side compared with its
 * checkpoint.
 * Any number of passes, from any number of callers, come to the same end.
 */
import type { RolloutTask } from '../../events/task.ts';
import { quietSince } from '../core/rollout/next.ts';
import type { Rollout } from '../core/rollout/state.ts';
import type { Clock, EventStore, Log, Requests, Traffic, Workload } from '../ports.ts';
import { driveTraffic, stableSlotOf } from './driveTraffic.ts';
import { type Cause, causeOfRollback, type Known, known, record } from './record.ts';
import { answer, open, type TaskAnswer } from './rolloutTask.ts';
import { startQueued } from './startQueued.ts';
import { watchTraffic } from './watchTraffic.ts';

type World = {
  readonly clock: Clock;
  readonly store: EventStore;
  readonly traffic: Traffic;
  readonly workload: Workload;
  readonly requests: Requests;
  readonly log: Log;
};

type RollingBack = Extract<Rollout, { phase: 'rolling-back' }>;

export async function rollBack(world: World, task: RolloutTask): Promise<TaskAnswer> {
  const { plan, from, cause: asked, mine } = await open(world, task);
  if (!mine) return answer(world, task, plan, from.state);
  const begun = task.failure === undefined ? from : await failed(world, task, from, asked);
  const cause = await begunBy(world, begun, asked);
  const { rollout } = begun.state;
  if (rollout.phase !== 'rolling-back') return answer(world, task, plan, begun.state);
  const driven = await driveTraffic(world, task.service, begun, cause);
  const watched = await watchTraffic(world, task.service, driven, cause);
  const settled = await restore(world, task.service, watched, cause, plan.settings);
  return answer(world, task, plan, settled.state);
}

/** How far back the beginning of a rollback under way is looked for, events. */
const lookBack = 64;

/** As `causeOfRollback`, and here there is time to read what is no longer in the tail. */
async function begunBy(world: Pick<World, 'store'>, begun: Known, asked: Cause): Promise<Cause> {
  const { head } = begun;
  const tail = await Array.fromAsync(world.store.read(head.stream, Math.max(1, head.version - lookBack)));
  return causeOfRollback({ ...begun, head: { ...head, tail } }, asked);
}

/** A function's error is told as JSON, which may be cut off: the sentence in it is what a person reads. */
const said = (why: string): string => /"errorMessage":"((?:[^"\\]|\\.)*)/.exec(why)?.[1] ?? why;

/** What the machine caught is the reason, unless the rollout is on its way back or ended already. */
async function failed(world: World, task: RolloutTask, from: Known, cause: Cause): Promise<Known> {
  const { error, cause: why } = task.failure ?? { error: 'unknown', cause: '' };
  const reason = `${error}: ${said(why)}`;
  return record(
    world,
    task.service,
    { type: 'RollBack', trigger: 'outage', reason, by: 'switchback', now: world.clock.now() },
    cause,
    { from },
  );
}

async function restore(
  world: World,
  service: string,
  from: Known,
  cause: Cause,
  timing: { readonly scaleDownDelaySeconds: number; readonly shiftTimeoutSeconds: number },
): Promise<Known> {
  const { rollout } = from.state;
  const now = world.clock.now();
  if (rollout.phase !== 'rolling-back' || rollout.trafficOffAt === null || now < quietSince(rollout, timing))
    return from;
  if (await waitsForOthers(world, rollout)) return from;
  const stableSlot = stableSlotOf(rollout);
  const bounds = rollout.checkpoint?.scaling ?? null;
  if (bounds !== null) await world.workload.release(rollout.target, stableSlot, bounds);
  await world.workload.scale(rollout.target, rollout.canarySlot, 0);
  await world.traffic.markStable(rollout.target, stableSlot);
  const differences = await compareWithCheckpoint(world, rollout);
  const done = await record(world, service, { type: 'ConfirmRollback', differences, now }, cause, { from });
  world.log.write({ message: 'rolled back', service, rolloutId: rollout.rolloutId, differences, ...cause });
  await startQueued(world, service, done.state);
  return done;
}

/**
 * Dependents are restored and verified first; one that is not on its way back (any more) is not waited for.
 */
async function waitsForOthers(world: World, { after = [] }: RollingBack): Promise<boolean> {
  for (const service of after) {
    if ((await known(world, service)).state.rollout.phase === 'rolling-back') return true;
  }
  return false;
}

/** What is not as it was before the rollout, one sentence each. */
async function compareWithCheckpoint(world: World, rollout: RollingBack): Promise<string[]> {
  const stable = await world.workload.read(rollout.target, stableSlotOf(rollout));
  const differences: string[] = [];
  if (stable.revision !== rollout.stableRevision) {
    differences.push(`stable runs ${stable.revision}, it was ${rollout.stableRevision}`);
  }
  const wanted = rollout.checkpoint?.desiredCounts.stable ?? stable.desired;
  const healthy = stable.healthy ?? stable.running;
  if (healthy < wanted) differences.push(`stable has ${healthy} healthy tasks, it had ${wanted}`);
  return differences;
}
