/** The deployed burn-rate alarms' own expression, evaluated by CloudWatch on what a balancer publishes. */
import { GetMetricDataCommand, type MetricDataQuery } from '@aws-sdk/client-cloudwatch';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { burnAlarms } from '../../../lib/apps/deploy/burnAlarms.ts';
import type { Deployment } from '../../../lib/apps/deploy/deployment.ts';
import { settingsOf } from '../../../lib/core/config/configuration.ts';
import { cloudWatchWire, startMs } from './cloudWatchWire.ts';

const arn = 'arn:aws:elasticloadbalancing:eu-west-1:123456789012';
const target = {
  kind: 'ecs-alb',
  cluster: 'shop',
  services: { blue: 'shop-blue', green: 'shop-green' },
  targetGroups: { blue: `${arn}:targetgroup/blue/1`, green: `${arn}:targetgroup/green/2` },
  ruleArn: `${arn}:listener-rule/app/shop/3/4/5`,
};

let wire: Awaited<ReturnType<typeof cloudWatchWire>>;
beforeAll(async () => {
  wire = await cloudWatchWire();
});
afterAll(() => wire.close());

/** The queries of the alarm over five minutes, for an objective of 99.9 %. */
function queries(): MetricDataQuery[] {
  const configuration = settingsOf({ services: { shop: { target, slo: { objective: 0.999 } } } }, 'dev');
  if (!('services' in configuration)) throw new Error(JSON.stringify(configuration.problems));
  const resources = burnAlarms({ stage: { name: 'dev' }, configuration } as Deployment);
  const short = Object.values(resources).find(({ Properties }) =>
    String((Properties as { AlarmName?: string }).AlarmName).endsWith('fast-short'),
  );
  if (short === undefined) throw new Error('there is no alarm over the short window');
  return (short.Properties as unknown as { Metrics: MetricDataQuery[] }).Metrics;
}

async function burnAt(atMs: number) {
  const { MetricDataResults } = await wire.client.send(
    new GetMetricDataCommand({
      MetricDataQueries: queries(),
      StartTime: new Date(atMs),
      EndTime: new Date(atMs + 300_000),
    }),
  );
  return MetricDataResults?.find(({ Id }) => Id === 'burn')?.Values ?? [];
}

function put(slot: string, number: number, atMs: number, name: string, count: number): void {
  const dimensions = { TargetGroup: `targetgroup/${slot}/${number}`, LoadBalancer: 'app/shop/3' };
  wire.publish({ namespace: 'AWS/ApplicationELB', name, dimensions, atMs, values: [1], counts: [count] });
}

it('both slots’ errors and refused connections are spent budget, also where no request was counted', async () => {
  put('blue', 1, startMs, 'RequestCount', 900);
  put('green', 2, startMs, 'RequestCount', 90);
  put('green', 2, startMs, 'HTTPCode_Target_5XX_Count', 5);
  put('green', 2, startMs, 'TargetConnectionErrorCount', 10);
  expect((await burnAt(startMs)).map((burn) => Number(burn.toPrecision(6)))).toEqual([15]);
  put('blue', 1, startMs + 600_000, 'TargetConnectionErrorCount', 7);
  expect((await burnAt(startMs + 600_000)).map(Math.round)).toEqual([1000]);
});

it('no more metrics are read than an alarm may, ten', () => {
  expect(queries().filter(({ MetricStat }) => MetricStat !== undefined).length).toBeLessThanOrEqual(10);
});
