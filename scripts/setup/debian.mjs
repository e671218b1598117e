/**
 * Debian's tools that the tests measure us against. `npm start` needs none of them. Only what is missing is
 * installed, so on a machine that has them all nothing is asked of apt, root or the network.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { holdLock } from './lock.mjs';
import { SetupProblem, say } from './problem.mjs';

/**
 * One row per package: a file that proves it is there, and what it is for. With `onlyWith`, a package is
 * wanted only once some test's text matches.
 */
export const debianPackages = [
  { name: 'awscli', proof: '/usr/bin/aws', purpose: "Debian's aws command against the local cloud" },
  {
    name: 'nats-server',
    proof: '/usr/sbin/nats-server',
    purpose: 'the message bridge against a real NATS server',
  },
  {
    name: 'postgresql',
    proof: '/usr/lib/postgresql/*/bin/postgres',
    purpose: 'the data migration against PostgreSQL',
  },
  {
    name: 'prometheus',
    proof: '/usr/bin/promtool',
    purpose: "a service's own counters, asked of a real Prometheus",
  },
  {
    name: 'python3-scipy',
    proof: '/usr/lib/python3/dist-packages/scipy/__init__.py',
    purpose: "our statistics beside SciPy's",
  },
  {
    name: 'chromium',
    proof: '/usr/bin/chromium',
    purpose: 'the web page as a person sees it',
    onlyWith: /playwright-core/,
  },
];

/** Installs what is missing of `packages`; `system` is the machine, for the tests of this file. */
export async function installDebianPackages(root, packages = debianPackages, system = thisMachine) {
  const missing = packages.filter(
    ({ proof, onlyWith }) =>
      !system.has(proof) && (onlyWith === undefined || testsMention(join(root, 'test'), onlyWith)),
  );
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name);
  const list = missing.map(({ name, purpose }) => `${name} (${purpose})`).join(', ');
  const byHand = `Install them, then run the same command again: apt-get install ${names.join(' ')}`;
  if (!system.has('/usr/bin/apt-get')) {
    throw new SetupProblem(
      `The tests need ${list}, and this machine has no apt-get.`,
      'Run them on Debian 12; npm start needs none of these.',
    );
  }
  const asRoot = system.asRoot();
  if (asRoot === null)
    throw new SetupProblem(`The tests need ${list}, and neither root nor sudo is here.`, byHand);
  // Two clones may be set up at once, and apt has one lock for the whole machine.
  const release = await holdLock('apt', () => say('waiting for another setup to end its apt-get'));
  try {
    say(`installing from Debian: ${list}`);
    // A source that cannot be read need not be the one we want: only the install decides.
    const update = system.run(asRoot, ['update', '-qq']);
    const install = system.run(asRoot, ['install', '-y', '-qq', '--no-install-recommends', ...names]);
    if (install.status === 0) return;
    throw new SetupProblem(
      `apt-get could not install ${names.join(' ')}.`,
      byHand,
      update.output + install.output,
    );
  } finally {
    release();
  }
}

function testsMention(folder, pattern) {
  if (!existsSync(folder)) return false;
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .some((path) => pattern.test(readFileSync(join(folder, path), 'utf8')));
}

const thisMachine = {
  /** Whether the file is there; one `*` may stand for a folder's name. */
  has(path) {
    const [before, after] = path.split('*');
    if (after === undefined) return existsSync(path);
    return existsSync(before) && readdirSync(before).some((name) => existsSync(`${before}${name}${after}`));
  },

  /** What to put before apt-get so that it runs as root; null when there is no way. */
  asRoot() {
    if (process.getuid?.() === 0) return [];
    // Without a terminal nobody can type a password.
    const sudo = process.stdin.isTTY ? ['sudo'] : ['sudo', '-n'];
    return spawnSync(sudo[0], [...sudo.slice(1), 'true'], { stdio: ['inherit', 'ignore', 'inherit'] })
      .status === 0
      ? sudo
      : null;
  },

  run(asRoot, options) {
    // 120 s: unattended upgrades on a fresh machine hold dpkg's lock for about a minute.
    const words = [
      ...asRoot,
      'env',
      'DEBIAN_FRONTEND=noninteractive',
      'apt-get',
      '-o',
      'DPkg::Lock::Timeout=120',
      ...options,
    ];
    const { status, stdout, stderr, error } = spawnSync(words[0], words.slice(1), {
      encoding: 'utf8',
      stdio: ['inherit', 'pipe', 'pipe'],
      maxBuffer: 64 * 1024 * 1024,
    });
    return {
      status: error === undefined ? status : 1,
      output: `${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}`,
    };
  },
};
