/** The second durable tier: a FIFO queue, one group per stream, each stream's command kept once. */
import { createHash } from 'node:crypto';
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
        // Deduplication knows no groups: one alarm about two services is two intents.
        MessageDeduplicationId: createHash('sha256')
          .update(`${intent.stream}\n${intent.commandId}`)
          .digest('hex'),
      });
      await answered('SendMessage of an intent', client.send(command));
    },
  };
}

/** A group's id holds 128 characters of this alphabet. */
const printable = (id: string): string =>
  id.replace(/[^\w!"#$%&'()*+,\-./:;<=>?@[\\\]^`{|}~]/g, '-').slice(-128);
