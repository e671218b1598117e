/**
 * One side's figures as CloudWatch has them, and what one period of them says. Counts come from `TC(τ:)`,
 * never from percentiles. A metric may be published only when there is something to say: a missing error
 * count is 0 if there were requests. A side that only tells how its hosts are was asked nothing, which is
 * zero requests;
 * only no data at all is unknown.
 */
import type { SideMinute } from '../../core/analysis/minutes.ts';
import type { CloudWatchBusiness } from '../../core/config/metricsSource.ts';
import type { Asked, Metric, Series } from './series.ts';

export type PublishedSide = {
  readonly requests: Metric;
  /** Added up. */
  readonly errors: readonly Metric[];
  /** Requests that reached no target, which may or may not be among the requests. */
  readonly refused?: Metric;
  /** Requests a target answered, whatever it said. Without them nothing is known of unanswered ones. */
  readonly answered?: readonly Metric[];
  readonly unhealthyHosts?: Metric;
  readonly latency: Metric;
  /** Milliseconds in one unit of `latency`: 1000 for seconds. */
  readonly latencyUnitMs: number;
  /** By check. */
  readonly business: Readonly<Record<string, { readonly count: Metric; readonly total: Metric }>>;
};

/**
 * What was not answered, of both sides and perhaps of others: it bounds what one side may be charged with.
 */
export type Unanswered = {
  /** The client was told so: 502, 504. */
  readonly failed: readonly Metric[];
  /** The client left before: 460. */
  readonly abandoned: readonly Metric[];
};

type At = (key: string) => number | undefined;

const sum = (prefix: string, name: string, metrics: readonly Metric[]): Asked[] =>
  metrics.map((metric, index) => ({ ...metric, key: `${prefix}.${name}${index}`, stat: 'Sum' }));

const one = (prefix: string, name: string, metric: Metric | undefined, stat = 'Sum'): Asked[] =>
  metric === undefined ? [] : [{ ...metric, key: `${prefix}.${name}`, stat }];

export function askedOfSide(prefix: string, side: PublishedSide, thresholdsMs: readonly number[]): Asked[] {
  return [
    ...one(prefix, 'requests', side.requests),
    ...sum(prefix, 'errors', side.errors),
    ...one(prefix, 'refused', side.refused),
    ...sum(prefix, 'answered', side.answered ?? []),
    ...one(prefix, 'unhealthy', side.unhealthyHosts, 'Maximum'),
    ...one(prefix, 'p95', side.latency, 'p95'),
    ...thresholdsMs.flatMap((ms, index) =>
      one(prefix, `slow${index}`, side.latency, `TC(${ms / side.latencyUnitMs}:)`),
    ),
    ...Object.entries(side.business).flatMap(([name, { count, total }]) => [
      ...one(prefix, `count.${name}`, count),
      ...one(prefix, `total.${name}`, total),
    ]),
  ];
}

export const askedOfUnanswered = ({ failed, abandoned }: Unanswered): Asked[] => [
  ...sum('both', 'failed', failed),
  ...sum('both', 'abandoned', abandoned),
];

/** What was read, of one period and the one after it. */
export type Read = {
  readonly series: ReadonlyMap<string, Series>;
  readonly startMs: number;
  readonly periodSeconds: number;
};

export function sideMinute(
  prefix: string,
  side: PublishedSide,
  thresholds: number,
  read: Read,
): SideMinute | null {
  const at: At = (key) => read.series.get(`${prefix}.${key}`)?.get(read.startMs);
  const requests = at('requests');
  const refused = at('refused') ?? 0;
  const unhealthyHosts = at('unhealthy');
  const business = businessOf(side, at);
  if (requests === undefined && refused === 0 && unhealthyHosts === undefined) return null;
  const { failed, abandoned } = unanswered(side, at, read);
  const errors = added(at, 'errors', side.errors) + Math.max(refused, failed);
  const answered = added(at, 'answered', side.answered ?? []);
  const p95 = at('p95');
  return {
    // A request whose connection was refused is a request, whether the balancer counted it or not.
    requests: Math.max(requests ?? 0, errors, refused === 0 ? 0 : answered + refused),
    errors,
    // Who left before an answer waited longer than any threshold tells.
    slow: Array.from({ length: thresholds }, (_, index) => (at(`slow${index}`) ?? 0) + abandoned),
    p95Ms: p95 === undefined ? null : p95 * side.latencyUnitMs,
    ...(unhealthyHosts === undefined ? {} : { unhealthyHosts }),
    ...(business === null ? {} : { business }),
  };
}

/**
 * Requests that a side was given and did not answer. A target that takes the connection and then hangs or
 * dies counts as a request of its group and as nothing else: no status, no response time, no connection
 * error. The 502 or 504 that the balancer answers stands in the balancer's figures only, and at the end of
 * the wait, up to its idle timeout later. So the gap between given and answered is charged as far as there
 * are such answers in this period and the next; what is merely under way at a period's end has none.
 */
function unanswered({ answered }: PublishedSide, at: At, { series, startMs, periodSeconds }: Read) {
  if (answered === undefined) return { failed: 0, abandoned: 0 };
  const told = (name: string) =>
    [...series]
      .filter(([key]) => key.startsWith(`both.${name}`))
      .reduce(
        (count, [, points]) =>
          count + (points.get(startMs) ?? 0) + (points.get(startMs + periodSeconds * 1000) ?? 0),
        0,
      );
  const gap = Math.max(0, (at('requests') ?? 0) - added(at, 'answered', answered));
  const failed = Math.min(gap, told('failed'));
  return { failed, abandoned: Math.min(gap - failed, told('abandoned')) };
}

const added = (at: At, name: string, metrics: readonly Metric[]): number =>
  metrics.reduce((count, _, index) => count + (at(`${name}${index}`) ?? 0), 0);

/** Only what somebody was counted for: a check without data in a period is unknown there. */
function businessOf({ business }: PublishedSide, at: At): NonNullable<SideMinute['business']> | null {
  const seen = Object.keys(business).flatMap((name) => {
    const total = at(`total.${name}`);
    return total === undefined ? [] : [[name, { count: at(`count.${name}`) ?? 0, total }] as const];
  });
  return seen.length === 0 ? null : Object.fromEntries(seen);
}

/** What users of one slot did. */
export function publishedBusiness(
  given: CloudWatchBusiness | undefined,
  slot: string,
): PublishedSide['business'] {
  if (given === undefined) return {};
  const { namespace, slotDimension } = given;
  const dimensions = dimensionsOf({ ...given.dimensions, [slotDimension]: slot });
  const metric = (name: string): Metric => ({ namespace, name, dimensions });
  return Object.fromEntries(
    Object.entries(given.checks).map(([check, { count, total }]) => [
      check,
      { count: metric(count), total: metric(total) },
    ]),
  );
}

/** Metrics of one namespace and one set of dimensions, by name. */
export const metricsAt =
  (namespace: string, dimensions: Readonly<Record<string, string>>) =>
  (name: string): Metric => ({ namespace, name, dimensions: dimensionsOf(dimensions) });

const dimensionsOf = (dimensions: Readonly<Record<string, string>>) =>
  Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
