/**
 * What a bundle costs before its first line runs: bytes that Lambda fetches, and milliseconds that Node
 * loads. Each load is a process of its own, in turns, so that a busy machine is busy for all of them.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { deflateRawSync } from 'node:zlib';

export type Load = {
  readonly name: string;
  /** As Lambda is sent it: the deflated file and an archive's headers. */
  readonly zippedBytes: number;
  /** Medians above bare Node in the same run: from its start to its end, and what its threads computed. */
  readonly loadMs: number;
  readonly cpuMs: number;
};

export type Loading = { readonly bareMs: number; readonly loads: readonly Load[] };

/**
 * Local header, directory entry and end record of a zip, and the file's name in two of them (APPNOTE 4.3).
 */
const archiveBytes = 30 + 46 + 22 + 2 * 'index.mjs'.length;

export const zippedBytes = (path: string): number =>
  deflateRawSync(readFileSync(path), { level: 9 }).length + archiveBytes;

/** @param bundles by name, their paths @param turns of each, after one that is not counted */
export async function measureLoading(
  bundles: Readonly<Record<string, string>>,
  turns: number,
): Promise<Loading> {
  const bare: Sample[] = [];
  const samples = Object.entries(bundles).map(([name, path]) => ({ name, path, taken: [] as Sample[] }));
  for (let turn = 0; turn <= turns; turn++) {
    const first = await sample(null);
    if (turn > 0) bare.push(first);
    for (const { path, taken } of samples) {
      const one = await sample(path);
      if (turn > 0) taken.push(one);
    }
  }
  const above = (taken: readonly Sample[], figure: keyof Sample): number =>
    median(taken.map((one) => one[figure])) - median(bare.map((one) => one[figure]));
  return {
    bareMs: median(bare.map(({ ms }) => ms)),
    loads: samples.map(({ name, path, taken }) => ({
      name,
      zippedBytes: zippedBytes(path),
      loadMs: above(taken, 'ms'),
      cpuMs: above(taken, 'cpuMs'),
    })),
  };
}

/** From the start of the process until the module is loaded; `cpuMs`: user and system time of all threads. */
type Sample = { readonly ms: number; readonly cpuMs: number };

/** Of Node alone where there is no path. */
async function sample(path: string | null): Promise<Sample> {
  const load = path === null ? '' : `await import(${JSON.stringify(path)});`;
  const code =
    `${load}const ms = performance.now(); const { user, system } = process.cpuUsage();` +
    'process.stdout.write(JSON.stringify({ ms, cpuMs: (user + system) / 1000 })); process.exit();';
  const run = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], { env });
  return JSON.parse(run.stdout) as Sample;
}

const machine = (name: string) => `arn:aws:states:eu-west-1:000000000000:stateMachine:switchback-${name}`;

/** What a function is told by its deployment. */
const env = {
  ...{ AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local', STAGE: 'dev' },
  ...{ EVENT_TABLE: 'events', EVENT_BUS: 'switchback', INTENT_QUEUE: 'http://127.0.0.1/intents.fifo' },
  TOPIC: 'arn:aws:sns:eu-west-1:000000000000:switchback',
  ROLLOUT_MACHINE: machine('rollout'),
  ROLLBACK_MACHINE: machine('rollback'),
  MIGRATION_MACHINE: machine('data-migration'),
};

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}
