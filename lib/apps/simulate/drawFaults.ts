/** What goes wrong, drawn: which kinds at all, then windows of each. */
import type { AlarmTrouble } from '../../sim/alarms.ts';
import type { Fault, FaultKind } from '../../sim/faults.ts';
import type { MetricTrouble } from '../../sim/metrics.ts';
import type { SeededRandom } from '../../sim/random.ts';
import type { Scenario } from './scenario.ts';

type Trouble = {
  readonly on: readonly string[];
  readonly kinds: readonly FaultKind[];
  readonly msMax: number;
};

/** A write that is late lands before a shift's timeout is over, the slowness of its sender included. */
const lateMsMax = 20_000;

const troubles: readonly Trouble[] = [
  { on: ['store.*', 'store.write-head', 'store.read-head'], kinds: ['refuse', 'lose-answer'], msMax: 0 },
  { on: ['store.write-beside', 'store.read-beside'], kinds: ['refuse', 'lose-answer'], msMax: 0 },
  { on: ['store.*', 'store.write-head', 'on-alarm/store.*'], kinds: ['slow'], msMax: 8_000 },
  { on: ['traffic.*', 'traffic.write', 'traffic.read'], kinds: ['refuse', 'lose-answer'], msMax: 0 },
  { on: ['traffic.write'], kinds: ['late', 'late-lost', 'ignore'], msMax: lateMsMax },
  { on: ['traffic.*', 'workload.*', 'alarms.*', 'machines.*'], kinds: ['slow'], msMax: 8_000 },
  { on: ['workload.*', 'workload.read', 'workload.place'], kinds: ['refuse', 'lose-answer'], msMax: 0 },
  { on: ['workload.place'], kinds: ['ignore', 'late'], msMax: 60_000 },
  { on: ['metrics.*', 'alarms.read'], kinds: ['refuse', 'slow'], msMax: 40_000 },
  { on: ['machines.*', 'machines.start', 'machines.running'], kinds: ['refuse', 'lose-answer'], msMax: 0 },
  { on: ['tokens.*', 'requests.send'], kinds: ['refuse', 'lose-answer'], msMax: 0 },
  { on: ['intents.send', 'on-alarm/*'], kinds: ['refuse', 'lose-answer'], msMax: 0 },
  { on: ['bus.publish', 'people.notify', 'consumers.*'], kinds: ['refuse', 'lose-answer'], msMax: 0 },
  {
    on: ['*/*', 'shift-traffic/*', 'on-alarm/*', 'roll-back/*'],
    kinds: ['crash-before', 'crash-after'],
    msMax: 0,
  },
  {
    on: ['promote-canary/*', 'operate/*', 'start-rollout/*'],
    kinds: ['crash-before', 'crash-after'],
    msMax: 0,
  },
  {
    on: ['invoke.*', 'invoke.shift-traffic', 'invoke.on-alarm'],
    kinds: ['refuse', 'lose-answer'],
    msMax: 5_000,
  },
  { on: ['invoke.*'], kinds: ['slow'], msMax: 20_000 },
  { on: ['invoke.*', 'invoke.shift-traffic', 'invoke.roll-back'], kinds: ['duplicate'], msMax: 30_000 },
  {
    on: ['deliver.alarm', 'deliver.operation', 'deliver.request'],
    kinds: ['duplicate', 'delay'],
    msMax: 600_000,
  },
  { on: ['deliver.alarm', 'deliver.tick'], kinds: ['lose'], msMax: 0 },
  { on: ['deliver.stream', 'deliver.tick', 'deliver.intent'], kinds: ['duplicate', 'delay'], msMax: 120_000 },
];

/** @param seconds after which nothing is wrong any more */
export function drawFaults(random: SeededRandom, seconds: number): readonly Fault[] {
  // One kind, a few, or everything at once.
  const share = random.pick([0, 0.06, 0.06, 0.2, 0.5, 1]);
  return troubles.flatMap((trouble) => {
    if (!random.chance(share)) return [];
    return Array.from({ length: random.pick([1, 1, 2, 3]) }, () => drawWindow(random, trouble, seconds));
  });
}

function drawWindow(random: SeededRandom, { on, kinds, msMax }: Trouble, seconds: number): Fault {
  const [fromSeconds, toSeconds] = drawSpan(random, seconds);
  const ms = msMax === 0 ? {} : { ms: Math.floor(random.uniform() ** 2 * msMax) };
  const where = random.pick(on);
  // What hits every call of everybody must not hit most of them, or nothing happens at all.
  const most = where.startsWith('*') ? 0.08 : random.pick([0.1, 0.3, 1]);
  return {
    on: where,
    kind: random.pick(kinds),
    ...ms,
    fromSeconds,
    toSeconds,
    share: random.uniform() * most,
  };
}

function drawSpan(random: SeededRandom, seconds: number): readonly [number, number] {
  const length = random.pick([60, 300, 900, seconds]);
  const from = random.whole(0, Math.max(0, seconds - length));
  return [from, Math.min(seconds, from + length)];
}

export function drawTroubles(
  random: SeededRandom,
  services: readonly string[],
  seconds: number,
): Pick<Scenario, 'metricTroubles' | 'alarmTroubles'> {
  const some = () => Array.from({ length: random.pick([0, 0, 0, 1, 2]) });
  const metricTroubles = some().map(() => {
    const [fromSeconds, toSeconds] = drawSpan(random, seconds);
    const kind = random.pick<MetricTrouble['kind']>(['late', 'partial', 'missing']);
    return { service: random.pick(services), kind, fromSeconds, toSeconds, ms: random.whole(60, 400) * 1000 };
  });
  const alarmTroubles = some().map(() => {
    const [fromSeconds, toSeconds] = drawSpan(random, seconds);
    const kind = random.pick<AlarmTrouble['kind']>(['stuck', 'flapping', 'insufficient-data', 'unreadable']);
    const alarm = `${random.pick(services)}-${random.pick(['blue-errors', 'green-errors', 'errors', 'slow'])}`;
    return { alarm, kind, fromSeconds, toSeconds };
  });
  return { metricTroubles, alarmTroubles };
}
