/**
 * What we need from outside, in the domain's words. Each world (`lib/aws`, `lib/sim`, …) answers all of it;
 * flows see nothing else. An answer that cannot be had is an `Outage` (lib/core/outage.ts), never a default.
 */
import type { Recorded } from '../events/recorded.ts';
import type { AlarmState } from '../events/rollback.ts';
import type { Strategy } from '../events/rollout.ts';
import type { Slot, Target } from '../events/target.ts';
import type { Minute } from './core/analysis/minutes.ts';
import type { LayeredValue } from './core/config/layeredValue.ts';
import type { MetricsSource } from './core/config/metricsSource.ts';
import type { Append, Appended, Head } from './core/eventStore/append.ts';
import type { Checkpoint } from './core/eventStore/consumer.ts';
import type { FallBackMark, OverrideMark } from './core/fallback/mark.ts';
import type { PlaceSetting } from './core/rollback/fallbackPlace.ts';

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

export type { Append, Appended, Head };

export interface EventStore {
  /** On the alarm's way it is known within 500 ms that it cannot be read: `urgent`. */
  head(stream: string, options?: { readonly urgent?: boolean }): Promise<Head>;
  /** One conditional write; at most two where a full tail is first copied to a chunk. */
  append(stream: string, append: Append): Promise<Appended>;
  /** Copies a full tail to a chunk: what an urgent append left for later. Nothing to do is no error. */
  compact(stream: string): Promise<void>;
  /** Every event from version `from` (default 1) up to the newest at the time of the call, in order. */
  read(stream: string, from?: number): AsyncIterable<Recorded>;
  /** Replays the hash chain; `brokenAt` is the first version whose hash does not follow, null when all do. */
  verify(stream: string): Promise<{ readonly version: number; readonly brokenAt: number | null }>;
  /**
   * Keeps a rollout's plan, once, and answers the SHA-256 of its canonical JSON, hex: a second, different
   * plan under the same id is refused with `PlanDiffers`.
   */
  keepPlan(stream: string, rolloutId: string, plan: unknown): Promise<string>;
  /** null when none was kept. */
  plan(stream: string, rolloutId: string): Promise<unknown>;
  /**
   * The raw minutes verdicts rest on, by block of the rollout; writing a block again replaces it. Answers
   * their hash.
   */
  keepMinutes(rolloutId: string, block: number, minutes: readonly Minute[]): Promise<string>;
  minutes(rolloutId: string): Promise<readonly Minute[]>;
  /** Streams with something under way; one page after the other. */
  active(): AsyncIterable<string>;
}

/** A stream has news: its newest events as HEAD showed them, oldest first, and its version by then. */
export type Delivery = {
  readonly stream: string;
  readonly events: readonly Recorded[];
  readonly version: number;
  /** Since the newest of them was appended, seconds; absent where nobody can say. */
  readonly ageSeconds?: number;
};

/** How far a consumer of events has come in one stream. */
export interface Consumers {
  checkpoint(consumer: string, stream: string): Promise<Checkpoint>;
  /** Moves the checkpoint from `from` to `to`; false when another delivery has moved it already. */
  advance(consumer: string, stream: string, from: number, to: number): Promise<boolean>;
  /**
   * Counts a failure at `version`; after too many of the same, over too long, the stream is parked and the
   * others flow on. `ageSeconds` since the event was appended; without it, old enough.
   */
  failed(
    consumer: string,
    stream: string,
    version: number,
    why: string,
    ageSeconds?: number,
  ): Promise<Checkpoint>;
  /** Lets a parked stream flow again, from its checkpoint. */
  unpark(consumer: string, stream: string): Promise<void>;
}

/** Effects outside the store that must happen once per event: intent first, then done. */
export interface Effects {
  /**
   * `new`: nobody tried yet; `open`: somebody did and may have succeeded, so repeat with the same
   * idempotency key; `done`.
   */
  intend(stream: string, version: number, effect: string): Promise<'new' | 'open' | 'done'>;
  done(stream: string, version: number, effect: string): Promise<void>;
}

/** Where traffic goes at a target, as read from the world. */
export type TrafficReading =
  /** Percent of requests the slot `green` gets, at the precision the target can hold. */
  | { readonly kind: 'weights'; readonly greenWeight: number }
  /** Traffic goes somewhere that is neither slot: `what` says where, for a person. */
  | { readonly kind: 'unknown'; readonly what: string };

export interface Traffic {
  read(target: Target): Promise<TrafficReading>;
  /** Sends `weight` percent to `slot` and the rest to the other; resolves once a read shows it. */
  shift(target: Target, slot: Slot, weight: number): Promise<void>;
  /** Marks the stable slot on the target itself, for whoever has no store; `knows` as in `StableMark`. */
  markStable(target: Target, slot: Slot, knows: number): Promise<void>;
  /** The stable slot by the marks on the target, the fire exit's too; null when none is marked. */
  stableMark(target: Target): Promise<Slot | null>;
  /** Notes on the target itself that somebody fell back; its slot, if it has one, is the stable one now. */
  markFallBack(target: Target, mark: FallBackMark): Promise<void>;
  /** The newest such note; null where there is none, or the target carries no notes. */
  fallBackMark(target: Target): Promise<FallBackMark | null>;
  /** Notes on the target that automatic roll backs are suspended; one that was lifted ends in the past. */
  markOverride(target: Target, mark: OverrideMark): Promise<void>;
  /** The newest such note, also where it is over. */
  overrideMark(target: Target): Promise<OverrideMark | null>;
}

export type { FallBackMark, OverrideMark, PlaceSetting };

/** Places to fall back to that are not the service's own target. */
export interface FallbackPlaces {
  /**
   * What stands there, the setting that sends the traffic first. Nobody may wait for it: it is answered, or
   * refused, within two seconds.
   */
  settings(target: Target): Promise<readonly PlaceSetting[]>;
}

/** What runs in a slot. */
export type SlotReading = {
  readonly revision: string;
  readonly desired: number;
  readonly running: number;
  /** Targets the balancer calls healthy; null where the target has no health of its own. */
  readonly healthy: number | null;
};

export interface Workload {
  read(target: Target, slot: Slot): Promise<SlotReading>;
  /** Puts `revision` into the slot and asks for `tasks`; returns at once, `read` shows the progress. */
  place(target: Target, slot: Slot, revision: string, tasks: number): Promise<void>;
  scale(target: Target, slot: Slot, tasks: number): Promise<void>;
  /** The slot's scaling bounds; null where nothing scales it. */
  bounds(target: Target, slot: Slot): Promise<Bounds | null>;
  /** Lifts the slot's minimum to `tasks` and suspends scale-in, as long as a rollout may need to go back. */
  pin(target: Target, slot: Slot, tasks: number): Promise<void>;
  /** Gives the slot its own bounds back and lets it scale in again; where that is done, changes nothing. */
  release(target: Target, slot: Slot, bounds: Bounds): Promise<void>;
}

export type Bounds = { readonly min: number; readonly max: number };

export interface Metrics {
  /** Both sides' minutes from `fromMs` to `toMs`, oldest first; a side with no data in a minute is null. */
  minutes(query: {
    readonly target: Target;
    /** absent: the target's own metrics. */
    readonly source?: MetricsSource | null | undefined;
    /** What runs in each slot, for sources that tell sides by it; absent: stable is all there is. */
    readonly revisions?: Readonly<Record<Slot, string>>;
    readonly canarySlot: Slot;
    readonly periodSeconds: number;
    readonly fromMs: number;
    readonly toMs: number;
    /** Latency limits whose exceedings are counted, milliseconds, in this order. */
    readonly thresholdsMs: readonly number[];
  }): Promise<readonly Minute[]>;
  /** Latency percentiles of one slot over the whole time, ms, in the order asked; null when nobody came. */
  percentiles(query: {
    readonly target: Target;
    readonly source?: MetricsSource | null | undefined;
    readonly slot: Slot;
    readonly fromMs: number;
    readonly toMs: number;
    /** 0–100 each. */
    readonly percentiles: readonly number[];
  }): Promise<readonly number[] | null>;
}

/** Configuration that a running stage was given above its file. */
export interface Layers {
  /** What stands above the file for a service, lowest layer first; each with its place. */
  values(service: string): Promise<readonly LayeredValue[]>;
}

export type AlarmReading = {
  readonly name: string;
  /** null: the alarm does not exist, or its state cannot be read. */
  readonly state: AlarmState | null;
  readonly changedAt: number | null;
  readonly reason: string;
};

export interface Alarms {
  read(names: readonly string[]): Promise<readonly AlarmReading[]>;
}

export interface Machines {
  /** Starts an execution; the same name with the same input is started once. */
  start(machine: 'rollout' | 'rollback' | 'migration', name: string, input: unknown): Promise<void>;
  /** Whether an execution runs whose name begins with `prefix`. */
  running(machine: 'rollout' | 'rollback' | 'migration', prefix: string): Promise<boolean>;
  /** Lets an execution that waits for `token` go on; a token that is no longer waited for is no error. */
  resume(token: string, output: unknown): Promise<void>;
}

export interface Tokens {
  /** Keeps the token an execution waits with, beside the stream. */
  keep(stream: string, rolloutId: string, token: string): Promise<void>;
  find(stream: string, rolloutId: string): Promise<string | null>;
}

/** A second durable tier for a decision that the event store did not take in time. */
export interface IntentQueue {
  send(intent: {
    readonly stream: string;
    readonly commandId: string;
    readonly correlationId: string;
    readonly command: unknown;
  }): Promise<void>;
}

/** Asks for a rollout as a person would: the request goes the same way as everybody's. */
export interface Requests {
  send(request: {
    readonly service: string;
    readonly revision: string;
    readonly rolloutId: string;
    readonly requestedBy: string;
    readonly why?: string | undefined;
    readonly knownBadOverride?: string | undefined;
    readonly strategy?: Strategy | undefined;
  }): Promise<void>;
}

/** Our events for other machines. */
export interface EventBus {
  /** Resolves once the bus has taken it; the same event may arrive more than once. */
  publish(stream: string, event: Recorded): Promise<void>;
}

export interface Notifications {
  /** One message per decision; `attributes` let subscribers filter. */
  notify(message: {
    readonly subject: string;
    readonly body: unknown;
    readonly attributes: Readonly<Record<string, string>>;
  }): Promise<void>;
}

/** Whether a URL answers as a healthy service does; never throws. */
export interface Health {
  check(url: string): Promise<{ readonly ok: boolean; readonly what: string }>;
}

/** Waits on the world's own clock. */
export type Pause = (ms: number) => Promise<void>;

/** Structured lines with the correlation id on each. */
export interface Log {
  write(line: { readonly message: string; readonly [field: string]: unknown }): void;
}
