/**
 * What a user has before Switchback comes: a shop on ECS with two slots behind one listener rule, and alarms.
 * Everything is made through AWS's own API, so the same calls would make it in a real account.
 */
import { CloudWatchClient, PutMetricAlarmCommand } from '@aws-sdk/client-cloudwatch';
import {
  CreateClusterCommand,
  CreateServiceCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
} from '@aws-sdk/client-ecs';
import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateRuleCommand,
  CreateTargetGroupCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { EcsAlbTarget } from '../../../events/target.ts';
import { dimensionsOf } from '../../aws/metrics/ecsAlb.ts';

export type Endpoint = {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
};

export type Fault = 'errors' | 'latency' | 'crash' | 'none';

const slots = ['blue', 'green'] as const;

/**
 * Makes the shop and answers where its traffic is split.
 * @param listenerPort on this machine
 * @param healthSeconds between two health checks; AWS takes 5 and more
 * @param name of the service, where it is not the shop
 */
export async function openShop(
  at: Endpoint,
  listenerPort: number,
  tasks: number,
  healthSeconds = 5,
  name = 'shop',
): Promise<EcsAlbTarget> {
  const balancer = new ElasticLoadBalancingV2Client(at);
  const { LoadBalancers } = await balancer.send(
    new CreateLoadBalancerCommand({ Name: name, Type: 'application', Subnets: ['subnet-a', 'subnet-b'] }),
  );
  const targetGroups = {
    blue: await makeTargetGroup(balancer, `${name}-blue`, healthSeconds),
    green: await makeTargetGroup(balancer, `${name}-green`, healthSeconds),
  };
  const forward = (blue: number) => ({
    Type: 'forward' as const,
    ForwardConfig: {
      TargetGroups: [
        { TargetGroupArn: targetGroups.blue, Weight: blue },
        { TargetGroupArn: targetGroups.green, Weight: 100 - blue },
      ],
    },
  });
  const { Listeners } = await balancer.send(
    new CreateListenerCommand({
      LoadBalancerArn: given(LoadBalancers?.[0]?.LoadBalancerArn),
      Port: listenerPort,
      Protocol: 'HTTP',
      DefaultActions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '404' } }],
    }),
  );
  const { Rules } = await balancer.send(
    new CreateRuleCommand({
      ListenerArn: given(Listeners?.[0]?.ListenerArn),
      Priority: 1,
      Conditions: [{ Field: 'path-pattern', Values: ['/*'] }],
      Actions: [forward(100)],
    }),
  );
  await makeServices(at, name, targetGroups, tasks);
  return {
    kind: 'ecs-alb',
    cluster: name,
    services: { blue: `${name}-blue`, green: `${name}-green` },
    targetGroups,
    ruleArn: given(Rules?.[0]?.RuleArn),
  };
}

/** One ECS service per slot; blue is stable and has the tasks. */
async function makeServices(
  at: Endpoint,
  name: string,
  targetGroups: EcsAlbTarget['targetGroups'],
  tasks: number,
): Promise<void> {
  const ecs = new ECSClient(at);
  await ecs.send(new CreateClusterCommand({ clusterName: name }));
  const revision = await registerShop(at, 'v1', 'none', 0, name);
  for (const slot of slots) {
    await ecs.send(
      new CreateServiceCommand({
        cluster: name,
        serviceName: `${name}-${slot}`,
        taskDefinition: revision,
        desiredCount: slot === 'blue' ? tasks : 0,
        // A task takes as long to start as the machine lets it; the balancer waits for it, ECS does too.
        healthCheckGracePeriodSeconds: 60,
        loadBalancers: [{ targetGroupArn: targetGroups[slot], containerName: name, containerPort: 8080 }],
      }),
    );
  }
}

async function makeTargetGroup(
  balancer: ElasticLoadBalancingV2Client,
  Name: string,
  HealthCheckIntervalSeconds: number,
): Promise<string> {
  const { TargetGroups } = await balancer.send(
    new CreateTargetGroupCommand({
      Name,
      Protocol: 'HTTP',
      Port: 8080,
      VpcId: 'vpc-shop',
      TargetType: 'ip',
      HealthCheckPath: '/health',
      HealthCheckIntervalSeconds,
      HealthCheckTimeoutSeconds: Math.min(2, HealthCheckIntervalSeconds),
      HealthyThresholdCount: 2,
      UnhealthyThresholdCount: 2,
    }),
  );
  return given(TargetGroups?.[0]?.TargetGroupArn);
}

/** A new revision of the shop; `fault` begins after the first `faultAfter` requests of each task. */
export async function registerShop(
  at: Endpoint,
  version: string,
  fault: Fault,
  faultAfter = 0,
  name = 'shop',
): Promise<string> {
  const { taskDefinition } = await new ECSClient(at).send(
    new RegisterTaskDefinitionCommand({
      family: name,
      networkMode: 'awsvpc',
      requiresCompatibilities: ['FARGATE'],
      cpu: '256',
      memory: '512',
      containerDefinitions: [
        {
          name,
          image: `${name}:${version}`,
          essential: true,
          entryPoint: ['node'],
          command: [new URL('./shop.ts', import.meta.url).pathname],
          portMappings: [{ containerPort: 8080 }],
          environment: [
            { name: 'VERSION', value: version },
            { name: 'FAULT', value: fault },
            { name: 'FAULT_AFTER', value: String(faultAfter) },
          ],
        },
      ],
    }),
  );
  return given(taskDefinition?.taskDefinitionArn);
}

/**
 * Three alarms per slot, with periods of one second: AWS would refuse less than ten, the local cloud says so.
 */
export async function watchShop(at: Endpoint, target: EcsAlbTarget, name = 'shop'): Promise<void> {
  const cloudWatch = new CloudWatchClient(at);
  for (const slot of slots) {
    const Dimensions = dimensionsOf(target, slot);
    const metric = (Id: string, MetricName: string, Stat: string) => ({
      Id,
      MetricStat: { Metric: { Namespace: 'AWS/ApplicationELB', MetricName, Dimensions }, Period: 1, Stat },
      ReturnData: false,
    });
    const common = { ComparisonOperator: 'GreaterThanThreshold' as const, TreatMissingData: 'notBreaching' };
    await cloudWatch.send(
      new PutMetricAlarmCommand({
        ...common,
        AlarmName: `${name}-${slot}-errors`,
        AlarmDescription: 'More than 5 % of the answers are server errors.',
        Metrics: [
          metric('errors', 'HTTPCode_Target_5XX_Count', 'Sum'),
          metric('requests', 'RequestCount', 'Sum'),
          { Id: 'percent', Expression: '100 * FILL(errors, 0) / requests', ReturnData: true },
        ],
        EvaluationPeriods: 3,
        DatapointsToAlarm: 2,
        Threshold: 5,
      }),
    );
    await cloudWatch.send(
      new PutMetricAlarmCommand({
        ...common,
        AlarmName: `${name}-${slot}-slow`,
        AlarmDescription: 'One answer in twenty takes longer than a second.',
        Metrics: [{ ...metric('p95', 'TargetResponseTime', 'p95'), ReturnData: true }],
        EvaluationPeriods: 3,
        DatapointsToAlarm: 2,
        Threshold: 1,
      }),
    );
    await cloudWatch.send(
      new PutMetricAlarmCommand({
        ...common,
        AlarmName: `${name}-${slot}-refused`,
        AlarmDescription: 'Targets refuse or drop connections.',
        Metrics: [{ ...metric('refused', 'TargetConnectionErrorCount', 'Sum'), ReturnData: true }],
        EvaluationPeriods: 1,
        DatapointsToAlarm: 1,
        Threshold: 0,
      }),
    );
  }
}

/** AWS's outputs are all optional in the types; what was just made has them. */
export function given<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the endpoint left out a value that AWS always gives');
  return value;
}
