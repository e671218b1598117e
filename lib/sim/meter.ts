/**
 * Counts what really happened, minute by minute: the weights that the balancer really had, times how the
 * revisions behind them behaved. Nothing here is late or missing; that comes with the reading (metrics.ts).
 */
import type { Slot } from '../../events/target.ts';
import { type Balancer, shareIn } from './balancer.ts';
import { type Behaviours, counted, latencyAt, seedOfService, slowerShare } from './behaviour.ts';
import { drawn } from './random.ts';
import { startMs } from './simClock.ts';
import type { SlotState } from './slots.ts';

/** One slot in one minute. */
export type Counted = {
  readonly requests: number;
  readonly errors: number;
  readonly p95Ms: number;
  readonly unhealthyHosts: number;
  /** How many requests had which median latency. */
  readonly parts: readonly { readonly requests: number; readonly medianMs: number }[];
};

/** A stretch of a minute: as if the slot had had all traffic for so many seconds. */
type Span = { readonly seconds: number; readonly errorRate: number; readonly medianMs: number };

const nobody: Counted = { requests: 0, errors: 0, p95Ms: 0, unhealthyHosts: 0, parts: [] };
export const minuteMs = 60_000;

export class Meter {
  readonly service: string;
  readonly slots: Readonly<Record<Slot, SlotState>>;
  readonly balancer: Balancer;
  readonly #requestsPerSecond: number;
  readonly #behaviours: Behaviours;
  readonly #seed: number;
  readonly #minutes: Record<Slot, Counted>[] = [];
  readonly #stableAtFirst: Slot;
  readonly #revisionAtFirst: string;

  constructor(
    seed: number,
    service: string,
    requestsPerSecond: number,
    behaviours: Behaviours,
    balancer: Balancer,
    slots: Readonly<Record<Slot, SlotState>>,
  ) {
    this.service = service;
    this.slots = slots;
    this.balancer = balancer;
    this.#requestsPerSecond = requestsPerSecond;
    this.#behaviours = behaviours;
    this.#seed = seedOfService(seed, service);
    this.#stableAtFirst = balancer.mark ?? 'blue';
    this.#revisionAtFirst = slots[this.#stableAtFirst].revision;
  }

  /** Minutes counted so far. */
  get length(): number {
    return this.#minutes.length;
  }

  /** @param index of the minute since the beginning; negative: before it, when stable had everything */
  minute(index: number, slot: Slot): Counted {
    if (index >= 0) return this.#minutes[index]?.[slot] ?? nobody;
    if (slot !== this.#stableAtFirst) return nobody;
    const { errorRate, medianMs } = this.#behaviours.of(this.#revisionAtFirst);
    return this.#counted(index, slot, [{ seconds: 60, errorRate, medianMs }], 0);
  }

  /** Of the requests of that minute, how many took longer; never more than at a lower threshold. */
  slow(index: number, slot: Slot, thresholdsMs: readonly number[]): number[] {
    const { requests, parts } = this.minute(index, slot);
    let most = requests;
    return thresholdsMs.map((threshold, nth) => {
      let mean = 0;
      for (const part of parts) mean += part.requests * slowerShare(part.medianMs, threshold);
      most = Math.min(most, counted(mean, this.#chance(index, slot, 10 + nth)));
      return most;
    });
  }

  /** Called at the end of each minute. */
  count(): void {
    const index = this.#minutes.length;
    const fromMs = startMs + index * minuteMs;
    this.#minutes.push({
      blue: this.#ofSlot(index, 'blue', fromMs),
      green: this.#ofSlot(index, 'green', fromMs),
    });
  }

  #ofSlot(index: number, slot: Slot, fromMs: number): Counted {
    const state = this.slots[slot];
    const toMs = fromMs + minuteMs;
    const { healthy, desired } = state;
    const spans: Span[] = [];
    for (const { from, to, share } of this.#shares(slot, fromMs, toMs)) {
      const { revision } = state;
      this.#behaviours.getsTraffic(revision, from);
      this.#addSpans(spans, revision, from, to, { share, isDown: healthy === 0 });
    }
    return spans.length === 0 && desired === healthy
      ? nobody
      : this.#counted(index, slot, spans, desired - healthy);
  }

  /** Stretches of time in which the slot had traffic. */
  #shares(slot: Slot, fromMs: number, toMs: number): { from: number; to: number; share: number }[] {
    const { shifts } = this.balancer;
    const found: { from: number; to: number; share: number }[] = [];
    let until = toMs;
    for (let nth = shifts.length - 1; nth >= 0 && until > fromMs; nth--) {
      const shift = shifts[nth];
      if (shift === undefined || shift.at >= until) continue;
      const share = shareIn(shift.reading, slot);
      const from = Math.max(fromMs, shift.at);
      if (share > 0) found.unshift({ from, to: until, share });
      until = from;
    }
    return found;
  }

  #addSpans(
    spans: Span[],
    revision: string,
    from: number,
    to: number,
    { share, isDown }: { readonly share: number; readonly isDown: boolean },
  ): void {
    const turns = this.#behaviours.turnsAt(revision);
    const turnsWithin = turns > from && turns < to;
    for (let since = from; since < to; ) {
      const end = turnsWithin && since === from ? turns : to;
      const { errorRate, medianMs } = this.#behaviours.at(this.service, revision, (since + end) / 2);
      const seconds = ((end - since) / 1000) * share;
      spans.push({ seconds, errorRate: isDown ? 1 : errorRate, medianMs });
      since = end;
    }
  }

  #counted(index: number, slot: Slot, spans: readonly Span[], unhealthyHosts: number): Counted {
    let mean = 0;
    let errorMean = 0;
    for (const { seconds, errorRate } of spans) {
      mean += seconds * this.#requestsPerSecond;
      errorMean += errorRate * (seconds * this.#requestsPerSecond);
    }
    const requests = counted(mean, this.#chance(index, slot, 0));
    if (requests === 0) return { ...nobody, unhealthyHosts };
    const errors = Math.min(requests, counted((errorMean * requests) / mean, this.#chance(index, slot, 1)));
    let p95Ms = 0;
    const parts = spans.map(({ seconds, medianMs }) => {
      const part = { medianMs, requests: (requests * (seconds * this.#requestsPerSecond)) / mean };
      p95Ms += (part.requests / requests) * latencyAt(medianMs, 95);
      return part;
    });
    return { requests, errors, p95Ms, unhealthyHosts, parts };
  }

  #chance(index: number, slot: Slot, draw: number): number {
    return drawn(
      this.#seed ^
        Math.imul(index + 100_000, 0x9e3779b1) ^
        (slot === 'green' ? 0x5bd1e995 : 0) ^
        (draw << 20),
    );
  }
}
