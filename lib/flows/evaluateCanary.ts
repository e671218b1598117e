/**
 * One look at a rollout: the alarms it may have missed, the balancer, the minutes. The verdict is recorded
 * with its evidence, and whatever it decides is driven at once.
 */

import type { RolloutTask } from '../../events/task.ts';
import { analyse, evidenceOf } from '../core/analysis/analyse.ts';
import type { Minute } from '../core/analysis/minutes.ts';
import { canonical } from '../core/eventStore/hashChain.ts';
import { rolloutAfter } from '../core/rollout/ahead.ts';
import type { RecordAnalysis } from '../core/rollout/commands.ts';
import type { Plan } from '../core/rollout/plan.ts';
import { type Active, activeOf } from '../core/rollout/state.ts';
import type { Alarms } from '../ports.ts';
import { driveTraffic } from './driveTraffic.ts';
import type { AlarmWorld } from './hearAlarm.ts';
import { hearFireExit } from './hearMark.ts';
import { hearMissedAlarms } from './hearMissedAlarms.ts';
import { readMinutes } from './readMinutes.ts';
import { type Cause, type Known, record } from './record.ts';
import { answer, open, type TaskAnswer } from './rolloutTask.ts';
import { watchTraffic } from './watchTraffic.ts';

type World = AlarmWorld & { readonly alarms: Alarms };

/** Minutes kept per item beside the stream: an hour of them. */
const minutesPerBlock = 60;

/**
 * @param analysis `analyse`, or what answers the same: who looks at one rollout again and again may remember
 *   what it has folded
 */
export async function evaluateCanary(
  world: World,
  task: RolloutTask,
  analysis: typeof analyse = analyse,
): Promise<TaskAnswer> {
  const { plan, from, cause, mine } = await open(world, task);
  if (!mine || activeOf(from.state) === null) return answer(world, task, plan, from.state);
  const heard = await hearMissedAlarms(world, task.service, plan, from, cause);
  const driven = await driveTraffic(world, task.service, heard, cause);
  const watched = await watchTraffic(world, task.service, driven, cause);
  const judged = await judge(world, analysis, task.service, plan, watched, cause);
  const settled = await driveTraffic(world, task.service, judged, cause);
  return answer(world, task, plan, settled.state);
}

async function judge(
  world: World,
  analysis: typeof analyse,
  service: string,
  plan: Plan,
  from: Known,
  cause: Cause,
): Promise<Known> {
  const rollout = activeOf(from.state);
  if (rollout === null || !watched(rollout)) return from;
  const step = rollout.steps[rollout.step];
  if (step?.judge === 'health-only' && rollout.phase === 'baking') return from;
  const minutes = await readMinutes(world, plan, rollout.startedAt, plan.settings.analysis.dataDelaySeconds);
  const minutesHash = await keep(world, rollout.rolloutId, minutes);
  const now = world.clock.now();
  const bake = 'bake' in rollout ? rollout.bake : { startedAt: now, endsAt: now };
  const look = analysis({
    policy: plan.settings.analysis,
    baseline: plan.baseline,
    minutes,
    now,
    stepStartedAt: bake.startedAt,
    stepEndsAt: bake.endsAt,
    weight: rollout.weight,
    checksDue: rollout.phase === 'baking' && now >= bake.endsAt ? 'step-end' : 'bake',
  });
  const evidence = evidenceOf(look);
  const command: RecordAnalysis = {
    type: 'RecordAnalysis',
    verdict: look.verdict,
    evidence: minutesHash === null ? evidence : { ...evidence, minutesHash },
    settings: { analysis: plan.settings.analysis },
    now,
  };
  world.log.write({
    message: 'looked',
    service,
    verdict: look.verdict,
    summary: look.summary,
    correlationId: cause.correlationId,
  });
  const goesBack = look.verdict !== 'pass' && rolloutAfter(from.state, command)?.phase === 'rolling-back';
  const told = goesBack ? await hearFireExit(world, service, from) : from;
  return record(world, service, command, cause, { from: told });
}

/** Somebody is on the canary, or is about to be. */
const watched = (rollout: Active): boolean =>
  rollout.phase === 'baking' ||
  rollout.phase === 'paused' ||
  rollout.phase === 'held' ||
  rollout.phase === 'awaiting-approval';

/** For so many periods after a block's end its last ones may still be revised. */
const settlingPeriods = 15;

/** Keeps the newest block, and while the one before settles whatever older ones differ from what was kept. */
async function keep(world: World, rolloutId: string, minutes: readonly Minute[]): Promise<string | null> {
  if (minutes.length === 0) return null;
  const newest = Math.floor((minutes.length - 1) / minutesPerBlock);
  const blockOf = (block: number) => minutes.slice(block * minutesPerBlock, (block + 1) * minutesPerBlock);
  if (newest > 0 && minutes.length - newest * minutesPerBlock <= settlingPeriods) {
    const kept = await world.store.minutes(rolloutId);
    for (let block = 0; block < newest; block++) {
      const older = blockOf(block);
      const isKept = (minute: Minute, nth: number) =>
        isSame(minute, keptAt(kept, minute, block * minutesPerBlock + nth));
      if (!older.every(isKept)) await world.store.keepMinutes(rolloutId, block, older);
    }
  }
  return world.store.keepMinutes(rolloutId, newest, blockOf(newest));
}

/** As many were kept before it as come before it now, unless somebody stopped looking for a while. */
function keptAt(kept: readonly Minute[], { startMs }: Minute, nth: number): Minute | undefined {
  return kept[nth]?.startMs === startMs ? kept[nth] : kept.find((minute) => minute.startMs === startMs);
}

const isSame = (minute: Minute, kept: Minute | undefined): boolean =>
  minute === kept || (kept !== undefined && canonical(minute) === canonical(kept));
