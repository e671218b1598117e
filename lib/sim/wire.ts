/**
 * The way of every call from a function to the world. A call takes time, may fail before or after it is done,
 * may be done late or never, and its caller may die on the way. A request that has left is carried out
 * although its sender is gone.
 */
import { EventStoreUnavailable, WorldUnavailable } from '../core/outage.ts';
import type { Faults, Hit } from './faults.ts';
import { type Instance, never } from './instance.ts';
import type { SeededRandom } from './random.ts';
import type { SimClock } from './simClock.ts';

/** Of one way, milliseconds: a call within a region takes a few. */
export type Latency = { readonly lowMs: number; readonly highMs: number };

/** Lets a call go on, or keeps it waiting: who tries every order of two flows decides here. */
export type Gate = (who: Instance, call: string) => Promise<void> | null;

export class Wire {
  readonly clock: SimClock;
  readonly #faults: Faults;
  readonly #random: SeededRandom;
  readonly #latency: Latency;
  gate: Gate | null = null;

  constructor(clock: SimClock, faults: Faults, random: SeededRandom, latency: Latency) {
    this.clock = clock;
    this.#faults = faults;
    this.#random = random;
    this.#latency = latency;
  }

  /**
   * Makes a call whose work is `run`.
   * @throws WorldUnavailable where a fault says so
   */
  async call<T>(who: Instance, call: string, run: () => T | Promise<T>): Promise<T> {
    const hit = await this.leave(who, call);
    const late = hit?.kind === 'late' || hit?.kind === 'late-lost';
    if (late) this.clock.schedule(hit.ms, run);
    // Only what is answered with nothing is done late or not at all.
    const answer = late || hit?.kind === 'ignore' ? (undefined as T) : await run();
    await this.come(who, call, hit);
    return answer;
  }

  /** The way there; answers what the call meets. */
  async leave(who: Instance, call: string): Promise<Hit | null> {
    if (!who.alive) return never();
    const held = this.gate?.(who, call);
    if (held != null) await held;
    const hit = this.#faults.meet(who.functionName, call);
    if (hit?.kind === 'crash-before') {
      who.die({ error: 'Runtime.ExitError', message: `died before ${call}` });
      return never();
    }
    await this.#travel(hit?.kind === 'slow' ? hit.ms : 0);
    if (hit?.kind === 'refuse') {
      if (!who.alive) return never();
      throw outageOf(call, 'was not done');
    }
    return hit;
  }

  /** The way back. */
  async come(who: Instance, call: string, hit: Hit | null): Promise<void> {
    if (hit?.kind === 'crash-after') who.die({ error: 'Runtime.ExitError', message: `died after ${call}` });
    if (!who.alive) return never();
    await this.#travel(0);
    if (!who.alive) return never();
    if (hit?.kind === 'lose-answer' || hit?.kind === 'late-lost') throw outageOf(call, 'lost its answer');
  }

  #travel(moreMs: number): Promise<void> | undefined {
    const { lowMs, highMs } = this.#latency;
    const ms = highMs === 0 ? moreMs : this.#random.whole(lowMs, highMs) + moreMs;
    return ms === 0 ? undefined : this.clock.sleep(ms);
  }
}

function outageOf(call: string, what: string): Error {
  const message = `${call} ${what}`;
  return /^(?:store|tokens|consumers)\./.test(call)
    ? new EventStoreUnavailable(message)
    : new WorldUnavailable(message);
}
