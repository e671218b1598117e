// What a rollout is judged on: per period and per side, how many requests there were and how many of
// them were bad. Counts and not averages, because counts can be added over time, compared between sides
// of unequal size, and recomputed when a late revision of a minute arrives.

/** `count` good or bad outcomes (the policy's business check says which) among `total`. */
export type BusinessCount = { readonly count: number; readonly total: number };

/** One side (stable or canary) in one period. */
export type SideMinute = {
  /** Requests that were answered. 0 means "nobody asked"; that is not the same as no data (null side). */
  readonly requests: number;
  /** Answers that were server errors, among `requests`. */
  readonly errors: number;
  /** Answers slower than each frozen threshold, in the order of `Baseline.slowThresholdsMs`. */
  readonly slow: readonly number[];
  /** 95th percentile of the period, or null when too few requests were seen to tell. */
  readonly p95Ms?: number | null;
  readonly unhealthyHosts?: number;
  /** Requests the balancer could not deliver: no target answered, so they are in neither count above. */
  readonly connectionErrors?: number;
  /** By the name of the policy's business check. */
  readonly business?: Readonly<Record<string, BusinessCount>>;
};

/** One period of a rollout. Called a minute because that is what CloudWatch gives; 10 s works as well. */
export type Minute = {
  /** Start of the period, epoch milliseconds. */
  readonly startMs: number;
  readonly periodSeconds: number;
  /**
   * Percent of requests the canary got, as configured or as observed; what is reckoned with comes from the
   * counts.
   */
  readonly weight: number;
  /** null: no data for this side, which is unknown and never counts as zero. */
  readonly canary: SideMinute | null;
  readonly stable: SideMinute | null;
};

/** Bad and total of one side for errors; undeliverable requests are bad requests. */
export type ErrorCount = { readonly bad: number; readonly total: number };

/**
 * A target that refuses connections answers nothing: the balancer reports a 502 of its own and counts no
 * request for the target group. Those are added to both counts, or a dead canary would look idle.
 */
export function errorCount(side: SideMinute): ErrorCount {
  return { bad: badOf(side), total: totalOf(side) };
}

/** The two counts one by one, 0 without data: for sums over many minutes. */
export function badOf(side: SideMinute | null): number {
  return side === null ? 0 : Math.min(side.errors, side.requests) + (side.connectionErrors ?? 0);
}

export function totalOf(side: SideMinute | null): number {
  return side === null ? 0 : side.requests + (side.connectionErrors ?? 0);
}

/** Requests slower than the baseline's threshold `nth`; null where they were not counted. */
export function slowCount(side: SideMinute | null, nth: number): ErrorCount | null {
  const slow = side?.slow[nth];
  return side === null || slow === undefined
    ? null
    : { bad: Math.min(slow, side.requests), total: side.requests };
}

export function addCounts(left: ErrorCount, right: ErrorCount): ErrorCount {
  return { bad: left.bad + right.bad, total: left.total + right.total };
}

/** Sum of errors and requests of one side; periods without data add nothing. */
export function sumErrors(minutes: readonly Minute[], side: 'canary' | 'stable'): ErrorCount {
  let bad = 0;
  let total = 0;
  for (const minute of minutes) {
    bad += badOf(minute[side]);
    total += totalOf(minute[side]);
  }
  return { bad, total };
}

/** The newest minutes, from the first that began at `fromMs` or later; minutes are oldest first. */
export function minutesFrom(minutes: readonly Minute[], fromMs: number): readonly Minute[] {
  let first = minutes.length;
  while (first > 0 && (minutes[first - 1] as Minute).startMs >= fromMs) first--;
  return minutes.slice(first);
}

/**
 * Minutes with their later revisions: one per period, oldest first. What arrives again replaces what was
 * there, so the fold can always be made afresh and a late revision does no harm.
 */
export function withRevisions(known: readonly Minute[], revised: readonly Minute[]): readonly Minute[] {
  if (revised.length === 0 && isInOrder(known)) return known;
  const byStart = new Map(known.map((minute) => [minute.startMs, minute]));
  for (const minute of revised) byStart.set(minute.startMs, minute);
  return [...byStart.values()].sort((a, b) => a.startMs - b.startMs);
}

function isInOrder(minutes: readonly Minute[]): boolean {
  let before = Number.NEGATIVE_INFINITY;
  for (const { startMs } of minutes) {
    if (startMs <= before) return false;
    before = startMs;
  }
  return true;
}

/**
 * Canary's share of the requests really seen in this period, 0–1; null when either side is unknown or both
 * are idle.
 */
export function observedShare(minute: Minute): number | null {
  if (minute.canary === null || minute.stable === null) return null;
  const canary = errorCount(minute.canary).total;
  const stable = errorCount(minute.stable).total;
  return canary + stable === 0 ? null : canary / (canary + stable);
}

/** Percent of the requests the canary really got in a period, one decimal; 0 where nobody asked. */
export function weightSeen(canary: SideMinute | null, stable: SideMinute | null): number {
  const total = (canary?.requests ?? 0) + (stable?.requests ?? 0);
  return total === 0 ? 0 : Math.round(((canary?.requests ?? 0) / total) * 1000) / 10;
}

/** End of a period, epoch milliseconds. */
export function endMs(minute: Minute): number {
  return minute.startMs + minute.periodSeconds * 1000;
}
