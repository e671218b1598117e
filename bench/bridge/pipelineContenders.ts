/** The bridge itself, and the limits of what it is made of. */

import { connect } from '@nats-io/transport-node';
import { Bridge } from '../../lib/apps/bridge/bridge.ts';
import { BridgeMetrics } from '../../lib/apps/bridge/metrics.ts';
import { realClock } from '../../lib/asl/clock.ts';
import type { Sender } from '../../lib/core/bridge/ports.ts';
import { JetStreamSource } from '../../lib/nats/jetstreamSource.ts';
import { NatsLink } from '../../lib/nats/natsLink.ts';
import { JetStreamPublisher } from '../../lib/nats/publisher.ts';
import { Register } from '../../lib/nats/register.ts';
import { until } from '../../test/until.ts';
import { type Contender, lean, planFor } from './round.ts';
import type { RoundOrder } from './roundOrder.ts';

/** Longer than any round takes. */
const ROUND_MS = 120_000;

export const ours =
  (ack: 'explicit' | 'watermark', senderOf: (order: RoundOrder) => Sender): Contender =>
  async (order) => {
    const plan = planFor(order, ack);
    const link = await NatsLink.open(plan.config.nats, {});
    const timers = realClock;
    const publisher = new JetStreamPublisher(link.nats, timers, { window: 1_024, timeoutMs: 5_000 });
    const metrics = new BridgeMetrics(timers.now());
    const sender = senderOf(order);
    const deps = {
      link,
      sender,
      publisher,
      timers,
      metrics,
      log: console.error,
      chance: Math.random,
      owner: String(process.pid),
    };
    const bridge = new Bridge(plan, { ...deps, register: new Register(link, publisher) });
    return {
      async start() {
        await bridge.start();
        const done = async () => {
          const info = await link.api.consumers.info(order.stream, 'bench').catch(() => null);
          return info !== null && info.num_pending === 0 && info.num_ack_pending === 0;
        };
        await until('all are delivered', () => metrics.delivered >= order.count, ROUND_MS);
        await until('all are acknowledged', done, ROUND_MS);
        return undefined;
      },
      async end() {
        await bridge.drain(1_000);
        publisher.close();
        sender.close();
        await link.close();
      },
    };
  };

/** Our source without sending: what reading and acknowledging alone cost. */
export const noSend =
  (ack: 'explicit' | 'watermark'): Contender =>
  async (order) => {
    const plan = planFor(order, ack);
    const link = await NatsLink.open(plan.config.nats, {});
    const [config] = plan.config.sources;
    if (config === undefined || 'core' in config) throw new Error('no stream');
    const source = new JetStreamSource(link, realClock, {
      config,
      credits: Math.max(2_000, order.inFlight * 40),
      ordered: false,
      log: console.error,
    });
    return {
      async start() {
        let seen = 0;
        await new Promise<void>((resolve, reject) => {
          source
            .start((message) => {
              // Touches what a rule would touch.
              if (message.text() === undefined) reject(new Error('no text'));
              source.settle(message, 'done');
              if (++seen === order.count) resolve();
            })
            .catch(reject);
        });
        await link.flush();
        return undefined;
      },
      async end() {
        await source.stop();
        await link.close();
      },
    };
  };

/** Our sender with batches that are ready: what signing and sockets alone cost. */
export const sendOnly: Contender = async (order) => {
  const plan = planFor(order, 'explicit');
  const [target] = plan.targets;
  if (target === undefined) throw new Error('no target');
  const sender = lean(order);
  const detail = JSON.stringify(JSON.stringify({ pad: 'x'.repeat(118) }));
  const json = `{"EventBusName":"b","Source":"bench","DetailType":"Found","Detail":${detail}}`;
  const batch = Array.from({ length: 10 }, () => ({ json, bytes: 140, key: '' }));
  return {
    async start() {
      let left = order.count / 10;
      const loop = async () => {
        while (left-- > 0) {
          const answer = await sender.send(target, batch);
          if (answer.kind !== 'taken') throw new Error(answer.failure.message);
        }
      };
      await Promise.all(Array.from({ length: order.inFlight }, loop));
      return undefined;
    },
    async end() {
      sender.close();
    },
  };
};

/**
 * The bridge while messages come at a steady pace: how much later than their publication they are delivered.
 */
export const latency: Contender = async (order) => {
  const plan = planFor(order, 'explicit');
  const link = await NatsLink.open(plan.config.nats, {});
  const publishing = await connect({ servers: order.nats });
  const timers = realClock;
  const publisher = new JetStreamPublisher(link.nats, timers, { window: 1_024, timeoutMs: 5_000 });
  const inner = lean(order);
  const latencies: number[] = [];
  const sender: Sender = {
    fault: null,
    entryOf: (target, draft) => {
      const entry = inner.entryOf(target, draft);
      const at = 'detail' in draft ? (JSON.parse(draft.detail) as { at: number }).at : 0;
      return 'refused' in entry ? entry : { ...entry, key: String(at) };
    },
    async send(target, entries) {
      const answer = await inner.send(target, entries);
      const now = Date.now();
      for (const { key } of entries) latencies.push(now - Number(key));
      return answer;
    },
    close: () => inner.close(),
  };
  const metrics = new BridgeMetrics(timers.now());
  const deps = {
    link,
    sender,
    publisher,
    timers,
    metrics,
    log: console.error,
    chance: Math.random,
    owner: String(process.pid),
  };
  const bridge = new Bridge(plan, { ...deps, register: new Register(link, publisher) });
  return {
    async start() {
      await bridge.start();
      const perSec = order.ratePerSec ?? 1_000;
      const started = Date.now();
      for (let sent = 0; sent < order.count; ) {
        const due = Math.min(order.count, Math.floor(((Date.now() - started) / 1000) * perSec));
        for (; sent < due; sent++)
          publishing.publish('bench.k.x', `{"at":${Date.now()},"pad":"${'x'.repeat(100)}"}`);
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      await until('all are delivered', () => metrics.delivered >= order.count, ROUND_MS);
      return latencies.sort((a, b) => a - b);
    },
    async end() {
      await bridge.drain(1_000);
      publisher.close();
      sender.close();
      await publishing.close();
      await link.close();
    },
  };
};
