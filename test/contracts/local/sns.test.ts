import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  CreateTopicCommand,
  GetTopicAttributesCommand,
  ListSubscriptionsByTopicCommand,
  NotFoundException,
  PublishBatchCommand,
  PublishCommand,
  type PublishCommandInput,
  SNSClient,
  SubscribeCommand,
} from '@aws-sdk/client-sns';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../lib/asl/clock.ts';
import { Bus, type Parcel } from '../../../lib/local/bus.ts';
import { type Endpoint, startEndpoint } from '../../../lib/local/endpoint.ts';
import { snsService } from '../../../lib/local/sns/snsService.ts';
import { Topics } from '../../../lib/local/sns/topics.ts';
import { Queues } from '../../../lib/local/sqs/queues.ts';
import { awsCliJson } from './awsCli.ts';
import { eventually } from './eventually.ts';

const place = { region: 'eu-west-1', account: '000000000000' };
let clock: VirtualClock;
let queues: Queues;
let topics: Topics;
let endpoint: Endpoint;
let sns: SNSClient;
let lambdaEvents: Parcel[];
let TopicArn: string;
beforeEach(async () => {
  clock = new VirtualClock();
  const bus = new Bus();
  queues = new Queues({ clock, bus });
  topics = new Topics({ clock, bus });
  lambdaEvents = [];
  bus.register('lambda', async (_arn, parcel) => lambdaEvents.push(parcel));
  endpoint = await startEndpoint({ services: [snsService(topics)], clock });
  sns = new SNSClient({ endpoint: endpoint.url, region: 'eu-west-1', maxAttempts: 1 });
  TopicArn = (await sns.send(new CreateTopicCommand({ Name: 'rollouts' }))).TopicArn as string;
});
afterEach(() => endpoint.close());

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error) => error,
  );
const subscribe = (
  Protocol: string,
  Endpoint: string,
  Attributes: Record<string, string> = {},
  topic = TopicArn,
) =>
  sns.send(
    new SubscribeCommand({ TopicArn: topic, Protocol, Endpoint, Attributes, ReturnSubscriptionArn: true }),
  );
const publish = (Message: string, more: Partial<PublishCommandInput> = {}) =>
  sns.send(new PublishCommand({ TopicArn, Message, ...more }));
const text = (StringValue: string) => ({ DataType: 'String', StringValue });
const bodies = async (name: string) =>
  (await queues.byName(name).receive({ max: 10 })).map(({ message }) => message.body);

describe('a topic', () => {
  it('sends its envelope to a queue, or the bare message with its attributes', async () => {
    const [wrapped, bare] = ['wrapped', 'bare'].map((name) => queues.create(name, {}, place));
    await subscribe('sqs', wrapped?.arn ?? '');
    await subscribe('sqs', bare?.arn ?? '', { RawMessageDelivery: 'true' });
    const { MessageId } = await publish('back on v1', {
      Subject: 'Rollback',
      MessageAttributes: { kind: text('rollback') },
    });
    const [envelope] = await bodies('wrapped');
    expect(JSON.parse(envelope ?? '')).toMatchObject({
      Type: 'Notification',
      MessageId,
      TopicArn,
      Subject: 'Rollback',
      Message: 'back on v1',
      MessageAttributes: { kind: { Type: 'String', Value: 'rollback' } },
    });
    const [raw] = (await bare?.receive({ max: 1 })) ?? [];
    expect(raw?.message).toMatchObject({ body: 'back on v1', attributes: { kind: text('rollback') } });
  });

  it('invokes a function with its record', async () => {
    await subscribe('lambda', 'arn:aws:lambda:eu-west-1:000000000000:function:on-alarm');
    await publish('{"AlarmName":"shop"}');
    const [parcel] = lambdaEvents;
    expect(JSON.parse(parcel?.body ?? '').Records[0]).toMatchObject({
      EventSource: 'aws:sns',
      Sns: { Message: '{"AlarmName":"shop"}', TopicArn, MessageAttributes: {} },
    });
  });

  it('filters on attributes and on the body', async () => {
    for (const name of ['kinds', 'scores', 'bodies']) queues.create(name, {}, place);
    const arn = (name: string) => queues.byName(name).arn;
    const raw = { RawMessageDelivery: 'true' };
    await subscribe('sqs', arn('kinds'), {
      ...raw,
      FilterPolicy: '{"kind":["rollback",{"prefix":"promo"}]}',
    });
    await subscribe('sqs', arn('scores'), {
      ...raw,
      FilterPolicy: '{"score":[{"numeric":[">=",10]}],"tags":["a"]}',
    });
    await subscribe('sqs', arn('bodies'), {
      ...raw,
      FilterPolicyScope: 'MessageBody',
      FilterPolicy: '{"detail":{"n":[1]}}',
    });
    await publish('{"detail":{"n":1}}', { MessageAttributes: { kind: text('promotion') } });
    await publish('two', {
      MessageAttributes: {
        score: { DataType: 'Number', StringValue: '12' },
        tags: { DataType: 'String.Array', StringValue: '["a","b"]' },
      },
    });
    expect(await bodies('kinds')).toEqual(['{"detail":{"n":1}}']);
    expect(await bodies('scores')).toEqual(['two']);
    expect(await bodies('bodies')).toEqual(['{"detail":{"n":1}}']);
    const wrong = await failureOf(
      subscribe('sqs', 'arn:aws:sqs:eu-west-1:0:x', { FilterPolicy: '{"kind":"x"}' }),
    );
    expect(wrong.name).toBe('InvalidParameterException');
  });

  it('gives each protocol its own text, and letters to people into the outbox', async () => {
    queues.create('q', {}, place);
    await subscribe('sqs', queues.byName('q').arn, { RawMessageDelivery: 'true' });
    await subscribe('email', 'ops@example.com');
    const Message = JSON.stringify({ default: 'd', email: 'Dear ops' });
    await publish(Message, { MessageStructure: 'json', Subject: 'Held' });
    expect(await bodies('q')).toEqual(['d']);
    await eventually(() => topics.outbox).toEqual([
      { protocol: 'email', address: 'ops@example.com', subject: 'Held', text: 'Dear ops' },
    ]);
  });

  it('keeps the order of a FIFO topic and takes a repetition once', async () => {
    const fifo = await sns.send(
      new CreateTopicCommand({ Name: 't.fifo', Attributes: { FifoTopic: 'true' } }),
    );
    queues.create('q.fifo', { FifoQueue: 'true' }, place);
    await subscribe('sqs', queues.byName('q.fifo').arn, { RawMessageDelivery: 'true' }, fifo.TopicArn);
    for (const id of ['1', '2', '2', '3']) {
      await publish(id, { TopicArn: fifo.TopicArn, MessageGroupId: 'g', MessageDeduplicationId: id });
    }
    expect(await bodies('q.fifo')).toEqual(['1', '2', '3']);
    expect((await failureOf(publish('x', { TopicArn: fifo.TopicArn }))).name).toBe(
      'InvalidParameterException',
    );
  });

  it('publishes in batches and counts its subscriptions', async () => {
    queues.create('q', {}, place);
    await subscribe('sqs', queues.byName('q').arn, { RawMessageDelivery: 'true' });
    const PublishBatchRequestEntries = [
      { Id: 'a', Message: 'one' },
      { Id: 'b', Message: 'x'.repeat(262_145) },
    ];
    const { Successful, Failed } = await sns.send(
      new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries }),
    );
    expect(Successful?.map(({ Id }) => Id)).toEqual(['a']);
    expect(Failed).toMatchObject([{ Id: 'b', SenderFault: true }]);
    expect(await bodies('q')).toEqual(['one']);
    const { Attributes } = await sns.send(new GetTopicAttributesCommand({ TopicArn }));
    expect(Attributes).toMatchObject({ SubscriptionsConfirmed: '1', SubscriptionsPending: '0' });
    expect(await failureOf(publish('x', { TopicArn: `${TopicArn}-none` }))).toBeInstanceOf(NotFoundException);
  });

  it('answers awscli', async () => {
    queues.create('q', {}, place);
    const q = queues.byName('q').arn;
    await awsCliJson(
      endpoint.url,
      'sns',
      'subscribe',
      '--topic-arn',
      TopicArn,
      '--protocol',
      'sqs',
      '--notification-endpoint',
      q,
    );
    const attributes = '{"kind":{"DataType":"String","StringValue":"x"}}';
    const args = ['--topic-arn', TopicArn, '--message', 'a <b> & "c"', '--message-attributes', attributes];
    const { MessageId } = await awsCliJson(endpoint.url, 'sns', 'publish', ...args);
    expect(JSON.parse((await bodies('q'))[0] ?? '')).toMatchObject({ MessageId, Message: 'a <b> & "c"' });
  });
});

describe('a web subscription', () => {
  let web: Server;
  let posts: { type: string; body: string }[];
  let status: number;
  let address: string;
  beforeEach(async () => {
    posts = [];
    status = 200;
    web = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      posts.push({ type: String(request.headers['x-amz-sns-message-type']), body });
      response.writeHead(status).end();
    });
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(web.address() as AddressInfo).port}/hook`;
  });
  afterEach(() => web.close());

  it('gets nothing until it is confirmed through the address it was sent', async () => {
    await subscribe('http', address);
    await eventually(() => posts).toHaveLength(1);
    await publish('too early');
    const { Subscriptions } = await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }));
    expect(Subscriptions?.[0]?.SubscriptionArn).toBe('PendingConfirmation');
    expect(posts[0]?.type).toBe('SubscriptionConfirmation');
    expect((await fetch(JSON.parse(posts[0]?.body ?? '').SubscribeURL)).status).toBe(200);
    await publish('in time');
    await eventually(() => posts).toHaveLength(2);
    expect(JSON.parse(posts[1]?.body ?? '')).toMatchObject({ Type: 'Notification', Message: 'in time' });
  });

  it('is tried again, and then given up to the dead-letter queue', async () => {
    const deadLetterTargetArn = queues.create('dead', {}, place).arn;
    await subscribe('http', address, { RedrivePolicy: JSON.stringify({ deadLetterTargetArn }) });
    await eventually(() => posts).toHaveLength(1);
    await fetch(JSON.parse(posts[0]?.body ?? '').SubscribeURL);
    status = 500;
    await publish('lost');
    for (const count of [2, 3, 4]) {
      await eventually(() => posts).toHaveLength(count);
      await eventually(() => clock.nextAt).not.toBeNull();
      await clock.advance(20_000);
    }
    await eventually(() => queues.byName('dead').size).toBe(1);
    expect(posts).toHaveLength(5);
  });
});
