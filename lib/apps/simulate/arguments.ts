/** `npm run sim -- …`, checked before anything runs. */
import { parseArgs } from 'node:util';

export type SimulateArguments = {
  /** Drawn days, every crash, every crash with every delivery made twice, every order of two flows. */
  readonly what: 'seeds' | 'crashes' | 'deliveries' | 'interleavings';
  /** The first seed; each run takes the next one. */
  readonly seed: number;
  readonly seeds: number;
  /** Changes of turn that are tried of two flows. */
  readonly depth: number;
  /** Of everything that there is to try, one of so many. */
  readonly every: number;
  /** Of real time, after which no more runs are begun; null: as long as it takes. */
  readonly minutes: number | null;
  readonly workers: number;
};

const usage =
  'npm run sim -- [--seeds N] [--seed S] | --crashes | --deliveries | --interleavings [--depth D] ' +
  '[--every N] [--minutes M] [--workers W]';

/** Seeds are 31 bits wide, as the benches' are. */
const seedMax = 2 ** 31 - 1;
const depthMax = 4;

/**
 * A seed without a number of seeds is one run; nothing at all is a thousand runs from a fresh seed.
 * @throws Error with one sentence and the usage
 */
export function simulateArguments(argv: readonly string[], freshSeed: () => number): SimulateArguments {
  const values = parsed(argv);
  const whole = (name: 'seeds' | 'seed' | 'workers' | 'depth' | 'every', low: number, high: number) => {
    const text = values[name];
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!Number.isInteger(value) || value < low || value > high)
      throw new Error(`--${name} ${text}: a whole number from ${low} to ${high} is wanted. Usage: ${usage}`);
    return value;
  };
  const minutes = values.minutes === undefined ? null : Number(values.minutes);
  if (minutes !== null && !(minutes > 0))
    throw new Error(`--minutes ${values.minutes}: a number above 0 is wanted. Usage: ${usage}`);
  const named = (['crashes', 'deliveries', 'interleavings'] as const).filter((one) => values[one]);
  const [what = 'seeds', another] = named;
  if (another !== undefined) throw new Error(`--${what} and --${another}: one at a time. Usage: ${usage}`);
  const seed = whole('seed', 0, seedMax);
  const seeds = whole('seeds', 1, seedMax) ?? (seed !== undefined && minutes === null ? 1 : undefined);
  return {
    what,
    seed: seed ?? freshSeed(),
    seeds: seeds ?? (minutes === null ? 1000 : seedMax),
    depth: whole('depth', 1, depthMax) ?? 2,
    every: whole('every', 1, seedMax) ?? 1,
    minutes,
    workers: whole('workers', 1, 64) ?? 2,
  };
}

function parsed(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({
      args: [...argv],
      options: {
        ...{ seeds: text, minutes: text, seed: text, workers: text, depth: text, every: text },
        ...{ crashes: flag, deliveries: flag, interleavings: flag },
      },
    }).values;
  } catch (error) {
    throw new Error(`${(error as Error).message}. Usage: ${usage}`);
  }
}
