/** What the bundles are made of, as one hash: equal hashes, equal bundles. Node's built-ins only. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Everything that can end in a bundle; the lockfile stands for the packages. */
const sources = [
  'events',
  'functions',
  'lib',
  'examples',
  'scripts/build',
  'scripts/build.mjs',
  'package-lock.json',
];

/** Where the configuration is looked for when SWITCHBACK_CONFIG names none: ours, else the first example. */
const configurations = ['switchback.yml', ...['mistersmith', 'cloudshelf', 'shop'].map(exampleOf)];

function exampleOf(name) {
  return `examples/${name}/switchback.yml`;
}

/** The configuration file to compile into the bundles; null when there is none at all. */
export function configurationPath(root, named = process.env.SWITCHBACK_CONFIG) {
  if (named !== undefined && named !== '') return resolve(root, named);
  const found = configurations.find((path) => existsSync(join(root, path)));
  return found === undefined ? null : join(root, found);
}

/** @param named a configuration file other than the default one */
export function stampOf(root, named, stage = 'dev') {
  const hash = createHash('sha256');
  const configuration = configurationPath(root, named);
  hash.update(`${configuration}\n${stage}\n`);
  for (const path of [...sources.map((source) => join(root, source)), configuration ?? '']) {
    for (const file of filesUnder(path)) hash.update(`${file}\n`).update(readFileSync(file));
  }
  return `${hash.digest('hex')}\n`;
}

function filesUnder(path) {
  if (path === '' || !existsSync(path)) return [];
  if (statSync(path).isFile()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesUnder(join(path, name)));
}
