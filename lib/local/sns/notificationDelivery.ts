/**
 * One notification to one subscription, with a few retries and the subscription's dead-letter queue after
 * them. Queues and functions are reached over the bus, web addresses over real HTTP; letters to people go
 * into the outbox, because there is nobody here to read them.
 */
import { type Clock, sleep } from '../../asl/clock.ts';
import type { Bus } from '../bus.ts';
import { ServiceError } from '../service.ts';
import { envelopeOf, type Notification, type Subscription, textFor } from './topic.ts';

/** SNS's policy for HTTP: three retries, 20 s apart. AWS retries its own services for days; here as HTTP. */
const retryPauseMs = [20_000, 20_000, 20_000];

export type Letter = {
  readonly protocol: string;
  readonly address: string;
  readonly subject: string | null;
  readonly text: string;
};
export type DeliveryWorld = { readonly bus: Bus; readonly clock: Clock; readonly outbox: Letter[] };

/** Resolves when the notification has arrived, or is given up. */
export async function deliverNotification(
  world: DeliveryWorld,
  subscription: Subscription,
  notification: Notification,
): Promise<void> {
  for (const pauseMs of [...retryPauseMs, null]) {
    try {
      return await attempt(world, subscription, notification);
    } catch (error) {
      const final = error instanceof ServiceError && error.status < 500 && error.status !== 429;
      if (pauseMs === null || final) return giveUp(world, subscription, notification);
      await sleep(world.clock, pauseMs);
    }
  }
}

async function attempt(
  { bus, outbox }: DeliveryWorld,
  subscription: Subscription,
  notification: Notification,
) {
  const { protocol, endpoint, attributes } = subscription;
  const { subject, traceId } = notification;
  const raw = attributes.RawMessageDelivery === 'true';
  const text = textFor(notification, protocol);
  const common = { from: subscription.topicArn, ...(traceId === undefined ? {} : { traceId }) };
  switch (protocol) {
    case 'sqs':
      return bus.send(endpoint, {
        ...common,
        body: raw ? text : JSON.stringify(envelopeOf(notification, subscription)),
        ...(raw ? { attributes: notification.attributes } : {}),
        ...(notification.groupId === undefined ? {} : { groupId: notification.groupId }),
        ...(notification.deduplicationId === undefined
          ? {}
          : { deduplicationId: notification.deduplicationId }),
      });
    case 'lambda':
      return bus.send(endpoint, { ...common, body: JSON.stringify(lambdaEvent(notification, subscription)) });
    case 'http':
    case 'https':
      return post(
        subscription,
        'Notification',
        raw ? text : JSON.stringify(envelopeOf(notification, subscription)),
      );
    default:
      outbox.push({ protocol, address: endpoint, subject: subject ?? null, text });
  }
}

/** Posts one message of SNS's own to a web address; anything but a 2xx is a failure. */
export async function post(subscription: Subscription, type: string, body: string): Promise<void> {
  const response = await fetch(subscription.endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'text/plain; charset=UTF-8',
      'x-amz-sns-message-type': type,
      'x-amz-sns-topic-arn': subscription.topicArn,
      'x-amz-sns-subscription-arn': subscription.arn,
    },
    body,
  });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`${subscription.endpoint} answered ${response.status}`);
}

function lambdaEvent(notification: Notification, subscription: Subscription) {
  const { SigningCertURL, UnsubscribeURL, Subject, MessageAttributes, ...rest } = envelopeOf(
    notification,
    subscription,
  );
  return {
    Records: [
      {
        EventSource: 'aws:sns',
        EventVersion: '1.0',
        EventSubscriptionArn: subscription.arn,
        Sns: {
          ...rest,
          Subject: Subject ?? null,
          SigningCertUrl: SigningCertURL,
          UnsubscribeUrl: UnsubscribeURL,
          MessageAttributes: MessageAttributes ?? {},
        },
      },
    ],
  };
}

async function giveUp(
  { bus }: DeliveryWorld,
  subscription: Subscription,
  notification: Notification,
): Promise<void> {
  const policy = subscription.attributes.RedrivePolicy;
  if (policy === undefined || policy === '') return;
  const { deadLetterTargetArn } = JSON.parse(policy) as { readonly deadLetterTargetArn: string };
  const body = JSON.stringify(envelopeOf(notification, subscription));
  // A dead-letter queue that refuses loses the message, as on AWS.
  await bus.send(deadLetterTargetArn, { body, from: subscription.topicArn }).catch(() => undefined);
}
