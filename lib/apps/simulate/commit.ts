/** Which state of the project a run is of: printed first, with the seed. */
import { execFileSync } from 'node:child_process';

/** Short; `(changed)` where the tree is not the commit's, `unknown` where there is no git. */
export function commitNow(): string {
  const git = (...args: readonly string[]) =>
    execFileSync('git', args, {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  try {
    const changed =
      git('status', '--porcelain', '--untracked-files=no', '../../..') === '' ? '' : ' (changed)';
    return `${git('rev-parse', '--short=12', 'HEAD').trim()}${changed}`;
  } catch {
    return 'unknown';
  }
}
