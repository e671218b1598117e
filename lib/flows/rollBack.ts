/**
 * The way back, one pass of it: traffic off the canary first, then re-read and re-zeroed until no write that
 * is still under way can land, then the canary is scaled down and the restored side compared with its
 * checkpoint.
 * Any number of passes, from any number of callers, come to the same end.
 */
import type { RolloutTask } from '../../events/task.ts';
import { knowsOf } from '../core/fallback/mark.ts';
import { TargetMissing, TrafficUnconfirmed } from '../core/outage.ts';
import { differencesFrom, type Found, isLeftOver } from '../core/rollback/differences.ts';
import { placeDifferences } from '../core/rollback/fallbackPlace.ts';
import { quietSince } from '../core/rollout/lateWrites.ts';
import type { Plan } from '../core/rollout/plan.ts';
import type { Rollout } from '../core/rollout/state.ts';
import type {
  Clock,
  EventStore,
  FallbackPlaces,
  Log,
  Requests,
  SlotReading,
  Traffic,
  Workload,
} from '../ports.ts';
import { driveTraffic, stableSlotOf } from './driveTraffic.ts';
import { hearFireExit } from './hearMark.ts';
import { readFallbackPlace } from './readFallbackPlace.ts';
import { type Cause, causeOfRollback, type Known, known, record } from './record.ts';
import { answer, open, type TaskAnswer } from './rolloutTask.ts';
import { scaleDown } from './scaleDown.ts';
import { startQueued } from './startQueued.ts';
import { watchTraffic } from './watchTraffic.ts';

type World = {
  readonly clock: Clock;
  readonly store: EventStore;
  readonly traffic: Traffic;
  readonly workload: Workload;
  readonly places: FallbackPlaces;
  readonly requests: Requests;
  readonly log: Log;
};

/**
 * ECS ends a task once the target group has let go of it (300 s by default) and it was given its time to stop
 * (30 s by default): what still runs after that is left over.
 */
const stoppingSecondsMax = 330;

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
  const settled = await restore(world, plan, watched, cause);
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
    { from: await hearFireExit(world, task.service, from) },
  );
}

async function restore(world: World, plan: Plan, watched: Known, cause: Cause): Promise<Known> {
  const { service, settings: timing } = plan;
  const from = isOff(watched) ? await hearFireExit(world, service, watched) : watched;
  const { rollout } = from.state;
  const now = world.clock.now();
  if (rollout.phase !== 'rolling-back' || rollout.trafficOffAt === null) return from;
  // The promotion's own mark may land as late as a write: whoever falls back must not be sent to the canary.
  const knows = knowsOf(from.state);
  if (rollout.afterPromotion) await world.traffic.markStable(rollout.target, stableSlotOf(rollout), knows);
  if (now < quietSince(rollout, timing)) return from;
  if (await waitsForOthers(world, rollout)) return from;
  const found = await putBack(world, rollout, knows);
  const stays = found.canary !== null && isLeftOver(found.canary);
  if (stays && now < stoppedBy(rollout, timing)) return from;
  const differences = [
    ...differencesFrom(rollout, found),
    ...(await differencesElsewhere(world, plan, rollout, cause)),
  ];
  const done = await record(world, service, { type: 'ConfirmRollback', differences, now }, cause, { from });
  world.log.write({ message: 'rolled back', service, rolloutId: rollout.rolloutId, differences, ...cause });
  await startQueued(world, service, done.state);
  return done;
}

const isOff = ({ state: { rollout } }: Known): boolean =>
  rollout.phase === 'rolling-back' && rollout.trafficOffAt !== null;

/** At the place to fall back to: asked once, when all the rest is done, and given up within two seconds. */
async function differencesElsewhere(
  world: World,
  plan: Plan,
  { checkpoint }: RollingBack,
  cause: Cause,
): Promise<readonly string[]> {
  const before = checkpoint?.fallbackPlace;
  const target = before === undefined ? null : plan.settings.fallback.target;
  if (target === null) return [];
  return placeDifferences(before, await readFallbackPlace(world, target, plan, cause));
}

/** When every task must have ended, epoch milliseconds: its own, after those of each that went before it. */
const stoppedBy = (rollout: RollingBack, timing: Parameters<typeof quietSince>[1]): number =>
  quietSince(rollout, timing) + stoppingSecondsMax * 1000 * (1 + (rollout.after?.length ?? 0));

/** Stable has its own bounds and the mark again, the canary goes; then the world is read. */
async function putBack(world: World, rollout: RollingBack, knows: number): Promise<Found> {
  const { target, canarySlot, checkpoint } = rollout;
  const stableSlot = stableSlotOf(rollout);
  const bounds = checkpoint?.scaling ?? null;
  if (bounds !== null) await world.workload.release(target, stableSlot, bounds);
  const before = await unlessGone(world.workload.read(target, canarySlot));
  if (before !== null && before.desired > 0) {
    const gone = await scaleDown(world, { target, slot: canarySlot }, before.desired);
    if (!gone) throw new TrafficUnconfirmed('somebody sent traffic to the canary: it has its tasks again');
  }
  await world.traffic.markStable(target, stableSlot, knows);
  const [traffic, stable, canary, scaling] = await Promise.all([
    world.traffic.read(target),
    world.workload.read(target, stableSlot),
    unlessGone(world.workload.read(target, canarySlot)),
    world.workload.bounds(target, stableSlot),
  ]);
  return { traffic, stable, canary, scaling };
}

/** A canary's slot that somebody deleted needs no scaling down. */
const unlessGone = (reading: Promise<SlotReading>): Promise<SlotReading | null> =>
  reading.catch((error: unknown) => {
    if (error instanceof TargetMissing) return null;
    throw error;
  });

/**
 * Dependents are restored and verified first; one that is not on its way back (any more) is not waited for.
 */
async function waitsForOthers(world: World, { after = [] }: RollingBack): Promise<boolean> {
  for (const service of after) {
    if ((await known(world, service)).state.rollout.phase === 'rolling-back') return true;
  }
  return false;
}
