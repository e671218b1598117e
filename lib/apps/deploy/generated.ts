/**
 * Everything of the template that follows from a table or from the configuration: what `${switchback:…}`
 * answers.
 */

import { accountRules } from './accountRules.ts';
import { bridgeResources } from './bridge.ts';
import { burnAlarms } from './burnAlarms.ts';
import { att, type Cfn, type Resources, ref } from './cloudFormation.ts';
import { controllerAlarms } from './controllerAlarms.ts';
import { dashboard } from './dashboard.ts';
import type { Deployment } from './deployment.ts';
import { eventBusResources } from './eventBus.ts';
import { lambdas } from './lambdas.ts';
import { machineId, machineResources, machines } from './machines.ts';
import { notificationResources } from './notifications.ts';
import { roles } from './roles.ts';
import { triggerResources } from './triggers.ts';

export function generated(deployment: Deployment) {
  const Resources: Resources = {
    ...roles(deployment),
    ...machineResources(deployment),
    ...eventBusResources(deployment),
    ...triggerResources(deployment),
    ...accountRules(deployment),
    ...burnAlarms(deployment),
    ...controllerAlarms(deployment),
    ...dashboard(deployment),
    ...notificationResources(deployment),
    ...bridgeResources(deployment),
  };
  return {
    stage: deployment.stage,
    functions: lambdas(deployment),
    resources: { Resources, Outputs: outputs() },
  };
}

/** What a person, a pipeline or the smoke check needs to find the stage by. */
function outputs(): Readonly<Record<string, Cfn>> {
  const output = (Description: string, Value: Cfn): Cfn => ({ Description, Value });
  return {
    EventTableName: output('The record.', ref('EventTable')),
    EventBusName: output('Where requests go.', ref('EventBus')),
    AlarmTopicArn: output('For alarms that come by SNS.', ref('AlarmTopic')),
    NotificationTopicArn: output('What people are told.', ref('NotificationTopic')),
    AlarmQueueUrl: output('Alarms wait here for on-alarm.', ref('AlarmQueue')),
    IntentQueueUrl: output('Decisions wait here for the event store.', ref('IntentQueue')),
    DeadLettersUrl: output('What could not be dealt with.', ref('DeadLetters')),
    ControllerKeyArn: output('Encrypts the record and the notifications.', att('ControllerKey', 'Arn')),
    ...Object.fromEntries(
      machines.map(({ name }) => [
        `${machineId(name)}Arn`,
        output(`The ${name} machine, by its live alias.`, ref(`${machineId(name)}Live`)),
      ]),
    ),
  };
}
