/** What must hold of the balancer, whatever fails. */
import type { Shift } from '../../../sim/balancer.ts';
import {
  type Book,
  clocksApartMs,
  type Finding,
  percentIn,
  type Standing,
  secondsOf,
  standingAt,
} from './book.ts';

const finding = (check: string, { service }: Book, says: string): Finding => ({ check, service, says });

const shown = ({ at, reading, by }: Shift): string =>
  `${by} at ${secondsOf(at)} s: ${reading.kind === 'weights' ? `green ${reading.greenWeight} %` : reading.what}`;

type Move = { readonly shift: Shift; readonly before: Shift };

function moves({ place }: Book): Move[] {
  const { shifts } = place.balancer;
  return shifts.slice(1).map((shift, nth) => ({ shift, before: shifts[nth] as Shift }));
}

/** Every automatic write is of a weight that was decided while its writer lived, or takes the canary off. */
export function everyWriteWasDecided(book: Book): Finding[] {
  return moves(book).flatMap(({ shift }) => {
    if (!shift.automatic) return [];
    const bornAt = book.bornAt(shift);
    const stood = book.standings.filter(
      (standing, nth) =>
        standing.at <= shift.sentAt && (book.standings[nth + 1]?.at ?? Number.POSITIVE_INFINITY) >= bornAt,
    );
    const decided = stood.some(
      ({ desired, canarySlot }) => desired !== null && percentIn(shift.reading, canarySlot) === desired,
    );
    return decided || takesOff(book, shift) || leavesToFireExit(book, shift)
      ? []
      : [finding('every write was decided', book, `nobody decided what was written by ${shown(shift)}`)];
  });
}

/** Without the store the alarm's way goes by the mark on the target, and only toward it. */
function takesOff({ place }: Book, { by, reading, at }: Shift): boolean {
  const marked = place.balancer.marks.filter((_, nth, marks) => (marks[nth + 1]?.at ?? at) >= at - 60_000);
  return by.startsWith('on-alarm#') && marked.some(({ slot }) => percentIn(reading, slot) === 100);
}

/** What an alarm took from where the fire exit had sent everybody, unheard of as it was, is put back. */
function leavesToFireExit({ place: { balancer } }: Book, { reading, at }: Shift): boolean {
  const pulled = balancer.pulls.findLast((pull) => pull.at <= at + clocksApartMs);
  return pulled?.slot != null && percentIn(reading, pulled.slot) === 100;
}

/**
 * Nothing automatic gives the canary more than a person, another tool or the fire exit left it, until a
 * person says so. A writer that looked before they moved it may come too late to know.
 */
export function nobodyIsOverruled(book: Book): Finding[] {
  const findings: Finding[] = [];
  const all = moves(book);
  for (const [nth, { shift: hand, before }] of all.entries()) {
    const next = all[nth + 1]?.shift;
    // Of two hands in one millisecond the second is what anybody can have seen.
    const replaced = next !== undefined && !next.automatic && next.at === hand.at;
    if (hand.automatic || replaced) continue;
    const { canarySlot, phase, desired } = standingAt(book, hand.at);
    const left = percentIn(hand.reading, canarySlot);
    const lowered = hand.reading.kind === 'unknown' || left < percentIn(before.reading, canarySlot);
    // Still more than was decided: that is taken back, and the next step is as it would have been.
    const leftMore = hand.reading.kind === 'weights' && desired !== null && left >= desired;
    const unconfirmed = wasUnconfirmed(book, before, hand.at);
    const unknowable = unconfirmed && !hand.by.startsWith('fall-back#');
    if (phase === 'none' || !lowered || leftMore || unknowable) continue;
    const knownFrom = unconfirmed ? notedAt(book, hand.at) : hand.at;
    // A writer that had looked before takes its place, and nobody ever knew.
    const late = all.slice(nth + 1).find(({ shift }) => shift.automatic && lookedAt(book, shift) <= hand.at);
    const until = Math.min(personSpeaksAfter(book, hand.at), late?.shift.at ?? Number.POSITIVE_INFINITY);
    const raised = all.find(
      ({ shift }) =>
        shift.automatic &&
        shift.sentAt > hand.at &&
        shift.sentAt < until &&
        !takesOff(book, shift) &&
        percentIn(shift.reading, canarySlot) > left &&
        lookedAt(book, shift) > knownFrom,
    );
    if (raised === undefined) continue;
    findings.push(finding('nobody is overruled', book, `${shown(raised.shift)} overruled ${shown(hand)}`));
  }
  return findings;
}

/** The fire exit notes itself on the target when it has moved the traffic, a call or two later. */
const notedAt = ({ place: { balancer } }: Book, at: number): number =>
  balancer.pulls.find((pull) => pull.notedAt >= at)?.notedAt ?? at;

/**
 * What they took back was ordered, written, and its confirmation lost: whoever tries the order again sees a
 * balancer as it was before the write, and cannot know. Whoever looks a second time does; and the fire exit
 * leaves a mark on the target for that try to see.
 */
function wasUnconfirmed(book: Book, { reading }: Shift, at: number): boolean {
  const { desired, confirmed, canarySlot } = standingAt(book, at);
  return desired !== null && desired > confirmed && percentIn(reading, canarySlot) === desired;
}

/**
 * The next time after `at` that somebody moved it again, or that a person or a new rollout said what is to
 * be.
 */
function personSpeaksAfter(book: Book, at: number): number {
  const speaks = ({ at: when, event }: Standing): boolean =>
    when > at &&
    event !== null &&
    (event.type === 'RolloutResumed' ||
      event.type === 'RolloutStarted' ||
      event.type === 'RollbackInitiated' ||
      (event.type === 'PromotionOrdered' && event.mode === 'full'));
  const said = book.standings.find(speaks)?.at ?? Number.POSITIVE_INFINITY;
  const moved = book.place.balancer.shifts.find((shift) => !shift.automatic && shift.at > at)?.at;
  return Math.min(said, moved ?? Number.POSITIVE_INFINITY);
}

/** When the writer had last looked before it went to write: its last look is the write's own. */
function lookedAt({ place }: Book, { by, sentAt }: Shift): number {
  const looks = place.balancer.looks.filter((look) => look.by === by && look.at <= sentAt);
  return (looks.at(-2) ?? looks.at(-1))?.at ?? sentAt;
}

/**
 * After a rollback ended all traffic is on stable, and stays there until somebody else wants it otherwise.
 */
export function staysBack(book: Book): Finding[] {
  return book.standings.flatMap((standing, nth) => {
    if (standing.event?.type !== 'RollbackCompleted') return [];
    const next = book.standings.slice(nth + 1).find(({ event }) => event?.type === 'RolloutStarted');
    const until = Math.min(next?.at ?? Number.POSITIVE_INFINITY, pulledAfter(book, standing));
    const { shifts } = book.place.balancer;
    const found = shifts.filter(
      (shift, at) =>
        shift.at < until &&
        (shifts[at + 1]?.at ?? Number.POSITIVE_INFINITY) > standing.at &&
        percentIn(shift.reading, standing.canarySlot) > 0 &&
        shift.automatic,
    );
    return found.map((shift) =>
      finding(
        'stays back',
        book,
        `${standing.rolloutId} was rolled back at ${secondsOf(standing.at)} s, and the canary has traffic by ${shown(shift)}`,
      ),
    );
  });
}

/** When the fire exit was first pulled after the end of a rollout, as it noted itself on the target. */
function pulledAfter({ place: { balancer } }: Book, { at }: Standing): number {
  const pulled = balancer.pulls.find((pull) => pull.at > at - clocksApartMs)?.at;
  return pulled === undefined ? Number.POSITIVE_INFINITY : pulled - clocksApartMs;
}

const ends = new Set(['RollbackCompleted', 'RolloutPromoted', 'RolloutCompleted']);

/**
 * When nothing fails any more the balancer shows the newest decision; less only where a person left it so.
 */
export function endsAsDecided(book: Book): Finding[] {
  const last = book.standings.at(-1) as Standing;
  if (last.desired === null || last.phase === 'none') return [];
  const { reading } = book.place.balancer;
  const now = percentIn(reading, last.canarySlot);
  const byHand = book.place.balancer.shifts.findLast(({ automatic }) => !automatic);
  // After the end of a rollout the service is whoever's who moves it.
  const endedAt = book.standings.findLast(({ event }) => event !== null && ends.has(event.type))?.at;
  const ended = last.phase === 'back' || last.phase === 'promoted';
  if (ended && endedAt !== undefined && byHand !== undefined && byHand.at > endedAt - 60_000) return [];
  return now === last.desired
    ? []
    : [finding('ends as decided', book, `decided were ${last.desired} %, the canary has ${now} %`)];
}

/** A minute after it ended the stable slot's mark is where stable is. */
export function marksStable(book: Book): Finding[] {
  const last = book.standings.at(-1) as Standing;
  const { mark } = book.place.balancer;
  const stable =
    last.phase === 'promoted' ? last.canarySlot : last.canarySlot === 'green' ? ('blue' as const) : 'green';
  const ended = book.standings.findLast(({ event }) => event !== null && ends.has(event.type));
  // Whoever took the fire exit since said where stable is.
  const pulled = ended !== undefined && Number.isFinite(pulledAfter(book, ended));
  const isOver = last.phase === 'promoted' || last.phase === 'back';
  return !isOver || mark === stable || (pulled && mark === book.place.balancer.pulls.at(-1)?.slot)
    ? []
    : [finding('marks stable', book, `stable is ${stable}, the target is marked ${mark}`)];
}
