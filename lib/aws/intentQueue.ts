/** The second durable tier: a FIFO queue, one group per stream, the command id as deduplication id. */
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { IntentQueue } from '../ports.ts';
import { answered } from './answered.ts';

export function sqsIntentQueue(client: SQSClient, queueUrl: string): IntentQueue {
  return {
    async send(intent) {
      const command = new SendMessageCommand({
        QueueUrl: queueUrl,
        MessageBody: JSON.stringify(intent),
        MessageGroupId: printable(intent.stream),
        MessageDeduplicationId: printable(intent.commandId),
      });
      await answered('SendMessage of an intent', client.send(command));
    },
  };
}

/** Both ids hold 128 characters of this alphabet. */
const printable = (id: string): string =>
  id.replace(/[^\w!"#$%&'()*+,\-./:;<=>?@[\\\]^`{|}~]/g, '-').slice(-128);
