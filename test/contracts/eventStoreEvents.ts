/** Appends for the event store's tests: small ones, and ones of a chosen size. */
import type { Append, EventStore, Head } from '../../lib/ports.ts';

export type TestEvent = { readonly type: string; readonly at: number; readonly [field: string]: unknown };

/** One event; of about `bytes` bytes that no compression makes smaller, where that is given. */
export function eventOf(number: number, bytes = 0): TestEvent {
  const event = { type: 'TrafficShifted', at: 1_780_000_000_000 + number, weight: number % 100 };
  const spare = bytes - JSON.stringify(event).length - ',"note":""'.length;
  return spare > 0 ? { ...event, note: noise(number, spare) } : event;
}

/** Letters that follow from `seed` and do not repeat (an LCG with the constants of Numerical Recipes). */
export function noise(seed: number, length: number): string {
  let state = seed >>> 0;
  let text = '';
  while (text.length < length) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    text += state.toString(36);
  }
  return text.slice(0, length);
}

export function appendOf(expected: number, commandId: string, over: Partial<Append> = {}): Append {
  return {
    expected,
    commandId,
    events: [eventOf(expected + 1)],
    correlationId: `c-${commandId}`,
    actor: 'test',
    snapshot: { schema: 1, state: { version: expected + 1 } },
    active: true,
    ...over,
  };
}

/** Appends `count` events, one by one. */
export async function appendMany(
  store: EventStore,
  stream: string,
  count: number,
  bytes?: number,
): Promise<Head> {
  let { version } = await store.head(stream);
  for (let done = 0; done < count; done++) {
    const events = [eventOf(version + 1, bytes)];
    const answer = await store.append(stream, appendOf(version, `fill-${version}`, { events }));
    if (answer.outcome !== 'appended') throw new Error(`append ${version} was answered ${answer.outcome}`);
    version = answer.version;
  }
  return store.head(stream);
}

export async function collected<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

export async function versionsOf(store: EventStore, stream: string, from?: number): Promise<number[]> {
  return (await collected(store.read(stream, from))).map(({ version }) => version);
}

export const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
