/**
 * Time as an argument. Everything that waits (the interpreter, the local cloud, the simulator) asks a
 * `Clock`, so that a test moves hours in a millisecond and never sleeps.
 */

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `fire` once, `ms` from now; the returned function cancels it. */
  schedule(ms: number, fire: () => void): () => void;
}

/** Resolves `ms` from now on `clock`; rejects with the signal's reason when it is aborted first. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const cancel = clock.schedule(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    const onAbort = () => {
      cancel();
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

// setTimeout takes 32 bits, and fires at once for more: 24.8 days, where a machine may wait a year.
const TIMER_MS_MAX = 2_147_483_647;

/** The machine's own clock. A pending timer never keeps the process alive by itself. */
export const realClock: Clock = {
  now: () => Date.now(),
  schedule(ms, fire) {
    let timer: NodeJS.Timeout;
    const arm = (left: number) => {
      const part = Math.min(Math.max(0, left), TIMER_MS_MAX);
      timer = setTimeout(() => (left > part ? arm(left - part) : fire()), part);
      timer.unref();
    };
    arm(ms);
    return () => clearTimeout(timer);
  },
};

type Timer = { readonly at: number; readonly order: number; readonly fire: () => void };

/** A clock that stands still until it is moved. */
export class VirtualClock implements Clock {
  #now: number;
  #order = 0;
  #timers: Timer[] = [];

  /** @param startMs what `now()` answers before the first move; default 2026-01-01T00:00:00Z */
  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  schedule(ms: number, fire: () => void): () => void {
    const timer: Timer = { at: this.#now + Math.max(0, ms), order: this.#order++, fire };
    let low = 0;
    let high = this.#timers.length; // kept sorted by time, then by order of scheduling
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#timers[middle] as Timer;
      if (other.at < timer.at || (other.at === timer.at && other.order < timer.order)) low = middle + 1;
      else high = middle;
    }
    this.#timers.splice(low, 0, timer);
    return () => {
      const index = this.#timers.indexOf(timer);
      if (index >= 0) this.#timers.splice(index, 1);
    };
  }

  /** When the next timer fires, in milliseconds since the epoch; null when nothing waits. */
  get nextAt(): number | null {
    return this.#timers[0]?.at ?? null;
  }

  /** Fires the next timer, if it is due by `untilMs`, and lets all that follows from it settle. */
  async step(untilMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    await settle();
    const next = this.#timers[0];
    if (next === undefined || next.at > untilMs) return false;
    this.#timers.shift();
    this.#now = Math.max(this.#now, next.at);
    next.fire();
    await settle();
    return true;
  }

  /** Moves `ms` forward, firing every timer on the way in its order. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    while (await this.step(until));
    this.#now = until;
  }

  /** Fires timers until `promise` settles; rejects when nothing is left that could settle it. */
  async runUntil<T>(promise: Promise<T>, stepsMax = 1_000_000): Promise<T> {
    let settled = false;
    const watched = promise.finally(() => {
      settled = true;
    });
    watched.catch(() => undefined);
    for (let steps = 0; !settled && steps < stepsMax; steps++) {
      if (!(await this.step()) && !settled) {
        await settle();
        if (!settled && this.nextAt === null)
          throw new Error('nothing is scheduled and the promise is still open');
      }
    }
    return watched;
  }
}

/** Lets every promise that is ready run its course. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
