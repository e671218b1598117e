/** Messages for people on an SNS topic; attributes let each subscriber filter. */
import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import type { Notifications } from '../ports.ts';
import { answered } from './answered.ts';

export function snsNotifications(client: SNSClient, topicArn: string): Notifications {
  return {
    async notify({ subject, body, attributes }) {
      const command = new PublishCommand({
        TopicArn: topicArn,
        // A subject holds printable ASCII.
        Subject: subject.replace(/[^\x20-\x7e]/g, '?'),
        Message: JSON.stringify(body, null, 2),
        MessageAttributes: Object.fromEntries(
          Object.entries(attributes).map(([name, StringValue]) => [
            name,
            { DataType: 'String', StringValue },
          ]),
        ),
      });
      await answered('Publish of a notification', client.send(command));
    },
  };
}
