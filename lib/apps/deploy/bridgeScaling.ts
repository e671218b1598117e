/** As many tasks as the waiting messages want: CloudWatch divides the lag by the tasks that report it. */
import type { BridgeDeployment } from './bridgeDeployment.ts';
import { type Resources, ref, sub } from './cloudFormation.ts';

/** The bridge's own metrics: see lib/apps/bridge/emf.ts. */
export const bridgeNamespace = 'Switchback/Bridge';

/** Out within a minute or two; in slowly, for a task that leaves takes its messages in hand with it. */
const outSeconds = 60;
const inSeconds = 300;

export function bridgeScaling(name: string, { settings, plan }: BridgeDeployment): Resources {
  const lag = {
    Namespace: bridgeNamespace,
    MetricName: 'Lag',
    Dimensions: [{ Name: 'Bridge', Value: plan.config.nats.name }],
  };
  return {
    BridgeScaling: {
      Type: 'AWS::ApplicationAutoScaling::ScalableTarget',
      DependsOn: 'BridgeService',
      Properties: {
        ServiceNamespace: 'ecs',
        ScalableDimension: 'ecs:service:DesiredCount',
        ResourceId: sub(`service/\${BridgeCluster}/${name}`),
        MinCapacity: settings.tasks.min,
        MaxCapacity: settings.tasks.max,
      },
    },
    BridgeScalingPolicy: {
      Type: 'AWS::ApplicationAutoScaling::ScalingPolicy',
      Properties: {
        PolicyName: `${name}-lag`,
        PolicyType: 'TargetTrackingScaling',
        ScalingTargetId: ref('BridgeScaling'),
        TargetTrackingScalingPolicyConfiguration: {
          TargetValue: settings.lagPerTask,
          ScaleOutCooldown: outSeconds,
          ScaleInCooldown: inSeconds,
          CustomizedMetricSpecification: {
            Metrics: [
              // Every task tells the same consumers' lag, once a minute: their number is the number of tasks.
              { Id: 'lag', MetricStat: { Metric: lag, Stat: 'Maximum' }, ReturnData: false },
              { Id: 'tasks', MetricStat: { Metric: lag, Stat: 'SampleCount' }, ReturnData: false },
              {
                Id: 'perTask',
                Expression: 'lag / tasks',
                Label: 'Messages waiting per task',
                ReturnData: true,
              },
            ],
          },
        },
      },
    },
  };
}
