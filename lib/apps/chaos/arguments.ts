/** `npm run chaos -- …`, checked before anything runs. */
import { parseArgs } from 'node:util';

export type ChaosArguments = { readonly minutes: number; readonly seed: number };

const usage = 'npm run chaos -- [--minutes M] [--seed S]';
const seedMax = 2 ** 31 - 1;

/** @throws Error with one sentence and the usage */
export function chaosArguments(argv: readonly string[], freshSeed: () => number): ChaosArguments {
  const options = { minutes: { type: 'string' }, seed: { type: 'string' } } as const;
  const { values } = parseArgs({ args: [...argv], options });
  const minutes = Number(values.minutes ?? 10);
  if (!(minutes > 0)) throw new Error(`--minutes ${values.minutes}: more than 0 is wanted. Usage: ${usage}`);
  const seed = values.seed === undefined ? freshSeed() : Number(values.seed);
  if (!Number.isInteger(seed) || seed < 0 || seed > seedMax)
    throw new Error(`--seed ${values.seed}: a whole number from 0 to ${seedMax} is wanted. Usage: ${usage}`);
  return { minutes, seed };
}
