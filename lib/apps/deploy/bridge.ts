/**
 * The NATS–AWS bridge as a service on Fargate: present where the configuration has a `bridge:` part. Its
 * tasks run without a public address, without root and without a file system to write to; they get their
 * rules with the task definition, so that a changed rule is a deployment that can be taken back.
 */
import { bridgeAlarms } from './bridgeAlarms.ts';
import { bridgeDashboard } from './bridgeDashboard.ts';
import { type BridgeDeployment, stopTimeoutSeconds } from './bridgeDeployment.ts';
import { bridgeGrants } from './bridgeRights.ts';
import { bridgeScaling } from './bridgeScaling.ts';
import { att, type Cfn, type Resources, ref, sub } from './cloudFormation.ts';
import { type Deployment, prefixOf } from './deployment.ts';
import type { Grant } from './rights.ts';
import { role } from './roles.ts';

export function bridgeResources(deployment: Deployment): Resources {
  const { bridge } = deployment;
  if (bridge === undefined || bridge === null) return {};
  const name = `${prefixOf(deployment)}-bridge`;
  return {
    BridgeCluster: { Type: 'AWS::ECS::Cluster', Properties: { ClusterName: name } },
    BridgeLogGroup: {
      Type: 'AWS::Logs::LogGroup',
      Properties: { LogGroupName: `/switchback/${name}`, RetentionInDays: deployment.stage.logRetentionDays },
    },
    BridgeTaskRole: role('ecs-tasks.amazonaws.com', bridgeGrants(bridge.plan.config)),
    BridgeExecutionRole: role('ecs-tasks.amazonaws.com', executionGrants(bridge)),
    BridgeSecurityGroup: securityGroup(name, bridge),
    BridgeTask: taskDefinition(name, bridge),
    BridgeService: service(name, bridge),
    ...bridgeScaling(name, bridge),
    ...bridgeAlarms(name, bridge),
    ...bridgeDashboard(name, bridge),
  };
}

/** What ECS does before the bridge runs: fetch the image, hand over the secrets, write the log. */
function executionGrants({ settings }: BridgeDeployment): readonly Grant[] {
  const [, account, region, repository] =
    /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.[^/]+\/([^:@]+)/.exec(settings.image) ?? [];
  const secrets = Object.values(settings.secrets).map((arn) => arn.split(':').slice(0, 7).join(':'));
  return [
    { actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [att('BridgeLogGroup', 'Arn')] },
    { actions: ['secretsmanager:GetSecretValue'], resources: [...new Set(secrets)] },
    ...(repository === undefined
      ? []
      : [
          {
            actions: ['BatchCheckLayerAvailability', 'BatchGetImage', 'GetDownloadUrlForLayer'].map(
              (action) => `ecr:${action}`,
            ),
            resources: [sub(`arn:\${AWS::Partition}:ecr:${region}:${account}:repository/${repository}`)],
          },
          {
            actions: ['ecr:GetAuthorizationToken'],
            resources: '*' as const,
            why: 'ECR has no resource for logging in',
          },
        ]),
  ];
}

/** Nobody comes in: ECS asks the container itself how it is. Out to AWS, and to NATS on its ports. */
function securityGroup(name: string, { settings, plan }: BridgeDeployment) {
  const ports = plan.config.nats.servers.map((server) => Number(/:(\d+)$/.exec(server)?.[1] ?? 4222));
  return {
    Type: 'AWS::EC2::SecurityGroup',
    Properties: {
      GroupDescription: `${name}: out to NATS and AWS, nothing in`,
      VpcId: settings.vpc,
      SecurityGroupEgress: [...new Set([443, ...ports])].map((port) => ({
        IpProtocol: 'tcp',
        FromPort: port,
        ToPort: port,
        CidrIp: '0.0.0.0/0',
        Description: port === 443 ? 'AWS' : 'NATS',
      })),
    },
  };
}

/** The user `nonroot` of the distroless images. */
const nobody = '65532';

function taskDefinition(name: string, { settings, plan, document }: BridgeDeployment) {
  const { port } = plan.config.http;
  const alive = `fetch('http://127.0.0.1:${port}/live').then((a) => process.exit(a.ok ? 0 : 1), () => process.exit(1))`;
  return {
    Type: 'AWS::ECS::TaskDefinition',
    Properties: {
      Family: name,
      Cpu: String(settings.cpu),
      Memory: String(settings.memoryMb),
      NetworkMode: 'awsvpc',
      RequiresCompatibilities: ['FARGATE'],
      RuntimePlatform: {
        CpuArchitecture: settings.architecture.toUpperCase(),
        OperatingSystemFamily: 'LINUX',
      },
      TaskRoleArn: att('BridgeTaskRole', 'Arn'),
      ExecutionRoleArn: att('BridgeExecutionRole', 'Arn'),
      ContainerDefinitions: [
        {
          Name: 'bridge',
          Image: settings.image,
          Essential: true,
          User: nobody,
          ReadonlyRootFilesystem: true,
          LinuxParameters: { Capabilities: { Drop: ['ALL'] } },
          StopTimeout: stopTimeoutSeconds,
          PortMappings: [{ ContainerPort: port, Protocol: 'tcp' }],
          Environment: [
            { Name: 'AWS_REGION', Value: ref('AWS::Region') },
            { Name: 'BRIDGE_CONFIG', Value: 'env:BRIDGE_DOCUMENT' },
            { Name: 'BRIDGE_DOCUMENT', Value: document },
          ],
          Secrets: Object.entries(settings.secrets).map(([Name, ValueFrom]) => ({ Name, ValueFrom })),
          HealthCheck: {
            Command: ['CMD', '/nodejs/bin/node', '-e', alive],
            Interval: 10,
            Timeout: 5,
            Retries: 3,
            StartPeriod: 30,
          },
          LogConfiguration: {
            LogDriver: 'awslogs',
            Options: {
              'awslogs-group': ref('BridgeLogGroup'),
              'awslogs-region': ref('AWS::Region'),
              'awslogs-stream-prefix': 'bridge',
              // CloudWatch Logs being slow must not stop messages.
              mode: 'non-blocking',
              'max-buffer-size': '25m',
            },
          },
        } satisfies Cfn,
      ],
    },
  };
}

/**
 * Without a desired count: a stack update would set it back from where autoscaling had it. New tasks first,
 * then the old ones drain; a deployment whose tasks do not stay up is taken back by ECS.
 */
function service(name: string, { settings }: BridgeDeployment) {
  return {
    Type: 'AWS::ECS::Service',
    Properties: {
      ServiceName: name,
      Cluster: ref('BridgeCluster'),
      TaskDefinition: ref('BridgeTask'),
      LaunchType: 'FARGATE',
      DeploymentConfiguration: {
        MinimumHealthyPercent: 100,
        MaximumPercent: 200,
        DeploymentCircuitBreaker: { Enable: true, Rollback: true },
      },
      NetworkConfiguration: {
        AwsvpcConfiguration: {
          AssignPublicIp: 'DISABLED',
          Subnets: settings.subnets,
          SecurityGroups: [att('BridgeSecurityGroup', 'GroupId'), ...settings.securityGroups],
        },
      },
      PropagateTags: 'SERVICE',
    },
  };
}
