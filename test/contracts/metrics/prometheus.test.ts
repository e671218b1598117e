import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EcsAlbTarget } from '../../../events/target.ts';
import { prometheusMetrics } from '../../../lib/aws/metrics/prometheus.ts';
import type { PrometheusSource } from '../../../lib/core/config/metricsSource.ts';
import { type Past, prometheusServer } from './prometheusServer.ts';

const startMs = Date.UTC(2026, 0, 1, 12, 0, 0);
const minute = (index: number) => startMs + index * 60_000;
const arn = 'arn:aws:elasticloadbalancing:eu-west-1:123456789012';
const target: EcsAlbTarget = {
  kind: 'ecs-alb',
  cluster: 'shop',
  services: { blue: 'shop-blue', green: 'shop-green' },
  targetGroups: { blue: `${arn}:targetgroup/shop-blue/1`, green: `${arn}:targetgroup/shop-green/2` },
  ruleArn: `${arn}:listener-rule/app/shop/3/4/5`,
};

/** Scraped every 15 s, 5 s after the full quarter, from `from` on; `perScrape` is added at each. */
function counter(series: string, fromMs: number, toMs: number, perScrape: number, first = perScrape): Past {
  const samples: [number, number][] = [];
  for (let at = fromMs + 5000, value = first; at < toMs; at += 15_000, value += perScrape)
    samples.push([at, value]);
  return { series, samples };
}

const past: readonly Past[] = [
  // Blue has run for long: a thousand and more are on its counter.
  counter('http_requests_total{slot="blue",code="200",version="7"}', minute(-20), minute(8), 25, 1000),
  // Green's first pod is new, its second comes a minute later; its counter of errors begins with the first
  // one.
  counter('http_requests_total{slot="green",code="200",version="8",pod="a"}', minute(0), minute(8), 2),
  counter('http_requests_total{slot="green",code="200",version="8",pod="b"}', minute(1), minute(8), 1),
  {
    series: 'http_requests_total{slot="green",code="500",version="8",pod="a"}',
    samples: [
      [minute(2) + 20_000, 1],
      [minute(2) + 35_000, 1],
      [minute(2) + 50_000, 1],
      [minute(3) + 5000, 1],
      [minute(3) + 20_000, 4],
    ],
  },
  // A pod that is started anew begins at zero.
  {
    series: 'http_requests_total{slot="green",code="200",version="8",pod="restarted"}',
    samples: [
      [minute(5) + 5000, 500],
      [minute(5) + 20_000, 510],
      [minute(6) + 5000, 3],
      [minute(6) + 20_000, 8],
    ],
  },
  ...[
    ['0.1', 10],
    ['0.25', 19],
    ['1', 20],
    ['+Inf', 20],
  ].map(([le, perScrape]) =>
    counter(
      `http_request_duration_seconds_bucket{slot="blue",le="${le}"}`,
      minute(-20),
      minute(8),
      Number(perScrape),
    ),
  ),
  counter('orders_total{slot="blue"}', minute(-20), minute(8), 1),
  counter('sessions_total{slot="blue"}', minute(-20), minute(8), 10),
  // Nobody asked, and it says so.
  counter('http_requests_total{slot="idle",code="200"}', minute(-20), minute(8), 0),
  // Ten minutes without a scrape, and then the same counter goes on.
  {
    series: 'http_requests_total{slot="gap",code="200"}',
    samples: [
      [minute(-15), 70_000],
      [minute(-10), 70_100],
      [minute(2) + 5000, 70_220],
    ],
  },
];

let server: Awaited<ReturnType<typeof prometheusServer>>;
beforeAll(async () => {
  server = await prometheusServer(past);
}, 30_000);
afterAll(() => server.close());

const source = (more: Partial<PrometheusSource> = {}): PrometheusSource => ({
  kind: 'prometheus',
  url: server.url,
  requests: 'http_requests_total{slot="$slot"}',
  errors: 'http_requests_total{slot="$slot",code=~"5.."}',
  latency: 'http_request_duration_seconds_bucket{slot="$slot"}',
  latencyUnit: 'seconds',
  business: {},
  ...more,
});

const read = (more: Partial<PrometheusSource> = {}, query: object = {}) =>
  prometheusMetrics(source(more), {}).minutes({
    target,
    canarySlot: 'green',
    periodSeconds: 60,
    fromMs: minute(0),
    toMs: minute(8),
    thresholdsMs: [100, 200],
    ...query,
  });

/** Only the canary's selector, with another slot in the place of green. */
const canaryOf = async (slot: string) => {
  const minutes = await read({
    requests: `http_requests_total{slot=~"${slot}|$slot",slot="${slot}"}`,
    errors: `http_requests_total{slot=~"${slot}|$slot",slot="${slot}",code=~"5.."}`,
  });
  return minutes.map(({ canary }) => canary && [canary.requests, canary.errors]);
};

describe('minutes from counters in a real Prometheus', () => {
  it('are whole counts: nothing is guessed beyond the samples, and a new pod’s first are in', async () => {
    const minutes = await read();
    expect(minutes.map(({ stable }) => stable?.requests)).toEqual(Array(8).fill(100));
    expect(minutes.slice(0, 3).map(({ canary }) => canary?.requests)).toEqual([8, 12, 13]);
    expect(minutes[0]).toMatchObject({ startMs, periodSeconds: 60, weight: 7.4 });
  });

  it('see the first error, with which a counter begins, and none where there is no counter of errors', async () => {
    const errors = (await read()).map(({ canary }) => canary?.errors);
    expect(errors.slice(0, 5)).toEqual([0, 0, 1, 3, 0]);
  });

  it('count from zero where a pod was started anew', async () => {
    const requests = (await read()).map(({ canary }) => canary?.requests);
    // 8 and 4 of the other pods; 510 of the new one, then 8 after it began anew.
    expect([requests[5], requests[6]]).toEqual([12 + 510, 12 + 8]);
  });

  it('do not count a counter’s whole life again after a gap in the scrapes', async () => {
    expect((await canaryOf('gap')).slice(0, 3)).toEqual([null, null, [120, 0]]);
  });

  it('tell nobody asked, zero, from no data, null', async () => {
    expect(await canaryOf('idle')).toEqual(Array(8).fill([0, 0]));
    expect(await canaryOf('nowhere')).toEqual(Array(8).fill(null));
  });

  it('count what was slower than a threshold, or than the next bound above it', async () => {
    const [first] = await read();
    // Of 80, 40 were slower than 0.1 s; 0.2 s is no bound, and 4 were slower than 0.25 s.
    expect(first?.stable?.slow).toEqual([40, 4]);
    expect(first?.stable?.p95Ms).toBe(250);
    expect(first?.canary?.p95Ms).toBeNull();
  });

  it('have what users did, by check', async () => {
    const counters = { count: 'orders_total{slot="$slot"}', total: 'sessions_total{slot="$slot"}' };
    const [first] = await read({ business: { conversion: counters } });
    expect(first?.stable?.business).toEqual({ conversion: { count: 4, total: 40 } });
    expect(first?.canary).not.toHaveProperty('business');
  });

  it('may tell the sides by revision, and the history before a rollout has all of them', async () => {
    const selectors = {
      requests: 'http_requests_total{version="$revision"}',
      errors: 'http_requests_total{version="$revision",code=~"5.."}',
      latency: undefined,
    };
    const revisions = { blue: '7', green: 'arn:aws:ecs:eu-west-1:123456789012:task-definition/8' };
    const [, , third] = await read(selectors, { revisions });
    expect(third).toMatchObject({
      canary: { requests: 13, errors: 1, slow: [0, 0] },
      stable: { requests: 100 },
    });
    const [, , before] = await read(selectors);
    expect(before).toMatchObject({ canary: null, stable: { requests: 113, errors: 1 } });
  });

  it('have periods of ten seconds where it is scraped as often', async () => {
    const tens = await read({}, { periodSeconds: 10, toMs: minute(1) });
    expect(tens).toHaveLength(6);
    expect(tens.reduce((sum, { stable }) => sum + (stable?.requests ?? 0), 0)).toBe(100);
  });

  it('of many days are asked for in parts that Prometheus answers', async () => {
    const days = await read({}, { fromMs: minute(-11_500), toMs: minute(1) });
    expect(days).toHaveLength(11_501);
    expect(days.at(-1)?.stable?.requests).toBe(100);
    expect(days[0]?.stable).toBeNull();
  });
});

describe('percentiles from a histogram', () => {
  const over = { target, fromMs: minute(0), toMs: minute(8), percentiles: [50, 95, 99.9] };

  it('lie within a bucket as histogram_quantile puts them', async () => {
    const values = await prometheusMetrics(source(), {}).percentiles({ ...over, slot: 'blue' });
    expect(values?.map(Math.round)).toEqual([100, 250, 985]);
  });

  it('are null where nobody came, and where there is no histogram', async () => {
    expect(await prometheusMetrics(source(), {}).percentiles({ ...over, slot: 'green' })).toBeNull();
    const without = source({ latency: undefined });
    expect(await prometheusMetrics(without, {}).percentiles({ ...over, slot: 'blue' })).toBeNull();
  });
});

describe('a question that Prometheus refuses', () => {
  it('is an outage that a person must mend, with Prometheus’s own sentence', async () => {
    await expect(read({ requests: 'http_requests_total{slot=~"$slot("}' })).rejects.toMatchObject({
      name: 'TargetMissing',
      message: expect.stringMatching(/answered 400: .*missing closing \)/),
    });
  });

  it('to nobody there is tried again later', async () => {
    await expect(read({ url: 'http://127.0.0.1:1' })).rejects.toMatchObject({
      name: 'WorldUnavailable',
      message: expect.stringContaining('Prometheus at 127.0.0.1:1 cannot be asked'),
    });
  });
});
