/**
 * What on-alarm costs before its first line runs: bytes that Lambda fetches and milliseconds that Node loads,
 * beside the same function with the SDK left outside and beside the same path written with middy, powertools
 * and zod. Each load is a process of its own, in turns, so that a busy machine is busy for all of them.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { deflateRawSync } from 'node:zlib';
import { type BuildOptions, build } from 'esbuild';
import { configurationPlugin, lazyConfiguration } from '../../scripts/build/configuration.mjs';

export type Load = {
  readonly name: string;
  /** As Lambda is sent it: the deflated file and an archive's headers. */
  readonly zippedBytes: number;
  /** Median, above bare Node in the same run. */
  readonly loadMs: number;
};

export type Loading = { readonly bareMs: number; readonly loads: readonly Load[] };

/**
 * Local header, directory entry and end record of a zip, and the file's name in two of them (APPNOTE 4.3).
 */
const archiveBytes = 30 + 46 + 22 + 2 * 'index.mjs'.length;

/** @param root of the repository @param turns of each, after one that is not counted */
export async function measureLoading(root: string, turns: number): Promise<Loading> {
  const work = join(root, '.switchback/bench-rollback');
  const paths = {
    'on-alarm, as deployed': await ours(root, work),
    'SDK left outside': await bundled(root, work, 'functions/on-alarm/handler.ts', {
      external: ['@aws-sdk/*', '@smithy/*'],
    }),
    'middy + powertools + zod': await bundled(root, work, 'bench/rollback/peer.ts', {}),
  };
  const samples = new Map<string, number[]>([['bare', []]]);
  for (let turn = 0; turn <= turns; turn++) {
    for (const [name, path] of [['bare', null] as const, ...Object.entries(paths)]) {
      const ms = await loadMs(path);
      if (turn > 0) samples.set(name, [...(samples.get(name) ?? []), ms]);
    }
  }
  const bareMs = median(samples.get('bare') ?? []);
  const loads = Object.entries(paths).map(([name, path]) => ({
    name,
    zippedBytes: deflateRawSync(readFileSync(path), { level: 9 }).length + archiveBytes,
    loadMs: median(samples.get(name) ?? []) - bareMs,
  }));
  return { bareMs, loads };
}

/** A target of kind `ecs-alb`, as the goals are set for. */
const configuration = 'examples/shop/switchback.yml';

async function ours(root: string, work: string): Promise<string> {
  const dist = join(work, 'dist');
  const script = join(root, 'scripts/build.mjs');
  const options = ['--config', join(root, configuration), '--out', dist];
  await promisify(execFile)(process.execPath, [script, ...options], { cwd: root });
  return join(dist, 'on-alarm/index.mjs');
}

/**
 * As esbuild's own documentation bundles for Node; what is external is found in node_modules above `work`.
 */
async function bundled(
  root: string,
  work: string,
  entry: string,
  options: Pick<BuildOptions, 'external'>,
): Promise<string> {
  const outfile = join(work, `${entry.replaceAll('/', '-')}.mjs`);
  await build({
    ...options,
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    plugins: [configurationPlugin(lazyConfiguration(root, configuration))],
    banner: {
      js: "import{createRequire as requireHere}from'node:module';const require=requireHere(import.meta.url);",
    },
    logLevel: 'error',
  });
  return outfile;
}

/** Milliseconds from the start of a process until the module is loaded; of Node alone where there is none. */
async function loadMs(path: string | null): Promise<number> {
  const load = path === null ? '' : `await import(${JSON.stringify(path)});`;
  const code = `${load}process.stdout.write(String(performance.now()));process.exit();`;
  const run = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], { env });
  return Number(run.stdout);
}

const env = {
  ...{ AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' },
  ...{ EVENT_TABLE: 'events', INTENT_QUEUE: 'http://127.0.0.1/intents.fifo' },
  ROLLBACK_MACHINE: 'arn:aws:states:eu-west-1:000000000000:stateMachine:switchback-rollback',
};

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}
