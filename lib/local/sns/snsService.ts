/** Amazon SNS as its clients see it. */
import * as sdk from '@aws-sdk/client-sns';
import { parseArn } from '../arn.ts';
import { pageOf } from '../page.ts';
import { type LocalService, type RequestContext, ServiceError } from '../service.ts';
import type { Publication, Subscription, Topic } from './topic.ts';
import type { Topics } from './topics.ts';

const pageSize = 100;
const batchMax = 10;
type Publishing = sdk.PublishCommandInput | sdk.PublishBatchRequestEntry;

export function snsService(topics: Topics): LocalService {
  return {
    scope: 'sns',
    sdk,
    operations: {
      ...topicOperations(topics),
      ...subscriptionOperations(topics),
      ...tagOperations(topics),
      Publish(input: sdk.PublishCommandInput, context) {
        const arn = input.TopicArn ?? input.TargetArn;
        if (arn === undefined)
          throw invalid('Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter');
        return { MessageId: topics.publish(topics.require(arn), publicationOf(input, context)) };
      },
      PublishBatch: (input: sdk.PublishBatchCommandInput, context) => publishBatch(topics, input, context),
    },
  };
}

function topicOperations(topics: Topics): LocalService['operations'] {
  return {
    CreateTopic({ Name, Attributes = {}, Tags = [] }: sdk.CreateTopicCommandInput, context) {
      const topic = topics.create(String(Name), Attributes, context);
      topic.tags = { ...topic.tags, ...tagsOf(Tags) };
      return { TopicArn: topic.arn };
    },
    DeleteTopic: ({ TopicArn }) => topics.delete(TopicArn),
    ListTopics({ NextToken }) {
      const page = pageOf(topics.all, pageSize, NextToken);
      if (page === null) throw invalid('Invalid parameter: NextToken');
      return { Topics: page.items.map(({ arn }) => ({ TopicArn: arn })), NextToken: page.next };
    },
    GetTopicAttributes: ({ TopicArn }) => ({ Attributes: attributesOf(topics.require(TopicArn)) }),
    SetTopicAttributes({ TopicArn, AttributeName, AttributeValue = '' }) {
      const topic = topics.require(TopicArn);
      topic.attributes = { ...topic.attributes, [AttributeName]: AttributeValue };
    },
  };
}

function subscriptionOperations(topics: Topics): LocalService['operations'] {
  return {
    Subscribe(input: sdk.SubscribeCommandInput, { endpoint = '' }) {
      const { TopicArn, Protocol, Endpoint = '', Attributes = {}, ReturnSubscriptionArn = false } = input;
      const subscription = topics.subscribe(
        topics.require(String(TopicArn)),
        String(Protocol),
        Endpoint,
        endpoint,
      );
      for (const [name, value] of Object.entries(Attributes)) topics.setAttribute(subscription, name, value);
      const pending = subscription.token !== null && !ReturnSubscriptionArn;
      return { SubscriptionArn: pending ? 'pending confirmation' : subscription.arn };
    },
    ConfirmSubscription: ({ TopicArn, Token }) => ({
      SubscriptionArn: topics.confirm(topics.require(TopicArn), Token).arn,
    }),
    Unsubscribe: ({ SubscriptionArn }) => topics.unsubscribe(SubscriptionArn),
    ListSubscriptions: ({ NextToken }) =>
      listed(
        topics.all.flatMap(({ subscriptions }) => [...subscriptions.values()]),
        NextToken,
      ),
    ListSubscriptionsByTopic: ({ TopicArn, NextToken }) =>
      listed([...topics.require(TopicArn).subscriptions.values()], NextToken),
    GetSubscriptionAttributes({ SubscriptionArn }) {
      const { arn, topicArn, protocol, endpoint, token, attributes } =
        topics.requireSubscription(SubscriptionArn);
      const own = {
        SubscriptionArn: arn,
        TopicArn: topicArn,
        Protocol: protocol,
        Endpoint: endpoint,
        PendingConfirmation: String(token !== null),
        RawMessageDelivery: 'false',
      };
      return { Attributes: { ...own, ...attributes } };
    },
    SetSubscriptionAttributes({ SubscriptionArn, AttributeName, AttributeValue = '' }) {
      topics.setAttribute(topics.requireSubscription(SubscriptionArn), AttributeName, AttributeValue);
    },
  };
}

function tagOperations(topics: Topics): LocalService['operations'] {
  return {
    TagResource({ ResourceArn, Tags }) {
      const topic = topics.require(ResourceArn);
      topic.tags = { ...topic.tags, ...tagsOf(Tags) };
    },
    UntagResource({ ResourceArn, TagKeys }) {
      const topic = topics.require(ResourceArn);
      topic.tags = Object.fromEntries(Object.entries(topic.tags).filter(([key]) => !TagKeys.includes(key)));
    },
    ListTagsForResource: ({ ResourceArn }) => ({
      Tags: Object.entries(topics.require(ResourceArn).tags).map(([Key, Value]) => ({ Key, Value })),
    }),
  };
}

function publishBatch(topics: Topics, input: sdk.PublishBatchCommandInput, context: RequestContext) {
  const entries = input.PublishBatchRequestEntries ?? [];
  const topic = topics.require(String(input.TopicArn));
  if (entries.length === 0)
    throw new ServiceError('EmptyBatchRequestException', `The batch request doesn't contain any entries.`);
  if (entries.length > batchMax) {
    throw new ServiceError(
      'TooManyEntriesInBatchRequestException',
      'The batch request contains more entries than permissible.',
    );
  }
  if (new Set(entries.map(({ Id }) => Id)).size < entries.length) {
    throw new ServiceError(
      'BatchEntryIdsNotDistinctException',
      'Two or more batch entries in the request have the same Id.',
    );
  }
  const Successful: object[] = [];
  const Failed: object[] = [];
  for (const entry of entries) {
    try {
      Successful.push({ Id: entry.Id, MessageId: topics.publish(topic, publicationOf(entry, context)) });
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      Failed.push({ Id: entry.Id, Code: 'InvalidParameter', Message: error.message, SenderFault: true });
    }
  }
  return { Successful, Failed };
}

function publicationOf(input: Publishing, { traceId }: RequestContext): Publication {
  return {
    message: String(input.Message ?? ''),
    subject: input.Subject,
    structure: input.MessageStructure,
    attributes: (input.MessageAttributes ?? {}) as Publication['attributes'],
    groupId: input.MessageGroupId,
    deduplicationId: input.MessageDeduplicationId,
    traceId,
  };
}

function listed(subscriptions: readonly Subscription[], token: string | undefined) {
  const page = pageOf(subscriptions, pageSize, token);
  if (page === null) throw invalid('Invalid parameter: NextToken');
  const Subscriptions = page.items.map(({ arn, topicArn, protocol, endpoint, token: pending }) => ({
    SubscriptionArn: pending === null ? arn : 'PendingConfirmation',
    Owner: parseArn(topicArn)?.account,
    Protocol: protocol,
    Endpoint: endpoint,
    TopicArn: topicArn,
  }));
  return { Subscriptions, NextToken: page.next };
}

function attributesOf({ arn, attributes, subscriptions }: Topic): Record<string, string> {
  const all = [...subscriptions.values()];
  const pending = all.filter(({ token }) => token !== null).length;
  return {
    TopicArn: arn,
    Owner: parseArn(arn)?.account ?? '',
    DisplayName: '',
    SubscriptionsConfirmed: String(all.length - pending),
    SubscriptionsPending: String(pending),
    SubscriptionsDeleted: '0',
    ...attributes,
  };
}

const tagsOf = (tags: readonly sdk.Tag[]) =>
  Object.fromEntries(tags.map(({ Key, Value }) => [String(Key), String(Value)]));
const invalid = (message: string) => new ServiceError('InvalidParameterException', message);
