/**
 * Reads the balancer beside the newest decision and settles the difference: more canary than decided is
 * corrected at once, less (or somewhere else) was somebody's will and is adopted, the rollout held.
 */
import { otherSlot } from '../../events/target.ts';
import { compare } from '../core/rollout/drift.ts';
import { correctTraffic, type TrafficWorld } from './correctTraffic.ts';
import { hearMark } from './hearMark.ts';
import { type Cause, type Known, record } from './record.ts';

export async function watchTraffic(
  world: TrafficWorld,
  service: string,
  from: Known,
  cause: Cause,
): Promise<Known> {
  const { rollout } = from.state;
  if (rollout.phase === 'none') return from;
  const reading = await world.traffic.read(rollout.target);
  const comparison = compare(rollout, reading);
  switch (comparison.kind) {
    case 'as-decided':
    case 'pending':
      return from;
    case 'more':
      return correctTraffic(world, service, from, comparison, cause);
    case 'less':
    case 'elsewhere': {
      // All of it went back: by the fire exit, perhaps, and its mark says who took it and why.
      if (comparison.kind === 'less' && comparison.found === 0) {
        const mark = await world.traffic.fallBackMark(rollout.target).catch(() => null);
        const heard = await hearMark(world, service, from, mark, otherSlot(rollout.canarySlot));
        if (heard !== null) return heard;
      }
      const foundWeight = comparison.kind === 'less' ? comparison.found : null;
      const what =
        comparison.kind === 'less'
          ? `the balancer gives the canary ${comparison.found} %, decided were ${comparison.decided} %`
          : comparison.what;
      const { rolloutId, weight: beside } = rollout;
      const now = world.clock.now();
      const command = { type: 'FindDrift', rolloutId, foundWeight, beside, what, now } as const;
      return record(world, service, command, cause, { from });
    }
  }
}
