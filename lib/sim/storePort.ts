/**
 * The event store as one instance reaches it: every step over the wire, every operation with its deadline.
 */
import { EventStoreUnavailable } from '../core/outage.ts';
import type { EventStore } from '../ports.ts';
import { SimEventStore, type SimTable, type StoreStep } from './eventStore.ts';
import type { Hit } from './faults.ts';
import { type Instance, never } from './instance.ts';
import type { Wire } from './wire.ts';

/** What the store on DynamoDB gives an operation, and an urgent one. */
const deadlineMs = 5000;
const urgentDeadlineMs = 500;

/** @param written called after a write of a HEAD, whoever's it was */
export function simStore(wire: Wire, who: Instance, table: SimTable, written: () => void): EventStore {
  const inner = new SimEventStore(table, hook(wire, who, written));
  return {
    head: (stream, { urgent = false } = {}) =>
      inTime(wire, who, `reading ${stream}`, urgent, () => inner.head(stream)),
    append: (stream, append) =>
      inTime(wire, who, `appending to ${stream}`, append.urgent === true, () => inner.append(stream, append)),
    compact: (stream) => inner.compact(stream),
    read: (stream, from) => inner.read(stream, from),
    verify: (stream) => inner.verify(stream),
    keepPlan: (stream, rolloutId, plan) => inner.keepPlan(stream, rolloutId, plan),
    plan: (stream, rolloutId) => inner.plan(stream, rolloutId),
    keepMinutes: (rolloutId, block, minutes) => inner.keepMinutes(rolloutId, block, minutes),
    minutes: (rolloutId) => inner.minutes(rolloutId),
    active: () => inner.active(),
  };
}

/** Which step met what: of two of one kind at a time the first to leave comes back first. */
function hook(wire: Wire, who: Instance, written: () => void) {
  const met = new Map<StoreStep, (Hit | null)[]>();
  return (step: StoreStep, when: 'before' | 'after'): Promise<void> => {
    const waiting = met.get(step) ?? [];
    met.set(step, waiting);
    if (when === 'before')
      return wire.leave(who, `store.${step}`).then((hit) => {
        waiting.push(hit);
      });
    if (step === 'write-head') written();
    return wire.come(who, `store.${step}`, waiting.shift() ?? null);
  };
}

/** An append whose answer does not come in time may stand all the same, or come to stand later. */
async function inTime<T>(
  wire: Wire,
  who: Instance,
  what: string,
  urgent: boolean,
  call: () => Promise<T>,
): Promise<T> {
  const ms = urgent ? urgentDeadlineMs : deadlineMs;
  let cancel = () => {};
  const tooLate = new Promise<never>((_, reject) => {
    cancel = wire.clock.schedule(ms, () =>
      reject(new EventStoreUnavailable(`${what} took longer than ${ms} ms`)),
    );
  });
  try {
    return await Promise.race([call(), tooLate]);
  } catch (error) {
    if (!who.alive) return never();
    throw error;
  } finally {
    cancel();
  }
}
