/**
 * Reads the balancer beside the newest decision and settles the difference: more canary than decided is
 * corrected at once, less (or somewhere else) was somebody's will and is adopted, the rollout held.
 */
import { compare } from '../core/rollout/drift.ts';
import type { Clock, EventStore, Log, Traffic } from '../ports.ts';
import { type Cause, type Known, record } from './record.ts';
import { mayBeCold, type WarmingWorld, warmStable } from './warmStable.ts';

type World = {
  readonly clock: Clock;
  readonly store: EventStore;
  readonly traffic: Traffic;
  readonly log: Log;
  readonly workload?: WarmingWorld['workload'];
};

export async function watchTraffic(world: World, service: string, from: Known, cause: Cause): Promise<Known> {
  const { rollout } = from.state;
  if (rollout.phase === 'none') return from;
  const reading = await world.traffic.read(rollout.target);
  const comparison = compare(rollout, reading);
  switch (comparison.kind) {
    case 'as-decided':
    case 'pending':
      return from;
    case 'more':
      if (rollout.afterPromotion) {
        // It comes off as soon as stable can take it, by whoever can see to that.
        if (world.workload === undefined || mayBeCold(rollout)) return from;
        await warmStable({ ...world, workload: world.workload }, service, rollout);
      }
      world.log.write({
        message: 'more canary than decided: corrected',
        service,
        found: comparison.found,
        decided: comparison.decided,
        correlationId: cause.correlationId,
      });
      await world.traffic.shift(rollout.target, rollout.canarySlot, comparison.decided);
      return from;
    case 'less':
    case 'elsewhere': {
      const foundWeight = comparison.kind === 'less' ? comparison.found : null;
      const what =
        comparison.kind === 'less'
          ? `the balancer gives the canary ${comparison.found} %, decided were ${comparison.decided} %`
          : comparison.what;
      return record(world, service, { type: 'FindDrift', foundWeight, what, now: world.clock.now() }, cause, {
        from,
      });
    }
  }
}
