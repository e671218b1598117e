import {
  BatchEntryIdsNotDistinct,
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListDeadLetterSourceQueuesCommand,
  ListQueuesCommand,
  PurgeQueueCommand,
  PurgeQueueInProgress,
  QueueDoesNotExist,
  QueueNameExists,
  ReceiptHandleIsInvalid,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SendMessageCommandInput,
  SQSClient,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../lib/asl/clock.ts';
import { Bus } from '../../../lib/local/bus.ts';
import { type Endpoint, startEndpoint } from '../../../lib/local/endpoint.ts';
import { Queues } from '../../../lib/local/sqs/queues.ts';
import { sqsService } from '../../../lib/local/sqs/sqsService.ts';
import { awsCli, awsCliJson } from './awsCli.ts';

let clock: VirtualClock;
let queues: Queues;
let endpoint: Endpoint;
let sqs: SQSClient;
beforeEach(async () => {
  clock = new VirtualClock();
  queues = new Queues({ clock, bus: new Bus() });
  endpoint = await startEndpoint({ services: [sqsService(queues, clock)], clock });
  sqs = new SQSClient({ endpoint: endpoint.url, region: 'eu-west-1', maxAttempts: 1 });
});
afterEach(() => endpoint.close());

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error) => error,
  );
const create = async (name: string, Attributes: Record<string, string> = {}) =>
  (await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes }))).QueueUrl as string;
const send = (QueueUrl: string, MessageBody: string, more: Partial<SendMessageCommandInput> = {}) =>
  sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, ...more }));
const receive = async (QueueUrl: string, more: Partial<ReceiveMessageCommandInput> = {}) =>
  (await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, ...more }))).Messages ?? [];
const bodies = async (url: string) => (await receive(url)).map((message) => message.Body);

describe('a standard queue', () => {
  it('hides a message while it is in flight and shows it again with its count', async () => {
    const url = await create('q', { VisibilityTimeout: '10' });
    await send(url, 'hello', { MessageAttributes: { kind: { DataType: 'String', StringValue: 'x' } } });
    const [first] = await receive(url, {
      MessageSystemAttributeNames: ['All'],
      MessageAttributeNames: ['All'],
    });
    expect(first).toMatchObject({
      Body: 'hello',
      Attributes: { ApproximateReceiveCount: '1', SentTimestamp: String(clock.now()) },
      MessageAttributes: { kind: { DataType: 'String', StringValue: 'x' } },
    });
    expect(await receive(url)).toEqual([]);
    await clock.advance(10_000);
    const [again] = await receive(url, { MessageSystemAttributeNames: ['ApproximateReceiveCount'] });
    expect(again?.Attributes).toEqual({ ApproximateReceiveCount: '2' });
    await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: again?.ReceiptHandle }));
    await clock.advance(60_000);
    expect(await receive(url)).toEqual([]);
  });

  it('holds a delayed message back', async () => {
    const url = await create('q');
    await send(url, 'later', { DelaySeconds: 5 });
    expect(await receive(url)).toEqual([]);
    await clock.advance(5_000);
    expect(await bodies(url)).toEqual(['later']);
  });

  it('counts what is visible, in flight and delayed', async () => {
    const url = await create('q');
    await send(url, 'a');
    await send(url, 'b');
    await send(url, 'c', { DelaySeconds: 60 });
    await receive(url, { MaxNumberOfMessages: 1 });
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] }),
    );
    expect(Attributes).toMatchObject({
      ApproximateNumberOfMessages: '1',
      ApproximateNumberOfMessagesNotVisible: '1',
      ApproximateNumberOfMessagesDelayed: '1',
      QueueArn: 'arn:aws:sqs:eu-west-1:000000000000:q',
      VisibilityTimeout: '30',
      MaximumMessageSize: '1048576',
    });
  });

  it('makes a message visible at once when its visibility is set to nothing', async () => {
    const url = await create('q');
    await send(url, 'a');
    const [message] = await receive(url);
    const handle = { QueueUrl: url, ReceiptHandle: message?.ReceiptHandle };
    await sqs.send(new ChangeMessageVisibilityCommand({ ...handle, VisibilityTimeout: 0 }));
    expect(await bodies(url)).toEqual(['a']);
  });

  it('answers a long poll as soon as a message arrives', async () => {
    const queue = queues.create('q', {}, { region: 'eu-west-1', account: '000000000000' });
    const waiting = queue.receive({ max: 10, waitSeconds: 20 });
    await clock.advance(3_000);
    queue.send({ body: 'now' });
    expect((await waiting).map(({ message }) => message.body)).toEqual(['now']);
  });

  it('answers a long poll when a hidden message comes back, and with nothing when its time is up', async () => {
    const queue = queues.create(
      'q',
      { VisibilityTimeout: '7' },
      { region: 'eu-west-1', account: '000000000000' },
    );
    queue.send({ body: 'slow' });
    await queue.receive({ max: 1 });
    const waiting = queue.receive({ max: 1, waitSeconds: 20 });
    await clock.advance(7_000);
    expect((await waiting)[0]?.message.receiveCount).toBe(2);
    const empty = queue.receive({ max: 1, waitSeconds: 2 });
    await clock.advance(2_000);
    expect(await empty).toEqual([]);
  });

  it('gives no message to a caller that hung up while it waited', async () => {
    const queue = queues.create('q', {}, { region: 'eu-west-1', account: '000000000000' });
    const caller = new AbortController();
    const waiting = queue.receive({ max: 1, waitSeconds: 20 }, caller.signal);
    caller.abort();
    expect(await waiting).toEqual([]);
    queue.send({ body: 'kept' });
    expect(queue.counts()).toEqual({ visible: 1, inFlight: 0, delayed: 0 });
  });

  it('forgets a message after its retention period', async () => {
    const url = await create('q', { MessageRetentionPeriod: '60' });
    await send(url, 'old');
    await clock.advance(60_000);
    expect(await receive(url)).toEqual([]);
  });

  it('sends and deletes ten at a time, and judges each entry for itself', async () => {
    const url = await create('q', { MaximumMessageSize: '1024' });
    const Entries = Array.from({ length: 10 }, (_, index) => ({
      Id: `m${index}`,
      MessageBody: index === 3 ? 'x'.repeat(1025) : `body ${index}`,
    }));
    const { Successful, Failed } = await sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
    expect(Successful).toHaveLength(9);
    expect(Failed).toMatchObject([{ Id: 'm3', SenderFault: true, Code: 'InvalidParameterValue' }]);
    const received = await receive(url);
    const deleted = await sqs.send(
      new DeleteMessageBatchCommand({
        QueueUrl: url,
        Entries: received.map(({ ReceiptHandle }, index) => ({ Id: `${index}`, ReceiptHandle })),
      }),
    );
    expect(deleted.Successful).toHaveLength(9);
    expect(queues.byUrl(url).size).toBe(0);
  });

  it('refuses what AWS refuses, under the same names', async () => {
    const url = await create('q');
    const batch = (Entries: { Id: string; MessageBody: string }[]) =>
      failureOf(sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries })));
    const entry = (Id: string, bytes = 1) => ({ Id, MessageBody: 'x'.repeat(bytes) });
    expect(await failureOf(send(`${endpoint.url}/0/none`, 'x'))).toBeInstanceOf(QueueDoesNotExist);
    expect(await failureOf(create('q', { DelaySeconds: '3' }))).toBeInstanceOf(QueueNameExists);
    expect(await batch([entry('a'), entry('a')])).toBeInstanceOf(BatchEntryIdsNotDistinct);
    expect((await batch(Array.from({ length: 11 }, (_, i) => entry(`${i}`)))).name).toBe(
      'TooManyEntriesInBatchRequest',
    );
    expect((await batch([entry('a', 524_288), entry('b', 524_289)])).name).toBe('BatchRequestTooLong');
    expect((await failureOf(send(url, 'x'.repeat(1_048_577)))).message).toContain(
      'must be shorter than 1048576 bytes',
    );
    expect((await failureOf(send(url, '\u0001'))).name).toBe('InvalidMessageContents');
    const forged = sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: 'forged' }));
    expect(await failureOf(forged)).toBeInstanceOf(ReceiptHandleIsInvalid);
    expect((await failureOf(create('r', { VisibilityTimeout: '43201' }))).name).toBe('InvalidAttributeValue');
    expect((await failureOf(receive(url, { MaxNumberOfMessages: 11 }))).name).toBe('InvalidParameterValue');
  });

  it('purges, but not twice within a minute', async () => {
    const url = await create('q');
    await send(url, 'a');
    await sqs.send(new PurgeQueueCommand({ QueueUrl: url }));
    expect(await receive(url)).toEqual([]);
    expect(await failureOf(sqs.send(new PurgeQueueCommand({ QueueUrl: url })))).toBeInstanceOf(
      PurgeQueueInProgress,
    );
  });
});

describe('a dead-letter queue', () => {
  it('gets a message that was received too often, and gives it back on request', async () => {
    const dead = await create('dead');
    const RedrivePolicy = JSON.stringify({
      deadLetterTargetArn: queues.byName('dead').arn,
      maxReceiveCount: 2,
    });
    const url = await create('q', { VisibilityTimeout: '1', RedrivePolicy });
    const { MessageId } = await send(url, 'poison');
    for (let times = 0; times < 2; times++) {
      expect(await bodies(url)).toEqual(['poison']);
      await clock.advance(1_000);
    }
    expect(await receive(url)).toEqual([]);
    const [message] = await receive(dead, { MessageSystemAttributeNames: ['DeadLetterQueueSourceArn'] });
    expect(message).toMatchObject({
      MessageId,
      Attributes: { DeadLetterQueueSourceArn: queues.byName('q').arn },
    });
    const sources = await sqs.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl: dead }));
    expect(sources.queueUrls).toEqual([url]);
    await sqs.send(new StartMessageMoveTaskCommand({ SourceArn: queues.byName('dead').arn }));
    expect(await bodies(url)).toEqual(['poison']);
  });
});

describe('a FIFO queue', () => {
  const group = (id: string, dedup: string) => ({ MessageGroupId: id, MessageDeduplicationId: dedup });

  it('holds a group back while an earlier message of it is in flight, and lets other groups pass', async () => {
    const url = await create('q.fifo', { FifoQueue: 'true' });
    await send(url, 'a1', group('a', '1'));
    await send(url, 'a2', group('a', '2'));
    await send(url, 'b1', group('b', '3'));
    const [first] = await receive(url, { MaxNumberOfMessages: 1 });
    expect(first?.Body).toBe('a1');
    expect(await bodies(url)).toEqual(['b1']);
    await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: first?.ReceiptHandle }));
    expect(await bodies(url)).toEqual(['a2']);
  });

  it('takes a repeated message once within five minutes and answers the first id', async () => {
    const url = await create('q.fifo', { FifoQueue: 'true', ContentBasedDeduplication: 'true' });
    const first = await send(url, 'same', { MessageGroupId: 'g' });
    const second = await send(url, 'same', { MessageGroupId: 'g' });
    expect(second.MessageId).toBe(first.MessageId);
    expect(second.SequenceNumber).toBe(first.SequenceNumber);
    expect(queues.byUrl(url).size).toBe(1);
    await clock.advance(300_000);
    const third = await send(url, 'same', { MessageGroupId: 'g' });
    expect(third.MessageId).not.toBe(first.MessageId);
  });

  it('needs a group and a deduplication id', async () => {
    const url = await create('q.fifo', { FifoQueue: 'true' });
    expect((await failureOf(send(url, 'x'))).name).toBe('MissingParameter');
    expect((await failureOf(send(url, 'x', { MessageGroupId: 'g' }))).name).toBe('InvalidParameterValue');
    expect((await failureOf(create('q2.fifo'))).name).toBe('InvalidParameterValue');
  });
});

describe('awscli', () => {
  it('creates a queue, sends with attributes, receives and deletes', async () => {
    const { QueueUrl } = await awsCliJson(
      endpoint.url,
      ...[
        'sqs',
        'create-queue',
        '--queue-name',
        'from-cli',
        '--attributes',
        'VisibilityTimeout=5,DelaySeconds=0',
      ],
    );
    const { MessageId } = await awsCliJson(
      endpoint.url,
      ...['sqs', 'send-message', '--queue-url', QueueUrl, '--message-body', 'a & b'],
      ...['--message-attributes', '{"kind":{"DataType":"String","StringValue":"x"}}'],
    );
    const { Messages } = await awsCliJson(
      endpoint.url,
      ...[
        'sqs',
        'receive-message',
        '--queue-url',
        QueueUrl,
        '--message-attribute-names',
        'All',
        '--attribute-names',
        'All',
      ],
    );
    expect(Messages).toMatchObject([
      { MessageId, Body: 'a & b', MessageAttributes: { kind: { StringValue: 'x' } } },
    ]);
    expect(Messages[0].Attributes.ApproximateReceiveCount).toBe('1');
    const [deleted, unknown] = await Promise.all([
      awsCli(
        endpoint.url,
        'sqs',
        'delete-message',
        '--queue-url',
        QueueUrl,
        '--receipt-handle',
        Messages[0].ReceiptHandle,
      ),
      awsCli(endpoint.url, 'sqs', 'get-queue-url', '--queue-name', 'nothing'),
    ]);
    expect(deleted).toMatchObject({ code: 0, stderr: '' });
    expect(unknown.stderr).toContain('AWS.SimpleQueueService.NonExistentQueue');
    const found = await sqs.send(new ListQueuesCommand({ QueueNamePrefix: 'from' }));
    expect(found.QueueUrls).toEqual([QueueUrl]);
    expect((await sqs.send(new GetQueueUrlCommand({ QueueName: 'from-cli' }))).QueueUrl).toBe(QueueUrl);
  });
});
