/**
 * `npm run sim`: draws a day of several services and everything that goes wrong in it from each seed, plays
 * it in virtual time and holds it to every check; or tries every crash, every second delivery, every order of
 * two flows in short days. What fails is told at once; days from seeds are made short at the end.
 */
import { randomInt } from 'node:crypto';
import { simulateArguments } from './arguments.ts';
import { commitNow } from './commit.ts';
import { drawScenario } from './draw.ts';
import { type JobResult, jobName } from './job.ts';
import { runJobs } from './jobRuns.ts';
import { sceneText } from './sceneText.ts';
import { shrink } from './shrink.ts';
import { supplyOf } from './supply.ts';

const progressEveryMs = 10_000;
/** Failing days that are made short, each of another check. */
const shrunkMax = 3;

async function main(argv: readonly string[]): Promise<number> {
  const options = simulateArguments(argv, () => randomInt(2 ** 30));
  const { what, seed, minutes, workers } = options;
  const commit = commitNow();
  const beganAt = performance.now();
  const untilMs = minutes === null ? Number.POSITIVE_INFINITY : minutes * 60_000;
  console.log(`${what}${what === 'seeds' ? ` from ${seed}` : ''}, commit ${commit}, ${workers} workers`);
  const sum = { runs: 0, virtualMinutes: 0, hits: 0 };
  const failing: JobResult[] = [];
  let interrupted = false;
  process.once('SIGINT', () => {
    interrupted = true;
  });
  const progress = setInterval(() => console.log(said(sum, failing.length, beganAt)), progressEveryMs);
  const isEnough = () => interrupted || performance.now() - beganAt > untilMs;
  const supply = supplyOf(options);
  await runJobs({
    workers,
    take: () => (isEnough() ? null : supply.take()),
    told(result) {
      sum.runs++;
      sum.virtualMinutes += result.virtualMinutes;
      sum.hits += result.hits;
      supply.add(result.next);
      if (result.findings.length === 0) return;
      failing.push(result);
      console.log(failureText(result, commit));
    },
  });
  clearInterval(progress);
  for (const one of ofEachCheck(failing).slice(0, shrunkMax)) await tellShort(one);
  console.log(said(sum, failing.length, beganAt));
  if (failing.length > 0) console.log(`failing: ${failing.map(({ job }) => jobName(job)).join('; ')}`);
  return failing.length === 0 ? 0 : 1;
}

function failureText({ job, findings }: JobResult, commit: string): string {
  const lines = findings.map(
    ({ check, service, says }) => `  ${check}${service && ` (${service})`}: ${says}`,
  );
  return [`${jobName(job)} commit ${commit}`, ...lines].join('\n');
}

async function tellShort({ job, findings }: JobResult): Promise<void> {
  if (job.kind !== 'seed') return;
  const check = findings[0]?.check ?? '';
  const { scenario, runs } = await shrink(drawScenario(job.seed), check);
  console.log(`\nseed ${job.seed}, shortened in ${runs} runs:\n\n${sceneText(scenario, check)}`);
}

/** The first failing run of each check. */
function ofEachCheck(failing: readonly JobResult[]): readonly JobResult[] {
  const first = new Map(failing.toReversed().map((one) => [one.findings[0]?.check, one]));
  return [...first.values()].reverse();
}

function said(
  sum: { readonly runs: number; readonly virtualMinutes: number; readonly hits: number },
  failing: number,
  beganAt: number,
): string {
  const seconds = (performance.now() - beganAt) / 1000;
  const hours = Math.round(sum.virtualMinutes / 60);
  return (
    `${sum.runs} runs, ${failing} failing, ${(sum.runs / seconds).toFixed(1)} a second, ` +
    `${hours} virtual hours, ${sum.hits} faults met, ${Math.round(seconds)} s`
  );
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 2;
}
