import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { plant, type Ran, repositoryRoot } from '../tidy/plant.ts';
import { until } from '../until.ts';

/** What the npm of these tests does: notes the call, waits for the file `go`, then installs. */
const installs = `
mkdir -p node_modules/.bin
ln -s "$NODE24" node_modules/.bin/node
echo '{"packages":{"node_modules/a":{"version":"1.0.0"}}}' > node_modules/.package-lock.json`;

const npm = (npmDoes: string) => `#!/bin/sh
echo "$@" >> npm.calls
rm -rf node_modules
mkdir node_modules
while [ ! -e go ]; do sleep 0.01; done
${npmDoes}
`;

const lock = (version: string) =>
  JSON.stringify({
    packages: { '': {}, 'node_modules/a': { version }, 'node_modules/b': { version, optional: true } },
  });

/** A clone with a lockfile of one package and no functions, and an npm of its own. */
function plantClone({ npmDoes = installs, go = true }: { npmDoes?: string; go?: boolean } = {}): string {
  const root = plant(
    { 'package.json': '{"type":"module"}', 'package-lock.json': lock('1.0.0'), 'bin/npm': npm(npmDoes) },
    { copies: ['scripts'] },
  );
  chmodSync(join(root, 'bin/npm'), 0o755);
  if (go) writeFileSync(join(root, 'go'), '');
  // The bundler is not what is tested here, and is not installed in this clone.
  writeFileSync(join(root, 'scripts/build.mjs'), 'console.log("0 functions bundled");\n');
  return root;
}

type Setup = { readonly process: ChildProcess; readonly ended: Promise<Ran>; output(): string };

function setup(root: string, purpose = 'check', env: NodeJS.ProcessEnv = {}): Setup {
  const PATH = `${join(root, 'bin')}:/usr/bin:/bin`;
  const child = spawn(process.execPath, ['scripts/setup.mjs', purpose], {
    cwd: root,
    detached: true, // a process group of its own, so that a kill takes its npm along
    env: { PATH, NODE24: process.execPath, ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const ended = new Promise<Ran>((done) => {
    child.on('close', (status) => done({ status: status ?? 1, output }));
  });
  onTestFinished(() => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid as number), 'SIGKILL');
  });
  return { process: child, ended, output: () => output };
}

const npmCalls = (root: string) =>
  existsSync(join(root, 'npm.calls')) ? readFileSync(join(root, 'npm.calls'), 'utf8').trim().split('\n') : [];

/** Makes the setup believe that it runs on another Node. */
function onNode(version: string): NodeJS.ProcessEnv {
  const values = `{ version: { value: 'v${version}' }, versions: { value: { node: '${version}' } } }`;
  const code = encodeURIComponent(`Object.defineProperties(process, ${values})`);
  return { NODE_OPTIONS: `--import "data:text/javascript,${code}"` };
}

describe('the packages', () => {
  it('are installed once, and the next setup says nothing', async () => {
    const root = plantClone();

    const first = await setup(root).ended;
    const second = await setup(root).ended;

    expect(first).toMatchObject({ status: 0, output: expect.stringContaining('2 packages installed') });
    expect(second).toEqual({ status: 0, output: '' });
    expect(npmCalls(root)).toEqual(['ci --no-audit --no-fund --no-progress --loglevel=error']);
  });

  it('are installed again when the lockfile changes', async () => {
    const root = plantClone();
    await setup(root).ended;
    writeFileSync(join(root, 'package-lock.json'), lock('1.1.0'));

    await setup(root).ended;

    expect(npmCalls(root)).toHaveLength(2);
  });

  it('are left alone when npm install was run by hand with the same result', async () => {
    const root = plantClone();
    await setup(root).ended;
    rmSync(join(root, 'node_modules/.switchback-setup'));

    expect(await setup(root).ended).toEqual({ status: 0, output: '' });
    expect(npmCalls(root)).toHaveLength(1);
  });

  it('are installed once by two setups at the same time', async () => {
    const root = plantClone({ go: false });
    const first = setup(root);
    await until('npm is called', () => npmCalls(root).length === 1);
    const second = setup(root);
    await until('the second waits', () =>
      second.output().includes('waiting for another setup of this folder'),
    );
    writeFileSync(join(root, 'go'), '');

    expect([(await first.ended).status, (await second.ended).status]).toEqual([0, 0]);
    expect(npmCalls(root)).toHaveLength(1);
  });

  it('are installed afresh after a setup was killed in the middle, and nobody waits for the dead one', async () => {
    const root = plantClone({ go: false });
    const killed = setup(root);
    await until('npm is called', () => npmCalls(root).length === 1);
    const waiting = setup(root);
    await until('the second waits', () => waiting.output().includes('waiting for another setup'));
    process.kill(-(killed.process.pid as number), 'SIGKILL');
    writeFileSync(join(root, 'go'), '');

    expect(await waiting.ended).toMatchObject({ status: 0 });
    expect(npmCalls(root)).toHaveLength(2);
  });

  it('leave a sentence when a person interrupts the install', async () => {
    const root = plantClone({ go: false });
    const stopped = setup(root);
    await until('npm is called', () => npmCalls(root).length === 1);
    process.kill(-(stopped.process.pid as number), 'SIGINT');

    const { status, output } = await stopped.ended;
    expect(status).toBe(1);
    expect(output).toContain('npm ci was stopped by SIGINT. Run the same command again: it starts afresh.');
  });

  it('that cannot be had are explained with npm’s last lines, a remedy, and no registry’s host', async () => {
    const root = plantClone({
      npmDoes:
        'echo "npm error code ENOTFOUND" >&2\n' +
        'echo "npm error request to https://npm.example.com/a failed" >&2\n' +
        'echo "npm error getaddrinfo ENOTFOUND npm.example.com" >&2\n' +
        'exit 1',
    });

    const { status, output } = await setup(root).ended;

    expect(status).toBe(1);
    expect(output).toContain('npm error code ENOTFOUND');
    expect(output).toContain(
      'switchback: npm ci could not install the packages. The npm registry could not be reached',
    );
    expect(output).not.toContain('example.com');
  });

  it('without Node 24 are refused on an older Node', async () => {
    const root = plantClone({ npmDoes: 'mkdir -p node_modules' });

    const { status, output } = await setup(root, 'check', onNode('20.20.2')).ended;

    expect(status).toBe(1);
    expect(output).toContain(
      'Node 24 is missing from node_modules/.bin. Run npm ci without --ignore-scripts',
    );
  });

  it('without Node 24 are enough on a machine that has it', async () => {
    const root = plantClone({ npmDoes: 'mkdir -p node_modules' });

    expect(await setup(root).ended).toMatchObject({ status: 0 });
  });
});

describe('a setup that cannot begin', () => {
  it('names the Node it needs and the one that is here', async () => {
    const { status, output } = await setup(plantClone(), 'start', onNode('20.11.1')).ended;

    expect(status).toBe(1);
    expect(output).toBe(
      'switchback: This is Node 20.11.1, and Switchback is installed by Node 20.19 or newer. ' +
        'Install a newer Node and run the same command again.\n',
    );
  });

  it('names the purposes there are', async () => {
    const { status, output } = await setup(plantClone(), 'strat').ended;

    expect(status).toBe(1);
    expect(output).toContain('does not know the purpose "strat". Call it with one of: start, check, test.');
  });

  it('says how to get the lockfile back', async () => {
    const root = plantClone();
    rmSync(join(root, 'package-lock.json'));

    expect((await setup(root).ended).output).toContain('git checkout package-lock.json');
  });
});

describe('the bundles', () => {
  const bundler = (does: string) =>
    "import { stampOf } from './build/sources.mjs';\n" +
    `import { mkdirSync, writeFileSync } from 'node:fs';\n${does}`;
  const builds = bundler(
    "mkdirSync('dist', { recursive: true });\nwriteFileSync('dist/.stamp', stampOf(process.cwd()));\n" +
      "console.log('1 functions bundled');\n",
  );

  it('are built when a source is new, and not otherwise', async () => {
    const root = plantClone();
    writeFileSync(join(root, 'scripts/build.mjs'), builds);

    expect((await setup(root, 'start').ended).output).toContain('1 functions bundled');
    expect((await setup(root, 'start').ended).output).toBe('');
    writeFileSync(join(root, 'scripts/build/new.mjs'), '');
    expect((await setup(root, 'start').ended).output).toContain('1 functions bundled');
  });

  it('that cannot be built stop the command with the bundler’s words', async () => {
    const root = plantClone();
    writeFileSync(
      join(root, 'scripts/build.mjs'),
      "console.error('handler.ts: no such import');\nprocess.exit(1);\n",
    );

    const { status, output } = await setup(root, 'start').ended;

    expect(status).toBe(1);
    expect(output).toContain('handler.ts: no such import');
    expect(output).toContain('The functions could not be bundled.');
  });
});

type AptSystem = {
  has(path: string): boolean;
  asRoot(): string[] | null;
  run(asRoot: string[], words: string[]): unknown;
};

describe('Debian’s tools', () => {
  const { href } = new URL('../../scripts/setup/debian.mjs', import.meta.url);
  const packages = [
    { name: 'here', proof: '/here', purpose: 'one thing' },
    { name: 'gone', proof: '/gone', purpose: 'another' },
    { name: 'browser', proof: '/browser', purpose: 'a page', onlyWith: /a page is looked at/ },
  ];
  const debian = (system: Partial<AptSystem>) => {
    const calls: string[] = [];
    const whole: AptSystem = {
      has: (path) => path === '/here' || path === '/usr/bin/apt-get',
      asRoot: () => [],
      run: (asRoot, words) => {
        calls.push([...asRoot, ...words].join(' '));
        return { status: 0, output: '' };
      },
      ...system,
    };
    return { calls, whole };
  };
  const install = async (root: string, system: AptSystem) => {
    const { installDebianPackages } = await import(/* @vite-ignore */ href);
    return installDebianPackages(root, packages, system);
  };

  it('are installed where they are missing, after an update, and with sudo where we are not root', async () => {
    const { calls, whole } = debian({ asRoot: () => ['sudo'] });

    await install(plant({}), whole);

    expect(calls).toEqual(['sudo update -qq', 'sudo install -y -qq --no-install-recommends gone']);
  });

  it('include the browser once a test looks at a page', async () => {
    const { calls, whole } = debian({});

    await install(plant({ 'test/page.test.ts': '// a page is looked at' }), whole);

    expect(calls.at(-1)).toContain('gone browser');
  });

  it('are not asked for at all when all are there', async () => {
    const { calls, whole } = debian({ has: () => true });

    await install(repositoryRoot, whole);

    expect(calls).toEqual([]);
  });

  it('are named with their purpose where there is no apt-get', async () => {
    const { whole } = debian({ has: (path) => path === '/here' });

    await expect(install(plant({}), whole)).rejects.toMatchObject({
      message: 'The tests need gone (another), and this machine has no apt-get.',
      remedy: 'Run them on Debian 12; npm start needs none of these.',
    });
  });

  it('are named with the command where we may not install', async () => {
    const { whole } = debian({ asRoot: () => null });

    await expect(install(plant({}), whole)).rejects.toMatchObject({
      message: 'The tests need gone (another), and neither root nor sudo is here.',
      remedy: 'Install them, then run the same command again: apt-get install gone',
    });
  });

  it('that apt cannot install leave apt’s words without the mirror’s host', async () => {
    const { whole } = debian({
      run: () => ({ status: 100, output: 'Err:1 http://mirror.example.com/debian bookworm\n' }),
    });

    await expect(install(plant({}), whole)).rejects.toMatchObject({
      message: 'apt-get could not install gone.',
      seen: expect.not.stringContaining('example.com'),
    });
  });
});
