/**
 * What must hold of the tasks: nothing that gets traffic is scaled down, and stable can take everything back.
 */
import type { Slot } from '../../../../events/target.ts';
import { type Shift, shareIn } from '../../../sim/balancer.ts';
import { startMs } from '../../../sim/simClock.ts';
import type { SlotChange } from '../../../sim/slots.ts';
import {
  type Book,
  clocksApartMs,
  type Finding,
  type Standing,
  secondsOf,
  slotAt,
  stableSlotIn,
} from './book.ts';

const slots: readonly Slot[] = ['blue', 'green'];

/** No automatic change takes tasks, or their revision, from a slot that gets traffic. */
export function nothingServingIsScaledDown(book: Book): Finding[] {
  const { balancer } = book.place;
  return slots.flatMap((slot) => {
    const { changes } = book.place.slots[slot];
    return changes.flatMap((change, nth) => {
      const before = changes[nth - 1];
      if (before === undefined || !change.automatic) return [];
      if (change.desired >= before.desired && change.revision === before.revision) return [];
      const shift = balancer.shifts.findLast(({ at }) => at <= change.at);
      if (shift === undefined || shareIn(shift.reading, slot) === 0) return [];
      // Somebody moved the traffic after the writer had looked.
      const looked = balancer.looks.findLast(({ by, at }) => by === change.by && at <= change.at);
      if (!shift.automatic && (looked?.at ?? 0) <= shift.at) return [];
      if (wasPreparedLate(book, slot, change, before)) return [];
      return [
        {
          check: 'nothing serving is scaled down',
          service: book.service,
          says:
            `${change.by} took ${slot} from ${before.desired} × ${before.revision} to ${change.desired} × ` +
            `${change.revision} at ${secondsOf(change.at)} s while it served`,
        },
      ];
    });
  });
}

/**
 * A scheduler has no conditional write. What was asked for in the preparation, answered, and carried out only
 * when the canary served already, takes back what somebody else has added since, and they add it again. It
 * leaves what the canary was prepared with, of the revision that serves.
 */
function wasPreparedLate(book: Book, slot: Slot, change: SlotChange, before: SlotChange): boolean {
  const { shifts } = book.place.balancer;
  const idle = shifts.findLastIndex((shift) => shift.at <= change.at && shareIn(shift.reading, slot) === 0);
  const servesSince = shifts[idle + 1]?.at ?? startMs;
  const writer = (book.simulation.lambda.journal ?? []).find(
    ({ instance }) => `${instance.functionName}#${instance.number}` === change.by,
  );
  const prepared = book.standings.findLast(
    ({ event, at }) => event?.type === 'CanaryPrepared' && at <= change.at,
  )?.event;
  return (
    !before.automatic &&
    change.revision === before.revision &&
    (writer?.endedAt ?? Number.POSITIVE_INFINITY) < servesSince &&
    prepared?.type === 'CanaryPrepared' &&
    change.desired >= prepared.tasks
  );
}

/** Somebody who does not ask took its tasks while the writer was on its way. */
function wasJustEmptied(book: Book, slot: Slot, { at, sentAt }: Shift): boolean {
  const last = slotAt(book, slot, at);
  return last !== undefined && !last.automatic && last.at > sentAt - 5000;
}

/** From the checkpoint to the promotion stable is asked to run at least as many tasks as it had. */
export function stableCanTakeItBack(book: Book): Finding[] {
  return book.standings.flatMap((standing, nth) => {
    const { event } = standing;
    if (event?.type !== 'TrafficShifted' || event.weight === 0 || standing.phase !== 'under-way') return [];
    const needed = checkpointBefore(book, nth);
    if (needed === null) return [];
    const until = book.standings
      .slice(nth + 1)
      .find((next) => next.phase !== 'under-way' || next.event?.type === 'TrafficShifted')?.at;
    const slot = stableSlotIn(standing);
    const short = desiredBetween(
      book.place.slots[slot].changes,
      standing.at,
      until ?? Number.POSITIVE_INFINITY,
    ).find(({ desired, by }) => desired < needed && !by.startsWith('fall-back#'));
    if (short === undefined) return [];
    return [
      {
        check: 'stable can take it back',
        service: book.service,
        says: `stable is asked for ${short.desired} tasks by ${short.by} at ${secondsOf(short.at)} s, it needs ${needed}`,
      },
    ];
  });
}

function checkpointBefore({ standings }: Book, nth: number): number | null {
  const { rolloutId } = standings[nth] as Standing;
  const taken = standings
    .slice(0, nth)
    .findLast((one) => one.event?.type === 'CheckpointTaken' && one.rolloutId === rolloutId);
  return taken?.event?.type === 'CheckpointTaken' ? taken.event.desiredCounts.stable : null;
}

/** What stood at `from`, and every change up to `until`. */
function desiredBetween(changes: readonly SlotChange[], from: number, until: number): SlotChange[] {
  const first = changes.findLastIndex(({ at }) => at <= from);
  return changes.filter(({ at }, nth) => nth >= first && at < until);
}

/** When a rollout has ended, what it kept stable from is stable's again. */
export function scalingIsGivenBack(book: Book): Finding[] {
  const last = book.standings.at(-1) as Standing;
  const completed = endedOf(book, last.rolloutId);
  if (last.phase !== 'back' && !(last.phase === 'promoted' && completed)) return [];
  const taken = book.standings.findLast(
    ({ event, rolloutId }) => event?.type === 'CheckpointTaken' && rolloutId === last.rolloutId,
  );
  if (taken?.event?.type !== 'CheckpointTaken' || taken.event.scaling === null) return [];
  const { min } = taken.event.scaling;
  return slots.flatMap((slot) => {
    const { bounds, suspended } = book.place.slots[slot];
    if (!suspended && (slot !== stableSlotIn(last) || bounds?.min === min)) return [];
    const how = suspended ? 'kept from scaling in' : `bound to ${bounds?.min}, it was ${min}`;
    const says = `${slot} is ${how} after ${last.rolloutId} ended`;
    return [{ check: 'scaling is given back', service: book.service, says }];
  });
}

/** When a rollout has ended, the side that nobody needs runs nothing. */
export function nothingIsLeftRunning(book: Book): Finding[] {
  const last = book.standings.at(-1) as Standing;
  const completed = last.phase === 'promoted' && endedOf(book, last.rolloutId);
  if (last.phase !== 'back' && !completed) return [];
  const slot = completed ? stableSlotIn(last) : last.canarySlot;
  const { desired, revision } = book.place.slots[slot];
  if (desired === 0 || book.place.balancer.shareOf(slot) > 0) return [];
  const says = `${slot} runs ${desired} × ${revision} after ${last.rolloutId} ended`;
  return [{ check: 'nothing is left running', service: book.service, says }];
}

const endedOf = ({ standings }: Book, ended: string | null): boolean =>
  standings.some(({ event, rolloutId }) => event?.type === 'RolloutCompleted' && rolloutId === ended);

/**
 * A person took the fire exit to where nothing ran. Without the store, and where the tasks cannot be read
 * either, an alarm has no more than that to go by.
 */
function wasPulledToNothing(book: Book, slot: Slot, { at }: Shift): boolean {
  const pull = book.place.balancer.pulls.findLast((one) => one.at <= at + clocksApartMs);
  return pull?.slot === slot && slotAt(book, slot, pull.at)?.desired === 0;
}

/** Nothing automatic sends more traffic to a slot that runs nothing. */
export function nobodyIsSentIntoTheVoid(book: Book): Finding[] {
  const { shifts } = book.place.balancer;
  return shifts.flatMap((shift, nth) => {
    const before = shifts[nth - 1];
    if (before === undefined || !shift.automatic) return [];
    return slots.flatMap((slot) => {
      const more = shareIn(shift.reading, slot) > shareIn(before.reading, slot);
      if (!more || shift.tasks[slot] > 0 || wasJustEmptied(book, slot, shift)) return [];
      if (shift.by.startsWith('on-alarm#') && wasPulledToNothing(book, slot, shift)) return [];
      const says = `${shift.by} sent traffic to ${slot} at ${secondsOf(shift.at)} s, where nothing runs`;
      return [{ check: 'nobody is sent into the void', service: book.service, says }];
    });
  });
}
