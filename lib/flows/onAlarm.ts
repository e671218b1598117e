/**
 * The alarm's way: alarm → services → read, decide, append → weight 0 → confirm → the rest in a state machine.
 * With several services the traffic is taken off all of them in one invocation, dependents first; scaling,
 * restoring and verifying follow in the machine.
 */

import type { ServiceSettings } from '../core/config/settings.ts';
import { takeBackOrder } from '../core/rollback/order.ts';
import type { AlarmSeen } from '../core/rollout/alarmNews.ts';
import type { Machines, Workload } from '../ports.ts';
import { driveTraffic } from './driveTraffic.ts';
import { type AlarmWorld, hearAlarm } from './hearAlarm.ts';
import { type Cause, type Known, known } from './record.ts';
import { warmStable } from './rollBack.ts';

type World = AlarmWorld & { readonly machines: Machines; readonly workload: Workload };

export type AlarmChange = Omit<AlarmSeen, 'alarm'> & {
  readonly alarmName: string;
  /** Of the event that brought it: on everything that follows. */
  readonly correlationId: string;
};

export type AlarmOutcome = { readonly service: string; readonly phase: string; readonly weight: number };

/** @returns what became of each service the alarm is configured for; none when nobody configured it */
export async function onAlarm(
  world: World,
  change: AlarmChange,
  services: readonly ServiceSettings[],
): Promise<readonly AlarmOutcome[]> {
  const cause: Cause = { correlationId: change.correlationId, actor: 'switchback' };
  const affected = takeBackOrder(
    services.filter(({ alarms }) => alarms.some(({ name }) => name === change.alarmName)),
  );
  const outcomes: AlarmOutcome[] = [];
  for (const settings of affected) {
    const heard = await hear(world, change, settings, cause);
    const { rollout } = heard.state;
    outcomes.push({
      service: settings.service,
      phase: rollout.phase,
      weight: rollout.phase === 'none' ? 0 : rollout.weight,
    });
  }
  return outcomes;
}

async function hear(
  world: World,
  change: AlarmChange,
  settings: ServiceSettings,
  cause: Cause,
): Promise<Known> {
  const { service } = settings;
  const from = await known(world, service);
  const { state, changedAt, reason } = change;
  const alarm = settings.alarms.find(({ name }) => name === change.alarmName);
  if (alarm === undefined) return from;
  const seen = { alarm, state, changedAt, reason };
  const heard = await hearAlarm(world, service, seen, from, cause, settings.coolOffSeconds);
  const { rollout } = heard.state;
  if (rollout.phase !== 'rolling-back') return heard;
  await warmStable(world, service, rollout);
  const driven = await driveTraffic(world, service, heard, cause);
  await world.machines.start('rollback', `${rollout.rolloutId}-back`, {
    service,
    rolloutId: rollout.rolloutId,
    correlationId: cause.correlationId,
  });
  return driven;
}
