import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EcsAlbTarget } from '../../../events/target.ts';
import { awsMetrics } from '../../../lib/aws/targets.ts';
import { cloudWatchWire, startMs } from './cloudWatchWire.ts';

const arn = 'arn:aws:elasticloadbalancing:eu-west-1:123456789012';
const dimensions = (slot: string) => ({
  TargetGroup: `targetgroup/shop-${slot}/0000000000000001`,
  LoadBalancer: 'app/shop/0000000000000003',
});
const target: EcsAlbTarget = {
  kind: 'ecs-alb',
  cluster: 'shop',
  services: { blue: 'shop-blue', green: 'shop-green' },
  targetGroups: {
    blue: `${arn}:targetgroup/shop-blue/0000000000000001`,
    green: `${arn}:targetgroup/shop-green/0000000000000001`,
  },
  ruleArn: `${arn}:listener-rule/app/shop/0000000000000003/0000000000000004/0000000000000005`,
};

let wire: Awaited<ReturnType<typeof cloudWatchWire>>;
beforeAll(async () => {
  wire = await cloudWatchWire();
});
afterAll(() => wire.close());

/** Minutes are far apart, so that no test sees another's. */
let nextMs = startMs;
function freshMinute() {
  const atMs = nextMs;
  nextMs += 180_000;
  return {
    atMs,
    put(slot: string, name: string, values: readonly number[], counts = values.map(() => 1)) {
      const namespace = 'AWS/ApplicationELB';
      wire.publish({ namespace, name, dimensions: dimensions(slot), atMs, values, counts });
    },
    /** What the balancer tells of itself, which no target group has part in. */
    putWhole(name: string, count: number, afterMs = 0) {
      const { LoadBalancer } = dimensions('blue');
      const counted = { values: [1], counts: [count], atMs: atMs + afterMs };
      wire.publish({ namespace: 'AWS/ApplicationELB', name, dimensions: { LoadBalancer }, ...counted });
    },
    async read(thresholdsMs: readonly number[] = []) {
      const query = {
        target,
        canarySlot: 'green',
        periodSeconds: 60,
        fromMs: atMs,
        toMs: atMs + 60_000,
      } as const;
      const [minute] = await awsMetrics(wire.client).minutes({ ...query, thresholdsMs });
      if (minute === undefined) throw new Error('no minute was answered');
      return minute;
    },
  };
}

describe('a minute of two target groups', () => {
  it('has both sides’ counts, the slow ones at each threshold, and the weight that was seen', async () => {
    const { put, read } = freshMinute();
    put('blue', 'RequestCount', [1], [90]);
    put('green', 'RequestCount', [1], [10]);
    put('green', 'HTTPCode_Target_5XX_Count', [1], [2]);
    put('green', 'TargetResponseTime', [0.05, 0.3, 2], [7, 2, 1]);
    const { canary, stable, weight } = await read([100, 1000]);
    expect(canary).toEqual({ requests: 10, errors: 2, slow: [3, 1], p95Ms: 2000 });
    expect(stable).toEqual({ requests: 90, errors: 0, slow: [0, 0], p95Ms: null });
    expect(weight).toBe(10);
  });

  it('counts a latency that is exactly at the threshold as not slow by CloudWatch’s rule for TC(τ:)', async () => {
    const { put, read } = freshMinute();
    put('green', 'RequestCount', [1], [2]);
    put('green', 'TargetResponseTime', [0.1, 0.1001]);
    expect((await read([100])).canary?.slow).toEqual([1]);
  });

  it('without any data is unknown', async () => {
    const { read } = freshMinute();
    const { canary, stable, weight } = await read();
    expect([canary, stable, weight]).toEqual([null, null, 0]);
  });

  it('is asked for in one call, and no figure in it twice: each is paid for', async () => {
    const before = wire.requests.length;
    await freshMinute().read([200, 500, 1000]);
    const calls = wire.requests.slice(before);
    expect(calls.map(({ operation }) => operation)).toEqual(['GetMetricData']);
    const { MetricDataQueries } = JSON.parse(String(calls[0]?.body)) as {
      readonly MetricDataQueries: readonly { readonly MetricStat: object }[];
    };
    const figures = MetricDataQueries.map(({ MetricStat }) => JSON.stringify(MetricStat));
    expect(figures.length).toBeGreaterThan(20);
    expect(figures).toEqual([...new Set(figures)]);
  });

  it('with only the state of the hosts is zero requests, and the dead hosts are seen', async () => {
    const { put, read } = freshMinute();
    put('green', 'UnHealthyHostCount', [1, 2]);
    put('blue', 'UnHealthyHostCount', [0]);
    const { canary, stable } = await read([100]);
    expect(canary).toEqual({ requests: 0, errors: 0, slow: [0], p95Ms: null, unhealthyHosts: 2 });
    expect(stable?.unhealthyHosts).toBe(0);
  });

  it('counts refused connections as failed requests although no target answered a 5xx', async () => {
    const { put, read } = freshMinute();
    put('green', 'TargetConnectionErrorCount', [1], [5]);
    put('green', 'HTTPCode_ELB_502_Count', [1], [5]);
    expect((await read()).canary).toMatchObject({ requests: 5, errors: 5 });
  });

  it('adds refused connections to the targets’ own errors and does not take the balancer’s 504 for a third', async () => {
    const { put, read } = freshMinute();
    put('green', 'RequestCount', [1], [20]);
    put('green', 'HTTPCode_Target_5XX_Count', [1], [3]);
    put('green', 'TargetConnectionErrorCount', [1], [4]);
    put('green', 'HTTPCode_ELB_504_Count', [1], [4]);
    expect((await read()).canary).toMatchObject({ requests: 20, errors: 7 });
  });

  it('charges a side with the requests it was given and did not answer, as far as the balancer gave up', async () => {
    const { put, putWhole, read } = freshMinute();
    put('blue', 'RequestCount', [1], [90]);
    put('blue', 'HTTPCode_Target_2XX_Count', [1], [90]);
    put('green', 'RequestCount', [1], [10]);
    put('green', 'HTTPCode_Target_2XX_Count', [1], [3]);
    put('green', 'HTTPCode_Target_5XX_Count', [1], [1]);
    putWhole('HTTPCode_ELB_504_Count', 4);
    putWhole('HTTPCode_ELB_502_Count', 1);
    const { canary, stable } = await read([100]);
    expect(canary).toMatchObject({ requests: 10, errors: 6, slow: [0] });
    expect(stable).toMatchObject({ requests: 90, errors: 0 });
  });

  it('finds the end of a request that hung in the minute after', async () => {
    const { put, putWhole, read } = freshMinute();
    put('green', 'RequestCount', [1], [8]);
    putWhole('HTTPCode_ELB_504_Count', 8, 60_000);
    expect((await read()).canary).toMatchObject({ requests: 8, errors: 8 });
  });

  it('does not charge what is merely under way at its end, nor what another service’s targets did', async () => {
    const { put, putWhole, read } = freshMinute();
    put('green', 'RequestCount', [1], [10]);
    put('green', 'HTTPCode_Target_2XX_Count', [1], [8]);
    expect((await read()).canary).toMatchObject({ requests: 10, errors: 0 });
    put('green', 'HTTPCode_Target_2XX_Count', [1], [2]);
    putWhole('HTTPCode_ELB_504_Count', 500);
    expect((await read()).canary).toMatchObject({ requests: 10, errors: 0 });
  });

  it('counts a client that gave up as slower than every threshold, not as an error', async () => {
    const { put, putWhole, read } = freshMinute();
    put('green', 'RequestCount', [1], [10]);
    put('green', 'HTTPCode_Target_2XX_Count', [1], [7]);
    put('green', 'TargetResponseTime', [0.2], [7]);
    putWhole('HTTPCode_ELB_4XX_Count', 3);
    expect((await read([100, 1000])).canary).toMatchObject({ requests: 10, errors: 0, slow: [10, 3] });
  });

  it('that counts refused connections among its requests does not count them twice', async () => {
    const { put, putWhole, read } = freshMinute();
    put('green', 'RequestCount', [1], [10]);
    put('green', 'HTTPCode_Target_2XX_Count', [1], [6]);
    put('green', 'TargetConnectionErrorCount', [1], [3]);
    putWhole('HTTPCode_ELB_502_Count', 3);
    putWhole('HTTPCode_ELB_504_Count', 1);
    expect((await read()).canary).toMatchObject({ requests: 10, errors: 4 });
  });

  it('that does not count refused connections gets them as requests and errors', async () => {
    const { put, putWhole, read } = freshMinute();
    put('green', 'RequestCount', [1], [6]);
    put('green', 'HTTPCode_Target_2XX_Count', [1], [6]);
    put('green', 'TargetConnectionErrorCount', [1], [3]);
    putWhole('HTTPCode_ELB_502_Count', 3);
    expect((await read()).canary).toMatchObject({ requests: 9, errors: 3 });
  });

  it('that is revised later is answered as it is now', async () => {
    const { put, read } = freshMinute();
    put('green', 'RequestCount', [1], [10]);
    expect((await read()).canary).toMatchObject({ requests: 10, errors: 0 });
    put('green', 'RequestCount', [1], [15]);
    put('green', 'HTTPCode_Target_5XX_Count', [1], [6]);
    expect((await read()).canary).toMatchObject({ requests: 25, errors: 6 });
  });
});

describe('what users did, beside the balancer’s own counts', () => {
  const business = {
    namespace: 'Shop',
    dimensions: { Service: 'web' },
    slotDimension: 'Slot',
    checks: { conversion: { count: 'Orders', total: 'Sessions' } },
  };
  const source = { kind: 'ecs-alb', business } as const;

  it('is read by check and side; a minute in which nobody came tells nothing of it', async () => {
    const { atMs, put } = freshMinute();
    const did = (Slot: string, name: string, count: number) =>
      wire.publish({
        ...{ namespace: 'Shop', name, dimensions: { Service: 'web', Slot }, atMs },
        ...{ values: [1], counts: [count] },
      });
    put('blue', 'RequestCount', [1], [90]);
    put('green', 'RequestCount', [1], [10]);
    did('blue', 'Sessions', 40);
    did('blue', 'Orders', 4);
    did('green', 'Sessions', 5);
    const [first, second] = await awsMetrics(wire.client).minutes({
      ...{ target, source, canarySlot: 'green', periodSeconds: 60, thresholdsMs: [] },
      ...{ fromMs: atMs, toMs: atMs + 120_000 },
    });
    expect(first?.stable?.business).toEqual({ conversion: { count: 4, total: 40 } });
    expect(first?.canary?.business).toEqual({ conversion: { count: 0, total: 5 } });
    expect(second?.canary).toBeNull();
  });
});

describe('percentiles of a slot', () => {
  it('are milliseconds in the order asked for, and null where nobody came', async () => {
    const { atMs, put } = freshMinute();
    put('blue', 'TargetResponseTime', [0.01, 0.2, 0.9], [50, 45, 5]);
    const over = { target, fromMs: atMs, toMs: atMs + 60_000, percentiles: [99, 50] };
    const metrics = awsMetrics(wire.client);
    expect(await metrics.percentiles({ ...over, slot: 'blue' })).toEqual([900, 10]);
    const empty = { ...over, fromMs: atMs + 1_200_000, toMs: atMs + 1_260_000 };
    expect(await metrics.percentiles({ ...empty, slot: 'blue' })).toBeNull();
  });
});
