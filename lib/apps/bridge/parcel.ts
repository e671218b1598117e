/** What a dispatcher carries, needs, and tells. */
import type { Queued } from '../../core/bridge/batchQueue.ts';
import type { Entry, Failure, Sender, Timers } from '../../core/bridge/ports.ts';
import type { TargetMetrics } from './metrics.ts';

/** One message's entry for one target. */
export type Parcel = Queued & {
  readonly entry: Entry;
  /** Failures of this entry alone. */
  attempts: number;
  /** When it first failed while others passed, ms since the epoch; 0 when it did not. */
  suspectSinceMs: number;
  /** When its message reached the bridge, ms since the epoch. */
  readonly receivedAtMs: number;
};

export type DispatcherEvents<P> = {
  delivered(parcel: P): void;
  /** It will never be taken. */
  refused(parcel: P, failure: Failure): void;
  /** Stopped before its fate was known. */
  abandoned(parcel: P): void;
  /** The circuit opened (with its reason) or closed (null). */
  circuit(reason: string | null): void;
};

export type DispatcherDeps = {
  readonly sender: Sender;
  readonly timers: Timers;
  /** In [0, 1). */
  readonly chance: () => number;
  readonly metrics: TargetMetrics;
};
