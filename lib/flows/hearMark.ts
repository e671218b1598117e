/**
 * A fall-back that nobody told: the fire exit left its mark on the target, and the queue was down as well. It
 * is recorded as the queue would have done, once.
 */
import type { Slot } from '../../events/target.ts';
import { fallBackCommandId, isUnheardOf } from '../core/fallback/mark.ts';
import type { EventStore, FallBackMark, Traffic } from '../ports.ts';
import { type Known, record } from './record.ts';

/**
 * Before anything automatic takes a rollout back, or a side's tasks: was it the fire exit that sent everybody
 * there? The alarm's way asks afterwards (driveTraffic). That its mark cannot be read stops nothing.
 */
export async function hearFireExit(
  world: { readonly store: EventStore; readonly traffic: Pick<Traffic, 'fallBackMark'> },
  service: string,
  from: Known,
): Promise<Known> {
  const { rollout } = from.state;
  if (rollout.phase === 'none') return from;
  const mark = await world.traffic.fallBackMark(rollout.target).catch(() => null);
  return (await hearMark(world, service, from, mark, null)) ?? from;
}

/**
 * @param shown the slot that has all the traffic, as a read shows; null: it shows nothing of it, at 0 %
 * nobody had anything to take off
 * @returns null where the mark is no news
 */
export async function hearMark(
  world: { readonly store: EventStore },
  service: string,
  from: Known,
  mark: FallBackMark | null,
  shown: Slot | null,
): Promise<Known | null> {
  if (mark === null || !isUnheardOf(from.state, mark.at)) return null;
  const { at: now, id, by, why } = mark;
  const { rollout } = from.state;
  const slot = mark.slot ?? shown;
  const place = slot === null || rollout.phase === 'none' ? null : `${rollout.target.kind}/${slot}`;
  const to = place ?? 'stable, as the mark on the target says';
  const command = { type: 'RecordFallBack', by, why, to, slot, now } as const;
  return record(
    world,
    service,
    command,
    { correlationId: id, actor: by },
    {
      from,
      commandId: fallBackCommandId(id),
    },
  );
}
