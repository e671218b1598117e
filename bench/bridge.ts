// The bridge beside what one could pick instead, and beside the limits of machine and client, in one run and
// in turns. Times of one machine are not another's; the ratios are what is claimed.
import { BenchWorld, type Figures, median, type Setting } from './bridge/rounds.ts';
import type { BenchArguments } from './main.ts';

export async function run({ full, rest }: BenchArguments): Promise<object> {
  const world = await BenchWorld.start();
  try {
    return { pipeline: await pipeline(world, full, rest) };
  } finally {
    await world.stop();
  }
}

const PIPELINE = [
  'bridge, explicit',
  'bridge, watermark',
  'bridge, AWS SDK',
  'consume() + AWS SDK',
  'one at a time + AWS SDK',
  'no send, explicit',
  'no send, watermark',
  'consume(), no send',
  'send only',
];

async function pipeline(world: BenchWorld, full: boolean, only: readonly string[]): Promise<object> {
  const base: Setting = {
    contenders: only.length > 0 ? PIPELINE.filter((name) => only.includes(name)) : PIPELINE,
    count: full ? 100_000 : 50_000,
    counts: { 'consume() + AWS SDK': 20_000, 'one at a time + AWS SDK': 4_000, 'bridge, AWS SDK': 20_000 },
    payloadBytes: 128,
    tls: false,
    sinkLatencyMs: 0,
    inFlight: 16,
    rounds: full ? 5 : 3,
  };
  const settings: readonly [string, Setting][] = [['128 B', base]];
  const all: Record<string, object> = {};
  for (const [name, setting] of settings) {
    const figures = await world.compare(setting);
    show(name, figures);
    all[name] = Object.fromEntries([...figures].map(([who, f]) => [who, summary(f)]));
  }
  return all;
}

const summary = ({ perSec, cpuMicros }: Figures) => ({
  perSec: Math.round(median(perSec)),
  cpuMicros: Number(median(cpuMicros).toFixed(1)),
});

function show(title: string, figures: ReadonlyMap<string, Figures>): void {
  console.log(`\n${title.padEnd(28)} messages/s (rounds)                      CPU µs/message`);
  for (const [name, { perSec, cpuMicros }] of figures) {
    const rounds = perSec.map((n) => Math.round(n / 100) / 10).join(' ');
    console.log(
      `  ${name.padEnd(26)} ${String(Math.round(median(perSec))).padStart(8)}  (${rounds} k)  ${median(cpuMicros).toFixed(1)}`,
    );
  }
}
