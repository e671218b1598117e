// From a fault to traffic that is off: the alarm's way on the wire, call by call, and what on-alarm weighs.
// Times are this machine's, and metrics here have periods of one second where AWS has sixty: what carries
// over are the round trips, our own milliseconds between them, the bytes, and the load time above bare Node
// in the same run.

import { fileURLToPath } from 'node:url';
import { asUsual, deployed, sdkOutside } from './coldStart/bundles.ts';
import { type Loading, measureLoading, median } from './coldStart/loading.ts';
import type { BenchArguments } from './main.ts';
import { measureRounds, type Round, type Step } from './rollback/rounds.ts';

const goals = { roundTrips: 3, zippedKB: 100, loadMs: 60 };

export async function run({ full }: BenchArguments): Promise<object> {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const loading = await loadingOf(root, full ? 25 : 9);
  showLoading(loading);
  const rounds = await measureRounds(full ? 12 : 4);
  showRounds(rounds);
  const [first, ...warm] = rounds as [Round, ...Round[]];
  showWaterfall('a bad release, met by users; on-alarm starts cold', first.waterfall);
  showWaterfall('an alarm rung by hand, on-alarm warm (medians)', middle(warm.map((one) => one.waterfall)));
  const [ours] = loading.loads;
  return {
    goals,
    roundTrips: Math.max(...rounds.map(({ roundTrips }) => roundTrips.length)),
    ownMs: { cold: rounded(first.ownMs), warm: rounded(median(warm.map(({ ownMs }) => ownMs))) },
    ownWholeMs: {
      cold: rounded(first.ownWholeMs),
      warm: rounded(median(warm.map(({ ownWholeMs }) => ownWholeMs))),
    },
    faultToZeroMs: endOf(first.waterfall, 'weight 0'),
    alarmToZeroMs: rounded(median(warm.map(({ waterfall }) => endOf(waterfall, 'weight 0')))),
    zippedKB: rounded((ours?.zippedBytes ?? 0) / 1024),
    loadMs: rounded(ours?.loadMs ?? 0),
    bareMs: rounded(loading.bareMs),
    loads: loading.loads,
  };
}

/** `npm run bench -- cold-start` says the same of every function. */
async function loadingOf(root: string, turns: number): Promise<Loading> {
  const work = `${root}.switchback/bench-rollback`;
  const verb = 'on-alarm';
  const bundles = {
    'on-alarm, as deployed': (await deployed(root, work, 'shop'))[verb] ?? '',
    'SDK left outside': (await sdkOutside(root, work, [verb]))[verb] ?? '',
    'middy + powertools + zod': (await asUsual(root, work, [verb]))[verb] ?? '',
  };
  return measureLoading(bundles, turns);
}

const rounded = (value: number): number => Math.round(value * 10) / 10;
const endOf = (steps: readonly Step[], name: string): number =>
  rounded(steps.find((step) => step.name === name)?.to ?? Number.NaN);

/** Step by step the median. */
function middle(waterfalls: readonly (readonly Step[])[]): readonly Step[] {
  return (waterfalls[0] ?? []).map(({ name }, index) => ({
    name,
    from: median(waterfalls.map((steps) => steps[index]?.from ?? 0)),
    to: median(waterfalls.map((steps) => steps[index]?.to ?? 0)),
  }));
}

function showLoading({ bareMs, loads }: Loading): void {
  console.log(`\nloading, above bare Node (${bareMs.toFixed(0)} ms)`);
  console.log(`  ${'bundle'.padEnd(26)}${'zipped KB'.padStart(10)}${'load ms'.padStart(9)}`);
  for (const { name, zippedBytes, loadMs } of loads) {
    const kilobytes = (zippedBytes / 1024).toFixed(1);
    console.log(`  ${name.padEnd(26)}${kilobytes.padStart(10)}${loadMs.toFixed(1).padStart(9)}`);
  }
  console.log(
    `  goals: ${goals.zippedKB} KB and ${goals.loadMs} ms; an SDK left outside is fetched elsewhere`,
  );
}

function showRounds(rounds: readonly Round[]): void {
  console.log('\non-alarm, from its invocation; own: without the time its endpoint took');
  console.log(`  round   own ms to the shift   own ms in all   round trips before it`);
  for (const { cold, roundTrips, ownMs, ownWholeMs } of rounds) {
    const figures = `${ownMs.toFixed(1).padStart(19)}${ownWholeMs.toFixed(1).padStart(16)}`;
    console.log(`  ${cold ? 'cold' : 'warm'} ${figures}   ${roundTrips.length}: ${roundTrips.join(', ')}`);
  }
  console.log(`  goal: at most ${goals.roundTrips} round trips`);
}

/** One line per step, its bar where it stands in the whole. */
function showWaterfall(title: string, steps: readonly Step[]): void {
  const width = 56;
  const whole = steps.at(-1)?.to ?? 0;
  const column = (ms: number) => Math.round((ms / Math.max(1, whole)) * width);
  console.log(`\n${title}`);
  for (const { name, from, to } of steps) {
    const bar = ' '.repeat(column(from)) + '█'.repeat(Math.max(1, column(to) - column(from)));
    const took = `${(to - from).toFixed(0).padStart(6)} ms`;
    console.log(`  ${name.padEnd(22)} ${bar.padEnd(width + 1)} ${took}, until ${to.toFixed(0)} ms`);
  }
}
