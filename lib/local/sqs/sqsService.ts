/** Amazon SQS as its clients see it. */
import * as sdk from '@aws-sdk/client-sqs';
import type { Clock } from '../../asl/clock.ts';
import { pageOf } from '../page.ts';
import { type LocalService, type RequestContext, ServiceError } from '../service.ts';
import { batchOf } from './batch.ts';
import { attributesDigest, md5 } from './digest.ts';
import { type Message, messageBytes, type NewMessage, type Received } from './message.ts';
import type { Queue } from './queue.ts';
import { messageBytesMax, withDefaults } from './queueAttributes.ts';
import type { Queues } from './queues.ts';

/** In flight at most, standard and FIFO (SQS developer guide, "Amazon SQS message quotas"). */
const inFlightMax = { standard: 120_000, fifo: 20_000 };
/** PurgeQueue is refused while an earlier one runs: up to a minute. */
const purgeMs = 60_000;
/** The characters XML 1.0 can carry; SQS refuses all others. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: those three are allowed
const legalText = /^[\u0009\u000A\u000D\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]*$/u;

type Sending = sdk.SendMessageCommandInput | sdk.SendMessageBatchRequestEntry;

export function sqsService(queues: Queues, clock: Clock): LocalService {
  return {
    scope: 'sqs',
    sdk,
    operations: { ...queueOperations(queues, clock), ...messageOperations(queues) },
    close: async () => queues.close(),
  };
}

function queueOperations(queues: Queues, clock: Clock): LocalService['operations'] {
  const urlOf = (queue: Queue, { endpoint, account }: RequestContext) =>
    `${endpoint}/${account}/${queue.name}`;
  return {
    CreateQueue(input: sdk.CreateQueueCommandInput, context) {
      const queue = queues.create(input.QueueName as string, input.Attributes ?? {}, context);
      if (input.tags !== undefined) queue.tags = input.tags;
      return { QueueUrl: urlOf(queue, context) };
    },
    DeleteQueue: ({ QueueUrl }) => queues.remove(queues.byUrl(QueueUrl)),
    GetQueueUrl: ({ QueueName }, context) => ({ QueueUrl: urlOf(queues.byName(QueueName), context) }),
    ListQueues({ QueueNamePrefix = '', MaxResults, NextToken }: sdk.ListQueuesCommandInput, context) {
      const found = queues.all.filter(({ name }) => name.startsWith(QueueNamePrefix));
      const page = pageOf(found, MaxResults ?? 1_000, NextToken);
      if (page === null) throw new ServiceError('InvalidParameterValue', 'Invalid NextToken value.');
      return { QueueUrls: page.items.map((queue) => urlOf(queue, context)), NextToken: page.next };
    },
    GetQueueAttributes({ QueueUrl, AttributeNames = [] }: { QueueUrl: string; AttributeNames?: string[] }) {
      const all = attributesOf(queues.byUrl(QueueUrl));
      const wanted = AttributeNames.includes('All') ? Object.keys(all) : AttributeNames;
      const entries = wanted.flatMap((name) => (all[name] === undefined ? [] : [[name, all[name]]]));
      return { Attributes: entries.length === 0 ? undefined : Object.fromEntries(entries) };
    },
    SetQueueAttributes: ({ QueueUrl, Attributes }) => queues.configure(queues.byUrl(QueueUrl), Attributes),
    PurgeQueue({ QueueUrl }) {
      const queue = queues.byUrl(QueueUrl);
      if (clock.now() - queue.purgedAt < purgeMs) {
        throw new ServiceError(
          'PurgeQueueInProgress',
          'Only one PurgeQueue operation is allowed every 60 seconds.',
        );
      }
      queue.purge();
    },
    TagQueue({ QueueUrl, Tags }) {
      const queue = queues.byUrl(QueueUrl);
      queue.tags = { ...queue.tags, ...Tags };
    },
    UntagQueue({ QueueUrl, TagKeys }) {
      const queue = queues.byUrl(QueueUrl);
      queue.tags = Object.fromEntries(Object.entries(queue.tags).filter(([key]) => !TagKeys.includes(key)));
    },
    ListQueueTags: ({ QueueUrl }) => ({ Tags: queues.byUrl(QueueUrl).tags }),
    ListDeadLetterSourceQueues: ({ QueueUrl }, context) => ({
      queueUrls: queues.sourcesOf(queues.byUrl(QueueUrl)).map((queue) => urlOf(queue, context)),
    }),
    StartMessageMoveTask({ SourceArn, DestinationArn }) {
      const moved = queues.redrive(
        queues.byArn(SourceArn),
        DestinationArn === undefined ? null : queues.byArn(DestinationArn),
      );
      return { TaskHandle: Buffer.from(`${SourceArn}#${moved}`).toString('base64') };
    },
  };
}

function messageOperations(queues: Queues): LocalService['operations'] {
  return {
    SendMessage(input: sdk.SendMessageCommandInput, context) {
      const { message, digests } = send(queues.byUrl(input.QueueUrl as string), input, context);
      return { MessageId: message.id, SequenceNumber: message.sequenceNumber, ...digests };
    },
    SendMessageBatch({ QueueUrl, Entries }: sdk.SendMessageBatchCommandInput, context) {
      const queue = queues.byUrl(QueueUrl as string);
      const bytes = (Entries ?? []).reduce((sum, entry) => sum + messageBytes(newMessage(entry, context)), 0);
      if (bytes > messageBytesMax) {
        const sentence = `Batch requests cannot be longer than ${messageBytesMax} bytes.`;
        throw new ServiceError('BatchRequestTooLong', `${sentence} You have sent ${bytes} bytes.`);
      }
      return batchOf(Entries ?? [], (entry) => {
        const { message, digests } = send(queue, entry, context);
        return { MessageId: message.id, SequenceNumber: message.sequenceNumber, ...digests };
      });
    },
    async ReceiveMessage(input: sdk.ReceiveMessageCommandInput, { signal }) {
      const queue = queues.byUrl(input.QueueUrl as string);
      const max = input.MaxNumberOfMessages ?? 1;
      if (max < 1 || max > 10) {
        throw new ServiceError(
          'InvalidParameterValue',
          `MaxNumberOfMessages must be between 1 and 10, if provided: ${max}`,
        );
      }
      const limit = inFlightMax[queue.fifo ? 'fifo' : 'standard'];
      if (queue.size >= limit && queue.counts().inFlight >= limit) {
        throw new ServiceError('OverLimit', 'Too many messages in flight', 403);
      }
      const options = { max, visibilitySeconds: input.VisibilityTimeout, waitSeconds: input.WaitTimeSeconds };
      const received = await queue.receive(options, signal);
      return { Messages: received.length === 0 ? undefined : received.map((one) => asReceived(one, input)) };
    },
    DeleteMessage: ({ QueueUrl, ReceiptHandle }) => queues.byUrl(QueueUrl).delete(ReceiptHandle),
    DeleteMessageBatch({ QueueUrl, Entries }: sdk.DeleteMessageBatchCommandInput) {
      const queue = queues.byUrl(QueueUrl as string);
      return batchOf(Entries ?? [], ({ ReceiptHandle }) => {
        queue.delete(ReceiptHandle as string);
        return {};
      });
    },
    ChangeMessageVisibility: ({ QueueUrl, ReceiptHandle, VisibilityTimeout }) =>
      queues.byUrl(QueueUrl).changeVisibility(ReceiptHandle, VisibilityTimeout),
    ChangeMessageVisibilityBatch({ QueueUrl, Entries }: sdk.ChangeMessageVisibilityBatchCommandInput) {
      const queue = queues.byUrl(QueueUrl as string);
      return batchOf(Entries ?? [], ({ ReceiptHandle, VisibilityTimeout }) => {
        queue.changeVisibility(ReceiptHandle as string, VisibilityTimeout ?? 0);
        return {};
      });
    },
  };
}

function send(queue: Queue, input: Sending, context: RequestContext) {
  const sent = newMessage(input, context);
  const bytes = messageBytes(sent);
  if (bytes > queue.settings.messageBytesMax) {
    const reason = `Message must be shorter than ${queue.settings.messageBytesMax} bytes.`;
    throw new ServiceError('InvalidParameterValue', `One or more parameters are invalid. Reason: ${reason}`);
  }
  if (!legalText.test(sent.body)) {
    throw new ServiceError(
      'InvalidMessageContents',
      'Invalid characters found. Valid are #x9 | #xA | #xD | #x20 to #xFFFD',
    );
  }
  if (queue.fifo && sent.groupId === undefined) {
    throw new ServiceError('MissingParameter', 'The request must contain the parameter MessageGroupId.');
  }
  if (queue.fifo && sent.deduplicationId === undefined && !queue.settings.contentBasedDeduplication) {
    const either = 'The queue should either have ContentBasedDeduplication enabled or';
    throw new ServiceError('InvalidParameterValue', `${either} MessageDeduplicationId provided explicitly`);
  }
  const message = queue.send(sent);
  const digests = {
    MD5OfMessageBody: md5(message.body),
    MD5OfMessageAttributes: attributesDigest(sent.attributes ?? {}),
  };
  return { message, digests };
}

function newMessage(input: Sending, context: RequestContext): NewMessage {
  return {
    body: input.MessageBody as string,
    attributes: (input.MessageAttributes ?? {}) as NonNullable<NewMessage['attributes']>,
    traceHeader: input.MessageSystemAttributes?.AWSTraceHeader?.StringValue ?? context.traceId,
    delaySeconds: input.DelaySeconds,
    senderId: context.accessKeyId,
    groupId: input.MessageGroupId,
    deduplicationId: input.MessageDeduplicationId,
  };
}

function asReceived({ message, receiptHandle }: Received, input: sdk.ReceiveMessageCommandInput) {
  const system = systemAttributes(message);
  const wanted = [...(input.AttributeNames ?? []), ...(input.MessageSystemAttributeNames ?? [])] as string[];
  const shown = Object.entries(system).filter(([name]) => wanted.includes('All') || wanted.includes(name));
  const named = Object.entries(message.attributes).filter(([name]) =>
    isWanted(name, input.MessageAttributeNames ?? []),
  );
  const attributes = Object.fromEntries(named);
  return {
    MessageId: message.id,
    ReceiptHandle: receiptHandle,
    MD5OfBody: md5(message.body),
    Body: message.body,
    Attributes: shown.length === 0 ? undefined : Object.fromEntries(shown),
    MD5OfMessageAttributes: attributesDigest(attributes),
    MessageAttributes: named.length === 0 ? undefined : attributes,
  };
}

const isWanted = (name: string, patterns: readonly string[]) =>
  patterns.some(
    (pattern) =>
      pattern === 'All' ||
      pattern === name ||
      (pattern.endsWith('.*') && name.startsWith(pattern.slice(0, -2))),
  );

/** The attributes that SQS itself gives a message. */
export function systemAttributes(message: Message): Record<string, string> {
  const given = {
    SenderId: message.senderId,
    SentTimestamp: String(message.sentAt),
    ApproximateReceiveCount: String(message.receiveCount),
    ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt ?? message.sentAt),
    MessageGroupId: message.groupId,
    MessageDeduplicationId: message.deduplicationId,
    SequenceNumber: message.sequenceNumber,
    AWSTraceHeader: message.traceHeader,
    DeadLetterQueueSourceArn: message.deadLetterSource,
  };
  return Object.fromEntries(
    Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== null),
  );
}

function attributesOf(queue: Queue): Record<string, string> {
  const { visible, inFlight, delayed } = queue.counts();
  return {
    ...withDefaults(queue.attributes),
    QueueArn: queue.arn,
    CreatedTimestamp: String(Math.floor(queue.createdAt / 1000)),
    LastModifiedTimestamp: String(Math.floor(queue.changedAt / 1000)),
    ApproximateNumberOfMessages: String(visible),
    ApproximateNumberOfMessagesNotVisible: String(inFlight),
    ApproximateNumberOfMessagesDelayed: String(delayed),
  };
}
