/**
 * How fast one target is asked: a token bucket of requests per second whose rate gives way to throttling and
 * recovers by itself: quickly to just below where it was throttled, slowly beyond (as TCP's CUBIC does around
 * its last maximum). Without a configured rate there is no limit until the target throttles; then the limit
 * starts from what it took just before.
 */

/** A throttled rate keeps this much of itself … */
const DECREASE = 0.7;
/** … every quiet second regains half of the way to this much of the rate it was throttled at … */
const REGAIN = 0.95;
/**
 * … and beyond that adds this much of itself, twice as much with every further quiet second, at most all of
 * it.
 */
const INCREASE = 0.1;
/** A measurement shorter than this says nothing. */
const MEASURE_MS_MIN = 50;
/** Requests per second that are always tried: a lower rate would take minutes to find its way back. */
const RATE_MIN = 2;
/** Answers to requests already under way when the rate fell do not lower it again. */
const HOLD_MS = 500;
/** A rate that throttling made is given up after this many times the last measured flow. */
const RELEASE_FACTOR = 4;
/** Seconds caught up with after a pause. */
const RAISES_MAX = 60;

export class Pace {
  /** Configured ceiling in requests per second; null for none. */
  readonly #ceiling: number | null;
  #rate: number;
  #tokens: number;
  #refilledAtMs: number;
  #lowestUntilMs = 0;
  /** The rate at which the target last throttled. */
  #throttledAt = 0;
  /** Seconds without throttling above that rate. */
  #quietBeyond = 0;
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

  /**
   * Takes the right to one request: 0 when it may go now, else how many ms to wait before it may (it is
   * taken).
   */
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
    const from = this.#rate === Number.POSITIVE_INFINITY ? this.#measured(nowMs) : this.#rate;
    this.#throttledAt = from;
    this.#quietBeyond = 0;
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

  /** Requests per second of late. */
  #measured(nowMs: number): number {
    const { startMs, sent, last } = this.#window;
    const elapsedMs = nowMs - startMs;
    return Math.max(last, elapsedMs < MEASURE_MS_MIN ? sent : (sent * 1000) / elapsedMs);
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
    const known = this.#throttledAt * REGAIN;
    for (let second = 0; second < Math.min(seconds, RAISES_MAX); second++) {
      const beyond = Math.min(1, INCREASE * 2 ** this.#quietBeyond);
      if (this.#rate >= known) this.#quietBeyond++;
      const step = this.#rate < known ? (known - this.#rate) / 2 : this.#rate * beyond;
      this.#rate = Math.min(this.#ceiling ?? Number.POSITIVE_INFINITY, this.#rate + Math.max(RATE_MIN, step));
    }
    if (this.#ceiling === null && this.#rate > Math.max(10, this.#window.last) * RELEASE_FACTOR) {
      this.#rate = Number.POSITIVE_INFINITY;
    }
  }
}
