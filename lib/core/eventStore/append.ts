/** What is told to the event store, and what it answers: the words of its port (lib/ports.ts). */
import type { Recorded } from '../../../events/recorded.ts';

/** A stream as its HEAD item tells it: one read. `version` 0 is a stream that does not exist yet. */
export type Head = {
  readonly stream: string;
  readonly version: number;
  /** The state folded up to `version`, and the schema of that state; null before the first append. */
  readonly snapshot: { readonly schema: number; readonly state: unknown } | null;
  /** The newest events, oldest first, dense up to `version`; older ones are read with `read`. */
  readonly tail: readonly Recorded[];
};

export type Append = {
  /** The version the decision was taken on; the append succeeds only if it still is the newest. */
  readonly expected: number;
  readonly events: readonly { readonly type: string; readonly at: number }[];
  /**
   * Same id, same answer: a repeated command appends nothing and gets what the first one got. Recognised
   * among the stream's newest sixteen commands; an older one meets the expected version, or is decided
   * anew.
   */
  readonly commandId: string;
  readonly correlationId: string;
  readonly actor: string;
  readonly snapshot: { readonly schema: number; readonly state: unknown };
  /** Keeps the stream in the `active` index while something is under way. */
  readonly active: boolean;
  /**
   * The alarm's way: a full tail is not chunked now (call `compact` afterwards), and an outage is told
   * within 500 ms.
   */
  readonly urgent?: boolean;
};

export type Appended =
  /**
   * `repeated`: this command was appended before, perhaps by this very call when its first answer got lost:
   * act all the same. `version` and `events` are the first answer's; `events` is empty once they have left
   * the tail.
   */
  | {
      readonly outcome: 'appended' | 'repeated';
      readonly version: number;
      readonly events: readonly Recorded[];
    }
  /** Somebody was first: `head` is what beat us. */
  | { readonly outcome: 'conflict'; readonly head: Head };
