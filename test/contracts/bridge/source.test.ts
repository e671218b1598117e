/**
 * A source over a consumer on a virtual clock: messages that end in any order, deliveries that are lost or
 * come again. Whatever happens, in the end the server hears that everything is settled, and nothing was
 * passed on twice.
 */
import { AckPolicy } from '@nats-io/jetstream';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../lib/asl/clock.ts';
import type { Incoming } from '../../../lib/core/bridge/ports.ts';
import { JetStreamSource } from '../../../lib/nats/jetstreamSource.ts';
import { PullConsumer } from './pullConsumer.ts';
import { configuration, planFrom } from './rig.ts';
import { seededRandom } from './seededRandom.ts';

const ACK_WAIT_MS = 1_000;

type Ack = 'explicit' | 'watermark';

function scene(ack: Ack, changes: { credits?: number; hears?: (sequence: number) => boolean } = {}) {
  const clock = new VirtualClock();
  const policy = ack === 'watermark' ? AckPolicy.All : AckPolicy.Explicit;
  const maxAckPending = 200;
  const { hears = () => true, credits = 60 } = changes;
  const consumer = new PullConsumer({ clock, ack: policy, ackWaitMs: ACK_WAIT_MS, maxAckPending, hears });
  const nowhere = { url: 'nats://localhost' } as never;
  const plan = planFrom(configuration(nowhere, nowhere, {}, { ack, ackWait: '1s', maxAckPending }));
  const [config] = plan.config.sources;
  if (config === undefined || 'core' in config) throw new Error('no stream');
  const source = new JetStreamSource(consumer.link(), clock, {
    config,
    credits,
    ordered: true,
    log: () => {},
  });
  const open: Incoming[] = [];
  const seen = new Map<number, number>();
  const receive = (message: Incoming) => {
    open.push(message);
    seen.set(message.sequence, (seen.get(message.sequence) ?? 0) + 1);
  };
  return { clock, consumer, source, open, seen, receive };
}

type Scene = ReturnType<typeof scene>;

/** Settles what is open until the server has nothing left, for as long as `minutes` allow. */
async function carryOn({ clock, consumer, source, open }: Scene, minutes = 10): Promise<void> {
  for (let second = 0; second < minutes * 60 && !consumer.done; second++) {
    for (const message of open.splice(0)) source.settle(message, 'done');
    await clock.advance(1_000);
  }
}

describe.each<Ack>(['watermark', 'explicit'])('a source with %s acknowledgements', (ack) => {
  it.each(Array.from({ length: 25 }, (_, seed) => seed + 1))(
    'ends with nothing unacknowledged and nothing passed on twice, whatever came again (seed %i)',
    async (seed) => {
      const random = seededRandom(seed);
      const at = scene(ack, { hears: () => random() > 0.3 });
      const { clock, consumer, source, open, seen, receive } = at;
      await source.start(receive);
      const count = 400;
      for (let step = 0; step < 120; step++) {
        if (consumer.stored < count && random() < 0.4) consumer.store(Math.min(20, count - consumer.stored));
        for (let left = Math.floor(random() * 12); left > 0 && open.length > 0; left--) {
          const [message] = open.splice(Math.floor(random() * open.length), 1);
          if (message !== undefined) source.settle(message, 'done');
        }
        if (random() < 0.03) {
          consumer.lose(Math.floor(random() * 5));
          consumer.break();
        }
        await clock.advance(Math.floor(random() * 400));
      }
      consumer.store(count - consumer.stored);
      await carryOn(at);
      expect(consumer.unacknowledged).toBe(0);
      expect(seen.size).toBe(count);
      expect([...seen.values()].every((times) => times === 1)).toBe(true);
      await source.stop();
    },
  );

  it('keeps the server from delivering again what is still open, and what only waits for that', async () => {
    const at = scene(ack);
    const { clock, consumer, source, open, receive } = at;
    await source.start(receive);
    consumer.store(20);
    await clock.advance(100);
    for (const message of open.splice(1)) source.settle(message, 'done');
    await clock.advance(10 * 60_000);
    expect([...consumer.deliveries.values()].every((times) => times === 1)).toBe(true);
    await carryOn(at, 1);
    expect(consumer.unacknowledged).toBe(0);
    await source.stop();
  });

  it('goes on when the consumer was made anew, with deliveries numbered from 1 again', async () => {
    const at = scene(ack);
    const { consumer, source, open, receive, clock } = at;
    await source.start(receive);
    consumer.store(100);
    await clock.advance(100);
    for (const message of open.splice(0, 50)) source.settle(message, 'done');
    await clock.advance(100);
    consumer.remake();
    consumer.store(10);
    await carryOn(at);
    expect(consumer.unacknowledged).toBe(0);
    expect(at.seen.size).toBe(110);
    await source.stop();
  });
});

describe('a watermark', () => {
  it('that was acknowledged with a second delivery does not keep later first deliveries from counting', async () => {
    const late = new Set([1]);
    const at = scene('watermark', { hears: (sequence) => !late.has(sequence) });
    const { clock, consumer, source, open, receive } = at;
    await source.start(receive);
    consumer.store(10);
    await clock.advance(1_500);
    expect(consumer.deliveries.get(1)).toBeGreaterThan(1);
    expect(consumer.deliveries.get(2)).toBe(1);
    source.settle(open.shift() as Incoming, 'done');
    await clock.advance(100);
    expect(consumer.unacknowledged).toBe(9);
    for (const message of open.splice(0)) source.settle(message, 'done');
    await clock.advance(100);
    expect(consumer.unacknowledged).toBe(0);
    await source.stop();
  });
});
