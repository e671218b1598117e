/** The table in functions.ts as osls wants its functions. */
import { type Cfn, localArn, ref, roleId } from './cloudFormation.ts';
import { type Deployment, liveAlias, machineName, prefixOf } from './deployment.ts';
import { type DeployedFunction, deployedFunctions, type EnvironmentName } from './functions.ts';
import { rights } from './rights.ts';

export function lambdas(deployment: Deployment): Readonly<Record<string, Cfn>> {
  return Object.fromEntries(
    Object.entries(deployedFunctions).map(([verb, deployed]) => [verb, lambda(verb, deployed, deployment)]),
  );
}

function lambda(verb: string, deployed: DeployedFunction, deployment: Deployment): Cfn {
  const { timeoutSeconds, memoryMegabytes = 512, environment, purpose, reserved } = deployed;
  const { alarmConcurrency } = deployment.stage;
  return {
    name: `${prefixOf(deployment)}-${verb}`,
    description: purpose,
    handler: `${deployment.dist}/${verb}/index.handler`,
    package: { patterns: [`${deployment.dist}/${verb}/index.mjs`] },
    role: roleId(verb),
    timeout: timeoutSeconds,
    memorySize: memoryMegabytes,
    environment: {
      ...Object.fromEntries(environment.map((name) => [name, environmentValue(name, deployment)])),
      ...(deployed.rights.includes(rights.layers) ? deployment.variables : {}),
    },
    ...(reserved === undefined || alarmConcurrency === null ? {} : { reservedConcurrency: alarmConcurrency }),
  };
}

function environmentValue(name: EnvironmentName, deployment: Deployment): Cfn {
  switch (name) {
    case 'EVENT_TABLE':
      return ref('EventTable');
    case 'EVENT_BUS':
      return ref('EventBus');
    case 'TOPIC':
      return ref('NotificationTopic');
    case 'INTENT_QUEUE':
      return ref('IntentQueue');
    // Built, not referred to: a machine refers to its functions, and this may be one of them.
    case 'ROLLOUT_MACHINE':
      return localArn('states', `stateMachine:${machineName(deployment, 'rollout')}:${liveAlias}`);
    case 'ROLLBACK_MACHINE':
      return localArn('states', `stateMachine:${machineName(deployment, 'rollback')}:${liveAlias}`);
    case 'MIGRATION_MACHINE':
      return localArn('states', `stateMachine:${machineName(deployment, 'migration')}:${liveAlias}`);
    case 'STAGE':
      return deployment.stage.name;
  }
}
