// The bridge beside what one could pick instead, and beside the limits of machine and client, in one run and
// in turns. Times of one machine are not another's; the ratios are what is claimed.
//   npm run bench -- bridge [--full]     all figures
//   npm run bench -- bridge --million    a million messages, one request in a hundred going wrong
//   npm run bench -- bridge --soak 10    ten minutes of traffic, memory watched
import { loadavg } from 'node:os';
import { endurance } from './bridge/endurance.ts';
import { BenchWorld, type Figures, median, type Setting } from './bridge/rounds.ts';
import { routerFigures } from './bridge/router.ts';
import type { BenchArguments } from './main.ts';

/** Ratios of medians of one run, except where a unit is said. */
const goals = {
  overConsumeAndSdk: 3,
  overOneAtATime: 12,
  ofNoSend: 0.3,
  cpuMicros: 25,
  reverseOverLibrary: 3,
  tableOverSdk: 4,
  pullerOverConsume: 2.5,
  trieNanos: 400,
  cachedNanos: 50,
  latencyP99Ms: 100,
};

const SOAK_PER_SEC = 3_000;

/** What MisterSmith's agents say in all, and the share of its core that a task is planned to use. */
const WANTED_PER_SEC = 150_000;
const USED = 0.6;
/**
 * AWS's defaults in its largest regions (us-east-1, us-west-2, eu-west-1), per account and second; most
 * others have a tenth or less. Source: EventBridge user guide, "Quotas".
 */
const QUOTAS = { invocations: 18_750, putEvents: 10_000 };

export async function run({ full, seed, rest }: BenchArguments): Promise<object> {
  if (rest.includes('--million')) {
    const shared = { seed, messages: 1_000_000, faultShare: 0.01, perSec: null };
    const lanes = await endurance({ ...shared, fifo: true, ack: 'explicit' });
    const lanesByWatermark = await endurance({ ...shared, fifo: true, ack: 'watermark' });
    return { lanes, lanesByWatermark, events: await endurance({ ...shared, fifo: false, ack: 'explicit' }) };
  }
  if (rest.includes('--soak')) {
    const minutes = Number(rest[rest.indexOf('--soak') + 1] ?? 10);
    const messages = Math.round(minutes * 60 * SOAK_PER_SEC);
    return endurance({
      seed,
      messages,
      faultShare: 0.01,
      fifo: false,
      ack: 'explicit',
      perSec: SOAK_PER_SEC,
    });
  }
  const world = await BenchWorld.start();
  try {
    const loadBefore = loadavg()[0];
    return { goals, ...(await everything(world, full)), load: [loadBefore, loadavg()[0]].map(round) };
  } finally {
    await world.stop();
  }
}

const PEERS = ['consume() + AWS SDK', 'one at a time + AWS SDK'];
const OURS = ['bridge, explicit', 'bridge, watermark'];
const LIMITS = ['no send, explicit', 'no send, watermark', 'consume(), no send', 'send only'];

async function everything(world: BenchWorld, full: boolean): Promise<object> {
  const base: Setting = {
    contenders: [...OURS, ...PEERS, ...LIMITS],
    count: full ? 100_000 : 50_000,
    counts: { 'consume() + AWS SDK': 20_000, 'one at a time + AWS SDK': 4_000 },
    payloadBytes: 128,
    tls: false,
    sinkLatencyMs: 0,
    inFlight: 16,
    rounds: full ? 5 : 3,
  };
  const small = await world.compare(base);
  show('128 B, HTTP', small);
  const some = [...OURS, 'consume() + AWS SDK', 'no send, explicit', 'no send, watermark'];
  const large = await world.compare({ ...base, contenders: some, payloadBytes: 1_024 });
  show('1 KB, HTTP', large);
  const secure = await world.compare({ ...base, contenders: some.slice(0, 3), tls: true });
  show('128 B, TLS', secure);
  const back = ['publish, ours', 'js.publish, 256 at a time'];
  const reverse = await world.compare({ ...base, contenders: back, counts: {}, count: 30_000 });
  show('reverse, with message ids', reverse);
  const tables = ['stream to table, ours', 'stream to table, AWS SDK'];
  const table = await world.compare({
    ...base,
    contenders: tables,
    counts: { [tables[1] as string]: 30_000 },
    // Rounds of a second each: single ones differ by half on a machine that does much else.
    rounds: full ? 9 : 7,
  });
  show('stream to DynamoDB', table);
  const peak = rate(small, 'bridge, explicit');
  const calm = {
    ...base,
    contenders: ['latency'],
    count: Math.round(peak * 2),
    sinkLatencyMs: 10,
    inFlight: 64,
  };
  const later = await world.compare({ ...calm, ratePerSec: peak / 2, rounds: 3 });
  const router = routerFigures(full ? 9 : 5);
  const latency = percentiles(later.get('latency')?.latencies ?? []);
  const perSecond = ratiosOf({ small, reverse, table }, rate);
  const perCpuSecond = ratiosOf({ small, reverse, table }, (of, who) => 1 / cpu(of, who));
  const capacity = capacityOf(cpu(small, 'bridge, explicit'));
  console.log(`\n${capacity.sentence}`);
  console.log('\nrouter', router, '\nlatency at half of the peak rate, ms', latency);
  console.log('\nratios of messages per second', perSecond, '\nper CPU second', perCpuSecond);
  const figures = { small, large, secure, reverse, table };
  const medians = Object.fromEntries(Object.entries(figures).map(([name, of]) => [name, summary(of)]));
  const ratios = { perSecond, perCpuSecond, cpuMicros: round(cpu(small, 'bridge, explicit')) };
  return { ratios, capacity, router, latency, ...medians };
}

const rate = (figures: Table, who: string) => median(figures.get(who)?.perSec ?? []);
const cpu = (figures: Table, who: string) => median(figures.get(who)?.cpuMicros ?? []);
const round = (n = 0) => Number(n.toFixed(2));

type Three = { readonly small: Table; readonly reverse: Table; readonly table: Table };
type Table = ReadonlyMap<string, Figures>;

/** What is better is larger; per CPU second on a machine that does much else, where seconds say little. */
function ratiosOf({ small, reverse, table }: Three, better: (figures: Table, who: string) => number) {
  const over = (figures: Table, one: string, other: string) =>
    round(better(figures, one) / better(figures, other));
  return {
    overConsumeAndSdk: over(small, 'bridge, explicit', 'consume() + AWS SDK'),
    overConsumeAndSdkWatermark: over(small, 'bridge, watermark', 'consume() + AWS SDK'),
    overOneAtATime: over(small, 'bridge, explicit', 'one at a time + AWS SDK'),
    ofNoSend: over(small, 'bridge, explicit', 'no send, explicit'),
    ofNoSendWatermark: over(small, 'bridge, watermark', 'no send, watermark'),
    pullerOverConsume: over(small, 'no send, explicit', 'consume(), no send'),
    reverseOverLibrary: over(reverse, 'publish, ours', 'js.publish, 256 at a time'),
    tableOverSdk: over(table, 'stream to table, ours', 'stream to table, AWS SDK'),
  };
}

/** How many tasks the whole workload takes, and what AWS has to be asked for before. */
function capacityOf(cpuMicros: number): { readonly tasks: number; readonly sentence: string } {
  const tasks = Math.ceil((WANTED_PER_SEC * cpuMicros) / 1e6 / USED);
  const thousands = (n: number) => n.toLocaleString('en');
  const sentence =
    `${thousands(WANTED_PER_SEC)} messages/s at ${cpuMicros.toFixed(1)} µs each, cores used to ${USED * 100} %: ` +
    `${tasks} tasks of one vCPU. AWS binds first: EventBridge's rule invocations ` +
    `(${thousands(QUOTAS.invocations)}/s), then PutEvents (${thousands(QUOTAS.putEvents)} requests/s). Ask for ` +
    `${thousands(WANTED_PER_SEC)} invocations/s per rule that matches, and ` +
    `${thousands((WANTED_PER_SEC / 10) * 1.2)} PutEvents/s.`;
  return { tasks, sentence };
}

function percentiles(sorted: readonly number[]): Record<string, number> {
  const all = [...sorted].sort((a, b) => a - b);
  const at = (share: number) => all[Math.min(all.length - 1, Math.floor(all.length * share))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

const summary = (figures: ReadonlyMap<string, Figures>) =>
  Object.fromEntries(
    [...figures].map(([who, { perSec, cpuMicros }]) => [
      who,
      { perSec: Math.round(median(perSec)), cpuMicros: round(median(cpuMicros)) },
    ]),
  );

function show(title: string, figures: ReadonlyMap<string, Figures>): void {
  console.log(`\n${title.padEnd(28)} messages/s (rounds), CPU µs/message`);
  for (const [name, { perSec, cpuMicros }] of figures) {
    const rounds = perSec.map((n) => Math.round(n / 100) / 10).join(' ');
    const middle = String(Math.round(median(perSec))).padStart(8);
    console.log(`  ${name.padEnd(28)} ${middle}  (${rounds} k)  ${median(cpuMicros).toFixed(1)}`);
  }
}
