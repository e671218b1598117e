/**
 * The canary becomes stable: all traffic, the record, the mark on the target, then the old side goes, once
 * nothing reaches it.
 * The mark moves only when the promotion stands: until then a rollback may win, and whoever falls back
 * without the store goes where the mark is. The old side is warm far longer than the mark takes.
 */

import type { RolloutTask } from '../../events/task.ts';
import { knowsOf } from '../core/fallback/mark.ts';
import { TrafficUnconfirmed } from '../core/outage.ts';
import { canaryWeight } from '../core/rollout/drift.ts';
import { leftAloneSince } from '../core/rollout/lateWrites.ts';
import type { Clock, EventStore, Log, Requests, Traffic, Workload } from '../ports.ts';
import { driveTraffic, stableSlotOf } from './driveTraffic.ts';
import { hearFireExit } from './hearMark.ts';
import { type Cause, type Known, record } from './record.ts';
import { answer, open, type TaskAnswer } from './rolloutTask.ts';
import { scaleDown } from './scaleDown.ts';
import { startQueued } from './startQueued.ts';

type World = {
  readonly clock: Clock;
  readonly store: EventStore;
  readonly traffic: Traffic;
  readonly workload: Workload;
  readonly requests: Requests;
  readonly log: Log;
};

export async function promoteCanary(world: World, task: RolloutTask): Promise<TaskAnswer> {
  const { plan, from, cause, mine } = await open(world, task);
  if (!mine) return answer(world, task, plan, from.state);
  if (from.state.rollout.phase === 'promoted') {
    const told = await hearFireExit(world, task.service, from);
    const tidied = await tidyUp(world, task, told, cause, plan.settings);
    return answer(world, task, plan, tidied.state);
  }
  const ordered = await record(
    world,
    task.service,
    { type: 'OrderPromotion', now: world.clock.now() },
    cause,
    { from },
  );
  if (ordered.outcome === 'refused') return answer(world, task, plan, ordered.state);
  const driven = await driveTraffic(world, task.service, ordered, cause);
  const { rollout } = driven.state;
  if (rollout.phase !== 'promoting') return answer(world, task, plan, driven.state);
  const promoted = await record(
    world,
    task.service,
    {
      type: 'ConfirmPromotion',
      rollbackWindowSeconds: plan.settings.rollbackWindowSeconds,
      timing: plan.settings,
      now: world.clock.now(),
    },
    cause,
    { from: driven },
  );
  await markPromoted(world, promoted);
  return answer(world, task, plan, promoted.state);
}

async function markPromoted(world: Pick<World, 'traffic'>, { state }: Known): Promise<void> {
  const { rollout } = state;
  if (rollout.phase !== 'promoted' || rollout.completed) return;
  await world.traffic.markStable(rollout.target, rollout.canarySlot, knowsOf(state));
}

/** Scales the old side down after its delay, only when the balancer is seen to send it nothing. */
async function tidyUp(
  world: World,
  task: RolloutTask,
  from: Known,
  cause: Cause,
  timing: Parameters<typeof leftAloneSince>[1],
): Promise<Known> {
  const { rollout, fellBackAt = 0 } = from.state;
  const now = world.clock.now();
  if (rollout.phase !== 'promoted' || rollout.completed) return from;
  const isEarly = now < leftAloneSince(rollout, timing, fellBackAt);
  const reading = await world.traffic.read(rollout.target);
  if (reading.kind === 'unknown' || canaryWeight(reading.greenWeight, rollout.canarySlot) !== 100) {
    if (isEarly) return from;
    throw new TrafficUnconfirmed(`${task.service}: the old side still gets traffic, it is not scaled down`);
  }
  // Whoever recorded the promotion may not have come so far. Not where a fall-back moves the traffic.
  if (now < fellBackAt + timing.shiftTimeoutSeconds * 1000) return from;
  await markPromoted(world, from);
  if (isEarly) return from;
  const oldSlot = stableSlotOf(rollout);
  const bounds = rollout.checkpoint?.scaling ?? null;
  if (bounds !== null) await world.workload.release(rollout.target, oldSlot, bounds);
  const { desired } = await world.workload.read(rollout.target, oldSlot);
  if (!(await scaleDown(world, { target: rollout.target, slot: oldSlot }, desired))) {
    throw new TrafficUnconfirmed(
      `${task.service}: somebody sent traffic to the old side, it has its tasks again`,
    );
  }
  const completed = await record(world, task.service, { type: 'ConfirmCompletion', now }, cause, { from });
  await startQueued(world, task.service, completed.state);
  return completed;
}
