/** The functions' bundles: built again whenever a source they may hold is newer than they are. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stampOf } from '../build/sources.mjs';
import { nodeOf } from './packages.mjs';
import { SetupProblem, say } from './problem.mjs';

export function prepareBundles(root) {
  const stamp = join(root, 'dist', '.stamp');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === stampOf(root, process.env.SWITCHBACK_CONFIG))
    return;
  const { status, stdout, stderr } = spawnSync(nodeOf(root), [join(root, 'scripts', 'build.mjs')], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) {
    throw new SetupProblem(
      'The functions could not be bundled.',
      'Mend what is named above; npm run build tries again.',
      stdout + stderr,
    );
  }
  say(stdout.trim().split('\n').at(-1));
}
