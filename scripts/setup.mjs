/**
 * Makes a clone ready for `npm start`, `npm test` and `npm run check`; npm runs it before each of them.
 * It runs under whatever Node the machine has (20.19 or newer), before anything is installed, and so uses
 * Node's built-ins only. Where nothing is missing it says nothing and takes a few hundredths of a second.
 *
 * packages → Debian's tools (for the tests only) → bundles; one clone is set up by one process at a time.
 */
import { createHash } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepareBundles } from './setup/bundles.mjs';
import { installDebianPackages } from './setup/debian.mjs';
import { holdLock } from './setup/lock.mjs';
import { installPackages, packagesAreCurrent } from './setup/packages.mjs';
import { SetupProblem, say } from './setup/problem.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** What each command needs, in order. */
const needs = {
  start: ['packages', 'bundles'],
  check: ['packages'],
  test: ['packages', 'debian', 'bundles'],
};

const work = {
  packages: async () => (await packagesAreCurrent(root)) || (await installPackages(root)),
  debian: () => installDebianPackages(root),
  bundles: () => prepareBundles(root),
};

function refuseOldNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new SetupProblem(
    `This is Node ${process.versions.node}, and Switchback is installed by Node 20.19 or newer.`,
    'Install a newer Node and run the same command again.',
  );
}

async function main(purpose) {
  refuseOldNode();
  const steps = needs[purpose];
  if (steps === undefined) {
    throw new SetupProblem(
      `scripts/setup.mjs does not know the purpose ${JSON.stringify(purpose ?? '')}.`,
      `Call it with one of: ${Object.keys(needs).join(', ')}.`,
    );
  }
  const name = `setup-${createHash('sha256').update(root).digest('hex').slice(0, 16)}`;
  const release = await holdLock(name, () => say('waiting for another setup of this folder to end'));
  try {
    for (const step of steps) await work[step]();
  } finally {
    release();
  }
}

main(process.argv[2]).catch((error) => {
  if (!(error instanceof SetupProblem)) throw error;
  error.print();
  process.exitCode = 1;
});
