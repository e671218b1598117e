/** The functions' bundles, as they are shipped, with the configuration of one test file in them. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseDocument } from 'yaml';
import type { EcsAlbTarget } from '../../events/target.ts';
import { stampOf } from '../../scripts/build/sources.mjs';
import { repositoryRoot as root } from '../tidy/plant.ts';

const script = join(root, 'scripts/build.mjs');

/**
 * The example's configuration with this cloud's addresses, and bundles that carry it. The cloud gives the
 * same addresses each time, so bundles are made once as long as nothing that they are made of changes.
 */
export async function wireBundles(
  target: EcsAlbTarget,
  service: Readonly<Record<string, unknown>>,
  others: Readonly<Record<string, unknown>>,
) {
  const document = parseDocument(readFileSync(join(root, 'examples/shop/switchback.yml'), 'utf8'));
  document.setIn(['services', 'shop', 'target'], target);
  for (const [key, value] of Object.entries(service)) {
    document.setIn(['services', 'shop', ...key.split('.')], document.createNode(value));
  }
  for (const [name, value] of Object.entries(others)) {
    document.setIn(['services', name], document.createNode(value));
  }
  const name = createHash('sha256').update(String(document)).digest('hex').slice(0, 16);
  const work = join(root, '.switchback/wire', name);
  const config = join(work, 'switchback.yml');
  const dist = join(work, 'dist');
  mkdirSync(work, { recursive: true });
  writeFileSync(config, String(document));
  const fresh = () =>
    existsSync(join(dist, '.stamp')) && readFileSync(join(dist, '.stamp'), 'utf8') === stampOf(root, config);
  if (!fresh())
    await promisify(execFile)(process.execPath, [script, '--config', config, '--out', dist], { cwd: root });
  return dist;
}
