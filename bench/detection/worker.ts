// One thread of the bench: takes jobs, answers scores.
import { parentPort } from 'node:worker_threads';
import { allRules, type Job } from './jobs.ts';
import { latencyScore } from './latency.ts';
import { score } from './score.ts';

parentPort?.on('message', (job: Job) => {
  const answer =
    job.kind === 'errors'
      ? score(
          job.scenario,
          allRules.filter((rule) => job.rules.includes(rule.name)),
          job.rollouts,
          job.seed,
        )
      : latencyScore(job.scenario, job.rollouts, job.seed);
  parentPort?.postMessage(answer);
});
