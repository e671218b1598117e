/** Pauses that are all cut short when there is nothing to wait for any more. */
import type { Timers } from '../../core/bridge/ports.ts';

export class Sleepers {
  readonly #timers: Timers;
  readonly #wakes = new Set<() => void>();
  #over = false;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  sleep(ms: number): Promise<void> {
    if (this.#over) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        cancel();
        this.#wakes.delete(wake);
        resolve();
      };
      const cancel = this.#timers.schedule(ms, wake);
      this.#wakes.add(wake);
    });
  }

  /** From now on nobody sleeps. */
  wakeAll(): void {
    this.#over = true;
    for (const wake of this.#wakes) wake();
  }
}
