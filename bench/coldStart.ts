// What every function costs before its first line runs: bytes that Lambda fetches and milliseconds that Node
// loads, beside the same handler with the SDK left outside and beside the same handler with middy, powertools
// and zod as they come. Milliseconds are this machine's, above bare Node in the same run: from start to end,
// and (beside them, for a machine that has other things to do) of computing.
import { availableParallelism, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { asUsual, type Bundles, deployed, sdkOutside } from './coldStart/bundles.ts';
import { type Load, measureLoading, zippedBytes } from './coldStart/loading.ts';
import type { BenchArguments } from './main.ts';

/** For targets of kind `ecs-alb`. `hot`: what stands between an alarm or a person and the traffic. */
const goals = { hot: { zippedKB: 100, loadMs: 60 }, every: { zippedKB: 250 } };
const hot: readonly string[] = ['on-alarm', 'shift-traffic', 'fall-back'];

const outside = 'SDK left outside';
const usual = 'middy + powertools + zod';

type Row = {
  readonly verb: string;
  readonly ours: Load;
  /** The same function with the other example's configuration inside. */
  readonly mistersmithBytes: number;
  readonly peers: readonly Load[];
};

/** @param args `full`: every function beside its peers, and more turns */
export async function run({ full }: BenchArguments): Promise<object> {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const work = `${root}.switchback/bench-cold-start`;
  const shop = await deployed(root, work, 'shop');
  const mistersmith = await deployed(root, work, 'mistersmith');
  const verbs = Object.keys(shop).sort();
  const compared = full ? verbs : hot;
  const peers = {
    [outside]: await sdkOutside(root, work, compared),
    [usual]: await asUsual(root, work, compared),
  };
  const turns = full ? 25 : 15;
  const { bareMs, loads } = await measureLoading(named({ '': shop, ...peers }), turns);
  const rows = verbs.map((verb): Row => {
    const of = (variant: string) => loads.find(({ name }) => name === nameOf(verb, variant));
    return {
      verb,
      ours: of('') as Load,
      mistersmithBytes: zippedBytes(mistersmith[verb] ?? ''),
      peers: Object.keys(peers).flatMap((variant) => of(variant) ?? []),
    };
  });
  show(rows, bareMs, turns);
  const met = verdicts(rows);
  for (const { goal, worst, met: held } of met)
    console.log(`  ${held ? 'met   ' : 'MISSED'} ${goal}: ${worst}`);
  return {
    goals,
    met: met.every((one) => one.met),
    verdicts: met,
    turns,
    bareMs: rounded(bareMs),
    ...figures(rows),
  };
}

const nameOf = (verb: string, variant: string) => (variant === '' ? verb : `${verb}, ${variant}`);

const named = (variants: Readonly<Record<string, Bundles>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(variants).flatMap(([variant, bundles]) =>
      Object.entries(bundles).map(([verb, path]) => [nameOf(verb, variant), path]),
    ),
  );

const rounded = (value: number): number => Math.round(value * 10) / 10;
const kilobytes = (bytes: number): number => rounded(bytes / 1024);

function show(rows: readonly Row[], bareMs: number, turns: number): void {
  console.log(`\nmedians of ${turns} processes each, above bare Node (${bareMs.toFixed(0)} ms)`);
  const waiting = loadavg()[0] ?? 0;
  if (waiting > availableParallelism()) {
    console.log(
      `  ${waiting.toFixed(0)} processes share ${availableParallelism()} cores: load ms holds their waiting`,
    );
  }
  const head = ['zipped KB', 'mistersmith', 'load ms', 'cpu ms'].map((text) => text.padStart(13)).join('');
  console.log(`  ${''.padEnd(44)}${head}`);
  for (const { ours, mistersmithBytes, peers } of rows) {
    line(ours, kilobytes(mistersmithBytes).toFixed(1));
    for (const peer of peers) line({ ...peer, name: `  ${peer.name}` }, '');
  }
}

function line({ name, zippedBytes: bytes, loadMs, cpuMs }: Load, other: string): void {
  const cells = [kilobytes(bytes).toFixed(1), other, loadMs.toFixed(1), cpuMs.toFixed(1)];
  console.log(`  ${name.padEnd(44)}${cells.map((cell) => cell.padStart(13)).join('')}`);
}

function verdicts(rows: readonly Row[]) {
  const most = (
    among: readonly Row[],
    figure: (row: Row) => number,
    limit: number,
    goal: string,
    unit: string,
  ) => {
    const worst = among.toSorted((a, b) => figure(b) - figure(a))[0] as Row;
    const value = rounded(figure(worst));
    return {
      goal: `${goal} at most ${limit} ${unit}`,
      worst: `${worst.verb} ${value} ${unit}`,
      met: value <= limit,
    };
  };
  const bytes = ({ ours, mistersmithBytes }: Row) => Math.max(ours.zippedBytes, mistersmithBytes) / 1024;
  const hotRows = rows.filter(({ verb }) => hot.includes(verb));
  return [
    most(hotRows, bytes, goals.hot.zippedKB, `${hot.join(', ')}: zipped`, 'KB'),
    most(hotRows, ({ ours }) => ours.loadMs, goals.hot.loadMs, `${hot.join(', ')}: load`, 'ms'),
    most(rows, bytes, goals.every.zippedKB, 'every function: zipped', 'KB'),
  ];
}

function figures(rows: readonly Row[]) {
  const figure = ({ zippedBytes: bytes, loadMs, cpuMs }: Load) => ({
    zippedKB: kilobytes(bytes),
    loadMs: rounded(loadMs),
    cpuMs: rounded(cpuMs),
  });
  return {
    functions: rows.map(({ verb, ours, mistersmithBytes, peers }) => ({
      verb,
      ...figure(ours),
      mistersmithKB: kilobytes(mistersmithBytes),
      ...(peers.length === 0
        ? {}
        : { peers: peers.map((peer) => ({ name: peer.name.slice(verb.length + 2), ...figure(peer) })) }),
    })),
  };
}
