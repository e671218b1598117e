/** Where a stream stands: its snapshot, or all its events, where the snapshot is of another schema. */
import type { EventStore, Head } from '../ports.ts';

/** What a stream is folded with. */
export type Folding<S, E> = {
  readonly schema: number;
  readonly initial: S;
  readonly evolve: (state: S, event: E) => S;
};

export async function stateOf<S, E>(
  store: Pick<EventStore, 'read'>,
  head: Head,
  { schema, initial, evolve }: Folding<S, E>,
): Promise<S> {
  if (head.version === 0) return initial;
  if (head.snapshot?.schema === schema) return head.snapshot.state as S;
  let state = initial;
  for await (const { version, event } of store.read(head.stream)) {
    if (version > head.version) break; // appended after the head was read
    state = evolve(state, event as E);
  }
  return state;
}
