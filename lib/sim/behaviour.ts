/** How a revision behaves: how often it fails, how long it takes, and when it begins to do worse. */
import { seedOf } from './random.ts';

export type Manner = {
  /** Share of the requests that are answered with an error, 0–1. */
  readonly errorRate: number;
  /** Half of the requests take longer. */
  readonly medianMs: number;
};

export type Behaviour = Manner & {
  /** It turns worse so long after it first got traffic. */
  readonly turnsAfterSeconds?: number;
  readonly turned?: Manner;
  /** false: its tasks never pass their health check. */
  readonly starts?: boolean;
};

/** Trouble that no revision causes: it hurts whoever is named, or everybody. */
export type Incident = {
  readonly service: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** null: every revision. */
  readonly revision: string | null;
  readonly errorRate: number;
  /** Times slower. */
  readonly slower: number;
};

const wellBehaved: Behaviour = { errorRate: 0.0005, medianMs: 80 };

export class Behaviours {
  readonly #known: ReadonlyMap<string, Behaviour>;
  readonly #firstTrafficAt = new Map<string, number>();
  readonly incidents: Incident[] = [];

  constructor(known: Readonly<Record<string, Behaviour>>) {
    this.#known = new Map(Object.entries(known));
  }

  of(revision: string): Behaviour {
    return this.#known.get(revision) ?? wellBehaved;
  }

  /** A revision that has traffic by `at`: its time begins with its first request. */
  getsTraffic(revision: string, at: number): void {
    if (!this.#firstTrafficAt.has(revision)) this.#firstTrafficAt.set(revision, at);
  }

  firstTrafficAt(revision: string): number | null {
    return this.#firstTrafficAt.get(revision) ?? null;
  }

  /** When it turns worse, epoch milliseconds; Infinity where it does not, or has not begun. */
  turnsAt(revision: string): number {
    const { turnsAfterSeconds } = this.of(revision);
    const first = this.#firstTrafficAt.get(revision);
    if (turnsAfterSeconds === undefined || first === undefined) return Number.POSITIVE_INFINITY;
    return first + turnsAfterSeconds * 1000;
  }

  at(service: string, revision: string, at: number): Manner {
    const own = this.of(revision);
    let { errorRate, medianMs } = at >= this.turnsAt(revision) ? (own.turned ?? own) : own;
    for (const incident of this.incidents) {
      const hurts = incident.service === service && (incident.revision ?? revision) === revision;
      if (!hurts || at < incident.fromMs || at >= incident.toMs) continue;
      errorRate = 1 - (1 - errorRate) * (1 - incident.errorRate);
      medianMs *= incident.slower;
    }
    return { errorRate, medianMs };
  }
}

/** Steepness of the latencies (log-logistic): p95 is about 2.8 times the median. */
const steepness = 2.9;

/** Share of the requests that take longer than `thresholdMs`. */
export const slowerShare = (medianMs: number, thresholdMs: number): number =>
  1 / (1 + (thresholdMs / medianMs) ** steepness);

/** @param percentile 0–100, both excluded */
export const latencyAt = (medianMs: number, percentile: number): number =>
  medianMs * (percentile / (100 - percentile)) ** (1 / steepness);

/**
 * A whole number with this mean, spread as counts are: Poisson where it is small, normal where it is large.
 * @param chance uniform in [0, 1)
 */
export function counted(mean: number, chance: number): number {
  if (mean <= 0) return 0;
  if (mean > 30) {
    // Tukey's lambda with 0.135 is the normal quantile to two digits.
    const normal = (chance ** 0.135 - (1 - chance) ** 0.135) / 0.1975;
    return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal));
  }
  let part = Math.exp(-mean);
  let sum = part;
  let count = 0;
  while (sum < chance && count < 200) {
    count++;
    part *= mean / count;
    sum += part;
  }
  return count;
}

export const seedOfService = (seed: number, service: string): number => seedOf(seed, 'requests', service);
