/**
 * What bad news led to stands, from wherever it came, and the traffic follows at once: off the canary, or
 * onto it where stable is what broke. The machine does the rest. Where stable has to be started first, the
 * machine waits for it and takes the traffic off as well.
 */
import { CanaryNotReady } from '../core/outage.ts';
import type { Clock, EventStore, Log, Machines, Traffic, Workload } from '../ports.ts';
import { driveTraffic } from './driveTraffic.ts';
import type { Cause, Known } from './record.ts';

export type FollowingWorld = {
  readonly clock: Clock;
  readonly store: EventStore;
  readonly traffic: Traffic;
  readonly workload: Pick<Workload, 'read' | 'place'>;
  readonly machines: Pick<Machines, 'start'>;
  readonly log: Log;
};

/**
 * @param from what is known; it is left alone unless its rollout is rolling back or promoting
 * @param options as `driveTraffic` takes them
 */
export async function followDecision(
  world: FollowingWorld,
  service: string,
  from: Known,
  cause: Cause,
  options: { readonly urgent?: boolean } = {},
): Promise<Known> {
  const { rollout } = from.state;
  if (rollout.phase !== 'rolling-back' && rollout.phase !== 'promoting') return from;
  const driven = await driveTraffic(world, service, from, cause, options).catch((error: unknown) => {
    if (error instanceof CanaryNotReady) return from;
    throw error;
  });
  if (rollout.phase === 'promoting') return driven;
  const { rolloutId } = rollout;
  const task = { service, rolloutId, correlationId: cause.correlationId };
  await world.machines.start('rollback', `${rolloutId}-back`, task);
  return driven;
}
