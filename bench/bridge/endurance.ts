/**
 * What takes too long for the daily tests: a million messages while one request in a hundred goes wrong, and
 * ten minutes of traffic while memory is watched. The bridge is a process of its own, as it is deployed.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { realClock } from '../../lib/asl/clock.ts';
import { freePort } from '../../lib/local/freePort.ts';
import { JetStreamPublisher } from '../../lib/nats/publisher.ts';
import { type DeliveryCheck, deliveryCheck, faultsFrom } from '../../test/contracts/bridge/deliveryCheck.ts';
import { NatsServer } from '../../test/contracts/bridge/natsServer.ts';
import { configuration, EVENT, FIFO } from '../../test/contracts/bridge/rig.ts';
import { StrictSink } from '../../test/contracts/bridge/strictSink.ts';
import { until } from '../../test/until.ts';

const MAIN = new URL('../../lib/apps/bridge/main.ts', import.meta.url).pathname;
const LANES = 200;
/** Messages the stream may be ahead of the bridge: memory of the test, not of the bridge, is at stake. */
const AHEAD_MAX = 50_000;
const SAMPLE_MS = 5_000;

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

/** Runs the messages through and answers what became of them, and how much memory the bridge held. */
export async function endurance(options: EnduranceOptions): Promise<object> {
  const server = await NatsServer.start();
  const sink = await StrictSink.start({ verify: false });
  const nats = await server.connect();
  const api = await jetstreamManager(nats);
  const check = deliveryCheck(sink, LANES);
  sink.fault = faultsFrom(options.seed, options.faultShare);
  const bridge = await startBridge(server, sink, options);
  const memory: Memory[] = [];
  const started = Date.now();
  const watch = setInterval(async () => memory.push(memoryIn(await bridge.metrics())), SAMPLE_MS);
  try {
    await publish(nats, check, options);
    const settled = async () => {
      const { num_pending, num_ack_pending, delivered } = await api.consumers.info('MIG', 'bridge');
      return delivered.stream_seq >= options.messages && num_pending === 0 && num_ack_pending === 0;
    };
    await until('everything is acknowledged', settled, 600_000);
  } finally {
    clearInterval(watch);
  }
  const seconds = (Date.now() - started) / 1000;
  const page = await bridge.metrics();
  const code = await bridge.stop();
  const result = {
    ...check.verdict(options.messages),
    duplicates: check.duplicates,
    deadLetters: sumOf(page, 'bridge_dead_letters_total'),
    violations: sink.services.violations.length,
    perSec: Math.round(options.messages / seconds),
    sentAgain: sumOf(page, 'bridge_retried_total'),
    failures: sumOf(page, 'bridge_failures_total'),
    redelivered: sumOf(page, 'bridge_source_redelivered_total'),
    exitCode: code,
    heapMegabytes: quarters(memory.map(({ heap }) => heap)),
    residentMegabytes: quarters(memory.map(({ resident }) => resident)),
  };
  await sink.down();
  await server.stop();
  return result;
}

/** With acknowledgements: a busy server drops what is only published. */
async function publish(nats: NatsConnection, check: DeliveryCheck, { messages, perSec }: EnduranceOptions) {
  const publisher = new JetStreamPublisher(nats, realClock, { window: 512, timeoutMs: 60_000 });
  const started = Date.now();
  const stored = async (n: number) => {
    const subject = `mig.lane${n % LANES}.x`;
    const data = Buffer.from(`{"n":${n}}`);
    const { outcome } = await publisher.publish({
      subject,
      msgId: `m${n}`,
      data,
      headers: [],
      stream: 'MIG',
    });
    if (outcome !== 'stored') throw new Error(`message ${n} was not stored`);
  };
  let underWay: Promise<void>[] = [];
  for (let n = 0; n < messages; n++) {
    underWay.push(stored(n));
    if (underWay.length < 500) continue;
    await Promise.all(underWay);
    underWay = [];
    await until('the bridge keeps up', () => n - check.arrived < AHEAD_MAX, 300_000);
    const dueAtMs = perSec === null ? 0 : started + ((n + 1) / perSec) * 1000;
    await until('the next messages are due', () => Date.now() >= dueAtMs, 60_000);
  }
  await Promise.all(underWay);
  publisher.close();
}

type RunningBridge = { metrics(): Promise<string>; stop(): Promise<number | null> };

async function startBridge(
  server: NatsServer,
  sink: StrictSink,
  { fifo, ack }: EnduranceOptions,
): Promise<RunningBridge> {
  const directory = await mkdtemp(join(tmpdir(), 'bridge-'));
  const file = join(directory, 'bridge.yml');
  const port = await freePort();
  const rules = [{ match: 'mig.>', to: fifo ? FIFO : EVENT, retry: { base: '5ms', cap: '50ms' } }];
  const changes = {
    rules,
    aws: { region: 'eu-west-1', endpoint: sink.url, timeout: '2s' },
    http: { host: '127.0.0.1', port },
    lease: '12s',
  };
  // JSON is YAML.
  await writeFile(file, JSON.stringify(configuration(server, sink, changes, { ack, ackWait: '30s' })));
  const env = { ...process.env, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
  const child: ChildProcess = spawn(process.execPath, [MAIN, 'run', '--config', file], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ask = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
  const ready = async () => (await ask('/ready').catch(() => null))?.status === 200;
  await until('the bridge is ready', ready, 60_000);
  return {
    metrics: async () => (await ask('/metrics')).text(),
    async stop() {
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      const [code] = await exit;
      await rm(directory, { recursive: true });
      return code as number | null;
    },
  };
}

/** The values of all of a metric's lines together. */
function sumOf(page: string, metric: string): number {
  const lines = page.split('\n').filter((line) => new RegExp(`^${metric}[ {]`).test(line));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

type Memory = { readonly heap: number; readonly resident: number };

const memoryIn = (page: string): Memory => ({
  heap: Math.round(sumOf(page, 'nodejs_heap_used_bytes') / 1024 / 1024),
  resident: Math.round(sumOf(page, 'process_resident_memory_bytes') / 1024 / 1024),
});

/** The lowest of each quarter of the run: what is still held after a collection. */
function quarters(samples: readonly number[]): readonly number[] {
  const size = Math.max(1, Math.ceil(samples.length / 4));
  return [0, 1, 2, 3]
    .map((i) => Math.min(...samples.slice(i * size, (i + 1) * size)))
    .filter(Number.isFinite);
}
