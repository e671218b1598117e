import { RegisterScalableTargetCommand } from '@aws-sdk/client-application-auto-scaling';
import { PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { CreateRuleCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { awsCli, awsCliJson } from './awsCli.ts';
import { type Compute, makeSlots, startCompute } from './computeDesk.ts';

let cloud: Compute;
let slots: Awaited<ReturnType<typeof makeSlots>>;
beforeAll(async () => {
  cloud = await startCompute();
  slots = await makeSlots(cloud);
});
afterAll(() => cloud.close());

describe('Debian’s client', () => {
  const aws = (...args: string[]) => awsCliJson(cloud.url, ...args);

  it('reads a service of ECS', async () => {
    const { services } = await aws('ecs', 'describe-services', '--cluster', 'shop', '--services', 'green');
    expect(services[0]).toMatchObject({
      serviceName: 'green',
      runningCount: 1,
      deployments: [{ rolloutState: 'COMPLETED' }],
    });
  });

  it('shifts a weight and reads it back from the rules', async () => {
    await cloud.elb.send(
      new CreateRuleCommand({
        ListenerArn: slots.listener,
        Priority: 10,
        Conditions: [{ Field: 'path-pattern', Values: ['/green*'] }],
        Actions: slots.forward(0, 1),
      }),
    );
    const listener = ['--listener-arn', slots.listener];
    const actions = ['--default-actions', JSON.stringify(slots.forward(95, 5))];
    const { Listeners } = await aws('elbv2', 'modify-listener', ...listener, ...actions);
    expect(Listeners[0].DefaultActions[0].ForwardConfig.TargetGroups[1].Weight).toBe(5);
    const { Rules } = await aws('elbv2', 'describe-rules', ...listener);
    const weights = { ForwardConfig: { TargetGroups: [{ Weight: 95 }, { Weight: 5 }] } };
    expect(Rules).toMatchObject([
      { Priority: '10', IsDefault: false, Conditions: [{ Field: 'path-pattern', Values: ['/green*'] }] },
      { Priority: 'default', IsDefault: true, Actions: [weights] },
    ]);
  });

  it('makes an alarm and reads it, and statistics', async () => {
    const Dimensions = [{ Name: 'Service', Value: 'web' }];
    const data = { Namespace: 'Cli', MetricData: [{ MetricName: 'Seen', Value: 3, Dimensions }] };
    await cloud.watch.send(new PutMetricDataCommand(data));
    const metric = ['--namespace', 'Cli', '--metric-name', 'Seen', '--dimensions', 'Name=Service,Value=web'];
    const from = new Date(Date.now() - 300_000).toISOString();
    const to = new Date(Date.now() + 60_000).toISOString();
    const range = ['--start-time', from, '--end-time', to, '--period', '60', '--statistics', 'Sum'];
    const { Datapoints } = await aws('cloudwatch', 'get-metric-statistics', ...metric, ...range);
    expect(Datapoints).toMatchObject([{ Sum: 3 }]);
    const limit = ['--threshold', '5', '--evaluation-periods', '1', '--period', '60', '--statistic', 'Sum'];
    const comparison = ['--comparison-operator', 'GreaterThanThreshold'];
    await aws('cloudwatch', 'put-metric-alarm', '--alarm-name', 'errors', ...metric, ...limit, ...comparison);
    const { MetricAlarms } = await aws('cloudwatch', 'describe-alarms', '--alarm-names', 'errors');
    expect(MetricAlarms[0]).toMatchObject({ AlarmName: 'errors', Period: 60, Threshold: 5, Dimensions });
  });

  it('reads a scalable target', async () => {
    await cloud.scaling.send(
      new RegisterScalableTargetCommand({
        ServiceNamespace: 'ecs',
        ResourceId: 'service/shop/blue',
        ScalableDimension: 'ecs:service:DesiredCount',
        MinCapacity: 1,
        MaxCapacity: 4,
      }),
    );
    const read = ['application-autoscaling', 'describe-scalable-targets', '--service-namespace', 'ecs'];
    const { ScalableTargets } = await aws(...read);
    expect(ScalableTargets[0]).toMatchObject({ ResourceId: 'service/shop/blue', MaxCapacity: 4 });
  });

  it('gets an error as one sentence with AWS’s code', async () => {
    const health = ['elbv2', 'describe-target-health', '--target-group-arn', 'arn:none'];
    const { code, stderr } = await awsCli(cloud.url, ...health);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/\(TargetGroupNotFound\).*Target group 'arn:none' not found/);
  });
});
