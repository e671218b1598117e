/** Where the runs come from: seeds one after the other, or everything that there is to try. */
import type { SimulateArguments } from './arguments.ts';
import { everyCrash, everyCrashTwiceDelivered, everySecondDelivery } from './exhaustive/crashes.ts';
import { firstInterleavings } from './exhaustive/interleavings.ts';
import type { Job } from './job.ts';

export type Supply = {
  /** The next one; null when there is no more for now. */
  take(): Promise<Job | null>;
  /** What came of a run may lead to more. */
  add(jobs: readonly Job[]): void;
};

export function supplyOf(options: SimulateArguments): Supply {
  const more: Job[] = [];
  const jobs = jobsOf(options);
  return {
    async take() {
      const { value } = await jobs.next();
      return value ?? more.pop() ?? null;
    },
    add: (found) => {
      more.push(...found);
    },
  };
}

/**
 * Orders of two flows follow from one another, and seeds are as many as were asked for: those are all taken.
 */
async function* jobsOf(options: SimulateArguments): AsyncGenerator<Job, undefined> {
  const { every, seed } = options;
  let nth = seed % every;
  for await (const job of everyJob(options)) {
    if (job.kind !== 'crash' || nth % every === 0) yield job;
    nth++;
  }
}

async function* everyJob({ what, seed, seeds, depth }: SimulateArguments): AsyncGenerator<Job, undefined> {
  switch (what) {
    case 'seeds':
      for (let nth = 0; nth < seeds; nth++) yield { kind: 'seed', seed: seed + nth };
      return;
    case 'crashes':
      yield* await everyCrash();
      yield* await everySecondDelivery();
      return;
    case 'deliveries':
      yield* everyCrashTwiceDelivered();
      return;
    case 'interleavings':
      for (const job of firstInterleavings) yield { ...job, switchesMax: depth };
  }
}
