import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../lib/asl/clock.ts';
import {
  type ApplicationAutoScalingDeps,
  applicationAutoScalingService,
} from '../../../lib/local/autoscaling/applicationAutoScalingService.ts';
import { MetricStore } from '../../../lib/local/cloudwatch/metricStore.ts';
import { ask, place } from './cloudwatchDesk.ts';

const named = {
  ServiceNamespace: 'ecs',
  ResourceId: 'service/shop/web',
  ScalableDimension: 'ecs:service:DesiredCount',
};
const group = 'targetgroup/web/00000000000000ab';

/** One service of `desired` tasks; metrics are put in by hand. */
function scalingDesk(desired = 2) {
  const clock = new VirtualClock(Date.UTC(2026, 0, 1, 12, 0, 0));
  const store = new MetricStore();
  const service = { desired };
  const counts: ApplicationAutoScalingDeps['counts'] = {
    desired: (cluster, name) => (cluster === 'shop' && name === 'web' ? service.desired : null),
    setDesired: (_cluster, _name, count) => {
      service.desired = count;
    },
  };
  const scaling = applicationAutoScalingService({ clock, place, store, counts });
  const call = (operation: string, input: Record<string, unknown> = {}) =>
    ask(scaling, operation, { ...named, ...input });
  /** Lets `minutes` pass, each with so many requests per target. */
  const traffic = async (minutes: number, perTarget: number) => {
    for (let i = 0; i < minutes; i++) {
      store.put({
        namespace: 'AWS/ApplicationELB',
        name: 'RequestCountPerTarget',
        dimensions: [{ Name: 'TargetGroup', Value: group }],
        atMs: clock.now(),
        resolutionSeconds: 60,
        values: [perTarget],
      });
      await clock.advance(60_000);
    }
  };
  const track = (more: Record<string, unknown> = {}) =>
    call('PutScalingPolicy', {
      PolicyName: 'requests',
      PolicyType: 'TargetTrackingScaling',
      TargetTrackingScalingPolicyConfiguration: {
        TargetValue: 100,
        PredefinedMetricSpecification: {
          PredefinedMetricType: 'ALBRequestCountPerTarget',
          ResourceLabel: `app/shop/00000000000000aa/${group}`,
        },
        ...more,
      },
    });
  const causes = async () =>
    (await call('DescribeScalingActivities')).ScalingActivities.map((one: { Cause: string }) => one.Cause);
  return { clock, service, call, traffic, track, causes };
}

describe('a scalable target', () => {
  it('keeps its bounds as soon as they are set', async () => {
    const { call, service, causes } = scalingDesk(1);
    await call('RegisterScalableTarget', { MinCapacity: 3, MaxCapacity: 10 });
    expect(service.desired).toBe(3);
    await call('RegisterScalableTarget', { MinCapacity: 1, MaxCapacity: 2 });
    expect(service.desired).toBe(2);
    expect(await causes()).toEqual(['maximum capacity was set to 2', 'minimum capacity was set to 3']);
  });

  it('changes only what a later registration names', async () => {
    const { call } = scalingDesk();
    await call('RegisterScalableTarget', { MinCapacity: 1, MaxCapacity: 10 });
    await call('RegisterScalableTarget', { SuspendedState: { DynamicScalingInSuspended: true } });
    const { ScalableTargets } = await call('DescribeScalableTargets', { ResourceIds: [named.ResourceId] });
    expect(ScalableTargets).toMatchObject([
      {
        ...named,
        MinCapacity: 1,
        MaxCapacity: 10,
        SuspendedState: {
          DynamicScalingInSuspended: true,
          DynamicScalingOutSuspended: false,
          ScheduledScalingSuspended: false,
        },
      },
    ]);
  });

  it('deregistered takes its policies with it', async () => {
    const { call, track } = scalingDesk();
    await call('RegisterScalableTarget', { MinCapacity: 1, MaxCapacity: 10 });
    await track();
    expect((await call('DescribeScalingPolicies')).ScalingPolicies).toHaveLength(1);
    await call('DeregisterScalableTarget');
    expect((await call('DescribeScalingPolicies')).ScalingPolicies).toEqual([]);
    await expect(track()).rejects.toMatchObject({ name: 'ObjectNotFoundException' });
  });

  it.each([
    [{ MaxCapacity: 1 }, /required/],
    [{ MinCapacity: 3, MaxCapacity: 1 }, /less than minimum/],
    [
      { MinCapacity: 1, MaxCapacity: 1, ResourceId: 'service/shop/none' },
      /doesn't exist: service\/shop\/none/,
    ],
    [{ MinCapacity: 1, MaxCapacity: 1, ResourceId: 'web' }, /Invalid resource ID/],
    [{ MinCapacity: 1, MaxCapacity: 1, ServiceNamespace: 'dynamodb' }, /only ecs is/],
  ])('is refused with %j', async (input, message) => {
    const { call } = scalingDesk();
    await expect(call('RegisterScalableTarget', input)).rejects.toMatchObject({
      name: 'ValidationException',
      message,
    });
  });
});

describe('target tracking', () => {
  async function tracked(
    desired: number,
    more: Record<string, unknown> = {},
    policy: Record<string, unknown> = {},
  ) {
    const desk = scalingDesk(desired);
    await desk.call('RegisterScalableTarget', { MinCapacity: 2, MaxCapacity: 8, ...more });
    await desk.track(policy);
    return desk;
  }

  it('scales out to the count that meets the target after three minutes above it', async () => {
    const { traffic, service } = await tracked(2);
    await traffic(3, 250);
    expect(service.desired).toBe(2);
    await traffic(1, 250);
    expect(service.desired).toBe(5);
  });

  it('never goes over the maximum', async () => {
    const { traffic, service } = await tracked(4);
    await traffic(4, 1000);
    expect(service.desired).toBe(8);
  });

  it('scales in only after fifteen minutes, and not below the minimum', async () => {
    const { traffic, service, causes } = await tracked(6);
    await traffic(15, 1);
    expect(service.desired).toBe(6);
    await traffic(1, 1);
    expect(service.desired).toBe(2);
    expect((await causes())[0]).toBe(
      'monitor alarm TargetTracking-service/shop/web-AlarmLow in state ALARM triggered policy requests',
    );
  });

  it('does not scale in while that is suspended, and does once it is resumed', async () => {
    const { traffic, service, call } = await tracked(6, {
      SuspendedState: { DynamicScalingInSuspended: true },
    });
    await traffic(20, 1);
    expect(service.desired).toBe(6);
    await call('RegisterScalableTarget', { SuspendedState: { DynamicScalingInSuspended: false } });
    await traffic(1, 1);
    expect(service.desired).toBe(2);
  });

  it('with scale-in disabled only ever scales out', async () => {
    const { traffic, service } = await tracked(6, {}, { DisableScaleIn: true });
    await traffic(20, 1);
    expect(service.desired).toBe(6);
  });

  it('waits for its cooldown before it scales again', async () => {
    const { traffic, service } = await tracked(2, {}, { ScaleOutCooldown: 120 });
    await traffic(4, 200);
    expect(service.desired).toBe(4);
    await traffic(1, 200);
    expect(service.desired).toBe(4);
    await traffic(1, 200);
    expect(service.desired).toBe(8);
  });

  it('decides nothing without data', async () => {
    const { clock, service } = await tracked(6);
    await clock.advance(30 * 60_000);
    expect(service.desired).toBe(6);
  });

  it('follows a metric of one’s own', async () => {
    const desk = scalingDesk(2);
    await desk.call('RegisterScalableTarget', { MinCapacity: 1, MaxCapacity: 8 });
    await desk.track({
      PredefinedMetricSpecification: undefined,
      TargetValue: 10,
      CustomizedMetricSpecification: {
        Namespace: 'AWS/ApplicationELB',
        MetricName: 'RequestCountPerTarget',
        Dimensions: [{ Name: 'TargetGroup', Value: group }],
        Statistic: 'Average',
      },
    });
    await desk.traffic(4, 40);
    expect(desk.service.desired).toBe(8);
  });

  it.each([
    [{ TargetValue: 0 }, /greater than 0/],
    [
      {
        PredefinedMetricSpecification: {
          PredefinedMetricType: 'ALBRequestCountPerTarget',
          ResourceLabel: 'web',
        },
      },
      /ResourceLabel must be/,
    ],
    [
      { PredefinedMetricSpecification: { PredefinedMetricType: 'RDSReaderAverageCPUUtilization' } },
      /not one of ECS/,
    ],
    [{ PredefinedMetricSpecification: undefined }, /Exactly one/],
  ])('is refused with %j', async (policy, message) => {
    await expect(tracked(2, {}, policy)).rejects.toMatchObject({ name: 'ValidationException', message });
  });
});
