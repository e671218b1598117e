/** Who is told what: subscriptions of the notification topic, filtered by the attributes of each message. */
import { dynamicReference } from '../../core/config/reference.ts';
import { type Cfn, type Resources, ref } from './cloudFormation.ts';
import type { Deployment } from './deployment.ts';

export function notificationResources({ configuration, stage }: Deployment): Resources {
  const wanted = configuration.deployment.notifications.filter(
    ({ stages }) => stages === undefined || stages.includes(stage.name),
  );
  return Object.fromEntries(
    wanted.map(({ protocol, endpoint, urgency, services }, index) => {
      const filter: Record<string, Cfn> = {
        ...(urgency === undefined ? {} : { urgency: [urgency] }),
        ...(services === undefined ? {} : { service: services }),
      };
      return [
        `Notification${index + 1}`,
        {
          Type: 'AWS::SNS::Subscription',
          Properties: {
            TopicArn: ref('NotificationTopic'),
            Protocol: protocol,
            Endpoint: dynamicReference(endpoint),
            ...(Object.keys(filter).length === 0 ? {} : { FilterPolicy: filter }),
          },
        },
      ];
    }),
  );
}
