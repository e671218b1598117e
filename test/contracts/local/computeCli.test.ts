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

  it('ecs describe-services and list-tasks', async () => {
    const { services } = await aws('ecs', 'describe-services', '--cluster', 'shop', '--services', 'green');
    expect(services[0]).toMatchObject({
      serviceName: 'green',
      runningCount: 1,
      deployments: [{ rolloutState: 'COMPLETED' }],
    });
    expect(
      (await aws('ecs', 'list-tasks', '--cluster', 'shop', '--service-name', 'green')).taskArns,
    ).toHaveLength(1);
  });

  it('elbv2 modify-listener, describe-rules and describe-target-health', async () => {
    await cloud.elb.send(
      new CreateRuleCommand({
        ListenerArn: slots.listener,
        Priority: 10,
        Conditions: [{ Field: 'path-pattern', Values: ['/green*'] }],
        Actions: slots.forward(0, 1),
      }),
    );
    const actions = JSON.stringify(slots.forward(95, 5));
    const { Listeners } = await aws(
      'elbv2',
      'modify-listener',
      '--listener-arn',
      slots.listener,
      '--default-actions',
      actions,
    );
    expect(Listeners[0].DefaultActions[0].ForwardConfig.TargetGroups[1].Weight).toBe(5);
    const { Rules } = await aws('elbv2', 'describe-rules', '--listener-arn', slots.listener);
    expect(Rules).toMatchObject([
      { Priority: '10', IsDefault: false, Conditions: [{ Field: 'path-pattern', Values: ['/green*'] }] },
      {
        Priority: 'default',
        IsDefault: true,
        Actions: [{ ForwardConfig: { TargetGroups: [{ Weight: 95 }, { Weight: 5 }] } }],
      },
    ]);
    const health = await aws('elbv2', 'describe-target-health', '--target-group-arn', slots.green);
    expect(health.TargetHealthDescriptions[0].TargetHealth.State).toBe('healthy');
  });

  it('cloudwatch puts metrics and alarms, and reads them back', async () => {
    await aws(
      'cloudwatch',
      'put-metric-data',
      '--namespace',
      'Cli',
      '--metric-name',
      'Seen',
      '--value',
      '3',
      '--dimensions',
      'Service=web',
    );
    const from = new Date(Date.now() - 300_000).toISOString();
    const to = new Date(Date.now() + 60_000).toISOString();
    const name = ['--namespace', 'Cli', '--metric-name', 'Seen', '--dimensions', 'Name=Service,Value=web'];
    const range = ['--start-time', from, '--end-time', to, '--period', '60', '--statistics', 'Sum'];
    const { Datapoints } = await aws('cloudwatch', 'get-metric-statistics', ...name, ...range);
    expect(Datapoints).toMatchObject([{ Sum: 3 }]);
    const metric = ['--namespace', 'Cli', '--metric-name', 'Seen', '--statistic', 'Sum', '--period', '60'];
    const limit = ['--threshold', '5', '--evaluation-periods', '1'];
    const comparison = ['--comparison-operator', 'GreaterThanThreshold'];
    await aws('cloudwatch', 'put-metric-alarm', '--alarm-name', 'errors', ...metric, ...limit, ...comparison);
    await aws(
      'cloudwatch',
      'set-alarm-state',
      '--alarm-name',
      'errors',
      '--state-value',
      'OK',
      '--state-reason',
      'by hand',
    );
    const { MetricAlarms } = await aws('cloudwatch', 'describe-alarms', '--alarm-names', 'errors');
    expect(MetricAlarms[0]).toMatchObject({
      AlarmName: 'errors',
      Period: 60,
      Threshold: 5,
      Statistic: 'Sum',
    });
  });

  it('application-autoscaling register-scalable-target and describe-scalable-targets', async () => {
    const target = ['--service-namespace', 'ecs', '--resource-id', 'service/shop/blue'];
    const bounds = [
      '--scalable-dimension',
      'ecs:service:DesiredCount',
      '--min-capacity',
      '1',
      '--max-capacity',
      '4',
    ];
    await aws('application-autoscaling', 'register-scalable-target', ...target, ...bounds);
    const { ScalableTargets } = await aws(
      'application-autoscaling',
      'describe-scalable-targets',
      '--service-namespace',
      'ecs',
    );
    expect(ScalableTargets[0]).toMatchObject({
      ResourceId: 'service/shop/blue',
      MinCapacity: 1,
      MaxCapacity: 4,
    });
  });

  it('an error is one sentence with AWS’s code', async () => {
    const { code, stderr } = await awsCli(
      cloud.url,
      'elbv2',
      'describe-target-health',
      '--target-group-arn',
      'arn:none',
    );
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/\(TargetGroupNotFound\).*Target group 'arn:none' not found/);
  });
});
