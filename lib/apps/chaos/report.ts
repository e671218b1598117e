/** What a run came to: the table of strikes, and everything that was counted. */
import type { Strikes } from './strikes.ts';
import type { Tally } from './trouble.ts';

export function report(tally: Tally, strikes: Strikes): readonly string[] {
  const counted = [...tally].sort(([one], [other]) => one.localeCompare(other));
  const { rss } = process.memoryUsage();
  return [
    ...strikes.table(),
    '',
    ...counted.map(([what, times]) => `${String(times).padStart(8)}  ${what}`),
    `${String(Math.round(rss / 2 ** 20)).padStart(8)}  MB of memory at the end`,
  ];
}
