/**
 * Schedule expressions: `rate(5 minutes)` and `cron(0 12 ? * MON-FRI *)`, both in UTC. Six cron fields:
 * minutes, hours, day of month, month, day of week (1 = SUN), year; one of the two day fields is `?`.
 * Source: EventBridge user guide, "Creating a rule that runs on a schedule".
 */

/** The moment after `afterMs` at which the schedule fires; null when it never does again. */
export type Schedule = { next(afterMs: number): number | null };

const unitMs: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const weekdays = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const yearMax = 2199;

type Matches = (value: number) => boolean;
type Cron = {
  readonly minute: Matches;
  readonly hour: Matches;
  readonly day: (date: Date) => boolean;
  readonly month: Matches;
  readonly year: Matches;
};

/** Null when the expression is none that EventBridge would take. */
export function parseSchedule(expression: string): Schedule | null {
  const rate = /^rate\((\d+) (minute|hour|day)(s?)\)$/.exec(expression);
  if (rate !== null) {
    const count = Number(rate[1]);
    if (count < 1 || (count === 1) !== (rate[3] === '')) return null;
    const every = count * (unitMs[rate[2] as string] as number);
    return { next: (after) => after + every };
  }
  const fields = /^cron\((.+)\)$/.exec(expression)?.[1]?.trim().split(/\s+/);
  if (fields?.length !== 6) return null;
  const cron = parseCron(fields as Fields);
  return cron === null ? null : { next: (after) => nextOf(cron, after) };
}

type Fields = [string, string, string, string, string, string];

function parseCron([minutes, hours, dayOfMonth, monthNames, dayOfWeek, years]: Fields): Cron | null {
  const minute = field(minutes, 0, 59);
  const hour = field(hours, 0, 23);
  const month = field(named(monthNames, months, 1), 1, 12);
  const year = field(years, 1970, yearMax);
  const day = dayField(dayOfMonth, dayOfWeek);
  if (minute === null || hour === null || month === null || year === null || day === null) return null;
  return { minute, hour, month, year, day };
}

/** Exactly one of the two day fields is `?`. */
function dayField(ofMonth: string, ofWeek: string): Cron['day'] | null {
  if ((ofMonth === '?') === (ofWeek === '?')) return null;
  if (ofWeek === '?') return ofMonthField(ofMonth);
  const names = named(ofWeek, weekdays, 1);
  const nth = /^(\d)#([1-5])$/.exec(names);
  if (nth !== null) {
    return (date) =>
      date.getUTCDay() + 1 === Number(nth[1]) && Math.ceil(date.getUTCDate() / 7) === Number(nth[2]);
  }
  const last = /^(\d)L$/.exec(names);
  if (last !== null) {
    return (date) => date.getUTCDay() + 1 === Number(last[1]) && date.getUTCDate() > daysIn(date) - 7;
  }
  const matches = field(names, 1, 7);
  return matches === null ? null : (date) => matches(date.getUTCDay() + 1);
}

function ofMonthField(text: string): Cron['day'] | null {
  if (text === 'L') return (date) => date.getUTCDate() === daysIn(date);
  const nearest = /^(\d{1,2})W$/.exec(text);
  if (nearest !== null) return (date) => date.getUTCDate() === nearestWeekday(date, Number(nearest[1]));
  const matches = field(text, 1, 31);
  return matches === null ? null : (date) => matches(date.getUTCDate());
}

/** `*`, `5`, `1-5`, `0/15`, `1-30/2` and lists of them. */
function field(text: string, min: number, max: number): Matches | null {
  const parts = text.split(',').map((part): Matches | null => {
    const found = /^(\*|\d+)(?:-(\d+))?(?:\/(\d+))?$/.exec(part);
    if (found === null) return null;
    const [, from = '', to, step] = found;
    const start = from === '*' ? min : Number(from);
    const single = from !== '*' && to === undefined && step === undefined;
    const end = to === undefined ? (single ? start : max) : Number(to);
    const by = Number(step ?? 1);
    if (start < min || end > max || start > end || by < 1) return null;
    return (value) => value >= start && value <= end && (value - start) % by === 0;
  });
  if (parts.some((part) => part === null)) return null;
  return (value) => (parts as Matches[]).some((matches) => matches(value));
}

/** The first matching minute after the moment, looked for day by day. */
function nextOf(cron: Cron, afterMs: number): number | null {
  const start = Math.floor(afterMs / 60_000) * 60_000 + 60_000;
  const date = new Date(start);
  let from = date.getUTCHours() * 60 + date.getUTCMinutes();
  date.setUTCHours(0, 0, 0, 0);
  while (date.getUTCFullYear() <= yearMax) {
    if (!cron.year(date.getUTCFullYear())) {
      date.setUTCFullYear(date.getUTCFullYear() + 1, 0, 1);
    } else if (!cron.month(date.getUTCMonth() + 1)) {
      date.setUTCMonth(date.getUTCMonth() + 1, 1);
    } else {
      const minute = cron.day(date) ? firstMinute(cron, from) : null;
      if (minute !== null) return date.getTime() + minute * 60_000;
      date.setUTCDate(date.getUTCDate() + 1);
    }
    from = 0;
  }
  return null;
}

function firstMinute({ hour, minute }: Cron, from: number): number | null {
  for (let at = from; at < 1_440; at++) if (hour(Math.floor(at / 60)) && minute(at % 60)) return at;
  return null;
}

const named = (text: string, names: readonly string[], first: number) =>
  text.toUpperCase().replace(/[A-Z]{3}/g, (name) => {
    const index = names.indexOf(name);
    return index < 0 ? name : String(index + first);
  });

const daysIn = (date: Date) =>
  new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();

/** The weekday nearest to a day of the month, never leaving the month. */
function nearestWeekday(month: Date, day: number): number {
  const last = daysIn(month);
  const wanted = Math.min(day, last);
  const weekday = new Date(Date.UTC(month.getUTCFullYear(), month.getUTCMonth(), wanted)).getUTCDay();
  if (weekday === 6) return wanted === 1 ? 3 : wanted - 1;
  if (weekday === 0) return wanted === last ? last - 2 : wanted + 1;
  return wanted;
}
