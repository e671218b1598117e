/**
 * Virtual time: it stands still until it is moved, and everything that is ready runs its course before the
 * next timer fires. A heap, because a run of three hours has tens of thousands of timers.
 */

/** What a timer answers after which no promise can have become ready: nothing has to run its course. */
export const calm = Symbol('calm');
type Fire = () => unknown;

/** What it fires is let go of when it is cancelled: much hangs on it, and its time may be far off. */
type Timer = { readonly at: number; readonly order: number; fire: Fire | null };

/** Where simulated time begins: 2026-01-01T00:00:00Z. */
export const startMs = Date.UTC(2026, 0, 1);

/** After so many timers the process is given a breath: signals and output are not kept waiting. */
const timersBetweenBreaths = 5000;

export class SimClock {
  #now = startMs;
  #order = 0;
  #fired = 0;
  readonly #heap: Timer[] = [];

  /** Milliseconds since the epoch. */
  now(): number {
    return this.#now;
  }

  /** How many timers have fired. */
  get fired(): number {
    return this.#fired;
  }

  /** Calls `fire` once, `ms` from now; the returned function cancels it. */
  schedule(ms: number, fire: () => void): () => void {
    const timer = this.#set(ms, fire);
    return () => {
      timer.fire = null;
    };
  }

  /** The same for what nobody cancels. */
  after(ms: number, fire: Fire): void {
    this.#set(ms, fire);
  }

  /** Resolves `ms` from now. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, resolve);
    });
  }

  /**
   * Moves to `untilMs`, firing every timer on the way in its order; of two at one time the one that was
   * scheduled first. Stops early where `enough` says so after a timer.
   */
  runUntil(untilMs: number, enough: () => boolean = () => false): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = () => {
        this.#now = Math.max(this.#now, untilMs);
        resolve();
      };
      const turn = () => {
        try {
          let after: unknown = calm;
          while (after === calm) {
            const next = this.#next(untilMs);
            if (next === null) return stop();
            this.#now = next.at;
            after = next.fire?.();
            this.#fired++;
            if (after === calm && enough()) return resolve();
          }
        } catch (error) {
          return reject(error);
        }
        if (this.#fired - breathedAt >= timersBetweenBreaths) {
          breathedAt = this.#fired;
          setImmediate(whenSettled, look);
        } else whenSettled(look);
      };
      const look = () => (enough() ? resolve() : turn());
      let breathedAt = this.#fired;
      whenSettled(turn);
    });
  }

  /** Takes the next timer up to `untilMs`. */
  #next(untilMs: number): Timer | null {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.at > untilMs) return null;
      this.#pop();
      if (next.fire !== null) return next;
    }
  }

  #set(ms: number, fire: Fire): Timer {
    const timer = { at: this.#now + Math.max(0, Math.round(ms)), order: this.#order++, fire };
    this.#push(timer);
    return timer;
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(timer);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(timer, heap[parent] as Timer)) break;
      heap[at] = heap[parent] as Timer;
      at = parent;
    }
    heap[at] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Timer;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Timer, heap[child] as Timer)) child++;
      if (!isBefore(heap[child] as Timer, last)) break;
      heap[at] = heap[child] as Timer;
      at = child;
    }
    heap[at] = last;
  }
}

const isBefore = (one: Timer, other: Timer): boolean =>
  one.at < other.at || (one.at === other.at && one.order < other.order);

const ready = Promise.resolve();

/**
 * Calls `go` when every promise that is ready has run its course. A tick that is asked for from a promise's
 * reaction comes when no reaction is left; it costs a fifth of a turn of the event loop.
 */
const whenSettled = (go: () => void): void => {
  ready.then(() => process.nextTick(go));
};
