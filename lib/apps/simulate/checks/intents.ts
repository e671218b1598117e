/** What was ordered was done or taken back, and what was done had been ordered. */
import type { ServiceEvent } from '../../../../events/service.ts';
import type { Book, Finding } from './book.ts';
import { secondsOf } from './book.ts';

type Type = ServiceEvent['type'];

/** What may follow an order: its fact, or whatever was decided instead. */
const answers: Partial<Record<Type, readonly Type[]>> = {
  ShiftOrdered: ['TrafficShifted', 'PromotionOrdered', 'RolloutHeld', 'RollbackInitiated'],
  PromotionOrdered: ['RolloutPromoted', 'RolloutHeld', 'RollbackInitiated'],
  RolloutPromoted: ['RolloutCompleted', 'RolloutHeld', 'RollbackInitiated'],
  RollbackInitiated: ['RollbackCompleted', 'RolloutHeld'],
};

/** No order stands without its fact, or a newer decision. */
export function everyOrderIsAnswered(book: Book): Finding[] {
  return book.standings.flatMap(({ event, at, rolloutId }, nth) => {
    const wanted = event === null ? undefined : answers[event.type];
    if (event === null || wanted === undefined) return [];
    const answered = book.standings
      .slice(nth + 1)
      .some((later) => later.rolloutId === rolloutId && wanted.includes(later.event?.type as Type));
    if (answered) return [];
    const says = `${event.type} of ${rolloutId} at ${secondsOf(at)} s has no answer`;
    return [{ check: 'every order is answered', service: book.service, says }];
  });
}

/** A weight is confirmed only where it had been ordered. */
export function everyFactWasOrdered(book: Book): Finding[] {
  let ordered: number | null = null;
  return book.standings.flatMap(({ event, at, rolloutId, desired }) => {
    switch (event?.type) {
      case 'ShiftOrdered':
      case 'PromotionOrdered':
      case 'RollbackInitiated':
        ordered = desired;
        return [];
      case 'TrafficShifted': {
        if (event.weight === ordered) return [];
        const says = `${rolloutId} was confirmed to have ${event.weight} % at ${secondsOf(at)} s, ${ordered} % were ordered`;
        return [{ check: 'every fact was ordered', service: book.service, says }];
      }
      default:
        return [];
    }
  });
}

/** Whoever was restored waited for those that depend on it and were on their way back before it. */
export function dependentsComeFirst(books: readonly Book[]): Finding[] {
  return books.flatMap((book) =>
    book.standings.flatMap((standing, nth) => {
      const { event, at, rolloutId } = standing;
      if (event?.type !== 'RollbackCompleted') return [];
      const begun = book.standings
        .slice(0, nth)
        .findLast((one) => one.event?.type === 'RollbackInitiated' && one.rolloutId === rolloutId);
      const after = begun?.event?.type === 'RollbackInitiated' ? (begun.event.after ?? []) : [];
      const early = books.find(
        (other) => after.includes(other.service) && isGoingBack(other, begun?.at ?? 0, at),
      );
      if (early === undefined) return [];
      const says = `${rolloutId} was restored at ${secondsOf(at)} s, ${early.service} was not yet`;
      return [{ check: 'dependents come first', service: book.service, says }];
    }),
  );
}

/** It was on its way back at `from`, and has not come to the end by `until`. */
function isGoingBack({ standings }: Book, from: number, until: number): boolean {
  const before = standings.findLast(({ at }) => at <= from);
  if (before?.phase !== 'going-back') return false;
  return !standings.some(
    ({ at, event, rolloutId }) =>
      event?.type === 'RollbackCompleted' && rolloutId === before.rolloutId && at <= until,
  );
}
