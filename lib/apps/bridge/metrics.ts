/** What the bridge counts. Plain numbers on the hot path; text is made when somebody asks. */

/** Upper bounds of latency buckets, ms. */
const LATENCY_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000] as const;

export class Histogram {
  readonly bounds: readonly number[];
  readonly counts: number[];
  sum = 0;
  count = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Array(bounds.length + 1).fill(0);
  }

  add(value: number, times = 1): void {
    let index = 0;
    while (index < this.bounds.length && value > (this.bounds[index] as number)) index++;
    this.counts[index] = (this.counts[index] as number) + times;
    this.sum += value * times;
    this.count += times;
  }

  /**
   * The bound under which this share of the values lies that came since `before`; 0 when none came, Infinity
   * beyond the last bound.
   * @param before an earlier copy of `counts`
   */
  quantile(share: number, before: readonly number[] = []): number {
    const grown = this.counts.map((count, index) => count - (before[index] ?? 0));
    const total = grown.reduce((sum, count) => sum + count, 0);
    if (total === 0) return 0;
    let left = total * share;
    for (const [index, count] of grown.entries()) {
      left -= count;
      if (left <= 0) return this.bounds[index] ?? Number.POSITIVE_INFINITY;
    }
    return Number.POSITIVE_INFINITY;
  }
}

export class TargetMetrics {
  /** Entries the service took. */
  delivered = 0;
  bytes = 0;
  requests = 0;
  /** Entries sent again after a failure. */
  retried = 0;
  /** Requests or entries refused to slow us down. */
  throttled = 0;
  /** Entries set aside for good. */
  refused = 0;
  readonly failures = new Map<string, number>();
  /** Entries per request. */
  readonly fill = new Histogram([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20, 25]);
  /** From the request to its answer. */
  readonly requestMs = new Histogram(LATENCY_MS);
  /** From a message's arrival at the bridge until its target had it. */
  readonly addedMs = new Histogram(LATENCY_MS);

  failed(code: string, times = 1): void {
    this.failures.set(code, (this.failures.get(code) ?? 0) + times);
  }
}

class RuleMetrics {
  messages = 0;
  bytes = 0;
  dropped = 0;
}

export class ReverseMetrics {
  received = 0;
  published = 0;
  duplicates = 0;
  refused = 0;
}

export class BridgeMetrics {
  readonly startedAtMs: number;
  received = 0;
  receivedBytes = 0;
  unmatched = 0;
  deadLetters = 0;
  deadLetterRetries = 0;
  givenBack = 0;
  reloads = 0;
  readonly rules = new Map<string, RuleMetrics>();
  readonly targets = new Map<string, TargetMetrics>();
  readonly reverse = new Map<string, ReverseMetrics>();

  constructor(nowMs: number) {
    this.startedAtMs = nowMs;
  }

  rule(name: string): RuleMetrics {
    return entry(this.rules, name, () => new RuleMetrics());
  }

  target(key: string): TargetMetrics {
    return entry(this.targets, key, () => new TargetMetrics());
  }

  reverseRule(name: string): ReverseMetrics {
    return entry(this.reverse, name, () => new ReverseMetrics());
  }

  get delivered(): number {
    let sum = 0;
    for (const target of this.targets.values()) sum += target.delivered;
    return sum;
  }
}

function entry<T>(map: Map<string, T>, key: string, make: () => T): T {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
