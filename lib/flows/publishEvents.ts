/**
 * Brings every event of every stream to every subscriber: at least once, in order per stream. A delivery only
 * says that there is news; what is missing is read from the table. A subscriber that fails is tried again and
 * stops nobody else; a stream it cannot get past is parked for it, and only for it.
 */
import type { Recorded } from '../../events/recorded.ts';
import { nextStep } from '../core/eventStore/consumer.ts';
import type { Consumers, Delivery, EventStore, Log } from '../ports.ts';

export type Subscriber = {
  /** Its checkpoints are kept under this name: never rename it. */
  readonly name: string;
  /** @param earlier events known to stand before this one, oldest first; not always all of them */
  handle(stream: string, event: Recorded, earlier: readonly Recorded[]): Promise<void>;
};

type World = { readonly store: EventStore; readonly consumers: Consumers; readonly log: Log };

/** @returns the deliveries that must come again */
export async function publishEvents(
  world: World,
  deliveries: readonly Delivery[],
  subscribers: readonly Subscriber[],
): Promise<readonly Delivery[]> {
  const again: Delivery[] = [];
  /** What a subscriber could not get past just now is not tried, nor counted, a second time. */
  const stuck = new Set<string>();
  for (const delivery of deliveries) {
    let complete = true;
    for (const subscriber of subscribers) {
      const flow = `${subscriber.name} ${delivery.stream}`;
      if (!stuck.has(flow) && (await deliver(world, delivery, subscriber))) continue;
      stuck.add(flow);
      complete = false;
    }
    if (!complete) again.push(delivery);
  }
  return again;
}

/** @returns false when the subscriber failed and the delivery must come again */
async function deliver(world: World, delivery: Delivery, subscriber: Subscriber): Promise<boolean> {
  const { stream, events, version } = delivery;
  const checkpoint = await world.consumers.checkpoint(subscriber.name, stream);
  let known = events;
  let step = nextStep(checkpoint, known, version);
  if (step.step === 'read') {
    known = await Array.fromAsync(world.store.read(stream, step.from));
    step = nextStep(checkpoint, known, Math.max(version, known.at(-1)?.version ?? 0));
  }
  if (step.step !== 'run') return true;
  for (const event of step.events) {
    try {
      await subscriber.handle(
        stream,
        event,
        known.filter((one) => one.version < event.version),
      );
    } catch (error) {
      return failed(world, delivery, event, subscriber, error);
    }
    const moved = await world.consumers.advance(subscriber.name, stream, event.version - 1, event.version);
    if (!moved) return true; // another delivery is further already
    const { version, correlationId } = event;
    const { type } = event.event;
    const { name } = subscriber;
    world.log.write({ message: 'event published', subscriber: name, stream, version, type, correlationId });
  }
  return true;
}

async function failed(
  world: World,
  { stream, ageSeconds }: Delivery,
  { version, correlationId }: Recorded,
  { name }: Subscriber,
  error: unknown,
): Promise<boolean> {
  const why = String(error).slice(0, 300);
  const { parked } = await world.consumers.failed(name, stream, version, why, ageSeconds);
  world.log.write({
    message: parked ? 'stream parked: a person must look' : 'subscriber failed, the event comes again',
    subscriber: name,
    stream,
    version,
    why,
    correlationId,
  });
  return parked;
}
