/**
 * The npm packages: `npm ci` whenever what is installed is not what package-lock.json says. A stamp inside
 * node_modules holds the lockfile's hash; `npm ci` empties that folder first, so an interrupted install
 * leaves no stamp behind and is done again.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { SetupProblem, say } from './problem.mjs';

const stampPath = (root) => join(root, 'node_modules', '.switchback-setup');

/** The Node that everything but this setup runs on; major version. */
const NODE_MAJOR = 24;

export async function packagesAreCurrent(root) {
  const lockHash = hashOf(readLock(root));
  const stamp = readIfThere(stampPath(root));
  if (stamp.trim() === lockHash && nodeOf(root) !== null) return true;
  // Installed by hand (`npm install`): the same packages need not be fetched again.
  if (!installedMatchesLock(root) || nodeOf(root) === null) return false;
  writeFileSync(stampPath(root), `${lockHash}\n`);
  return true;
}

export async function installPackages(root) {
  const lock = readLock(root);
  const count = Object.keys(JSON.parse(lock).packages ?? {}).length - 1;
  const { status, output, seconds } = await npmCi(root, `installing ${count} packages with npm ci`);
  if (status !== 0) {
    // Behind what is wrong, npm explains how it is called.
    const seen = output.split(/^npm error Clean install a project/m)[0];
    throw new SetupProblem('npm ci could not install the packages.', remedyFor(output), seen);
  }
  if (nodeOf(root) === null) {
    throw new SetupProblem(
      `Node ${NODE_MAJOR} is missing from node_modules/.bin.`,
      'Run npm ci without --ignore-scripts and without --omit=optional, then the same command again.',
    );
  }
  writeFileSync(stampPath(root), `${hashOf(lock)}\n`);
  say(`${count} packages installed in ${seconds} s`);
}

/**
 * The Node that runs the product: the one npm installed, or this very one where it is new enough. null: none.
 */
export function nodeOf(root) {
  const installed = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
  if (existsSync(installed)) {
    const { stdout } = spawnSync(installed, ['--version'], { encoding: 'utf8' });
    if (majorOf(stdout) === NODE_MAJOR) return installed;
  }
  return majorOf(process.version) >= NODE_MAJOR && existsSync(process.execPath) ? process.execPath : null;
}

const majorOf = (version) => Number(/^v(\d+)\./.exec(version ?? '')?.[1] ?? 0);

const hashOf = (text) => createHash('sha256').update(text).digest('hex');

function readIfThere(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

function readLock(root) {
  const lock = readIfThere(join(root, 'package-lock.json'));
  if (lock !== '') return lock;
  throw new SetupProblem('package-lock.json is missing.', 'Restore it with: git checkout package-lock.json');
}

/** npm writes node_modules/.package-lock.json last: where it is, an install came to its end. */
function installedMatchesLock(root) {
  const hidden = readIfThere(join(root, 'node_modules', '.package-lock.json'));
  if (hidden === '') return false;
  const installed = JSON.parse(hidden).packages ?? {};
  const wanted = JSON.parse(readLock(root)).packages ?? {};
  const agrees = ([path, { version, optional }]) =>
    path === '' || (installed[path] === undefined ? optional === true : installed[path].version === version);
  return Object.entries(wanted).every(agrees) && Object.keys(installed).every((path) => path in wanted);
}

/** Runs npm quietly: warnings such as EBADENGINE concern packages that Node 24 will run, not this Node. */
function npmCi(root, what) {
  const bin = join(root, 'node_modules', '.bin');
  // npm must not run on the Node that it is about to replace.
  const PATH = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== bin)
    .join(delimiter);
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  const live = process.stdout.isTTY === true;
  if (!live) say(what);
  const line = () => process.stdout.write(`\r\x1b[Kswitchback: ${what} … ${seconds()} s`);
  const ticking = live ? setInterval(line, 1000) : undefined;
  if (live) line();
  return new Promise((resolve, reject) => {
    const npm = spawn('npm', ['ci', '--no-audit', '--no-fund', '--no-progress', '--loglevel=error'], {
      cwd: root,
      env: { ...process.env, PATH },
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    });
    let stoppedBy = null;
    const stop = (signal) => {
      stoppedBy = signal;
      npm.kill(signal);
    };
    process.on('SIGINT', stop).on('SIGTERM', stop);
    let output = '';
    for (const stream of [npm.stdout, npm.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    const settle = () => {
      clearInterval(ticking);
      if (live) process.stdout.write('\r\x1b[K');
      process.off('SIGINT', stop).off('SIGTERM', stop);
    };
    npm.on('error', (error) => {
      settle();
      reject(
        new SetupProblem(`npm could not be started (${error.code}).`, 'Install npm 10 or newer beside Node.'),
      );
    });
    npm.on('close', (status, signal) => {
      settle();
      const by = stoppedBy ?? signal;
      if (by === null) resolve({ status, output, seconds: seconds() });
      else
        reject(
          new SetupProblem(`npm ci was stopped by ${by}.`, 'Run the same command again: it starts afresh.'),
        );
    });
  });
}

/** What npm's own codes for a failure mean to the person who reads them; the first that is found counts. */
const remedies = [
  ['EUSAGE', 'package.json and package-lock.json disagree: run npm install and commit the lockfile with it.'],
  [
    'ETARGET|E404|notarget',
    'The registry in use lacks that version: use a full registry, or npm install another.',
  ],
  [
    'ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET|EHOSTUNREACH|E50\\d',
    'The npm registry could not be reached: check the network and npm config get registry, then try again.',
  ],
  ['ENOSPC', 'The disk is full: node_modules needs about 600 MB.'],
  ['EACCES|EPERM', 'The folder cannot be written: give it to the user who runs this.'],
  ['EBADENGINE', 'A package refuses this Node (engine-strict): run npm config set engine-strict false.'],
];

function remedyFor(output) {
  const known = remedies.find(([code]) => new RegExp(`\\b(${code})\\b`).test(output));
  return known?.[1] ?? 'Mend what npm says above, then run the same command again.';
}
