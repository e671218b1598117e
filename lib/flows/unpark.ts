/**
 * A person lets a parked stream flow again, once what its subscriber could not get past is mended: everything
 * it missed is told at once, in order, without waiting for the stream's next event.
 */
import { type Refusal, refuse } from '../core/decision.ts';
import type { Consumers, EventStore, Log } from '../ports.ts';
import { publishEvents, type Subscriber } from './publishEvents.ts';

type World = { readonly store: EventStore; readonly consumers: Consumers; readonly log: Log };

export type Unpark = {
  /** `service/shop`. */
  readonly stream: string;
  readonly by: string;
  readonly why: string;
  /** All of them where none is named. */
  readonly subscriber?: string;
};

export type Unparked = {
  readonly outcome: 'done';
  readonly subscribers: readonly {
    readonly name: string;
    readonly wasParked: boolean;
    /** The newest version it has been told of, of how many. */
    readonly told: number;
    readonly of: number;
    /** What it fails with still; its events come again, and it is parked again after five failures. */
    readonly why: string | null;
  }[];
};

/** @param correlationId on the lines this leaves in the log */
export async function unpark(
  world: World,
  { stream, by, why, subscriber }: Unpark,
  subscribers: readonly Subscriber[],
  correlationId: string,
): Promise<Unparked | Refusal> {
  const meant = subscribers.filter(({ name }) => subscriber === undefined || name === subscriber);
  if (meant.length === 0) {
    const known = subscribers.map(({ name }) => name).join(', ');
    return refuse('no-such-subscriber', `no subscriber is called "${subscriber}": there are ${known}.`);
  }
  const { version } = await world.store.head(stream);
  if (version === 0) {
    return refuse('no-such-stream', `no stream is called "${stream}": a service's is service/NAME.`);
  }
  const unparked: Unparked['subscribers'][number][] = [];
  for (const each of meant) {
    const { parked: wasParked } = await world.consumers.checkpoint(each.name, stream);
    if (wasParked) await world.consumers.unpark(each.name, stream);
    await publishEvents(world, [{ stream, events: [], version, ageSeconds: 0 }], [each]);
    const { version: told, why: fails } = await world.consumers.checkpoint(each.name, stream);
    unparked.push({ name: each.name, wasParked, told, of: version, why: told < version ? fails : null });
  }
  world.log.write({ message: 'stream unparked', stream, by, why, subscribers: unparked, correlationId });
  return { outcome: 'done', subscribers: unparked };
}
