/**
 * What must happen within a bound where nothing fails: traffic follows, and nobody stays on a bad revision.
 */
import { minuteMs } from '../../../sim/meter.ts';
import { startMs } from '../../../sim/simClock.ts';
import {
  type Book,
  type Finding,
  percentIn,
  type Standing,
  secondsOf,
  slotAt,
  stableSlotIn,
  standingAt,
} from './book.ts';

const isFair = ({ simulation: { scenario } }: Book): boolean =>
  scenario.faults.length + scenario.metricTroubles.length + scenario.alarmTroubles.length === 0;

/** From the decision to a balancer that shows it: a read, a write, a read, at most 400 ms each way. */
const offWithinMs = 15_000;
/** Stable has to be started first; what was scaling it down is waited for. */
const offWhenColdMs = 200_000;

/** What is decided to come off comes off, where nothing fails and nobody else moves it. */
export function comesOffInTime(book: Book): Finding[] {
  if (!isFair(book)) return [];
  const { shifts } = book.place.balancer;
  return book.standings.flatMap((standing, nth) => {
    const { at, desired, canarySlot } = standing;
    if (desired === null || standing.phase === 'none') return [];
    const isCold = wasPromoted(book, nth) || isEmpty(book, standing);
    const dueAt = at + (isCold ? offWhenColdMs : offWithinMs);
    // Until something else is decided: what else is recorded meanwhile is no respite.
    const next = book.standings.slice(nth + 1).find((later) => !isSame(later, standing));
    if (dueAt > book.simulation.clock.now() || (next !== undefined && next.at < dueAt)) return [];
    const shift = shifts.findLast((one) => one.at <= dueAt);
    const before = shifts.findLast((one) => one.at <= at);
    if (shift === undefined || before === undefined || (!shift.automatic && shift.at > at)) return [];
    const was = percentIn(before.reading, canarySlot);
    const is = percentIn(shift.reading, canarySlot);
    // What a hand gave it is found at the next look.
    if (was <= desired || is <= desired || !before.automatic) return [];
    const says = `${desired} % were decided at ${secondsOf(at)} s, the canary had ${is} % at ${secondsOf(dueAt)} s`;
    return [{ check: 'comes off in time', service: book.service, says }];
  });
}

const isSame = (one: Standing, other: Standing): boolean =>
  one.rolloutId === other.rolloutId && one.desired === other.desired;

const wasPromoted = ({ standings }: Book, nth: number): boolean => {
  const { rolloutId } = standings[nth] as Standing;
  return standings.slice(0, nth).some((one) => one.rolloutId === rolloutId && one.phase === 'promoted');
};

/** The fire exit sent everybody to the canary, and gave stable no tasks. */
const isEmpty = (book: Book, standing: Standing): boolean =>
  slotAt(book, stableSlotIn(standing), standing.at)?.desired === 0;

/** Whatever else people do may keep a bad canary on purpose, or hide it. */
const harmless = new Set(['request', 'deploy', 'stop-execution', 'autoscale']);
/** So bad that its alarm, at 5 %, cannot miss it in a minute with fifty requests. */
const badErrorRate = 0.3;
const requestsAMinute = 50;
/** The rest of the minute in which it turned bad, a whole one, its evaluation, and the way off. */
const exposedMsMax = 2 * minuteMs + 10_000 + offWithinMs;

/**
 * A revision that fails is off within what its alarm promises: two minutes of its share of the requests. Each
 * rollout of it by itself: one that is begun again has its own time, from its own first request, and what has
 * traffic when the one before it is over is no longer that one's.
 */
export function badIsOffInTime(book: Book): Finding[] {
  const { scenario } = book.simulation;
  if (!isFair(book) || scenario.happenings.some(({ what }) => !harmless.has(what))) return [];
  return book.standings.flatMap((started, nth) => {
    if (started.event?.type !== 'RolloutStarted') return [];
    if (!started.event.stableRevision.endsWith(':1') || !hasItsAlarm(book, started)) return [];
    // Still on from the canary before, it does not change: then only the analysis sees this one.
    if (started.event.baselineAlarms.includes(alarmOf(book, started))) return [];
    const next = book.standings.slice(nth + 1).find(({ event }) => event?.type === 'RolloutStarted');
    const badFrom = meetsUsersBad(book, started, started.event.revision);
    if (badFrom === null || (next !== undefined && next.at <= badFrom)) return [];
    const dueAt = Math.min(badFrom + exposedMsMax, next?.at ?? Number.POSITIVE_INFINITY);
    const under = book.standings.filter(({ at }) => at >= badFrom && at <= dueAt);
    // After a promotion stable may have to be started first.
    if ([standingAt(book, badFrom), ...under].some(({ phase }) => phase === 'promoted')) return [];
    return stillThere(book, started, badFrom, dueAt);
  });
}

/** From when on its users meet it bad, epoch milliseconds; null where they never do. */
function meetsUsersBad(book: Book, { at, canarySlot }: Standing, revision: string): number | null {
  const turnedAt = turnsBadAt(book, revision);
  const { shifts } = book.place.balancer;
  const first = shifts.find((shift) => shift.at >= at && percentIn(shift.reading, canarySlot) > 0);
  return turnedAt === null || first === undefined ? null : Math.max(turnedAt, first.at);
}

function stillThere(book: Book, { rolloutId, canarySlot }: Standing, from: number, dueAt: number): Finding[] {
  const { meter, balancer } = book.place;
  const whole = Math.ceil((from - startMs) / minuteMs);
  if (meter.minute(whole, canarySlot).requests < requestsAMinute) return [];
  const shift = balancer.shifts.findLast((one) => one.at <= dueAt);
  if (shift === undefined || percentIn(shift.reading, canarySlot) === 0) return [];
  const says = `${rolloutId} turned bad at ${secondsOf(from)} s and has traffic at ${secondsOf(dueAt)} s`;
  return [{ check: 'bad is off in time', service: book.service, says }];
}

/** When it fails more than its alarm allows, epoch milliseconds; null where it never does. */
function turnsBadAt({ simulation }: Book, revision: string): number | null {
  const { behaviours } = simulation.world;
  const behaviour = behaviours.of(revision);
  const turnsAt = behaviours.turnsAt(revision);
  const isBad = (behaviour.turned?.errorRate ?? 0) >= badErrorRate;
  return isBad && Number.isFinite(turnsAt) ? turnsAt : null;
}

const alarmOf = ({ service }: Book, { canarySlot }: Standing): string => `${service}-${canarySlot}-errors`;

const hasItsAlarm = (book: Book, standing: Standing): boolean => {
  const { settings, simulation } = book;
  const name = alarmOf(book, standing);
  const defined = simulation.scenario.alarms.some((alarm) => alarm.name === name && alarm.minutes === 1);
  return defined && settings.alarms.some((alarm) => alarm.name === name);
};
