/** One run of whatever kind, by what decides it, and what came of it. */
import type { Finding } from './checks/book.ts';
import { drawScenario } from './draw.ts';
import { type CrashJob, runCrash } from './exhaustive/crashes.ts';
import { type InterleavingJob, pairName, runInterleaving } from './exhaustive/interleavings.ts';
import { type Outcome, run } from './run.ts';

export type SeedJob = { readonly kind: 'seed'; readonly seed: number };
export type Job =
  | SeedJob
  | CrashJob
  | (InterleavingJob & {
      /** Changes of turn that are tried. */
      readonly switchesMax: number;
    });

export type JobResult = {
  readonly job: Job;
  readonly virtualMinutes: number;
  readonly hits: number;
  readonly findings: readonly Finding[];
  /** What is to be tried because of it. */
  readonly next: readonly Job[];
};

/** What a run throws is a finding as well. */
export async function runJob(job: Job): Promise<JobResult> {
  try {
    const { findings, minutes, hits, next } = await play(job);
    return { job, virtualMinutes: minutes, hits: hits.length, findings, next };
  } catch (error) {
    return failed(job, 'the run comes to an end', String((error as Error).stack ?? error));
  }
}

export function failed(job: Job, check: string, says: string): JobResult {
  return { job, virtualMinutes: 0, hits: 0, findings: [{ check, service: '', says }], next: [] };
}

async function play(job: Job): Promise<Outcome & { readonly next: readonly Job[] }> {
  switch (job.kind) {
    case 'seed':
      return { ...(await run(drawScenario(job.seed))), next: [] };
    case 'crash':
      return { ...(await runCrash(job)), next: [] };
    case 'interleaving': {
      const { switchesMax } = job;
      const played = await runInterleaving(job, switchesMax);
      return { ...played, next: played.next.map((one) => ({ ...one, switchesMax })) };
    }
  }
}

/** What a run is called where it fails. */
export function jobName(job: Job): string {
  switch (job.kind) {
    case 'seed':
      return `seed ${job.seed}`;
    case 'crash':
      return `${job.day}: ${JSON.stringify(job.faults)}`;
    case 'interleaving':
      return pairName(job);
  }
}
