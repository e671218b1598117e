// How soon bad releases are found, at what cost in errors, and how often good ones are taken back: our rule
// beside those of other tools, on the same simulated rollouts. S1–S4 are the goals the product holds itself
// to.

import { allRules, type Job, runJobs } from './detection/jobs.ts';
import { everyMinute, everyTenSeconds } from './detection/ourRule.ts';
import type { Scenario } from './detection/rollouts.ts';
import { fixedRules, moreTunableRules, tunableRules } from './detection/rules.ts';
import * as scenarios from './detection/scenarios.ts';
import { medianMinutes, merge, type Score } from './detection/score.ts';
import type { BenchArguments } from './main.ts';

const falseRollbacksMax = 0.01;

export async function run({ full, seed }: BenchArguments): Promise<object> {
  const sizes = full
    ? { clean: 3000, incident: 1000, regression: 300, tuning: 600, latency: 300, latencyClean: 3000 }
    : { clean: 100, incident: 100, regression: 40, tuning: 60, latency: 40, latencyClean: 150 };
  const started = performance.now();
  const clean = await falseRollbacks(sizes, seed);
  const found = await detection(sizes, seed + 1);
  const slow = await latency(sizes, seed + 2);
  const seconds = Math.round((performance.now() - started) / 1000);
  console.log(`\n${seconds} s on two threads`);
  return { rolloutsPerCell: sizes.clean, ...clean, ...found, ...slow, seconds };
}

type Sizes = Record<'clean' | 'incident' | 'regression' | 'tuning' | 'latency' | 'latencyClean', number>;

/** S1: clean rollouts that were taken back, in every cell. */
async function falseRollbacks(sizes: Sizes, seed: number): Promise<object> {
  const job = (rollouts: number) => (scenario: Scenario, i: number) =>
    errorsJob(scenario, [everyMinute.name], rollouts, seed + 101 * i);
  const grid = await runJobs(scenarios.cleanGrid.map(job(sizes.clean)));
  const shared = await runJobs(scenarios.sharedIncidents.map(job(sizes.incident)));
  const history = await runJobs(scenarios.incidentsInHistory.map(job(sizes.incident)));
  const tenSeconds = await runJobs(
    scenarios.comparedClean.map((scenario, i) =>
      errorsJob(scenario, [everyTenSeconds.name], sizes.incident, seed + 7 * i),
    ),
  );
  console.log(`\nFalse rollbacks of clean rollouts, % (n = ${sizes.clean} per cell, looked at every minute)`);
  console.log('requests/s  errors   clusters of 1      2      5     20');
  for (let i = 0; i < scenarios.cleanGrid.length; i += 4) {
    const scenario = scenarios.cleanGrid[i] as Scenario;
    const row = [0, 1, 2, 3].map((k) => percentOf(grid[i + k]?.[0]).padStart(6)).join(' ');
    console.log(
      String(scenario.requestsPerSecond).padStart(10),
      ` ${String(scenario.errorRate).padEnd(7)}        ${row}`,
    );
  }
  const [incident, past, fast] = [shared, history, tenSeconds].map((cells) =>
    cells.map(([cell]) => percentOf(cell)).join(' '),
  );
  console.log(`both sides at 5 % for 10 min, 5/20/100/1000 requests/s: ${incident}`);
  console.log(`an incident in the day before: ${past}`);
  console.log(`looked at every 10 s: ${fast}`);
  const cells = [...grid, ...shared].map(([cell]) => share(cell));
  return {
    S1worstCell: Math.max(...cells),
    S1cellsAboveGoal: cells.filter((value) => value > falseRollbacksMax).length,
    S1sharedIncident: Math.max(...shared.map(([cell]) => share(cell))),
    S1pooled: share(merge(grid.flatMap(([cell]) => (cell === undefined ? [] : [cell])))),
  };
}

/** S2 and S3: errors served and minutes to detection, beside the other rules and the best tuned ones. */
async function detection(sizes: Sizes, seed: number): Promise<object> {
  const { tuned, tunedMore } = await bestTuned(sizes, seed);
  const fixed = [everyMinute, everyTenSeconds, ...fixedRules].map(({ name }) => name);
  const columns = [
    ...fixed.map((name) => ({ name, title: name })),
    { name: tuned, title: 'best tuned' },
    { name: tunedMore, title: 'best of more' },
  ];
  const rules = [...new Set(columns.map(({ name }) => name))];
  const all = [...scenarios.regressions, ...scenarios.otherRegressions];
  const found = await runJobs(
    all.map((scenario, i) => errorsJob(scenario, rules, sizes.regression, seed + 31 * i + 5000)),
  );
  const clean = await runJobs(
    scenarios.comparedClean.map((scenario, i) =>
      errorsJob(scenario, rules, sizes.incident, seed + 17 * i + 9000),
    ),
  );
  console.log(`\nbest tuned of ${tunableRules.length} rules (≤ 1 % false rollbacks): ${tuned}`);
  console.log(`best tuned of ${tunableRules.length + moreTunableRules.length}: ${tunedMore}`);
  console.log(`\nDetected % / median minutes / canary errors served (n = ${sizes.regression})`);
  const row = (title: string, cells: readonly string[]) =>
    console.log(`${title.padEnd(34)}${cells.map(column).join('')}`);
  row(
    '',
    columns.map(({ title }) => title),
  );
  all.forEach((scenario, i) => {
    row(
      describe(scenario),
      columns.map(({ name }) => cellOf(scoreOf(found[i], name))),
    );
  });
  const falsely = columns.map(({ name }) => merge(clean.map((cell) => scoreOf(cell, name))));
  row(
    'false rollbacks, pooled',
    falsely.map((cell) => `${percentOf(cell)} %`),
  );
  const grid = found.slice(0, scenarios.regressions.length);
  const ratios = columns.map(({ name }) => ratiosTo(grid, name));
  row(
    'errors ÷ ours, median (geomean)',
    ratios.map((r) => `${r.median.toFixed(1)} (${r.geomean.toFixed(2)})`),
  );
  const fifth = scenarios.regressions.flatMap((scenario, i) =>
    scenario.canaryErrorRate === 0.005 && scenario.requestsPerSecond >= 100
      ? [scoreOf(grid[i], everyMinute.name)]
      : [],
  );
  const ofRule = (title: string) => ratios[columns.findIndex((item) => item.title === title)];
  return {
    tuned,
    tunedMore,
    S2requirementMedian: round(ofRule('requirement')?.median ?? 0),
    S2requirementGeomean: round(ofRule('requirement')?.geomean ?? 0),
    S2tunedGeomean: round(ofRule('best tuned')?.geomean ?? 0),
    S2tunedMoreGeomean: round(ofRule('best of more')?.geomean ?? 0),
    S2tenSecondsGeomean: round(ofRule(everyTenSeconds.name)?.geomean ?? 0),
    S3medianMinutes: fifth.map(medianMinutes),
  };
}

/**
 * The competitors: the rule that serves the fewest errors at ≤ 1 % false rollbacks, of the field and of
 * more.
 */
async function bestTuned(sizes: Sizes, seed: number): Promise<{ tuned: string; tunedMore: string }> {
  const names = [...tunableRules, ...moreTunableRules].map((rule) => rule.name);
  const clean = await runJobs(
    scenarios.comparedClean.map((scenario, i) =>
      errorsJob(scenario, names, sizes.tuning, seed + 13 * i + 1000),
    ),
  );
  const found = await runJobs(
    scenarios.regressions.map((scenario, i) =>
      errorsJob(scenario, names, Math.ceil(sizes.tuning / 10), seed + 19 * i + 3000),
    ),
  );
  const candidates = names.flatMap((name, k) => {
    const falsely = share(merge(clean.map((cell) => scoreOf(cell, name))));
    const cost = found.reduce(
      (sum, cell) => sum + Math.log(Math.max(0.1, scoreOf(cell, name).canaryErrors)),
      0,
    );
    return falsely <= falseRollbacksMax ? [{ name, cost, inField: k < tunableRules.length }] : [];
  });
  const sorted = candidates.toSorted((a, b) => a.cost - b.cost);
  const tuned = sorted.find(({ inField }) => inField)?.name;
  const tunedMore = sorted[0]?.name;
  if (tuned === undefined || tunedMore === undefined) throw new Error('no tuned rule keeps below 1 %');
  return { tuned, tunedMore };
}

function scoreOf(cell: readonly Score[] | undefined, rule: string): Score {
  const found = cell?.find((score) => score.rule === rule);
  if (found === undefined) throw new Error(`${rule} was not scored`);
  return found;
}

/** S4: latency regressions at 100 requests/s. */
async function latency(sizes: Sizes, seed: number): Promise<object> {
  const jobs = scenarios.latencies.map((scenario, i): Job => {
    const same = scenario.slowdown === 1 && scenario.tailShare === 0;
    const rollouts = same && scenario.clusterSize === 1 ? sizes.latencyClean : sizes.latency;
    return { kind: 'latency', scenario, rollouts, seed: seed + 41 * i };
  });
  const scores = await runJobs(jobs);
  console.log(
    '\nLatency (lognormal, σ = 0.6): rolled back % / median minutes, settling and data delay included',
  );
  const rows = scenarios.latencies.map(({ name }, i) => {
    const cell = scores[i]?.[0] as Score;
    console.log(
      `${name.padEnd(34)}${percentOf(cell).padStart(6)} ${minutesOf(cell)}  (n = ${cell.rollouts})`,
    );
    return { name, rolledBack: share(cell), medianMinutes: medianMinutes(cell) };
  });
  const named = (name: string) => rows.find((row) => row.name === name);
  return {
    S4plus10percentMinutes: named('+10 %')?.medianMinutes ?? null,
    S4tailMinutes: named('2 % of requests 10× slower')?.medianMinutes ?? null,
    S4falseRollbacks: named('no change')?.rolledBack ?? null,
    latency: rows,
  };
}

function errorsJob(scenario: Scenario, rules: readonly string[], rollouts: number, seed: number): Job {
  const ordered = allRules.map((rule) => rule.name).filter((name) => rules.includes(name));
  return { kind: 'errors', scenario, rules: ordered, rollouts, seed };
}

// Errors of a rule as a multiple of ours, over the regressions.
function ratiosTo(grid: readonly (readonly Score[])[], rule: string): { median: number; geomean: number } {
  const ratios = grid
    .map((cell) => {
      const ours = scoreOf(cell, everyMinute.name).canaryErrors;
      return scoreOf(cell, rule).canaryErrors / Math.max(0.1, ours);
    })
    .toSorted((a, b) => a - b);
  const geomean = Math.exp(
    ratios.reduce((sum, ratio) => sum + Math.log(Math.max(1e-3, ratio)), 0) / ratios.length,
  );
  return { median: ratios[ratios.length >> 1] ?? 0, geomean };
}

function describe(scenario: Scenario): string {
  const { requestsPerSecond, canaryErrorRate, regressionMinute, clusterSize } = scenario;
  const from = regressionMinute === 0 ? '' : `, from min ${regressionMinute}`;
  const clustered = clusterSize === 1 ? '' : `, clusters of ${clusterSize}`;
  return `${requestsPerSecond}/s, ${Number((canaryErrorRate * 100).toPrecision(3))} %${from}${clustered}`;
}

function cellOf(cell: Score): string {
  return `${Math.round(share(cell) * 100)}/${minutesOf(cell)}/${Number(cell.canaryErrors.toPrecision(3))}`;
}

function minutesOf(cell: Score): string {
  const median = medianMinutes(cell);
  return median === null ? '–' : median.toFixed(1);
}

function share(cell: Score | undefined): number {
  return cell === undefined ? 0 : cell.rolledBack / cell.rollouts;
}

function percentOf(cell: Score | undefined): string {
  return (share(cell) * 100).toFixed(2);
}

function column(text: string): string {
  return text.padStart(18);
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
