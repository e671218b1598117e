/**
 * Two instances that take turns: each call of either waits until it is its turn. Everything else in the world
 * goes on as it does.
 */
import type { Instance } from '../../../sim/instance.ts';
import type { Simulation } from '../simulation.ts';

/**
 * So many calls of the first, then so many of the second, and so on; then whoever's turn it is to its end.
 */
export type Runs = readonly number[];

type Side = 0 | 1;

/** How often it is looked whether the other one has ended, virtual milliseconds. */
const lookEveryMs = 20;
/** The second one has a way through bus and queue. */
const arrivesWithinMs = 3000;

export class Turns {
  readonly #simulation: Simulation;
  readonly #runs: Runs;
  readonly #names: readonly [string, string];
  readonly #nth: number;
  readonly #startSecond: (first: Instance) => void;
  readonly #sides: Instance[] = [];
  /** Calls that wait, of each side: a flow may make several at once. */
  readonly #waiting: readonly [(() => void)[], (() => void)[]] = [[], []];
  readonly #seen = new Set<Instance>();
  #turn: Side = 0;
  #run = 0;
  #left: number;
  #beganAt = 0;

  /**
   * @param names of the functions, the first in its nth instance
   * @param startSecond called when the first has come to its first call
   */
  constructor(
    simulation: Simulation,
    { names, nth, runs }: { names: readonly [string, string]; nth: number; runs: Runs },
    startSecond: (first: Instance) => void,
  ) {
    this.#simulation = simulation;
    this.#names = names;
    this.#nth = nth;
    this.#runs = runs;
    this.#left = runs[0] ?? Number.POSITIVE_INFINITY;
    this.#startSecond = startSecond;
    simulation.world.wire.gate = (who) => this.#gate(who);
  }

  /** Both were there, and each run was as long as it was to be: nobody ended before. */
  get wasPlayed(): boolean {
    return this.#sides.length === 2 && this.#run >= this.#runs.length;
  }

  #gate(who: Instance): Promise<void> | null {
    const side = this.#sideOf(who);
    if (side === null) return null;
    return new Promise((go) => {
      this.#waiting[side].push(go);
      this.#look();
    });
  }

  #sideOf(who: Instance): Side | null {
    const [first, second] = this.#sides;
    if (who === first) return 0;
    if (who === second) return 1;
    if (this.#seen.has(who)) return null;
    this.#seen.add(who);
    const [firstName, secondName] = this.#names;
    if (first === undefined) {
      const instances = [...this.#seen].filter(({ functionName }) => functionName === firstName);
      if (who.functionName !== firstName || instances.length !== this.#nth) return null;
      this.#sides.push(who);
      this.#beganAt = this.#simulation.clock.now();
      this.#startSecond(who);
      return 0;
    }
    if (second !== undefined || who.functionName !== secondName) return null;
    this.#sides.push(who);
    return 1;
  }

  /** Lets whoever's turn it is go on; whoever waits for one that has ended, too. */
  #look(): void {
    const mine = this.#waiting[this.#turn];
    const other: Side = this.#turn === 0 ? 1 : 0;
    if (mine.length > 0 && this.#left === 0) {
      this.#run++;
      this.#left = this.#runs[this.#run] ?? Number.POSITIVE_INFINITY;
      this.#turn = other;
      this.#look();
      return;
    }
    if (mine.length > 0 && this.#isThere()) {
      this.#left--;
      mine.shift()?.();
      if (mine.length > 0) this.#look();
      return;
    }
    if (mine.length + this.#waiting[other].length === 0) return;
    if (this.#hasEnded(this.#turn)) {
      this.#turn = other;
      this.#left = Number.POSITIVE_INFINITY;
    }
    this.#simulation.clock.schedule(lookEveryMs, () => this.#look());
  }

  /** Nobody goes on before both are there, or the second one does not come. */
  #isThere(): boolean {
    return this.#sides.length === 2 || this.#simulation.clock.now() - this.#beganAt > arrivesWithinMs;
  }

  #hasEnded(side: Side): boolean {
    const who = this.#sides[side];
    if (who === undefined) return this.#simulation.clock.now() - this.#beganAt > arrivesWithinMs;
    const entry = this.#simulation.lambda.journal?.find(({ instance }) => instance === who);
    return entry !== undefined && entry.endedAt !== null;
  }
}
