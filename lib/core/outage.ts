/**
 * Outages: the world did not do what it was asked, through no decision of ours. The `name` is a contract
 * with `ErrorEquals` in statemachines/*.asl.json and is never renamed; `retry` says what a caller may do.
 */
export abstract class Outage extends Error {
  abstract override readonly name: string;
  /** `now`: at once, `later`: after a pause, `never`: a person must act first. */
  abstract readonly retry: 'now' | 'later' | 'never';
}

/** The target was told a weight, and reads still show another. */
export class TrafficUnconfirmed extends Outage {
  override readonly name = 'TrafficUnconfirmed';
  readonly retry = 'later';
}

/** A call to AWS (or what stands for it) failed or timed out. */
export class WorldUnavailable extends Outage {
  override readonly name = 'WorldUnavailable';
  readonly retry = 'later';
}

/** The event store could not be read or written. */
export class EventStoreUnavailable extends Outage {
  override readonly name = 'EventStoreUnavailable';
  readonly retry = 'later';
}

/** Too many writers on one stream: every attempt lost against another. */
export class StreamContended extends Outage {
  override readonly name = 'StreamContended';
  readonly retry = 'now';
}

/** The canary's tasks are not all healthy yet. */
export class CanaryNotReady extends Outage {
  override readonly name = 'CanaryNotReady';
  readonly retry = 'later';
}

/** Something named in the configuration or the plan does not exist at the target. */
export class TargetMissing extends Outage {
  override readonly name = 'TargetMissing';
  readonly retry = 'never';
}

/** A plan is immutable, and another one stands under this id already. */
export class PlanDiffers extends Outage {
  override readonly name = 'PlanDiffers';
  readonly retry = 'never';
}

/** Input that breaks its contract: it goes to a dead letter with this sentence, nothing was done. */
export class BadInput extends Outage {
  override readonly name = 'BadInput';
  readonly retry = 'never';
}
