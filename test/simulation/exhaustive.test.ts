/**
 * A part of what `npm run sim -- --crashes` and `--interleavings` try whole: another part each time.
 */
import { randomInt } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { everyCrash, everySecondDelivery } from '../../lib/apps/simulate/exhaustive/crashes.ts';
import { firstInterleavings } from '../../lib/apps/simulate/exhaustive/interleavings.ts';
import { type Job, jobName, runJob } from '../../lib/apps/simulate/job.ts';

/** One of so many is tried. */
const every = 80;
const from = randomInt(every);

async function expectWell(jobs: readonly Job[]): Promise<void> {
  for (const job of jobs) {
    const { findings } = await runJob(job);
    expect({ job: jobName(job), findings }).toEqual({ job: jobName(job), findings: [] });
  }
}

const some = <T>(all: readonly T[]): readonly T[] => all.filter((_, nth) => nth % every === from);

describe(`one of ${every} short days, from the ${from}th`, () => {
  it('keeps every promise where a function dies before or after a call', async () => {
    const crashes = await everyCrash();
    expect(crashes.length).toBeGreaterThan(5000);
    await expectWell(some(crashes));
  });

  it('keeps every promise where an event is delivered twice', async () => {
    await expectWell(some(await everySecondDelivery()));
  });
});

describe('two flows on one service', () => {
  it('keep every promise where the second does all it does after the first few calls of the first', async () => {
    const pair = (from * 7) % firstInterleavings.length;
    const jobs: Job[] = firstInterleavings
      .filter((_, nth) => (nth + pair) % 22 === 0)
      .map((job) => ({ ...job, switchesMax: 1 }));
    let played = 0;
    for (let job = jobs.pop(); job !== undefined; job = jobs.pop()) {
      const { findings, next } = await runJob(job);
      expect({ job: jobName(job), findings }).toEqual({ job: jobName(job), findings: [] });
      jobs.push(...next);
      played++;
    }
    expect(played).toBeGreaterThan(15);
  });
});
