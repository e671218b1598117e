/** One run of one function: its own clock, a little off, and a life that may end between any two calls. */
import type { SimClock } from './simClock.ts';

export type Death = { readonly error: string; readonly message: string };

export class Instance {
  readonly functionName: string;
  /** Of all runs, from 1. */
  readonly number: number;
  readonly startedAt: number;
  readonly #clock: SimClock;
  readonly #skewMs: number;
  #death: Death | null = null;
  #onDeath: ((death: Death) => void) | null = null;

  constructor(clock: SimClock, functionName: string, number: number, skewMs: number) {
    this.#clock = clock;
    this.functionName = functionName;
    this.number = number;
    this.startedAt = clock.now();
    this.#skewMs = skewMs;
  }

  get alive(): boolean {
    return this.#death === null;
  }

  /** As this instance's own clock tells it. */
  readonly clock = { now: (): number => this.#clock.now() + this.#skewMs };

  /** What it awaits never answers; whoever waits for it is told. */
  die(death: Death): void {
    if (this.#death !== null) return;
    this.#death = death;
    this.#onDeath?.(death);
  }

  /** @param tell null: it has ended, and nobody asks any more */
  whenDead(tell: ((death: Death) => void) | null): void {
    this.#onDeath = tell;
  }
}

/** A person pulls the fire exit; everything else acts by itself. */
export const isAutomatic = ({ functionName }: Instance): boolean => functionName !== 'fall-back';

/** What the dead wait for. */
export const never = <T>(): Promise<T> => new Promise<T>(() => undefined);
