/** What the bridge needs from outside: time, senders to AWS, sources and publishers in NATS. */
import type { Draft, Refused } from './draft.ts';
import type { FailureKind } from './failure.ts';
import type { BridgeMessage } from './message.ts';
import type { TargetSpec } from './target.ts';

/** Time as an argument; lib/asl/clock.ts has the real one and one for tests. */
export interface Timers {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `fire` once, `ms` from now; the returned function cancels it. */
  schedule(ms: number, fire: () => void): () => void;
}

/** One entry of a batch request, written once when its message arrives. */
export type Entry = {
  /** The API's entry as JSON, without the id that some APIs want inside a batch. */
  readonly json: string;
  /** Its size as the API counts it. */
  readonly bytes: number;
  /** What tells it apart where the API answers with the entry itself (DynamoDB); else empty. */
  readonly key: string;
};

export type Failure = { readonly kind: FailureKind; readonly code: string; readonly message: string };

export type Answer =
  /** The request was taken; the entries at these positions were not. Null: all were. */
  | { readonly kind: 'taken'; readonly failed: ReadonlyMap<number, Failure> | null }
  /** The request as a whole failed, or nothing is known about it. */
  | { readonly kind: 'failed'; readonly failure: Failure };

/** Sends batches to one AWS account and region. */
export interface Sender {
  /** Writes an entry, or says why the API would never take it. */
  entryOf(target: TargetSpec, draft: Draft): Entry | Refused;
  /** Never rejects: an outage is an answer. Order inside the batch is kept. */
  send(target: TargetSpec, entries: readonly Entry[]): Promise<Answer>;
  /** Why nothing can be sent at all (no valid credentials); null when it can. */
  readonly fault: string | null;
  close(): void;
}

/** How a message ended: delivered (or dropped on purpose), or set aside as a dead letter. */
export type Verdict = 'done' | 'dead';

/** A message in our hands; the source finds it again by identity. */
export interface Incoming extends BridgeMessage {
  /** How often it was delivered, this time included; 1 for core NATS. */
  readonly deliveries: number;
  /** When it reached us, ms since the epoch. */
  readonly receivedAtMs: number;
}

export type SourceState = {
  readonly name: string;
  readonly connected: boolean;
  /** Messages in our hands. */
  readonly open: number;
  /** Messages in the stream that were not delivered yet, as last reported. */
  readonly pending: number;
  /** Age of the oldest message in our hands, ms. */
  readonly oldestMs: number;
  /** Deliveries beyond the first. */
  readonly redelivered: number;
  /** Core NATS only: messages lost because our buffer was full. */
  readonly dropped: number;
  /**
   * Why messages are held back at the moment (order being restored after a broken connection); null when not.
   */
  readonly holding: string | null;
};

/** Messages from NATS. */
export interface MessageSource {
  readonly state: SourceState;
  start(onMessage: (message: Incoming) => void): Promise<void>;
  /** Asks for no more messages until `resume`; those already asked for may still come. */
  pause(): void;
  resume(): void;
  /**
   * Takes no more for good, and gives back what is held back. What was passed on can still be settled; when
   * this resolves, nothing more is passed on.
   */
  retire(): Promise<void>;
  /** Every message is settled or given back exactly once. */
  settle(message: Incoming, verdict: Verdict): void;
  /** Back to the server for a later delivery. */
  giveBack(message: Incoming, delayMs: number): void;
  /** Stops for good: resolves when acknowledgements are out. Unsettled messages will be delivered again. */
  stop(): Promise<void>;
}

export type Publication = {
  readonly subject: string;
  readonly msgId: string;
  readonly data: Uint8Array;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The stream that has to take it; null for any. */
  readonly stream: string | null;
};

export type Published =
  | {
      readonly outcome: 'stored';
      readonly stream: string;
      readonly sequence: number;
      readonly duplicate: boolean;
    }
  /** The server said no: no stream takes the subject, the stream is full, the message is too large. */
  | {
      readonly outcome: 'refused';
      readonly code: string;
      readonly message: string;
      readonly permanent: boolean;
    }
  /** Not known: no answer in time, or no connection. Publishing again is safe within the duplicate window. */
  | { readonly outcome: 'unknown'; readonly message: string };

/** Publishes to JetStream. */
export interface Publisher {
  /** Never rejects. */
  publish(publication: Publication): Promise<Published>;
}
