/** What CreateService and UpdateService accept. */
import type { CreateServiceCommandInput, UpdateServiceCommandInput } from '@aws-sdk/client-ecs';
import type { TargetRegistry } from '../elb/targets.ts';
import { ServiceError } from '../service.ts';
import type { Definition, ServiceRecord } from './ecsState.ts';

type Given = CreateServiceCommandInput | UpdateServiceCommandInput;

/** What nothing here obeys. */
const NOT_EMULATED = [
  'serviceConnectConfiguration',
  'volumeConfigurations',
  'vpcLatticeConfigurations',
  'gatewayConnectors',
  'monitoring',
];

/** `before` changed by what `given` says. @throws ServiceError `InvalidParameterException` */
export function serviceSettings(
  given: Given,
  before: ServiceRecord['settings'] | null,
  definition: Definition,
  registry: TargetRegistry,
): ServiceRecord['settings'] {
  for (const [name, value] of Object.entries(given))
    if (value !== undefined && NOT_EMULATED.includes(name))
      throw refuse(`${name} is not emulated by the local cloud.`);
  const controller = given.deploymentController?.type ?? 'ECS';
  if (controller !== 'ECS')
    throw refuse(`The deployment controller ${controller} is not emulated by the local cloud.`);
  const desired = given.desiredCount;
  if (desired !== undefined && (!Number.isInteger(desired) || desired < 0))
    throw refuse('desiredCount must not be negative.');
  const settings: ServiceRecord['settings'] = {
    loadBalancers: given.loadBalancers ?? before?.loadBalancers ?? [],
    deployment: {
      maximumPercent: 200,
      minimumHealthyPercent: 100,
      strategy: 'ROLLING',
      ...before?.deployment,
      ...given.deploymentConfiguration,
    },
    gracePeriodSeconds: given.healthCheckGracePeriodSeconds ?? before?.gracePeriodSeconds ?? 0,
    network: given.networkConfiguration ?? before?.network,
    propagateTags: given.propagateTags ?? before?.propagateTags,
  };
  checkDeployment(settings.deployment);
  for (const balancer of settings.loadBalancers) checkBalancer(balancer, definition, registry);
  return settings;
}

function checkDeployment(deployment: ServiceRecord['settings']['deployment']): void {
  const { strategy, alarms, minimumHealthyPercent: least = 100, maximumPercent: most = 200 } = deployment;
  if (strategy !== 'ROLLING')
    throw refuse(`The deployment strategy ${strategy} is not emulated by the local cloud.`);
  if (alarms?.enable) throw refuse('Deployment alarms are not emulated by the local cloud.');
  if (least < 0 || least > 100) throw refuse('minimumHealthyPercent must be between 0 and 100.');
  if (most < 100 || most > 200) throw refuse('maximumPercent must be between 100 and 200.');
  if (least === 100 && most === 100)
    throw refuse('With minimumHealthyPercent 100 and maximumPercent 100 no task could ever be replaced.');
}

function checkBalancer(
  balancer: ServiceRecord['settings']['loadBalancers'][number],
  definition: Definition,
  registry: TargetRegistry,
): void {
  const { targetGroupArn = '', containerName, containerPort } = balancer;
  if (!registry.exists(targetGroupArn))
    throw refuse(`The specified target group does not exist: ${targetGroupArn}.`);
  if (!registry.inUse(targetGroupArn))
    throw refuse(
      `The target group with targetGroupArn ${targetGroupArn} does not have an associated load balancer.`,
    );
  const container = definition.wire.containerDefinitions?.find(({ name }) => name === containerName);
  if (!container) throw refuse(`The container ${containerName} does not exist in the task definition.`);
  if (!container.portMappings?.some((mapping) => mapping.containerPort === containerPort))
    throw refuse(`The container ${containerName} did not have a container port ${containerPort} defined.`);
}

const refuse = (message: string): ServiceError => new ServiceError('InvalidParameterException', message);
