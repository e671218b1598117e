/**
 * How fast one target is asked: a token bucket of requests per second whose rate gives way to throttling and
 * recovers by itself (additive increase, multiplicative decrease). Without a configured rate there is no limit
 * until the target throttles; then the limit starts from what it took in the last second.
 */

/** A throttled second keeps this much of its rate … */
const DECREASE = 0.7;
/** … and every quiet second adds this much of the ceiling, or of itself where there is none. */
const INCREASE = 0.1;
/** Requests per second that are always tried: a lower rate would take minutes to find its way back. */
const RATE_MIN = 2;
/** Answers to requests already under way when the rate fell do not lower it again. */
const HOLD_MS = 500;
/** A rate that throttling made is given up after this many times the last measured flow. */
const RELEASE_FACTOR = 4;

export class Pace {
  /** Configured ceiling in requests per second; null for none. */
  readonly #ceiling: number | null;
  #rate: number;
  #tokens: number;
  #refilledAtMs: number;
  #lowestUntilMs = 0;
  #raisedAtMs: number;
  #window: { startMs: number; sent: number; last: number };

  constructor(ratePerSec: number | null, nowMs: number) {
    this.#ceiling = ratePerSec;
    this.#rate = ratePerSec ?? Number.POSITIVE_INFINITY;
    this.#tokens = this.#burst();
    this.#refilledAtMs = nowMs;
    this.#raisedAtMs = nowMs;
    this.#window = { startMs: nowMs, sent: 0, last: 0 };
  }

  /** Requests per second allowed now; Infinity for no limit. */
  get ratePerSec(): number {
    return this.#rate;
  }

  /** Takes the right to one request: 0 when it may go now, else how many ms to wait before it may (it is taken). */
  take(nowMs: number): number {
    this.#measure(nowMs);
    if (this.#rate === Number.POSITIVE_INFINITY) return 0;
    this.#raise(nowMs);
    if (this.#rate === Number.POSITIVE_INFINITY) return 0;
    this.#refill(nowMs);
    this.#tokens -= 1;
    return this.#tokens >= 0 ? 0 : Math.ceil((-this.#tokens / this.#rate) * 1000);
  }

  /** The target asked us to slow down. */
  throttled(nowMs: number): void {
    if (nowMs < this.#lowestUntilMs) return;
    this.#refill(nowMs);
    const measured = Math.max(this.#window.sent, this.#window.last);
    const from = this.#rate === Number.POSITIVE_INFINITY ? measured : this.#rate;
    this.#rate = Math.max(Math.min(RATE_MIN, this.#ceiling ?? RATE_MIN), from * DECREASE);
    this.#tokens = Math.min(this.#tokens, 0);
    this.#lowestUntilMs = nowMs + HOLD_MS;
    this.#raisedAtMs = nowMs;
  }

  #refill(nowMs: number): void {
    const unlimited = this.#rate === Number.POSITIVE_INFINITY;
    const refill = unlimited ? 1 : ((nowMs - this.#refilledAtMs) / 1000) * this.#rate;
    this.#tokens = Math.min(this.#burst(), this.#tokens + refill);
    this.#refilledAtMs = nowMs;
  }

  /** A tenth of a second's worth may go at once. */
  #burst(): number {
    return Math.max(1, this.#rate === Number.POSITIVE_INFINITY ? 1 : this.#rate / 10);
  }

  #measure(nowMs: number): void {
    const elapsedMs = nowMs - this.#window.startMs;
    if (elapsedMs >= 1000) {
      this.#window = { startMs: nowMs, sent: 0, last: (this.#window.sent * 1000) / elapsedMs };
    }
    this.#window.sent++;
  }

  #raise(nowMs: number): void {
    const seconds = Math.floor((nowMs - this.#raisedAtMs) / 1000);
    if (seconds < 1) return;
    this.#raisedAtMs += seconds * 1000;
    const step = Math.max(RATE_MIN, (this.#ceiling ?? this.#rate) * INCREASE) * seconds;
    this.#rate = Math.min(this.#ceiling ?? Number.POSITIVE_INFINITY, this.#rate + step);
    if (this.#ceiling === null && this.#rate > Math.max(10, this.#window.last) * RELEASE_FACTOR) {
      this.#rate = Number.POSITIVE_INFINITY;
    }
  }
}
