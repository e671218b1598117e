/** What must hold once the fire exit was pulled. */
import { type Book, type Finding, percentIn, type Standing, secondsOf } from './book.ts';

/**
 * Nothing automatic that began when it was known takes anybody from where the fire exit sent them, until a
 * person, or a rollout that begins later, says otherwise.
 */
export function fireExitStands(book: Book): Finding[] {
  const { standings } = book;
  const { shifts } = book.place.balancer;
  return standings.flatMap((told, nth) => {
    const { event, at } = told;
    if (event?.type !== 'FellBack' || event.slot === undefined) return [];
    const { slot } = event;
    // Told late: somebody may have said otherwise before.
    if (standings.slice(0, nth).some((one) => saysOtherwise(one) && (one.event?.at ?? 0) > event.at))
      return [];
    const said = standings.slice(nth + 1).find(saysOtherwise)?.at ?? Number.POSITIVE_INFINITY;
    const until = Math.min(said, shifts.find((one) => !one.automatic && one.at > at)?.at ?? said);
    // Without the store an alarm has the note on the target, and nothing else.
    const isNoted = book.place.balancer.pulls.some((pull) => pull.at === event.at);
    const taken = shifts.find(
      (shift, index) =>
        shift.automatic &&
        shift.sentAt > at &&
        shift.sentAt < until &&
        book.bornAt(shift) > at &&
        (!shift.by.startsWith('on-alarm#') || isNoted) &&
        percentIn(shift.reading, slot) < percentIn((shifts[index - 1] ?? shift).reading, slot),
    );
    if (taken === undefined) return [];
    const says = `everybody was sent to ${slot} at ${secondsOf(event.at)} s, and taken from it by ${taken.by} at ${secondsOf(taken.at)} s`;
    return [{ check: 'the fire exit stands', service: book.service, says }];
  });
}

function saysOtherwise({ event }: Standing): boolean {
  switch (event?.type) {
    case 'RolloutStarted':
    case 'RolloutResumed':
    case 'FellBack':
      return true;
    case 'PromotionOrdered':
      return event.mode === 'full';
    case 'RollbackInitiated':
      return ['operator', 'migration', 'superseded'].includes(event.trigger);
    default:
      return false;
  }
}
