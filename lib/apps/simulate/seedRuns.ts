/** Many seeds on several threads: each takes the next one as soon as it is free. */
import { Worker } from 'node:worker_threads';
import type { SeedResult } from './seedWorker.ts';

type SeedRuns = {
  readonly firstSeed: number;
  readonly seeds: number;
  readonly workers: number;
  /** No further run is begun once it says so. */
  isEnough(): boolean;
  told(result: SeedResult): void;
};

/** Real time a run may take; one takes some hundredths of a second. */
const runMsMax = 120_000;

/** Resolves when every run that was begun has ended. */
export async function runSeeds({ firstSeed, seeds, workers, isEnough, told }: SeedRuns): Promise<void> {
  let next = firstSeed;
  const take = (): number | null => (next >= firstSeed + seeds || isEnough() ? null : next++);
  await Promise.all(Array.from({ length: workers }, () => runOne(take, told)));
}

function runOne(take: () => number | null, told: (result: SeedResult) => void): Promise<void> {
  const worker = new Worker(new URL('./seedWorker.ts', import.meta.url));
  return new Promise((resolve, reject) => {
    let alarm: NodeJS.Timeout | undefined;
    const giveNext = () => {
      clearTimeout(alarm);
      const seed = take();
      if (seed === null) {
        resolve(worker.terminate().then(() => undefined));
        return;
      }
      alarm = setTimeout(() => {
        const says = `it had not ended after ${runMsMax / 1000} s`;
        told({ seed, virtualMinutes: 0, hits: 0, findings: [{ check: 'the run ends', service: '', says }] });
        resolve(worker.terminate().then(() => runOne(take, told)));
      }, runMsMax);
      worker.postMessage(seed);
    };
    worker.on('message', (result: SeedResult) => {
      told(result);
      giveNext();
    });
    worker.on('error', reject);
    giveNext();
  });
}
