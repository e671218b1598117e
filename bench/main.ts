// npm run bench -- NAME [--full] [--seed N] [more options of that bench] Every bench is one file that
// exports `run(args)`, prints a table a person reads, and ends with one JSON object.
import { readdirSync } from 'node:fs';

export type BenchArguments = {
  /** The whole measurement instead of the daily one. */
  readonly full: boolean;
  /** Seed of everything drawn by chance; fresh unless given, and always printed. */
  readonly seed: number;
  /** Everything else on the command line, unread. */
  readonly rest: readonly string[];
};

const [name, ...options] = process.argv.slice(2);
const known = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.ts') && file !== 'main.ts')
  .map((file) => file.slice(0, -3).replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`));

if (name === undefined || !known.includes(name)) {
  console.error(`usage: npm run bench -- NAME [--full] [--seed N]\nbenches: ${known.join(', ')}`);
  process.exitCode = 2;
} else {
  const { run } = (await import(`./${fileOf(name)}.ts`)) as { run(args: BenchArguments): Promise<object> };
  const args = readArguments(options);
  console.log(`bench ${name}${args.full ? ' --full' : ''} --seed ${args.seed}`);
  const figures = await run(args);
  console.log(JSON.stringify({ bench: name, full: args.full, seed: args.seed, ...figures }));
}

/** `event-store` is the file eventStore.ts. */
function fileOf(bench: string): string {
  return bench.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function readArguments(options: readonly string[]): BenchArguments {
  const at = options.indexOf('--seed');
  const given = at < 0 ? undefined : options[at + 1];
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
  const rest = options.filter((option, i) => option !== '--full' && i !== at && (at < 0 || i !== at + 1));
  return { full: options.includes('--full'), seed, rest };
}
