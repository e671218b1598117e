/** What a release holds: enough to deploy from, and nothing of the workbench. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repositoryRoot, run } from '../tidy/plant.ts';

let work: string;
let paths: readonly string[];
beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'switchback-pack-'));
  const words = ['pack', '--json', '--ignore-scripts', '--pack-destination', work];
  const told = execFileSync('npm', words, {
    cwd: repositoryRoot,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  // npm answers a list, or one by name.
  const [packed] = Object.values(JSON.parse(told)) as { filename: string; files: { path: string }[] }[];
  paths = packed?.files.map(({ path }) => path) ?? [];
  execFileSync('tar', ['xf', join(work, packed?.filename ?? ''), '-C', work]);
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

describe('npm pack', () => {
  it('takes what deploying needs, and nothing else', () => {
    const tops = [...new Set(paths.map((path) => path.split('/')[0]))].sort();
    expect(tops).toEqual([
      ...['Dockerfile', 'LICENSE', 'README.md', 'docs', 'events', 'examples', 'functions', 'lib'],
      ...['package.json', 'scripts', 'serverless.yml', 'stages', 'statemachines', 'tsconfig.json'],
    ]);
    const strange = paths.filter((path) =>
      /(?:^|\/)\.|\.(?:log|pem|key|env|tgz|zip|map)$|\.test\.ts$/.test(path),
    );
    expect(strange).toEqual([]);
  });

  it('is enough: a stage is packaged from it alone', async () => {
    const root = join(work, 'package');
    symlinkSync(join(repositoryRoot, 'node_modules'), join(root, 'node_modules'));
    const bin = join(repositoryRoot, 'node_modules/.bin');
    const { status, output } = await run(join(bin, 'sls'), ['package', '--stage', 'dev'], root, {
      PATH: `${bin}:${process.env.PATH}`,
      HOME: work,
    });
    expect([status, output]).toEqual([0, expect.stringContaining('Service packaged')]);
  }, 120_000);
});

describe('npm sbom', () => {
  it('names every package that bundles are made of, with version and licence', () => {
    // Not with `--omit dev`: npm then leaves out what a development package needs too, the DynamoDB client
    // say.
    const told = execFileSync('npm', ['sbom', '--package-lock-only', '--sbom-format', 'cyclonedx'], {
      cwd: repositoryRoot,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 64 * 1024 * 1024,
    });
    const { components } = JSON.parse(told) as {
      components: { purl: string; licenses?: unknown[]; hashes?: unknown[] }[];
    };
    const urls = components.map(({ purl }) => decodeURIComponent(purl).replace(/@[^@]*$/, ''));
    for (const name of ['@aws-sdk/client-dynamodb', '@middy/core', 'zod'])
      expect(urls).toContain(`pkg:npm/${name}`);
    const silent = components.filter(({ hashes }) => hashes === undefined);
    expect(silent.map(({ purl }) => purl)).toEqual([]);
  });
});
