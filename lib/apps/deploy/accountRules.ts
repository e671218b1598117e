/**
 * What the account says of itself, to our queues: changes of the configured alarms, tasks that fail and
 * deployments of the configured services. Nobody else's events wake anything.
 */
import { att, type Cfn, type Resources } from './cloudFormation.ts';
import { type Deployment, prefixOf } from './deployment.ts';
import type { QueueId } from './functions.ts';
import { ecsServices } from './targets.ts';

/** EventBridge takes patterns of 2,048 characters; what stands around the names takes 200. */
const patternCharactersMax = 1800;

export function accountRules(deployment: Deployment): Resources {
  const { services } = deployment.configuration;
  const alarms = services.flatMap((service) => service.alarms.map(({ name }) => name));
  const tasks = services.flatMap(({ target }) => ecsServices(target).map(({ name }) => `service:${name}`));
  const deployments = services.flatMap(({ target }) =>
    ecsServices(target).map(({ cluster, name }) => ({ suffix: `:service/${cluster}/${name}` })),
  );
  const groups = services.flatMap(({ codeDeploy }) =>
    codeDeploy.map(({ application, deploymentGroup }) => ({
      suffix: `:deploymentgroup:${application}/${deploymentGroup}`,
    })),
  );
  return {
    ...rules(deployment, 'alarms', 'AlarmQueue', alarms, (alarmName) => ({
      source: ['aws.cloudwatch'],
      'detail-type': ['CloudWatch Alarm State Change'],
      detail: { alarmName },
    })),
    ...rules(deployment, 'tasks', 'DeploymentQueue', tasks, (group) => ({
      source: ['aws.ecs'],
      'detail-type': ['ECS Task State Change'],
      detail: { group, $or: [{ lastStatus: ['STOPPED'] }, { healthStatus: ['UNHEALTHY'] }] },
    })),
    ...rules(deployment, 'deployments', 'DeploymentQueue', deployments, (resources) => ({
      source: ['aws.ecs'],
      'detail-type': ['ECS Deployment State Change'],
      resources,
      detail: { eventName: ['SERVICE_DEPLOYMENT_IN_PROGRESS', 'SERVICE_DEPLOYMENT_FAILED'] },
    })),
    ...rules(deployment, 'codedeploy', 'DeploymentQueue', groups, (resources) => ({
      source: ['aws.codedeploy'],
      'detail-type': ['CodeDeploy Deployment State-change Notification'],
      resources,
      detail: { state: ['FAILURE', 'STOP'] },
    })),
  };
}

/** As many rules as the names need; none for none. */
function rules<T extends Cfn>(
  deployment: Deployment,
  word: string,
  queue: QueueId,
  names: readonly T[],
  pattern: (names: readonly T[]) => Cfn,
): Resources {
  return Object.fromEntries(
    chunks(names).map((chunk, index) => [
      `${word.replace(/^./, (letter) => letter.toUpperCase())}Rule${index + 1}`,
      {
        Type: 'AWS::Events::Rule',
        Properties: {
          Name: `${prefixOf(deployment)}-${word}-${index + 1}`,
          State: 'ENABLED',
          EventPattern: pattern(chunk),
          Targets: [
            {
              Id: 'queue',
              Arn: att(queue, 'Arn'),
              RetryPolicy: { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 },
              DeadLetterConfig: { Arn: att('DeadLetters', 'Arn') },
            },
          ],
        },
      },
    ]),
  );
}

function chunks<T extends Cfn>(names: readonly T[]): readonly T[][] {
  const made: T[][] = [];
  let left = 0;
  for (const name of new Map(names.map((one) => [JSON.stringify(one), one])).values()) {
    const length = JSON.stringify(name).length + 1;
    if (left < length) {
      made.push([]);
      left = patternCharactersMax;
    }
    made.at(-1)?.push(name);
    left -= length;
  }
  return made;
}
