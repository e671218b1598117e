/**
 * Every order in which two flows on one service may do their calls, up to so many changes of turn (Musuvathi
 * and Qadeer, PLDI 2007: most races need two).
 */
import { happen } from '../happen.ts';
import { type Outcome, run } from '../run.ts';
import type { Happening } from '../scenario.ts';
import type { Simulation } from '../simulation.ts';
import { type DayName, shortDay, shortPace } from './shortDays.ts';
import { type Runs, Turns } from './turns.ts';

export type InterleavingJob = { readonly kind: 'interleaving'; readonly pair: number; readonly runs: Runs };

type First = { readonly day: DayName; readonly functionName: string; readonly nth: number };

/** Which flow is met in the middle, in which day. */
const firsts: readonly First[] = [
  { day: 'promoted', functionName: 'prepare-canary', nth: 1 },
  { day: 'promoted', functionName: 'prepare-canary', nth: 11 },
  { day: 'promoted', functionName: 'shift-traffic', nth: 1 },
  { day: 'promoted', functionName: 'evaluate-canary', nth: 3 },
  { day: 'promoted', functionName: 'shift-traffic', nth: 2 },
  { day: 'promoted', functionName: 'promote-canary', nth: 1 },
  { day: 'promoted', functionName: 'promote-canary', nth: 2 },
  { day: 'rolled back by an alarm', functionName: 'on-alarm', nth: 1 },
  { day: 'rolled back by an alarm', functionName: 'roll-back', nth: 1 },
  { day: 'aborted after the promotion', functionName: 'operate', nth: 1 },
  { day: 'left by the fire exit', functionName: 'fall-back', nth: 1 },
];

type Second = { readonly functionName: string; start(simulation: Simulation): void };

const service = 'shop';
const told = (functionName: string, happening: Happening): Second => ({
  functionName,
  start: (simulation) => happen(simulation, happening),
});
const operated = (operation: Extract<Happening, { what: 'operate' }>['operation']): Second =>
  told('operate', { atSeconds: 0, what: 'operate', service, operation, why: 'in between' });

/** Who comes in between. */
const seconds: readonly Second[] = [
  told('on-alarm', { atSeconds: 0, what: 'set-alarm', alarm: 'shop-green-errors', state: 'ALARM' }),
  operated('abort'),
  operated('pause'),
  operated('promote-fully'),
  told('fall-back', { atSeconds: 0, what: 'fire-exit', service }),
  told('start-rollout', {
    ...{ atSeconds: 0, what: 'request', service, revision: 'shop:9', rolloutId: 'r9' },
  }),
  {
    functionName: 'reconcile',
    start: ({ lambda }) => lambda.send('reconcile', { id: 'in-between' }),
  },
];

/** A second delivery of the first one's own event. */
const again = ({ functionName }: First): Second => ({
  functionName,
  start: ({ lambda }) => {
    const entry = lambda.journal?.findLast(({ instance }) => instance.functionName === functionName);
    lambda.invoke(functionName, entry?.payload).catch(() => undefined);
  },
});

type Pair = { readonly first: First; readonly second: Second };

const pairs: readonly Pair[] = firsts.flatMap((first) =>
  [...seconds, again(first)].map((second) => ({ first, second })),
);

/** Where each pair begins: the second one waits until the first has done nothing. */
export const firstInterleavings: readonly InterleavingJob[] = pairs.map((_, pair) => ({
  kind: 'interleaving',
  pair,
  runs: [0],
}));

export const pairName = ({ pair, runs }: InterleavingJob): string => {
  const { first, second } = pairs[pair] as Pair;
  return `${first.functionName}#${first.nth} × ${second.functionName}, ${first.day}, turns of ${runs.join(' ')} calls`;
};

type Played = Outcome & {
  /** Orders that differ from this one and from every other one that was named. */
  readonly next: readonly InterleavingJob[];
};

/** @param switchesMax changes of turn, but for those at a flow's own end */
export async function runInterleaving(job: InterleavingJob, switchesMax: number): Promise<Played> {
  const { first, second } = pairs[job.pair] as Pair;
  let turns: Turns | null = null;
  const watch = (simulation: Simulation): void => {
    const names = [first.functionName, second.functionName] as const;
    turns = new Turns(simulation, { names, nth: first.nth, runs: job.runs }, () => second.start(simulation));
  };
  const outcome = await run(shortDay(first.day), watch, shortPace);
  const wasPlayed = (turns as Turns | null)?.wasPlayed === true;
  return { ...outcome, next: wasPlayed ? after(job, switchesMax) : [] };
}

/** The same with a longer last run, and with one run more. */
function after({ pair, runs }: InterleavingJob, switchesMax: number): InterleavingJob[] {
  const last = runs.at(-1) ?? 0;
  const longer: InterleavingJob = { kind: 'interleaving', pair, runs: [...runs.slice(0, -1), last + 1] };
  if (runs.length >= switchesMax) return [longer];
  return [longer, { kind: 'interleaving', pair, runs: [...runs, 1] }];
}
