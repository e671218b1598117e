/** A decision that the event store did not take in time is appended from the queue that kept it. */
import type { Command } from '../core/rollout/commands.ts';
import type { Clock, EventStore, Log, Machines, Traffic, Workload } from '../ports.ts';
import { driveTraffic } from './driveTraffic.ts';
import { known, record } from './record.ts';
import { warmStable } from './rollBack.ts';

type World = {
  readonly clock: Clock;
  readonly store: EventStore;
  readonly traffic: Traffic;
  readonly workload: Workload;
  readonly machines: Pick<Machines, 'start'>;
  readonly log: Log;
};

export type Intent = {
  readonly service: string;
  readonly commandId: string;
  readonly correlationId: string;
  readonly command: { readonly type: string; readonly now: number };
};

/** Safe to repeat: the command id lets it be appended once. */
export async function recordIntent(world: World, intent: Intent): Promise<void> {
  const { service, commandId, correlationId, command } = intent;
  const cause = { correlationId, actor: 'switchback' };
  const from = await known(world, service);
  const recorded = await record(world, service, command as Command, cause, { from, commandId });
  const { rollout } = recorded.state;
  if (rollout.phase !== 'rolling-back') return;
  await warmStable(world, service, rollout);
  await driveTraffic(world, service, recorded, cause);
  const task = { service, rolloutId: rollout.rolloutId, correlationId };
  await world.machines.start('rollback', `${rollout.rolloutId}-back`, task);
}
