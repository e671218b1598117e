/**
 * The bridge as it is started elsewhere: by its name on any machine, and as the Dockerfile's one bundled
 * file.
 */

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../lib/local/freePort.ts';
import { repositoryRoot as root } from '../tidy/plant.ts';
import { until } from '../until.ts';

const folder = mkdtempSync(join(tmpdir(), 'bridge-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Instructions with their arguments; continued lines are one. */
const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8')
  .replace(/\\\n/g, ' ')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => {
    const [, instruction = '', argument = ''] = /^(\w+)\s+(.*)$/.exec(line.trim().replace(/\s+/g, ' ')) ?? [];
    return { instruction, argument };
  });
const all = (name: string) =>
  dockerfile.filter(({ instruction }) => instruction === name).map(({ argument }) => argument);
const lastStage = dockerfile.slice(dockerfile.findLastIndex(({ instruction }) => instruction === 'FROM'));

describe('the Dockerfile', () => {
  it('names its images by tag, none of them latest, and ends without a shell, not as root', () => {
    for (const image of all('FROM')) expect(image).toMatch(/^[\w./-]+:(?!latest\b)[\w.-]+( AS \w+)?$/);
    expect(lastStage[0]?.argument).toMatch(/distroless\/nodejs24-.*:nonroot$/);
    expect(lastStage.map(({ instruction }) => instruction)).not.toContain('RUN');
  });

  it('copies what is there, adds nothing from elsewhere, and holds no secret', () => {
    expect(all('ADD')).toEqual([]);
    for (const copy of all('COPY').filter((argument) => !argument.startsWith('--from'))) {
      for (const path of copy.split(' ').slice(0, -1))
        expect([path, existsSync(join(root, path))]).toEqual([path, true]);
    }
    const told = [...all('ENV'), ...all('ARG')].join(' ');
    expect(told).not.toMatch(/PASSWORD|TOKEN|SECRET|ACCESS_KEY/i);
  });

  it('starts Node itself, so that SIGTERM reaches it, and asks it how it is', () => {
    const [command] = all('CMD');
    expect(JSON.parse(command ?? '')).toEqual(['main.mjs', 'run']);
    expect(all('HEALTHCHECK').join()).toContain('/live');
  });
});

/** Runs to the end. */
async function ended(command: string, args: readonly string[]): Promise<{ code: number; output: string }> {
  const options = { cwd: folder, env: { ...process.env, AWS_REGION: 'eu-west-1' } };
  return promisify(execFile)(command, args, options).then(
    ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
    ({ code, stdout, stderr }) => ({ code, output: stdout + stderr }),
  );
}

/** With nobody to connect to it waits, alive and not ready, until it is told to end. */
async function waitsAndEnds(start: (port: number) => Promise<ChildProcess>): Promise<number | null> {
  const port = await freePort();
  const child = await start(port);
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const alive = () =>
    fetch(`http://127.0.0.1:${port}/live`)
      .then(({ status }) => status === 200)
      .catch(() => false);
  await until('it is alive', alive, 30_000);
  child.kill('SIGTERM');
  return exit;
}

const config = (port: number) => ({
  version: 1,
  nats: { servers: ['nats://127.0.0.1:1'] },
  sources: [{ stream: 'S', durable: 'bridge' }],
  rules: [{ match: 's.*', to: { sqs: { queue: 'found', group: '{{wildcard(1)}}' } } }],
  dlq: { sqs: 'dead' },
  http: { host: '127.0.0.1', port },
});

describe('the image’s one file', () => {
  beforeAll(async () => {
    const [, build = ''] = /npx (esbuild .*) && cp/.exec(all('RUN').join('\n')) ?? [];
    const words = build.match(/(?:[^\s"]|"[^"]*")+/g)?.map((word) => word.replaceAll('"', '')) ?? [];
    const [esbuild = '', ...args] = words.map((word) => word.replace('=out/', `=${folder}/`));
    await promisify(execFile)(join(root, 'node_modules/.bin', esbuild), args, { cwd: root });
    writeFileSync(join(folder, 'package.json'), readFileSync(join(root, 'package.json')));
  });

  it('explains a subject, with nothing beside it', async () => {
    writeFileSync(join(folder, 'bridge.yml'), JSON.stringify(config(0)));
    const { code, output } = await ended(process.execPath, ['main.mjs', 'explain', 's.a']);
    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('to      sqs:found') });
  });

  it('takes its rules from an environment variable, lives while it waits for NATS, and ends on SIGTERM', async () => {
    const code = await waitsAndEnds(async (port) => {
      const env = {
        ...process.env,
        AWS_REGION: 'eu-west-1',
        BRIDGE_CONFIG: 'env:BRIDGE_DOCUMENT',
        BRIDGE_DOCUMENT: JSON.stringify(config(port)),
      };
      return spawn(process.execPath, ['main.mjs', 'run'], { cwd: folder, env, stdio: 'ignore' });
    });
    expect(code).toBe(0);
  });

  it('says in a sentence what it misses: the variable, or a rule that can be used', async () => {
    const missing = await ended(process.execPath, ['main.mjs', 'check', '--config', 'env:NOWHERE']);
    expect(missing).toEqual({ code: 2, output: 'the environment variable NOWHERE is not set\n' });
  });
});

describe('npx switchback', () => {
  const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const program = join(root, bin.switchback);

  it('is a program that can be started, and lists its commands where it is told none that it knows', async () => {
    accessSync(program, constants.X_OK);
    expect(readFileSync(program, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
    const { code, output } = await ended(program, ['brigde']);
    expect(code).toBe(2);
    expect(output).toMatch(/^usage: switchback COMMAND …\n {2}bridge /);
  });

  it('bridge explain says which rule takes a subject where', async () => {
    const { code, output } = await ended(program, ['bridge', 'explain', 's.a', '--config', 'bridge.yml']);
    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('to      sqs:found') });
  });

  it('bridge passes SIGTERM on, and its exit code back', async () => {
    const code = await waitsAndEnds(async (port) => {
      const file = join(folder, 'running.yml');
      writeFileSync(file, JSON.stringify(config(port)));
      const env = { ...process.env, AWS_REGION: 'eu-west-1' };
      return spawn(program, ['bridge', '--config', file], { env, stdio: 'ignore' });
    });
    expect(code).toBe(0);
  });
});
