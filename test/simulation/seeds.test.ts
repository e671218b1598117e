/**
 * Days drawn from seeds, with everything that goes wrong in them: the same ones each time, and a few that
 * nobody has seen. Those that failed are scenes of their own. Many more of them: `npm run sim`.
 */
import { randomInt } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { runJob } from '../../lib/apps/simulate/job.ts';

const first = randomInt(2 ** 30);

describe('a day drawn from a seed', () => {
  it('keeps every promise, the same forty days each time', async () => {
    for (let seed = 1; seed <= 40; seed++) expect(await findingsOf(seed)).toEqual([]);
  });

  it(`keeps every promise on days that nobody has seen: twenty from seed ${first}`, async () => {
    for (let seed = first; seed < first + 20; seed++) expect(await findingsOf(seed)).toEqual([]);
  });

  it('is the same day twice', async () => {
    expect(await runSeed(7)).toEqual(await runSeed(7));
  });
});

const runSeed = (seed: number) => runJob({ kind: 'seed', seed });

/** The seed stands in what is found, so that a failure names it. */
const findingsOf = async (seed: number) =>
  (await runSeed(seed)).findings.map((finding) => ({ seed, ...finding }));
