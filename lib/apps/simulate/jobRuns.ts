/** Many runs on several threads: each takes the next one as soon as it is free. */
import { Worker } from 'node:worker_threads';
import { failed, type Job, type JobResult } from './job.ts';

type JobRuns = {
  /** The next one; null when there is no more for now. */
  take(): Promise<Job | null> | Job | null;
  readonly workers: number;
  told(result: JobResult): void;
};

/** Real time a run may take; one takes some hundredths of a second. */
const runMsMax = 120_000;
/** A thread that found nothing to do asks again, in case others' results led to more. */
const idleMs = 50;

/** Resolves when nothing is left and every run that was begun has ended. */
export async function runJobs({ take, workers, told }: JobRuns): Promise<void> {
  let running = 0;
  const next = async (): Promise<Job | null> => {
    for (;;) {
      const job = await take();
      if (job !== null) {
        running++;
        return job;
      }
      if (running === 0) return null;
      await new Promise((resolve) => setTimeout(resolve, idleMs));
    }
  };
  const done = (result: JobResult): void => {
    told(result);
    running--;
  };
  await Promise.all(Array.from({ length: workers }, () => runOnThread(next, done)));
}

async function runOnThread(
  next: () => Promise<Job | null>,
  done: (result: JobResult) => void,
): Promise<void> {
  let worker = newWorker();
  for (let job = await next(); job !== null; job = await next()) {
    const result = await runOn(worker, job);
    if (result === null) {
      await worker.terminate();
      worker = newWorker();
    }
    done(result ?? failed(job, 'the run ends', `it had not ended after ${runMsMax / 1000} s`));
  }
  await worker.terminate();
}

const newWorker = (): Worker => new Worker(new URL('./jobWorker.ts', import.meta.url));

/** null where it does not end. */
function runOn(worker: Worker, job: Job): Promise<JobResult | null> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => resolve(null), runMsMax);
    worker.once('error', reject);
    worker.once('message', (result: JobResult) => {
      clearTimeout(late);
      worker.off('error', reject);
      resolve(result);
    });
    worker.postMessage(job);
  });
}
