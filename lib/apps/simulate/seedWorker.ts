/** Runs the seeds it is sent, one after the other, on a thread of its own. */
import { parentPort } from 'node:worker_threads';
import type { Finding } from './checks/book.ts';
import { drawScenario } from './draw.ts';
import { run } from './run.ts';

export type SeedResult = {
  readonly seed: number;
  readonly virtualMinutes: number;
  readonly hits: number;
  readonly findings: readonly Finding[];
};

// What fails in a world of faults is told by its name: a stack for each costs a tenth of the time.
if (parentPort !== null) Error.stackTraceLimit = 0;

parentPort?.on('message', async (seed: number) => {
  parentPort?.postMessage(await runSeed(seed));
});

/** What a run throws is a finding as well. */
export async function runSeed(seed: number): Promise<SeedResult> {
  try {
    const { findings, minutes, hits } = await run(drawScenario(seed));
    return { seed, virtualMinutes: minutes, hits: hits.length, findings };
  } catch (error) {
    const says = String((error as Error).stack ?? error);
    return {
      seed,
      virtualMinutes: 0,
      hits: 0,
      findings: [{ check: 'the run comes to an end', service: '', says }],
    };
  }
}
