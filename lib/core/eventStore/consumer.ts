/**
 * What a consumer does with a delivery. Streams deliver at least once, in order per item, and forget after
 * 24 hours; the table is the truth and a delivery only says that there is something new in it.
 */

import type { Recorded } from '../../../events/recorded.ts';
import { invariant } from '../decision.ts';

export type Checkpoint = {
  /** The newest version whose effects are done; 0 before the first. */
  readonly version: number;
  /** Failures in a row at the version after the checkpoint, and what the last one said. */
  readonly failures: number;
  readonly why: string | null;
  /** A person must look: nothing of this stream runs, the others flow. */
  readonly parked: boolean;
};

export const newCheckpoint: Checkpoint = { version: 0, failures: 0, why: null, parked: false };

/** A stream is parked at this many failures of the same event. */
export const failuresMax = 5;

/**
 * And not before the event is this old: Lambda tries a failed batch again within milliseconds, in halves, and
 * a short outage of a subscriber is no poison. Streams behind it in its shard wait so long, no longer.
 */
export const parkAfterSeconds = 15;

export type ConsumerStep =
  /** All of it was done before. */
  | { readonly step: 'drop' }
  | { readonly step: 'parked' }
  /** Run these, in order, moving the checkpoint after each. */
  | { readonly step: 'run'; readonly events: readonly Recorded[] }
  /** Events before these are missing: read the stream from `from` and ask again. */
  | { readonly step: 'read'; readonly from: number };

/**
 * @param delivered consecutive events, oldest first, as a HEAD image or a read of the stream showed them
 * @param version the newest version of the stream that the delivery knows of
 */
export function nextStep(
  checkpoint: Checkpoint,
  delivered: readonly Recorded[],
  version = delivered.at(-1)?.version ?? 0,
): ConsumerStep {
  if (version <= checkpoint.version) return { step: 'drop' };
  if (checkpoint.parked) return { step: 'parked' };
  const events = delivered.filter((one) => one.version > checkpoint.version);
  const from = checkpoint.version + 1;
  if (events[0]?.version !== from) return { step: 'read', from };
  events.forEach((one, index) => {
    invariant(
      one.version === from + index,
      `a delivery skips from before ${one.version}, after ${from + index}`,
    );
  });
  return { step: 'run', events };
}

/**
 * The checkpoint once the event at `version` failed; a failure of an event that is done already changes
 * nothing.
 * @param ageSeconds since the event was appended
 */
export function afterFailure(
  checkpoint: Checkpoint,
  version: number,
  why: string,
  ageSeconds = Number.POSITIVE_INFINITY,
): Checkpoint {
  if (version !== checkpoint.version + 1) return checkpoint;
  const failures = checkpoint.failures + 1;
  const poisonous = failures >= failuresMax && ageSeconds >= parkAfterSeconds;
  return { ...checkpoint, failures, why, parked: checkpoint.parked || poisonous };
}
