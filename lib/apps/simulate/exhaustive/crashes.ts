/**
 * Every point at which a function may die: before and after each call it makes in a short day. And each of
 * them again with each delivery of that day made twice.
 */
import type { Fault } from '../../../sim/faults.ts';
import { run } from '../run.ts';
import type { Scenario } from '../scenario.ts';
import { type DayName, dayNames, shortDay, shortPace } from './shortDays.ts';

export type CrashJob = { readonly kind: 'crash'; readonly day: DayName; readonly faults: readonly Fault[] };

/** The second delivery comes at the same moment, or when the first has ended. */
const secondAfterMs = [0, 2500];

/** What answers to its schedule or its stream, whatever came before: its own deliveries are doubled alone. */
const background = /^(?:lambda\/invoke\.)?(?:reconcile|publish-events)(?:\/|$)/;

const dayOf = ({ day, faults }: CrashJob): Scenario => ({ ...shortDay(day), faults });
export const runCrash = (job: CrashJob) => run(dayOf(job), () => {}, shortPace);

/** One crash each, of every function. */
export async function everyCrash(): Promise<CrashJob[]> {
  const jobs: CrashJob[] = [];
  for (const day of dayNames) {
    for (const fault of crashesOf(await callsOf(day))) jobs.push({ kind: 'crash', day, faults: [fault] });
  }
  return jobs;
}

/** One delivery made twice each. */
export async function everySecondDelivery(): Promise<CrashJob[]> {
  const jobs: CrashJob[] = [];
  for (const day of dayNames) {
    for (const fault of doublesOf(await callsOf(day))) jobs.push({ kind: 'crash', day, faults: [fault] });
  }
  return jobs;
}

/** Every crash of a flow with every delivery of a flow made twice. */
export async function* everyCrashTwiceDelivered(): AsyncGenerator<CrashJob> {
  for (const day of dayNames) {
    const calls = (await callsOf(day)).filter(({ key }) => !background.test(key));
    const doubles = doublesOf(calls);
    for (const crash of crashesOf(calls)) {
      for (const double of doubles) yield { kind: 'crash', day, faults: [crash, double] };
    }
  }
}

type Call = { readonly key: string; readonly nth: number };

/** Every call of the day in which nothing goes wrong, with its number among those of its name. */
async function callsOf(day: DayName): Promise<readonly Call[]> {
  const trace: string[] = [];
  await run(shortDay(day), ({ world }) => (world.faults.trace = trace), shortPace);
  const counts = new Map<string, number>();
  return trace.map((key) => {
    const nth = (counts.get(key) ?? 0) + 1;
    counts.set(key, nth);
    return { key, nth };
  });
}

/** Calls of functions: what the bus, the queues and Lambda itself do is not theirs. */
const crashesOf = (calls: readonly Call[]): Fault[] =>
  calls
    .filter(({ key }) => !/^(?:bus|stream|queue|lambda)\//.test(key))
    .flatMap(({ key, nth }) => [
      { on: key, kind: 'crash-before', nth },
      { on: key, kind: 'crash-after', nth },
    ]);

const doublesOf = (calls: readonly Call[]): Fault[] =>
  calls
    .filter(({ key }) => key.startsWith('lambda/invoke.'))
    .flatMap(({ key, nth }) => secondAfterMs.map((ms): Fault => ({ on: key, kind: 'duplicate', ms, nth })));
