/** All topics: created, subscribed to, and published on. */
import { createHash, randomUUID } from 'node:crypto';
import type { Clock } from '../../asl/clock.ts';
import { formatArn } from '../arn.ts';
import type { Bus } from '../bus.ts';
import type { Place } from '../cloudEvent.ts';
import { compile } from '../eventBridge/eventBuses.ts';
import type { Json } from '../json.ts';
import { ServiceError } from '../service.ts';
import { deliverNotification, type Letter, post } from './notificationDelivery.ts';
import {
  filterable,
  type Notification,
  type Protocol,
  type Publication,
  type Subscription,
  type Topic,
} from './topic.ts';

/** Bytes of a message with its attributes: 256 KiB. */
const messageBytesMax = 262_144;
/** A FIFO topic remembers a deduplication id for five minutes. */
const deduplicationMs = 300_000;
const protocols: readonly string[] = ['sqs', 'lambda', 'http', 'https', 'email', 'email-json', 'sms'];

export class Topics {
  readonly #topics = new Map<string, Topic>();
  readonly #recent = new Map<string, { readonly until: number; readonly id: string }>();
  readonly #world: { readonly bus: Bus; readonly clock: Clock; readonly outbox: Letter[] };
  /** What was sent to people: e-mail and text messages, oldest first. */
  readonly outbox: Letter[] = [];

  constructor(deps: { readonly bus: Bus; readonly clock: Clock }) {
    this.#world = { ...deps, outbox: this.outbox };
    deps.bus.register('sns', async (arn, parcel) => {
      const { body, subject, attributes = {}, groupId, deduplicationId, traceId } = parcel;
      const topic = this.require(formatArn('sns', arn, arn.resource));
      return this.publish(topic, { message: body, subject, attributes, groupId, deduplicationId, traceId });
    });
  }

  get all(): readonly Topic[] {
    return [...this.#topics.values()];
  }

  create(name: string, attributes: Readonly<Record<string, string>>, place: Place): Topic {
    if (!/^[\w-]{1,256}(\.fifo)?$/.test(name)) throw invalid('Invalid parameter: Topic Name');
    if ((attributes.FifoTopic === 'true') !== name.endsWith('.fifo')) {
      throw invalid('Invalid parameter: Fifo Topic names must end with .fifo');
    }
    const arn = formatArn('sns', place, name);
    const known = this.#topics.get(arn);
    if (known !== undefined) return known;
    const topic: Topic = { name, arn, attributes, tags: {}, subscriptions: new Map() };
    this.#topics.set(arn, topic);
    return topic;
  }

  delete(arn: string): void {
    this.#topics.delete(arn);
  }

  /** @throws ServiceError NotFoundException */
  require(arn: string): Topic {
    const topic = this.#topics.get(arn);
    if (topic === undefined) throw new ServiceError('NotFoundException', 'Topic does not exist', 404);
    return topic;
  }

  /** @throws ServiceError NotFoundException */
  requireSubscription(arn: string): Subscription {
    const found = this.all
      .map(({ subscriptions }) => subscriptions.get(arn))
      .find((one) => one !== undefined);
    if (found === undefined) throw new ServiceError('NotFoundException', 'Subscription does not exist', 404);
    return found;
  }

  /** The subscription of this endpoint: web addresses must confirm theirs, everybody else is in at once. */
  subscribe(topic: Topic, protocol: string, endpoint: string, here: string): Subscription {
    if (!protocols.includes(protocol))
      throw invalid(`Invalid parameter: Does not support this protocol string: ${protocol}`);
    const same = [...topic.subscriptions.values()].find(
      (one) => one.protocol === protocol && one.endpoint === endpoint,
    );
    if (same !== undefined) return same;
    const confirms = protocol === 'http' || protocol === 'https';
    const subscription: Subscription = {
      arn: `${topic.arn}:${randomUUID()}`,
      topicArn: topic.arn,
      protocol: protocol as Protocol,
      endpoint,
      token: confirms ? createHash('sha256').update(randomUUID()).digest('hex') : null,
      attributes: {},
      filter: null,
      tail: Promise.resolve(),
    };
    topic.subscriptions.set(subscription.arn, subscription);
    if (confirms)
      void post(subscription, 'SubscriptionConfirmation', confirmation(subscription, here)).catch(
        () => undefined,
      );
    return subscription;
  }

  confirm(topic: Topic, token: string): Subscription {
    const found = [...topic.subscriptions.values()].find((one) => one.token === token);
    if (found === undefined) throw invalid('Invalid token');
    found.token = null;
    return found;
  }

  unsubscribe(arn: string): void {
    for (const { subscriptions } of this.all) subscriptions.delete(arn);
  }

  setAttribute(subscription: Subscription, name: string, value: string): void {
    const attributes = { ...subscription.attributes, [name]: value };
    const policy = attributes.FilterPolicy;
    try {
      subscription.filter = policy === undefined || policy === '' || policy === '{}' ? null : compile(policy);
    } catch (error) {
      throw invalid(`Invalid parameter: FilterPolicy: ${(error as Error).message}`);
    }
    subscription.attributes = attributes;
  }

  /** Answers the message's id; delivery follows by itself. @throws ServiceError */
  publish(topic: Topic, publication: Publication): string {
    check(topic, publication);
    const { clock } = this.#world;
    const repeated = this.#repeated(topic, publication);
    if (repeated !== null) return repeated;
    const notification: Notification = {
      ...publication,
      id: randomUUID(),
      topicArn: topic.arn,
      at: new Date(clock.now()),
    };
    this.#remember(topic, notification);
    for (const subscription of topic.subscriptions.values()) {
      if (subscription.token !== null || !wants(subscription, notification)) continue;
      const deliver = () => deliverNotification(this.#world, subscription, notification);
      subscription.tail = subscription.tail.then(deliver);
    }
    return notification.id;
  }

  #repeated(topic: Topic, publication: Publication): string | null {
    const recent = this.#recent.get(`${topic.arn}\n${deduplicationIdOf(topic, publication)}`);
    return recent !== undefined && recent.until > this.#world.clock.now() ? recent.id : null;
  }

  #remember(topic: Topic, notification: Notification): void {
    const id = deduplicationIdOf(topic, notification);
    if (id === null) return;
    const until = this.#world.clock.now() + deduplicationMs;
    this.#recent.set(`${topic.arn}\n${id}`, { until, id: notification.id });
  }
}

function check(topic: Topic, publication: Publication): void {
  const { message, subject, structure, attributes, groupId } = publication;
  if (message === '') throw invalid('Invalid parameter: Empty message');
  const bytes = Buffer.byteLength(message) + Buffer.byteLength(JSON.stringify(attributes));
  if (bytes > messageBytesMax) throw invalid('Invalid parameter: Message too long');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: line breaks and control characters are what is refused
  if (subject !== undefined && (subject.length > 100 || /[\u0000-\u001f]/.test(subject) || subject === '')) {
    throw invalid('Invalid parameter: Subject');
  }
  if (structure === 'json') {
    const texts = parse(message) as Readonly<Record<string, unknown>> | null;
    if (typeof texts?.default !== 'string') {
      throw invalid('Invalid parameter: Message Structure - No default entry in JSON message body');
    }
  }
  if (!topic.name.endsWith('.fifo')) return;
  if (groupId === undefined)
    throw invalid('Invalid parameter: The MessageGroupId parameter is required for FIFO topics');
  if (deduplicationIdOf(topic, publication) === null) {
    const either = 'The topic should either have ContentBasedDeduplication enabled or';
    throw invalid(`Invalid parameter: ${either} MessageDeduplicationId provided explicitly`);
  }
}

function deduplicationIdOf(topic: Topic, { message, deduplicationId }: Publication): string | null {
  if (!topic.name.endsWith('.fifo')) return null;
  if (deduplicationId !== undefined) return deduplicationId;
  if (topic.attributes.ContentBasedDeduplication !== 'true') return null;
  return createHash('sha256').update(message).digest('hex');
}

function wants({ filter, attributes }: Subscription, { message, attributes: given }: Notification): boolean {
  if (filter === null) return true;
  if (attributes.FilterPolicyScope !== 'MessageBody') return filter(filterable(given));
  const body = parse(message);
  return body !== null && filter(body as Json);
}

function confirmation({ topicArn, token }: Subscription, here: string): string {
  const query = new URLSearchParams({
    Action: 'ConfirmSubscription',
    TopicArn: topicArn,
    Token: token ?? '',
  });
  return JSON.stringify({
    Type: 'SubscriptionConfirmation',
    MessageId: randomUUID(),
    TopicArn: topicArn,
    Token: token,
    Message: `You have chosen to subscribe to the topic ${topicArn}.`,
    SubscribeURL: `${here}/?${query}`,
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const invalid = (message: string) => new ServiceError('InvalidParameterException', message);
