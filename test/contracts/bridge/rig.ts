/** A whole bridge in this process, between a real nats-server and the strict sink. */

import { Bridge } from '../../../lib/apps/bridge/bridge.ts';
import { BridgeMetrics } from '../../../lib/apps/bridge/metrics.ts';
import { realClock } from '../../../lib/asl/clock.ts';
import { AwsClient } from '../../../lib/aws/lean/awsClient.ts';
import { CredentialKeeper } from '../../../lib/aws/lean/credentials.ts';
import { LeanSender } from '../../../lib/aws/lean/leanSender.ts';
import { type Plan, planOf } from '../../../lib/core/bridge/plan.ts';
import type { Sender } from '../../../lib/core/bridge/ports.ts';
import { NatsLink } from '../../../lib/nats/natsLink.ts';
import { JetStreamPublisher } from '../../../lib/nats/publisher.ts';
import { Register } from '../../../lib/nats/register.ts';
import { eventually, type NatsServer } from './natsServer.ts';
import { CREDENTIALS, REGION, type StrictSink } from './strictSink.ts';

export type Document = Record<string, unknown>;

export const EVENT = { eventbridge: { bus: 'main', source: 'nats.mig', detailType: 'Found' } };
export const FIFO = { sqs: { queue: 'orders.fifo', group: '{{token(2)}}' } };
/** Quick enough for a test: outages are noticed and retried in milliseconds, and attempts alone decide. */
export const RETRY = { base: '5ms', cap: '50ms', budget: '0ms' };

/** A configuration around these rules: one stream, one consumer. */
export function configuration(
  server: NatsServer,
  sink: StrictSink,
  changes: Document = {},
  source: Document = {},
): Document {
  return {
    version: 1,
    nats: { servers: [server.url] },
    aws: { region: REGION, endpoint: sink.url, timeout: '800ms' },
    sources: [
      {
        stream: 'MIG',
        durable: 'bridge',
        ackWait: '1s',
        owner: 'single',
        create: { subjects: ['mig.>'] },
        ...source,
      },
    ],
    rules: [{ match: 'mig.>', to: EVENT, retry: RETRY }],
    dlq: { sqs: 'dead' },
    lease: '600ms',
    ...changes,
  };
}

export function planFrom(document: Document): Plan {
  const result = planOf(document);
  if ('faults' in result) throw new Error(JSON.stringify(result.faults, null, 1));
  return result.plan;
}

export type Rig = {
  readonly bridge: Bridge;
  readonly link: NatsLink;
  readonly metrics: BridgeMetrics;
  readonly logs: string[];
  /** As SIGTERM does. */
  drain(withinMs?: number): Promise<number>;
  /** As kill -9 does, as far as one process can tell: sockets gone, nothing said. */
  die(): Promise<void>;
};

let owners = 0;

export async function startBridge(
  document: Document,
  options: { sender?: Sender; wait?: boolean } = {},
): Promise<Rig> {
  const plan = planFrom(document);
  const link = await NatsLink.open(plan.config.nats, {});
  const timers = realClock;
  const logs: string[] = [];
  const publisher = new JetStreamPublisher(link.nats, timers, { window: 1_024, timeoutMs: 2_000 });
  const keeper = new CredentialKeeper(async () => CREDENTIALS, timers);
  const { region = REGION, endpoint = null, timeout } = plan.config.aws;
  const client = new AwsClient({ region, endpoint, timeoutMs: timeout }, keeper, timers);
  const limits = {
    eventbridge: plan.config.aws.eventSizeMax,
    sqs: plan.config.aws.messageSizeMax,
    sns: plan.config.aws.topicSizeMax,
  };
  const sender = options.sender ?? new LeanSender(client, limits, null);
  const metrics = new BridgeMetrics(timers.now());
  const bridge = new Bridge(plan, {
    link,
    register: new Register(link, publisher),
    sender,
    publisher,
    timers,
    metrics,
    log: (message) => logs.push(message),
    chance: Math.random,
    owner: `test-${++owners}`,
  });
  await bridge.start();
  if (options.wait !== false) {
    const ready = () => bridge.intakes.every(({ state }) => state.holding === null);
    await eventually(ready, `sources are open: ${logs.join(' | ')}`);
  }
  const end = async () => {
    publisher.close();
    sender.close();
    await link.nats.close();
  };
  return {
    bridge,
    link,
    metrics,
    logs,
    async drain(withinMs = 10_000) {
      const back = await bridge.drain(withinMs);
      await link.flush();
      await end();
      return back;
    },
    die: end,
  };
}

/** Nothing moves for so long: it stands still, and is not only slow. */
const STILL_MS = 25_000;

/**
 * The bridge has settled everything, and the server knows. A busy machine may take its time, but not stand.
 */
export async function settled(rig: Rig, stream = 'MIG', durable = 'bridge'): Promise<void> {
  let seen = '';
  let movedAtMs = Date.now();
  for (;;) {
    const info = await rig.link.api.consumers.info(stream, durable).catch(() => null);
    if (info !== null && info.num_pending === 0 && info.num_ack_pending === 0) return;
    const now = JSON.stringify([info?.num_pending, info?.ack_floor, rig.bridge.open, rig.metrics.received]);
    if (now !== seen) movedAtMs = Date.now();
    seen = now;
    if (Date.now() - movedAtMs > STILL_MS) {
      const logs = rig.logs.slice(-5).join(' | ');
      throw new Error(`${stream} stands still, and not all of it is acknowledged: ${now} ${logs}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
