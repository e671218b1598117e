/**
 * What goes wrong, as data. A fault is a window of time in which a share of some calls fails in one way, or a
 * single hit; a run is decided by its seed and this list alone, so a list that fails can be shortened and
 * pasted into a test. Whether a call is hit depends on its own name and number, never on what else was drawn.
 */
import { drawn, seedOf } from './random.ts';
import type { SimClock } from './simClock.ts';
import { startMs } from './simClock.ts';

/**
 * `refuse`: an outage, nothing was done. `lose-answer`: done, and an outage all the same. `ignore`: answered
 * well, nothing was done. `late`: answered well, done `ms` later; `late-lost`: an outage, done `ms` later.
 * `slow`: takes `ms`. The caller dies `crash-before` or `crash-after` it was done. Of a delivery: it comes
 * again after `ms` (`duplicate`, of an invocation too), `ms` later (`delay`), or never (`lose`).
 */
export type FaultKind =
  | 'refuse'
  | 'lose-answer'
  | 'ignore'
  | 'late'
  | 'late-lost'
  | 'slow'
  | 'crash-before'
  | 'crash-after'
  | 'duplicate'
  | 'delay'
  | 'lose';

export type Fault = {
  /**
   * `traffic.write`, `store.*`, `shift-traffic/traffic.write`, `on-alarm/*`, `deliver.alarm`,
   * `invoke.roll-back`.
   */
  readonly on: string;
  readonly kind: FaultKind;
  readonly ms?: number;
  /** Virtual seconds since the beginning; left out: from the beginning, to the end. */
  readonly fromSeconds?: number;
  readonly toSeconds?: number;
  /** Which share of the calls in the window is hit, 0–1; left out: all of them. */
  readonly share?: number;
  /** Only the nth call of this name by this caller, from 1. */
  readonly nth?: number;
};

export type Hit = { readonly kind: FaultKind; readonly ms: number };

type Compiled = {
  readonly fault: Fault;
  readonly index: number;
  readonly fromMs: number;
  readonly toMs: number;
  matches(caller: string, call: string): boolean;
};

export class Faults {
  /** Everything that was hit, as faults that hit just that. */
  readonly hits: Fault[] = [];
  /** Every call by caller and name, in order; kept only where somebody set it. */
  trace: string[] | null = null;
  readonly #clock: SimClock;
  readonly #seed: number;
  readonly #faults: readonly Compiled[];
  readonly #counts = new Map<string, number>();

  constructor(clock: SimClock, seed: number, faults: readonly Fault[]) {
    this.#clock = clock;
    this.#seed = seed;
    this.#faults = faults.map(compiled);
  }

  /** What this call meets; null where all is well. Counts the call. */
  meet(caller: string, call: string): Hit | null {
    if (this.#faults.length === 0 && this.trace === null) return null;
    const key = `${caller}/${call}`;
    this.trace?.push(key);
    const nth = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, nth);
    const now = this.#clock.now();
    for (const { fault, index, fromMs, toMs, matches } of this.#faults) {
      if (now < fromMs || now >= toMs || (fault.nth !== undefined && fault.nth !== nth)) continue;
      if (!matches(caller, call)) continue;
      if (fault.share !== undefined && drawn(seedOf(this.#seed, index, key, nth)) >= fault.share) continue;
      const ms = fault.ms ?? 0;
      this.hits.push({ on: key, kind: fault.kind, nth, ...(ms === 0 ? {} : { ms }) });
      return { kind: fault.kind, ms };
    }
    return null;
  }
}

function compiled(fault: Fault, index: number): Compiled {
  const [call = '', caller = '*'] = fault.on.split('/').reverse();
  const callerFits = fitting(caller);
  const callFits = fitting(call);
  return {
    fault,
    index,
    fromMs: fault.fromSeconds === undefined ? 0 : startMs + fault.fromSeconds * 1000,
    toMs: fault.toSeconds === undefined ? Number.POSITIVE_INFINITY : startMs + fault.toSeconds * 1000,
    matches: (by, name) => callerFits(by) && callFits(name),
  };
}

/** `*` at the end stands for anything. */
function fitting(pattern: string): (name: string) => boolean {
  if (!pattern.endsWith('*')) return (name) => name === pattern;
  const beginning = pattern.slice(0, -1);
  return (name) => name.startsWith(beginning);
}
