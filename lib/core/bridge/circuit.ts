/**
 * A target that refuses us as a whole (rights, names, keys) is not asked again and again with every message:
 * its circuit opens, one request at a time probes it after a growing pause, and the first success closes it.
 */

const PAUSE_MS_MIN = 1_000;
const PAUSE_MS_MAX = 30_000;

export type CircuitState = 'closed' | 'open';

export class Circuit {
  #reason: string | null = null;
  #pauseMs = PAUSE_MS_MIN;
  #probeAtMs = 0;
  #probing = false;

  get state(): CircuitState {
    return this.#reason === null ? 'closed' : 'open';
  }

  /** Why it is open; null when it is closed. */
  get reason(): string | null {
    return this.#reason;
  }

  /**
   * 0 when a request may go now (with an open circuit it is the probe), else how many ms to wait before
   * asking again.
   */
  admit(nowMs: number): number {
    if (this.#reason === null) return 0;
    if (!this.#probing && nowMs >= this.#probeAtMs) {
      this.#probing = true;
      return 0;
    }
    return Math.max(10, this.#probeAtMs - nowMs);
  }

  /** A request was answered as it should be: true when that closed the circuit. */
  succeeded(): boolean {
    if (this.#reason === null) return false;
    this.#reason = null;
    this.#probing = false;
    this.#pauseMs = PAUSE_MS_MIN;
    return true;
  }

  /** A request ended in an outage: it says nothing about rights, so a probe is simply due again. */
  unanswered(nowMs: number): void {
    if (!this.#probing) return;
    this.#probing = false;
    this.#probeAtMs = nowMs + this.#pauseMs;
  }

  /** The target refused us: true when that opened the circuit. */
  denied(reason: string, nowMs: number): boolean {
    const opened = this.#reason === null;
    // Answers to requests that were under way when it opened must not double the pause.
    if (!opened && !this.#probing) return false;
    this.#reason = reason;
    this.#pauseMs = opened ? PAUSE_MS_MIN : Math.min(PAUSE_MS_MAX, this.#pauseMs * 2);
    this.#probing = false;
    this.#probeAtMs = nowMs + this.#pauseMs;
    return opened;
  }
}
