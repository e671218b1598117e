import {
  DescribeScalableTargetsCommand,
  RegisterScalableTargetCommand,
} from '@aws-sdk/client-application-auto-scaling';
import {
  DescribeAlarmsCommand,
  GetMetricDataCommand,
  PutCompositeAlarmCommand,
  PutMetricAlarmCommand,
  PutMetricDataCommand,
  ResourceNotFound,
  SetAlarmStateCommand,
} from '@aws-sdk/client-cloudwatch';
import { ClusterNotFoundException, ListTasksCommand, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import {
  DescribeListenersCommand,
  DescribeTargetHealthCommand,
  ListenerNotFoundException,
  ModifyListenerCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Compute, makeSlots, startCompute } from './computeDesk.ts';
import { bodies, get, until } from './elbDesk.ts';

let cloud: Compute;
let slots: Awaited<ReturnType<typeof makeSlots>>;
beforeAll(async () => {
  cloud = await startCompute();
  slots = await makeSlots(cloud);
});
afterAll(() => cloud.close());

describe('from the SDK', () => {
  it('two slots of a service stand behind one weighted listener', async () => {
    const { TargetHealthDescriptions } = await cloud.elb.send(
      new DescribeTargetHealthCommand({ TargetGroupArn: slots.green }),
    );
    expect(TargetHealthDescriptions?.[0]?.TargetHealth?.State).toBe('healthy');
    expect(await bodies(slots.port, 5)).toEqual({ blue: 5 });
    await cloud.elb.send(
      new ModifyListenerCommand({ ListenerArn: slots.listener, DefaultActions: slots.forward(0, 1) }),
    );
    expect(await bodies(slots.port, 5)).toEqual({ green: 5 });
    const read = await cloud.elb.send(new DescribeListenersCommand({ ListenerArns: [slots.listener] }));
    const weights = read.Listeners?.[0]?.DefaultActions?.[0]?.ForwardConfig?.TargetGroups?.map(
      ({ Weight }) => Weight,
    );
    expect(weights).toEqual([0, 1]);
  });

  it('metrics of the traffic are read as ALB’s own', async () => {
    await get(slots.port, { path: '/metrics' });
    const LoadBalancer = slots.balancer.split(':loadbalancer/')[1] ?? '';
    const TargetGroup = slots.green.slice(slots.green.indexOf('targetgroup/'));
    const dimensions = Object.entries({ LoadBalancer, TargetGroup }).map(([Name, Value]) => ({
      Name,
      Value,
    }));
    const stat = (Id: string, MetricName: string, Stat: string) => ({
      Id,
      MetricStat: {
        Metric: { Namespace: 'AWS/ApplicationELB', MetricName, Dimensions: dimensions },
        Period: 60,
        Stat,
      },
    });
    const ask = async () => {
      const { MetricDataResults } = await cloud.watch.send(
        new GetMetricDataCommand({
          StartTime: new Date(Date.now() - 300_000),
          EndTime: new Date(Date.now() + 60_000),
          MetricDataQueries: [
            stat('requests', 'RequestCount', 'Sum'),
            stat('p95', 'TargetResponseTime', 'p95'),
            { Id: 'half', Expression: 'requests / 2', Label: 'half' },
          ],
        }),
      );
      const total = (id: string) =>
        MetricDataResults?.find(({ Id }) => Id === id)?.Values?.reduce((a, b) => a + b, 0) ?? 0;
      return { requests: total('requests'), p95: total('p95'), half: total('half') };
    };
    await until(async () => (await ask()).requests >= 6, 'the requests are counted');
    const { requests, p95, half } = await ask();
    expect(half).toBe(requests / 2);
    expect(p95).toBeGreaterThan(0);
  });

  it('an alarm goes off on data put in, and EventBridge is told', async () => {
    await cloud.watch.send(
      new PutMetricAlarmCommand({
        AlarmName: 'errors',
        Namespace: 'Shop',
        MetricName: 'Errors',
        Statistic: 'Sum',
        Period: 1,
        EvaluationPeriods: 1,
        Threshold: 5,
        ComparisonOperator: 'GreaterThanThreshold',
        TreatMissingData: 'ignore',
      }),
    );
    await cloud.watch.send(new PutCompositeAlarmCommand({ AlarmName: 'any', AlarmRule: 'ALARM(errors)' }));
    await cloud.watch.send(
      new PutMetricDataCommand({
        Namespace: 'Shop',
        MetricData: [{ MetricName: 'Errors', Value: 9, StorageResolution: 1 }],
      }),
    );
    const states = async () => {
      const types = ['MetricAlarm', 'CompositeAlarm'] as const;
      const { MetricAlarms, CompositeAlarms } = await cloud.watch.send(
        new DescribeAlarmsCommand({ AlarmTypes: [...types] }),
      );
      return [...(MetricAlarms ?? []), ...(CompositeAlarms ?? [])].map(({ StateValue }) => StateValue);
    };
    await until(async () => (await states()).join() === 'ALARM,ALARM', 'both alarms are in ALARM');
    const told = cloud.events.filter(({ detailType }) => detailType === 'CloudWatch Alarm State Change');
    expect(told.map(({ detail }) => detail.alarmName)).toEqual(expect.arrayContaining(['errors', 'any']));
  });

  it('a service’s minimum is pinned and its scale-in suspended', async () => {
    const target = {
      ServiceNamespace: 'ecs',
      ResourceId: 'service/shop/blue',
      ScalableDimension: 'ecs:service:DesiredCount',
    } as const;
    await cloud.scaling.send(
      new RegisterScalableTargetCommand({
        ...target,
        MinCapacity: 2,
        MaxCapacity: 4,
        SuspendedState: { DynamicScalingInSuspended: true },
      }),
    );
    const { ScalableTargets } = await cloud.scaling.send(
      new DescribeScalableTargetsCommand({ ServiceNamespace: 'ecs', ResourceIds: [target.ResourceId] }),
    );
    expect(ScalableTargets?.[0]).toMatchObject({
      MinCapacity: 2,
      SuspendedState: { DynamicScalingInSuspended: true },
    });
    const two = async () =>
      (await cloud.ecs.send(new ListTasksCommand({ cluster: 'shop', serviceName: 'blue' }))).taskArns
        ?.length === 2;
    await until(two, 'two tasks run');
  });

  it('errors arrive as the SDK’s own classes', async () => {
    await expect(
      cloud.ecs.send(new UpdateServiceCommand({ cluster: 'none', service: 'blue' })),
    ).rejects.toBeInstanceOf(ClusterNotFoundException);
    await expect(
      cloud.elb.send(new ModifyListenerCommand({ ListenerArn: 'arn:none' })),
    ).rejects.toBeInstanceOf(ListenerNotFoundException);
    const state = { AlarmName: 'none', StateValue: 'OK', StateReason: 'x' } as const;
    await expect(cloud.watch.send(new SetAlarmStateCommand(state))).rejects.toBeInstanceOf(ResourceNotFound);
    const weight = new ModifyListenerCommand({
      ListenerArn: slots.listener,
      DefaultActions: slots.forward(1000, 0),
    });
    await expect(cloud.elb.send(weight)).rejects.toMatchObject({
      name: 'ValidationError',
      message: /less than or equal to 999/,
    });
  });
});
