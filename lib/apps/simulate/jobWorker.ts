/** Runs what it is sent, one after the other, on a thread of its own. */
import { parentPort } from 'node:worker_threads';
import { type Job, runJob } from './job.ts';

// What fails in a world of faults is told by its name: a stack for each costs a tenth of the time.
Error.stackTraceLimit = 0;

parentPort?.on('message', async (job: Job) => {
  parentPort?.postMessage(await runJob(job));
});
