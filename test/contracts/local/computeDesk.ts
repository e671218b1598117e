/** The compute half of the local cloud behind a real endpoint, and two slots of a service made through it. */

import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import {
  CreateClusterCommand,
  CreateServiceCommand,
  DescribeServicesCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
} from '@aws-sdk/client-ecs';
import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateTargetGroupCommand,
  ElasticLoadBalancingV2Client,
  ModifyTargetGroupAttributesCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { realClock } from '../../../lib/asl/clock.ts';
import {
  type ApplicationAutoScalingDeps,
  applicationAutoScalingService,
} from '../../../lib/local/autoscaling/applicationAutoScalingService.ts';
import type { CloudEvent } from '../../../lib/local/cloudEvent.ts';
import { cloudWatchService } from '../../../lib/local/cloudwatch/cloudWatchService.ts';
import { ecsService } from '../../../lib/local/ecs/ecsService.ts';
import { elbService } from '../../../lib/local/elb/elbService.ts';
import { startEndpoint } from '../../../lib/local/endpoint.ts';
import { freePort } from '../../../lib/local/freePort.ts';
import { place } from './cloudwatchDesk.ts';
import { serving } from './ecsDesk.ts';
import { until } from './elbDesk.ts';

export async function startCompute() {
  const events: CloudEvent[] = [];
  const common = { clock: realClock, place, publish: (event: CloudEvent) => void events.push(event) };
  const cloudWatch = cloudWatchService({ ...common, notify: async () => undefined });
  const putMetric = cloudWatch.store.put.bind(cloudWatch.store);
  const balancers = elbService({ ...common, putMetric, metricPeriodSeconds: 1 });
  const containers = ecsService({ ...common, targets: balancers.targets, settleSeconds: 0.2 });
  const scaled: ApplicationAutoScalingDeps = {
    ...common,
    counts: containers.counts,
    store: cloudWatch.store,
  };
  const auto = applicationAutoScalingService(scaled);
  const services = [containers, balancers, cloudWatch, auto];
  const endpoint = await startEndpoint({ services, account: place.account });
  const config = {
    endpoint: endpoint.url,
    region: place.region,
    maxAttempts: 1,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };
  return {
    url: endpoint.url,
    close: () => endpoint.close(),
    events,
    ecs: new ECSClient(config),
    elb: new ElasticLoadBalancingV2Client(config),
    watch: new CloudWatchClient(config),
    scaling: new ApplicationAutoScalingClient(config),
  };
}

export type Compute = Awaited<ReturnType<typeof startCompute>>;

/**
 * blue and green, each an ECS service with a target group of its own, behind one listener that sends all to
 * blue.
 */
export async function makeSlots({ ecs, elb }: Compute) {
  await ecs.send(new CreateClusterCommand({ clusterName: 'shop' }));
  const { LoadBalancers } = await elb.send(new CreateLoadBalancerCommand({ Name: 'shop' }));
  const balancer = LoadBalancers?.[0]?.LoadBalancerArn ?? '';
  const [blue, green, port] = await Promise.all([
    targetGroup(elb, 'blue'),
    targetGroup(elb, 'green'),
    freePort(),
  ]);
  const forward = (toBlue: number, toGreen: number) => [
    {
      Type: 'forward' as const,
      ForwardConfig: {
        TargetGroups: [
          { TargetGroupArn: blue, Weight: toBlue },
          { TargetGroupArn: green, Weight: toGreen },
        ],
      },
    },
  ];
  const { Listeners } = await elb.send(
    new CreateListenerCommand({
      LoadBalancerArn: balancer,
      Port: port,
      Protocol: 'HTTP',
      DefaultActions: forward(1, 0),
    }),
  );
  await Promise.all([service(ecs, 'blue', blue), service(ecs, 'green', green)]);
  await until(async () => {
    const asked = new DescribeServicesCommand({ cluster: 'shop', services: ['blue', 'green'] });
    const { services } = await ecs.send(asked);
    return services?.every(({ deployments }) => deployments?.[0]?.rolloutState === 'COMPLETED') ?? false;
  }, 'both services are deployed');
  return { balancer, blue, green, port, forward, listener: Listeners?.[0]?.ListenerArn ?? '' };
}

async function targetGroup(elb: ElasticLoadBalancingV2Client, name: string): Promise<string> {
  const { TargetGroups } = await elb.send(
    new CreateTargetGroupCommand({
      Name: name,
      Protocol: 'HTTP',
      Port: 80,
      TargetType: 'ip',
      HealthCheckIntervalSeconds: 1,
      HealthCheckTimeoutSeconds: 1,
    }),
  );
  const TargetGroupArn = TargetGroups?.[0]?.TargetGroupArn ?? '';
  const Attributes = [{ Key: 'deregistration_delay.timeout_seconds', Value: '1' }];
  await elb.send(new ModifyTargetGroupAttributesCommand({ TargetGroupArn, Attributes }));
  return TargetGroupArn;
}

async function service(ecs: ECSClient, name: string, targetGroupArn: string): Promise<void> {
  const { taskDefinition } = await ecs.send(
    new RegisterTaskDefinitionCommand({
      family: name,
      containerDefinitions: [
        {
          name: 'app',
          image: 'shop/app:1',
          entryPoint: ['node', '-e'],
          command: [serving(name)],
          portMappings: [{ containerPort: 8080 }],
        },
      ],
    }),
  );
  await ecs.send(
    new CreateServiceCommand({
      cluster: 'shop',
      serviceName: name,
      taskDefinition: taskDefinition?.taskDefinitionArn,
      desiredCount: 1,
      loadBalancers: [{ targetGroupArn, containerName: 'app', containerPort: 8080 }],
    }),
  );
}
