/**
 * The way of every call from a function to the world. A call takes time, may fail before or after it is done,
 * may be done late or never, and its caller may die on the way. A request that has left is carried out
 * although its sender is gone.
 */
import { EventStoreUnavailable, WorldUnavailable } from '../core/outage.ts';
import type { Faults, Hit } from './faults.ts';
import { type Instance, never } from './instance.ts';
import type { SeededRandom } from './random.ts';
import { calm, type SimClock } from './simClock.ts';

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
   * Makes a call whose work is `run`. One promise and two timers, since a day is made of thousands of calls.
   * @throws WorldUnavailable where a fault says so
   */
  call<T>(who: Instance, call: string, run: () => T | Promise<T>): Promise<T> {
    return this.#send(who, call, run, deed);
  }

  /** A call whose work changes nothing. */
  question<T>(who: Instance, call: string, run: () => T): Promise<T> {
    return this.#send(who, call, run, question);
  }

  /** A call that cannot be answered without being done: no fault makes it late or leaves it out. */
  ask<T>(who: Instance, call: string, run: () => T, isCalm: boolean): Promise<T> {
    return this.#send(who, call, run, isCalm ? calmStored : stored);
  }

  #send<T>(who: Instance, call: string, run: () => T | Promise<T>, kind: Kind): Promise<T> {
    const held = who.alive ? this.gate?.(who, call) : null;
    if (held != null) return held.then(() => this.#call(who, call, run, kind));
    return this.#call(who, call, run, kind);
  }

  #call<T>(who: Instance, call: string, run: () => T | Promise<T>, kind: Kind): Promise<T> {
    if (!who.alive) return never();
    const hit = this.#faults.meet(who.functionName, call);
    if (hit?.kind === 'crash-before') return this.#dieBefore(who, call);
    return new Promise((resolve, reject) => {
      let answer: T;
      const arrive = (): void => {
        if (!who.alive) return;
        const isLost = hit !== null && (hit.kind === 'lose-answer' || hit.kind === 'late-lost');
        if (isLost) reject(outageOf(call, 'lost its answer'));
        else resolve(answer);
      };
      const comeBack = (given: T): unknown => {
        answer = given;
        if (hit?.kind === 'crash-after')
          who.die({ error: 'Runtime.ExitError', message: `died after ${call}` });
        // Whoever is dead by then hears nothing.
        return who.alive ? this.#travel(0, arrive) : undefined;
      };
      this.#travel(hit?.kind === 'slow' ? hit.ms : 0, () => {
        if (hit?.kind === 'refuse') {
          if (who.alive) reject(outageOf(call, 'was not done'));
          return undefined;
        }
        try {
          const done = hit !== null && kind.skips ? this.#carryOut(hit, run) : run();
          if (done instanceof Promise) done.then(comeBack, reject);
          else if (comeBack(done) === calm && kind.isCalm && hit === null) return calm;
        } catch (error) {
          reject(error);
        }
        return undefined;
      });
    });
  }

  #carryOut<T>(hit: Hit, run: () => T | Promise<T>): T | Promise<T> {
    const late = hit.kind === 'late' || hit.kind === 'late-lost';
    if (late) this.clock.schedule(hit.ms, run);
    // Only what is answered with nothing is done late or not at all.
    return late || hit.kind === 'ignore' ? (undefined as T) : run();
  }

  #dieBefore(who: Instance, call: string): Promise<never> {
    who.die({ error: 'Runtime.ExitError', message: `died before ${call}` });
    return never();
  }

  /** One way. @returns calm where it takes time: nothing has come of it yet */
  #travel(moreMs: number, arrive: () => unknown): unknown {
    const { lowMs, highMs } = this.#latency;
    const ms = highMs === 0 ? moreMs : this.#random.whole(lowMs, highMs) + moreMs;
    if (ms === 0) return arrive();
    this.clock.after(ms, arrive);
    return calm;
  }
}

/** `skips`: a fault may leave it out, or do it later. `isCalm`: its work makes nothing ready. */
type Kind = { readonly skips: boolean; readonly isCalm: boolean };
const deed: Kind = { skips: true, isCalm: false };
const question: Kind = { skips: true, isCalm: true };
const stored: Kind = { skips: false, isCalm: false };
const calmStored: Kind = { skips: false, isCalm: true };

function outageOf(call: string, what: string): Error {
  const message = `${call} ${what}`;
  return /^(?:store|tokens|consumers)\./.test(call)
    ? new EventStoreUnavailable(message)
    : new WorldUnavailable(message);
}
