/** A topic, its subscriptions, and a message on its way to them. */
import type { ParcelAttribute } from '../bus.ts';
import type { EventPattern } from '../eventBridge/eventPattern.ts';

export type Protocol = 'sqs' | 'lambda' | 'http' | 'https' | 'email' | 'email-json' | 'sms';

export type Subscription = {
  readonly arn: string;
  readonly topicArn: string;
  readonly protocol: Protocol;
  /** An ARN, an address of the web, or a person's. */
  readonly endpoint: string;
  /** Confirms the subscription; null once that is done. */
  token: string | null;
  attributes: Readonly<Record<string, string>>;
  filter: EventPattern | null;
  /** The last delivery asked for: a subscription gets its messages one after the other. */
  tail: Promise<void>;
};

export type Topic = {
  readonly name: string;
  readonly arn: string;
  attributes: Readonly<Record<string, string>>;
  tags: Readonly<Record<string, string>>;
  readonly subscriptions: Map<string, Subscription>;
};

export type Publication = {
  readonly message: string;
  readonly subject?: string | undefined;
  /** `json`: the message holds one text per protocol. */
  readonly structure?: string | undefined;
  readonly attributes: Readonly<Record<string, ParcelAttribute>>;
  readonly groupId?: string | undefined;
  readonly deduplicationId?: string | undefined;
  readonly traceId?: string | undefined;
};

export type Notification = Publication & {
  readonly id: string;
  readonly topicArn: string;
  readonly at: Date;
};

/** The text for one protocol of a message with `structure: json`. */
export function textFor({ message, structure }: Publication, protocol: Protocol): string {
  if (structure !== 'json') return message;
  const texts = JSON.parse(message) as Readonly<Record<string, string>>;
  return texts[protocol] ?? texts.default ?? '';
}

/** The envelope that SNS puts around a message, for all but raw delivery. */
export function envelopeOf(notification: Notification, { arn, protocol }: Subscription) {
  const attributes = Object.entries(notification.attributes).map(
    ([name, { DataType, StringValue, BinaryValue }]) => {
      const value = BinaryValue === undefined ? StringValue : Buffer.from(BinaryValue).toString('base64');
      return [name, { Type: DataType, Value: value }];
    },
  );
  return {
    Type: 'Notification',
    MessageId: notification.id,
    TopicArn: notification.topicArn,
    ...(notification.subject === undefined ? {} : { Subject: notification.subject }),
    Message: textFor(notification, protocol),
    Timestamp: notification.at.toISOString(),
    SignatureVersion: '1',
    Signature: 'local',
    SigningCertURL: 'https://sns.localhost/none.pem',
    UnsubscribeURL: `https://sns.localhost/?Action=Unsubscribe&SubscriptionArn=${arn}`,
    ...(attributes.length === 0 ? {} : { MessageAttributes: Object.fromEntries(attributes) }),
  };
}

/** What attribute filters look at: numbers as numbers, `String.Array` as its list. */
export function filterable(attributes: Publication['attributes']) {
  const values = Object.entries(attributes).map(([name, { DataType, StringValue = '' }]) => {
    if (DataType === 'Number') return [name, Number(StringValue)];
    return [name, DataType === 'String.Array' ? JSON.parse(StringValue) : StringValue];
  });
  return Object.fromEntries(values);
}
