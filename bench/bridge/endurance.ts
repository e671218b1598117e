/**
 * What takes too long for the daily tests: a million messages while one request in a hundred goes wrong, and
 * ten minutes of traffic while memory is watched.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { jetstreamManager } from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import { deliveryCheck, faultsFrom } from '../../test/contracts/bridge/deliveryCheck.ts';
import { eventually, NatsServer } from '../../test/contracts/bridge/natsServer.ts';
import { configuration, EVENT, FIFO, RETRY, settled, startBridge } from '../../test/contracts/bridge/rig.ts';
import { StrictSink } from '../../test/contracts/bridge/strictSink.ts';
import { until } from '../../test/until.ts';

const LANES = 200;
/** Messages the stream may be ahead of the bridge: memory of the test, not of the bridge, is at stake. */
const AHEAD_MAX = 50_000;

export type EnduranceOptions = {
  readonly seed: number;
  readonly messages: number;
  readonly faultShare: number;
  /** FIFO lanes, or events without an order. */
  readonly fifo: boolean;
  readonly ack: 'explicit' | 'watermark';
  /** Messages per second; as fast as they are taken when null. */
  readonly perSec: number | null;
};

/** Runs the messages through and answers what became of them, and how the heap went. */
export async function endurance(options: EnduranceOptions): Promise<object> {
  const server = await NatsServer.start();
  const sink = await StrictSink.start({ verify: false });
  const nats = await server.connect();
  const api = await jetstreamManager(nats);
  const check = deliveryCheck(sink, LANES);
  sink.fault = faultsFrom(options.seed, options.faultShare);
  const limits = { ratePerSec: 10_000 };
  const rules = [{ match: 'mig.>', to: options.fifo ? FIFO : EVENT, retry: RETRY, limits }];
  const aws = { region: 'eu-west-1', endpoint: sink.url, timeout: '500ms' };
  const rig = await startBridge(configuration(server, sink, { rules, aws }, { ack: options.ack }));
  const held: { readonly heap: number; readonly resident: number }[] = [];
  const started = Date.now();
  const watch = setInterval(() => held.push(heldMegabytes()), 5_000);
  try {
    for (let n = 0; n < options.messages; n++) {
      const head = headers();
      head.set('Nats-Msg-Id', `m${n}`);
      nats.publish(`mig.lane${n % LANES}.x`, `{"n":${n}}`, { headers: head });
      if (n % 500 !== 499) continue;
      await nats.flush();
      await eventually(() => n - check.arrived < AHEAD_MAX, 'the bridge keeps up', 120_000);
      const dueMs = options.perSec === null ? 0 : ((n + 1) / options.perSec) * 1000 - (Date.now() - started);
      const dueAtMs = Date.now() + dueMs;
      if (dueMs > 0) await until('the next messages are due', () => Date.now() >= dueAtMs, dueMs + 5_000);
    }
    await eventually(
      async () => (await api.streams.info('MIG')).state.last_seq >= options.messages,
      'stored',
      60_000,
    );
    await settled(rig, 'MIG', 'bridge', 300_000);
  } finally {
    clearInterval(watch);
  }
  const seconds = (Date.now() - started) / 1000;
  const { failures, retried } = rig.metrics.target(rig.bridge.plan.targets[0]?.key ?? '');
  const result = {
    ...check.verdict(options.messages),
    duplicates: check.duplicates,
    deadLetters: rig.metrics.deadLetters,
    violations: sink.services.violations.length,
    perSec: Math.round(options.messages / seconds),
    retried,
    failures: Object.fromEntries(failures),
    heapMegabytes: quarters(held.map(({ heap }) => heap)),
    residentMegabytes: quarters(held.map(({ resident }) => resident)),
  };
  await rig.drain();
  await sink.down();
  await server.stop();
  return result;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What is still held after a collection, in this process: the bridge, and the sink and the check beside it. */
function heldMegabytes(): { readonly heap: number; readonly resident: number } {
  collect();
  const { heapUsed, rss } = process.memoryUsage();
  return { heap: Math.round(heapUsed / 1024 / 1024), resident: Math.round(rss / 1024 / 1024) };
}

/** The lowest of each quarter of the run. */
function quarters(samples: readonly number[]): readonly number[] {
  const size = Math.max(1, Math.ceil(samples.length / 4));
  return [0, 1, 2, 3]
    .map((i) => Math.min(...samples.slice(i * size, (i + 1) * size)))
    .filter(Number.isFinite);
}
