/**
 * What takes too long for the daily tests: a million messages while one request in a hundred goes wrong, and
 * ten minutes of traffic while memory is watched.
 */
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
  readonly fifo: boolean;
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
  const rig = await startBridge(configuration(server, sink, { rules, aws }));
  const heap: number[] = [];
  const started = Date.now();
  const watch = setInterval(() => heap.push(heapMegabytes()), 5_000);
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
    heapMegabytes: quarters(heap),
  };
  await rig.drain();
  await sink.down();
  await server.stop();
  return result;
}

const heapMegabytes = () => {
  globalThis.gc?.();
  return Math.round(process.memoryUsage().heapUsed / 1024 / 1024);
};

/** The lowest heap of each quarter of the run: what is still held after collection. */
function quarters(heap: readonly number[]): readonly number[] {
  const size = Math.max(1, Math.ceil(heap.length / 4));
  return [0, 1, 2, 3].map((i) => Math.min(...heap.slice(i * size, (i + 1) * size))).filter(Number.isFinite);
}
