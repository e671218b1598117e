// Spreads simulations over both cores. A cell is cut into parts, so that one slow cell does not run alone.
import { Worker } from 'node:worker_threads';
import type { LatencyScenario } from './latency.ts';
import { everyMinute, everyTenSeconds } from './ourRule.ts';
import type { Scenario } from './rollouts.ts';
import { fixedRules, moreTunableRules, type Rule, tunableRules } from './rules.ts';
import { merge, type Score } from './score.ts';

export const allRules: readonly Rule[] = [
  everyMinute,
  everyTenSeconds,
  ...fixedRules,
  ...tunableRules,
  ...moreTunableRules,
];

export type Job =
  | {
      readonly kind: 'errors';
      readonly scenario: Scenario;
      readonly rules: readonly string[];
      readonly rollouts: number;
      readonly seed: number;
    }
  | {
      readonly kind: 'latency';
      readonly scenario: LatencyScenario;
      readonly rollouts: number;
      readonly seed: number;
    };

const threads = 2;
const partRolloutsMax = 250;

/** Scores of every job, in order; a job's parts are merged rule by rule. */
export async function runJobs(jobs: readonly Job[]): Promise<Score[][]> {
  const parts = jobs.flatMap((job, index) => cut(job).map((part) => ({ index, part })));
  const answers: Score[][][] = jobs.map(() => []);
  let next = 0;
  const work = async (): Promise<void> => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url));
    for (let item = parts[next++]; item !== undefined; item = parts[next++]) {
      const { index, part } = item;
      answers[index]?.push(await ask(worker, part));
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: threads }, work));
  return answers.map((cell) =>
    (cell[0] ?? []).map((_, rule) => merge(cell.map((part) => part[rule] as Score))),
  );
}

function cut(job: Job): Job[] {
  const parts: Job[] = [];
  for (let from = 0; from < job.rollouts; from += partRolloutsMax) {
    const rollouts = Math.min(partRolloutsMax, job.rollouts - from);
    parts.push({ ...job, rollouts, seed: (job.seed + Math.imul(from + 1, 0x27d4eb2f)) >>> 0 });
  }
  return parts;
}

function ask(worker: Worker, job: Job): Promise<Score[]> {
  return new Promise((resolve, reject) => {
    worker.once('message', (answer: Score[]) => {
      worker.off('error', reject);
      resolve(answer);
    });
    worker.once('error', reject);
    worker.postMessage(job);
  });
}
