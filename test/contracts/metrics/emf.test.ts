import { MetricResolution, Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EcsAlbTarget } from '../../../events/target.ts';
import { awsMetrics } from '../../../lib/aws/targets.ts';
import { settingsOf } from '../../../lib/core/config/configuration.ts';
import { cloudWatchWire, startMs } from './cloudWatchWire.ts';

const arn = 'arn:aws:elasticloadbalancing:eu-west-1:123456789012';
const target: EcsAlbTarget = {
  kind: 'ecs-alb',
  cluster: 'shop',
  services: { blue: 'shop-blue', green: 'shop-green' },
  targetGroups: { blue: `${arn}:targetgroup/shop-blue/1`, green: `${arn}:targetgroup/shop-green/2` },
  ruleArn: `${arn}:listener-rule/app/shop/3/4/5`,
};
const configured = (metrics: object) => settingsOf({ services: { shop: { target, metrics } } });

/** As a configuration file writes it, with the defaults that follow. */
function sourceOf(metrics: object) {
  const result = configured(metrics);
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return result.services[0]?.metrics;
}

let wire: Awaited<ReturnType<typeof cloudWatchWire>>;
beforeAll(async () => {
  wire = await cloudWatchWire();
});
afterAll(() => wire.close());

/** What a service publishes of itself, at 1 s resolution. */
async function publish(
  service: string,
  Slot: string,
  atMs: number,
  figures: Record<string, readonly number[]>,
) {
  const Dimensions = [
    { Name: 'Service', Value: service },
    { Name: 'Slot', Value: Slot },
  ];
  const MetricData = Object.entries(figures).map(([MetricName, Values]) => {
    return { MetricName, Dimensions, Timestamp: new Date(atMs), StorageResolution: 1, Values: [...Values] };
  });
  await wire.client.send(new PutMetricDataCommand({ Namespace: 'Shop', MetricData }));
}

const read = (service: string, toMs: number, more: object = {}) =>
  awsMetrics(wire.client).minutes({
    target,
    source: sourceOf({ kind: 'emf', namespace: 'Shop', dimensions: { Service: service }, ...more }),
    canarySlot: 'green',
    periodSeconds: 10,
    fromMs: startMs,
    toMs,
    thresholdsMs: [250],
  });

describe('periods of ten seconds that a service publishes itself', () => {
  it('have both sides’ counts, and errors that are not published are zero where there were requests', async () => {
    await publish('web', 'green', startMs + 3000, {
      Requests: [4],
      Errors: [1],
      Latency: [100, 200, 300, 900],
    });
    await publish('web', 'green', startMs + 8000, { Requests: [2] });
    await publish('web', 'blue', startMs + 5000, { Requests: [54] });
    await publish('web', 'blue', startMs + 12_000, { Requests: [50] });
    const [first, second] = await read('web', startMs + 20_000);
    expect(first).toEqual({
      startMs,
      periodSeconds: 10,
      weight: 10,
      canary: { requests: 6, errors: 1, slow: [2], p95Ms: 900 },
      stable: { requests: 54, errors: 0, slow: [0], p95Ms: null },
    });
    expect(second).toMatchObject({ startMs: startMs + 10_000, weight: 0, canary: null });
  });

  it('tell nobody asked, a zero that was published, from no data', async () => {
    await publish('quiet', 'green', startMs, { Requests: [0] });
    const [minute] = await read('quiet', startMs + 10_000);
    expect(minute?.canary).toEqual({ requests: 0, errors: 0, slow: [0], p95Ms: null });
    expect(minute?.stable).toBeNull();
  });

  it('may have other names, and latencies in seconds', async () => {
    await publish('named', 'green', startMs, { Calls: [2], Faults: [1], Duration: [0.2, 0.5] });
    const names = { requests: 'Calls', errors: 'Faults', latency: 'Duration', latencyUnit: 'seconds' };
    const [minute] = await read('named', startMs + 10_000, names);
    expect(minute?.canary).toEqual({ requests: 2, errors: 1, slow: [1], p95Ms: 500 });
  });

  it('give percentiles of a slot in milliseconds', async () => {
    await publish('past', 'blue', startMs, { Latency: [10, 20, 30, 40] });
    const source = sourceOf({ kind: 'emf', namespace: 'Shop', dimensions: { Service: 'past' } });
    const over = { target, source, fromMs: startMs, toMs: startMs + 60_000, percentiles: [50, 100] };
    expect(await awsMetrics(wire.client).percentiles({ ...over, slot: 'blue' })).toEqual([20, 40]);
    expect(await awsMetrics(wire.client).percentiles({ ...over, slot: 'green' })).toBeNull();
  });
});

/**
 * What CloudWatch makes of a line in the embedded metric format: a point per metric and set of dimensions.
 */
async function extract(line: Readonly<Record<string, unknown>>) {
  const { Timestamp, CloudWatchMetrics } = line._aws as EmfMetadata;
  for (const { Namespace, Dimensions, Metrics: named } of CloudWatchMetrics) {
    const MetricData = Dimensions.flatMap((names) =>
      named.map(({ Name, StorageResolution = 60 }) => ({
        MetricName: Name,
        Dimensions: names.map((dimension) => ({ Name: dimension, Value: String(line[dimension]) })),
        Timestamp: new Date(Timestamp),
        StorageResolution,
        Values: [line[Name]].flat() as number[],
      })),
    );
    await wire.client.send(new PutMetricDataCommand({ Namespace, MetricData }));
  }
}

type EmfMetadata = {
  readonly Timestamp: number;
  readonly CloudWatchMetrics: readonly {
    readonly Namespace: string;
    readonly Dimensions: readonly (readonly string[])[];
    readonly Metrics: readonly { readonly Name: string; readonly StorageResolution?: number }[];
  }[];
};

describe('what Powertools publishes in the embedded metric format', () => {
  it('is found by its namespace, its own dimension and the slot’s, at ten seconds', async () => {
    const metrics = new Metrics({ namespace: 'Shop', serviceName: 'basket', singleMetric: false });
    metrics.addDimension('Slot', 'green');
    metrics.addMetric('Requests', MetricUnit.Count, 3, MetricResolution.High);
    metrics.addMetric('Errors', MetricUnit.Count, 1, MetricResolution.High);
    for (const milliseconds of [20, 260, 900])
      metrics.addMetric('Latency', MetricUnit.Milliseconds, milliseconds, MetricResolution.High);
    metrics.setTimestamp(startMs + 4000);
    await extract(metrics.serializeMetrics() as unknown as Record<string, unknown>);
    const [first, second] = await read('basket', startMs + 20_000, { dimensions: { service: 'basket' } });
    expect(first?.canary).toEqual({ requests: 3, errors: 1, slow: [2], p95Ms: 900 });
    expect(second?.canary).toBeNull();
  });
});
