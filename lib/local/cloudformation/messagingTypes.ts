/** Queues, topics, buses and rules. */
import { asText, given, type Making, type Properties, type ResourceType, tagMap } from './resourceType.ts';

const queueAttributes = [
  'ContentBasedDeduplication',
  'DeduplicationScope',
  'DelaySeconds',
  'FifoQueue',
  'FifoThroughputLimit',
  'KmsMasterKeyId',
  'MaximumMessageSize',
  'MessageRetentionPeriod',
  'ReceiveMessageWaitTimeSeconds',
  'RedriveAllowPolicy',
  'RedrivePolicy',
  'SqsManagedSseEnabled',
  'VisibilityTimeout',
];

const attributesOf = (properties: Properties, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    names
      .filter((name) => properties[name] !== undefined && properties[name] !== false)
      .map((name) => [name, asText(properties[name])]),
  );

const queue: ResourceType = {
  fixed: ['QueueName', 'FifoQueue'],
  async create(properties, making) {
    const QueueName = properties.QueueName ?? `${making.name()}${properties.FifoQueue ? '.fifo' : ''}`;
    const Attributes = attributesOf(properties, queueAttributes);
    const { QueueUrl } = await making.call('sqs', 'CreateQueue', {
      QueueName,
      Attributes,
      tags: tagMap(properties.Tags),
    });
    const answer = await making.call('sqs', 'GetQueueAttributes', { QueueUrl, AttributeNames: ['QueueArn'] });
    return { id: QueueUrl, attributes: { Arn: answer.Attributes.QueueArn, QueueName, QueueUrl } };
  },
  async update(made, properties, making, before) {
    // An empty value is the default: what the template says no more.
    const emptied = Object.keys(attributesOf(before, queueAttributes)).map((name) => [name, '']);
    const { FifoQueue: _, ...Attributes }: Record<string, string> = {
      ...Object.fromEntries(emptied),
      ...attributesOf(properties, queueAttributes),
    };
    await making.call('sqs', 'SetQueueAttributes', { QueueUrl: made.id, Attributes });
    return made;
  },
  delete: (made, _, making) => making.call('sqs', 'DeleteQueue', { QueueUrl: made.id }),
};

/** A policy that is kept on each of several things. */
const policyOn = (
  write: (making: Making, thing: string, policy: string) => Promise<unknown>,
  key: string,
) => {
  const writeAll = async (properties: Properties, making: Making, policy: string) => {
    for (const thing of properties[key]) await write(making, thing, policy);
  };
  const type: ResourceType = {
    async create(properties, making) {
      await writeAll(properties, making, asText(properties.PolicyDocument));
      return { id: making.name(), attributes: {} };
    },
    async update(made, properties, making) {
      await writeAll(properties, making, asText(properties.PolicyDocument));
      return made;
    },
    delete: (_, properties, making) => writeAll(properties, making, ''),
  };
  return type;
};

const topic: ResourceType = {
  fixed: ['TopicName', 'FifoTopic'],
  async create(properties, making) {
    const Name = properties.TopicName ?? making.name();
    const Attributes = attributesOf(properties, ['DisplayName', 'FifoTopic', 'KmsMasterKeyId']);
    const { TopicArn } = await making.call('sns', 'CreateTopic', { Name, Attributes, Tags: properties.Tags });
    return { id: TopicArn, attributes: { TopicArn, TopicName: Name } };
  },
  async update(made, properties, making) {
    for (const [AttributeName, AttributeValue] of Object.entries(
      attributesOf(properties, ['DisplayName', 'KmsMasterKeyId']),
    )) {
      await making.call('sns', 'SetTopicAttributes', { TopicArn: made.id, AttributeName, AttributeValue });
    }
    return made;
  },
  delete: (made, _, making) => making.call('sns', 'DeleteTopic', { TopicArn: made.id }),
};

const subscription: ResourceType = {
  async create({ TopicArn, Protocol, Endpoint, ...rest }, making) {
    const Attributes = attributesOf(rest, [
      'FilterPolicy',
      'FilterPolicyScope',
      'RawMessageDelivery',
      'RedrivePolicy',
      'DeliveryPolicy',
    ]);
    const { SubscriptionArn } = await making.call('sns', 'Subscribe', {
      TopicArn,
      Protocol,
      Endpoint,
      Attributes,
      ReturnSubscriptionArn: true,
    });
    return { id: SubscriptionArn, attributes: { Arn: SubscriptionArn } };
  },
  delete: (made, _, making) => making.call('sns', 'Unsubscribe', { SubscriptionArn: made.id }),
};

const eventBus: ResourceType = {
  async create({ Name }, making) {
    const { EventBusArn } = await making.call('events', 'CreateEventBus', { Name });
    return { id: Name, attributes: { Arn: EventBusArn, Name } };
  },
  update: async (made) => made,
  fixed: ['Name'],
  delete: (made, _, making) => making.call('events', 'DeleteEventBus', { Name: made.id }),
};

async function writeRule(Name: string, properties: Properties, making: Making): Promise<string> {
  const { EventBusName, EventPattern, ScheduleExpression, State, Description, RoleArn } = properties;
  const { RuleArn } = await making.call('events', 'PutRule', {
    Name,
    ...given({ EventBusName, ScheduleExpression, State, Description, RoleArn }),
    ...(EventPattern === undefined ? {} : { EventPattern: asText(EventPattern) }),
  });
  const Targets = properties.Targets ?? [];
  if (Targets.length > 0) {
    await making.call('events', 'PutTargets', { Rule: Name, ...given({ EventBusName }), Targets });
  }
  return RuleArn;
}

const idsOf = ({ Targets = [] }: Properties): readonly string[] =>
  Targets.map(({ Id }: { Id: string }) => Id);

async function removeTargets(Name: string, Ids: readonly string[], properties: Properties, making: Making) {
  if (Ids.length === 0) return;
  const { EventBusName } = properties;
  await making.call('events', 'RemoveTargets', { Rule: Name, ...given({ EventBusName }), Ids });
}

/** On a bus of its own a rule's id is `bus|name`. */
const rule: ResourceType = {
  fixed: ['Name', 'EventBusName'],
  async create(properties, making) {
    const Name = properties.Name ?? making.name();
    const Arn = await writeRule(Name, properties, making);
    const { EventBusName } = properties;
    return { id: EventBusName === undefined ? Name : `${EventBusName}|${Name}`, attributes: { Arn } };
  },
  async update(made, properties, making, before) {
    const Name = made.id.split('|').at(-1) ?? made.id;
    const kept = idsOf(properties);
    await removeTargets(
      Name,
      idsOf(before).filter((id) => !kept.includes(id)),
      before,
      making,
    );
    const Arn = await writeRule(Name, properties, making);
    return { ...made, attributes: { Arn } };
  },
  async delete(made, properties, making) {
    const Name = made.id.split('|').at(-1) ?? made.id;
    const { EventBusName } = properties;
    await removeTargets(Name, idsOf(properties), properties, making);
    await making.call('events', 'DeleteRule', { Name, ...given({ EventBusName }) });
  },
};

export const messagingTypes: Readonly<Record<string, ResourceType>> = {
  'AWS::SQS::Queue': queue,
  'AWS::SQS::QueuePolicy': policyOn(
    (making, QueueUrl, Policy) =>
      making.call('sqs', 'SetQueueAttributes', { QueueUrl, Attributes: { Policy } }),
    'Queues',
  ),
  'AWS::SNS::Topic': topic,
  'AWS::SNS::TopicPolicy': policyOn(
    (making, TopicArn, AttributeValue) =>
      making.call('sns', 'SetTopicAttributes', { TopicArn, AttributeName: 'Policy', AttributeValue }),
    'Topics',
  ),
  'AWS::SNS::Subscription': subscription,
  'AWS::Events::EventBus': eventBus,
  'AWS::Events::Rule': rule,
};
