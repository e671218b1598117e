import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { plant, run } from '../tidy/plant.ts';

const withSdk = `
import { configuration } from 'virtual:switchback-config';
import { ECSClient } from '@aws-sdk/client-ecs';
import { dnsTraffic } from '../../lib/aws/traffic/dns.ts';
import { ecsAlbTraffic } from '../../lib/aws/traffic/ecsAlb.ts';
const byKind = { 'ecs-alb': ecsAlbTraffic, dns: dnsTraffic };
export const handler = async ({ kind }: { kind: 'ecs-alb' | 'dns' }) => {
  const { accessKeyId } = await new ECSClient({ region: 'eu-west-1' }).config.credentials();
  return { accessKeyId, configuration, shifted: byKind[kind]() };
};
`;

const house = {
  'switchback.yml': 'services: …',
  'functions/shift-traffic/handler.ts': withSdk,
  'functions/on-alarm/handler.ts': "export const handler = async () => 'alarmed';\n",
  'lib/aws/traffic/ecsAlb.ts': "export const ecsAlbTraffic = () => 'by the listener';\n",
  'lib/aws/traffic/dns.ts':
    "import { Route53Client } from '@aws-sdk/client-route-53';\n" +
    'export function dnsTraffic() {\n  return new Route53Client({});\n}\n',
  'lib/apps/configure/compile.ts':
    'export const compileConfiguration = async (path: string) => {\n' +
    "  if (path.endsWith('broken.yml')) throw new Error(path + ': unknown key wieght, use weight');\n" +
    "  return { checkout: { target: { kind: 'ecs-alb' } } };\n};\n",
};

const plantHouse = (files: Record<string, string> = house) =>
  plant(files, {
    copies: [
      ...['scripts', 'package.json', 'package-lock.json', 'tsconfig.json'],
      ...['lib/aws/envCredentials.ts', 'lib/aws/lambda/endpoints.ts', 'lib/aws/lambda/zodMini.ts'],
    ],
    packages: true,
  });

const build = (root: string, env: NodeJS.ProcessEnv = {}) =>
  run(process.execPath, ['scripts/build.mjs'], root, { ...process.env, SWITCHBACK_CONFIG: '', ...env });

/** Calls a built function as Lambda would: the file alone, in a process of its own. */
function call(root: string, verb: string, event: unknown, env: NodeJS.ProcessEnv = {}): string {
  const code =
    `const { handler } = await import(${JSON.stringify(join(root, 'dist', verb, 'index.mjs'))});` +
    `console.log(JSON.stringify(await handler(${JSON.stringify(event)}).catch((e) => [e.name, e.message])));`;
  rmSync(join(root, 'node_modules'), { force: true }); // a bundle needs no package beside it
  return execFileSync(process.execPath, ['--input-type=module', '-e', code], {
    encoding: 'utf8',
    env,
  }).trim();
}

describe('the bundles', () => {
  it('hold the SDK, the configuration and credentials from the environment, one file per function', async () => {
    const root = plantHouse();

    expect(await build(root)).toMatchObject({ status: 0 });

    expect(readdirSync(join(root, 'dist')).sort()).toEqual([
      '.stamp',
      'meta.json',
      'on-alarm',
      'shift-traffic',
    ]);
    const keys = { AWS_ACCESS_KEY_ID: 'ours', AWS_SECRET_ACCESS_KEY: 'secret' };
    expect(JSON.parse(call(root, 'shift-traffic', { kind: 'ecs-alb' }, keys))).toEqual({
      accessKeyId: 'ours',
      configuration: { checkout: { target: { kind: 'ecs-alb' } } },
      shifted: 'by the listener',
    });
  });

  it('name the variable when credentials are missing', async () => {
    const root = plantHouse();
    await build(root);

    expect(call(root, 'shift-traffic', { kind: 'ecs-alb' })).toContain('AWS_ACCESS_KEY_ID is not set');
  });

  it('leave out the adapters of target kinds the configuration does not use, and say so when one is called', async () => {
    const root = plantHouse();
    await build(root);

    expect(readFileSync(join(root, 'dist/meta.json'), 'utf8')).not.toContain('client-route-53');
    const keys = { AWS_ACCESS_KEY_ID: 'ours', AWS_SECRET_ACCESS_KEY: 'secret' };
    expect(JSON.parse(call(root, 'shift-traffic', { kind: 'dns' }, keys))).toEqual([
      'TargetMissing',
      expect.stringContaining('in switchback.yml is of that kind'),
    ]);
  });

  it('give require to a CommonJS package that asks for a Node built-in, and keep the source map true', async () => {
    const root = plantHouse({
      'functions/on-alarm/handler.ts':
        "import { home } from './old.cjs';\nexport const handler = async () => home;\n",
      'functions/on-alarm/old.cjs': "exports.home = require('node:os').homedir();\n",
    });
    await build(root);

    const code = readFileSync(join(root, 'dist/on-alarm/index.mjs'), 'utf8');
    expect(code.split('\n')[0]).toContain('createRequire');
    const map = JSON.parse(readFileSync(join(root, 'dist/on-alarm/index.mjs.map'), 'utf8'));
    expect(map.mappings).toMatch(/^;[^;]/);
    expect(JSON.parse(call(root, 'on-alarm', {}, { HOME: '/nowhere' }))).toBe('/nowhere');
  });

  it('take Node’s own modules without the exports that nobody reads', async () => {
    const root = plantHouse({
      'functions/on-alarm/handler.ts':
        "import fs, { existsSync } from 'fs';\nimport { createHash } from 'node:crypto';\n" +
        "import * as path from 'node:path';\nexport const handler = async () => {\n" +
        "  const { isIP } = await import('node:net');\n" +
        "  const hash = createHash('sha256').update('a').digest('hex').slice(0, 4);\n" +
        "  return [hash, path.join('a', 'b'), existsSync === fs.existsSync, isIP('127.0.0.1')];\n};\n",
    });
    await build(root);

    const code = readFileSync(join(root, 'dist/on-alarm/index.mjs'), 'utf8');
    expect(code).not.toMatch(/from ?"/);
    expect(code).not.toContain('webcrypto');
    expect(JSON.parse(call(root, 'on-alarm', {}))).toEqual(['ca97', 'a/b', true, 4]);
  });

  it('read schemas with the small reader, or all of them with the library where that is needed', async () => {
    const root = plantHouse({
      'events/slot.ts': "import * as z from 'zod/mini';\nexport const Slot = z.enum(['blue', 'green']);\n",
      'functions/on-alarm/handler.ts':
        "import * as z from 'zod/mini';\nimport { Slot } from '../../events/slot.ts';\n" +
        'export const handler = async (given: unknown) => z.safeParse(z.object({ slot: Slot }), given).success;\n',
      'functions/start-rollout/handler.ts':
        "import * as z from 'zod';\nimport { Slot } from '../../events/slot.ts';\n" +
        'export const handler = async (given: unknown) => z.object({ slot: Slot }).safeParse(given).success;\n',
    });
    await build(root);

    expect(readFileSync(join(root, 'dist/on-alarm/index.mjs'), 'utf8').length).toBeLessThan(4000);
    expect(call(root, 'on-alarm', { slot: 'green' })).toBe('true');
    expect(call(root, 'start-rollout', { slot: 'green' })).toBe('true');
    expect(call(root, 'start-rollout', { slot: 'red' })).toBe('false');
  });

  it('are rebuilt without the folder of a function that is gone, and left alone where nothing changed', async () => {
    const root = plantHouse();
    await build(root);
    const before = statSync(join(root, 'dist/shift-traffic/index.mjs')).mtimeMs;
    rmSync(join(root, 'functions/on-alarm'), { recursive: true });

    expect(await build(root)).toMatchObject({ status: 0 });

    expect(existsSync(join(root, 'dist/on-alarm'))).toBe(false);
    expect(statSync(join(root, 'dist/shift-traffic/index.mjs')).mtimeMs).toBe(before);
  });
});

describe('a build that cannot be made', () => {
  it('says what is wrong with the configuration, once and in its compiler’s words', async () => {
    const root = plantHouse({ ...house, 'broken.yml': '' });

    const { status, output } = await build(root, { SWITCHBACK_CONFIG: 'broken.yml' });

    expect(status).toBe(1);
    expect(output.match(/unknown key wieght, use weight/g)).toHaveLength(1);
  });

  it('names the configuration file that is not there', async () => {
    const { status, output } = await build(plantHouse(), { SWITCHBACK_CONFIG: 'elsewhere.yml' });

    expect(status).toBe(1);
    expect(output).toContain('elsewhere.yml does not exist: SWITCHBACK_CONFIG must name a file');
  });

  it('names the file and the import that cannot be resolved, and leaves the old bundles as they were', async () => {
    const root = plantHouse();
    await build(root);
    const before = readFileSync(join(root, 'dist/on-alarm/index.mjs'), 'utf8');
    writeFileSync(join(root, 'functions/on-alarm/handler.ts'), "import './gone.ts';\n");

    const { status, output } = await build(root);

    expect(status).toBe(1);
    expect(output).toContain('functions/on-alarm/handler.ts: Could not resolve "./gone.ts"');
    expect(readFileSync(join(root, 'dist/on-alarm/index.mjs'), 'utf8')).toBe(before);
  });
});
