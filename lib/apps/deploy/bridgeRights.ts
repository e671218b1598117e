/**
 * What the bridge's task may do: what its rules name, one action per way it is used, and nothing else. What
 * it asks for is in lib/aws/lean.
 */
import type { BridgeConfig, DeadLetterConfig } from '../../core/bridge/config.ts';
import { type Cfn, localArn, sub } from './cloudFormation.ts';
import type { Grant } from './rights.ts';

/** Names become ARNs of the stack's own account; ARNs and URLs say themselves whose they are. */
export function bridgeGrants(config: BridgeConfig): readonly Grant[] {
  const to = config.rules.flatMap(({ to }) => (to === 'drop' ? [] : [to]));
  const deadLetters = [
    config.dlq,
    ...config.rules.map(({ dlq }) => dlq),
    ...config.reverse.map(({ dlq }) => dlq),
  ];
  const written = [
    ...to.flatMap((one) => ('sqs' in one ? [one.sqs.queue] : [])),
    ...deadLetters.flatMap(queueOf),
  ];
  const read = config.reverse.flatMap(({ from }) => {
    if ('sqs' in from) return [from.sqs.queue];
    return 'eventbridge' in from ? [from.eventbridge.queue] : [];
  });
  // With the account known, the URL of a queue follows from its name (QueueUrls in lib/aws/lean).
  const asked =
    config.aws.account === undefined
      ? [...written, ...read].filter((queue) => !queue.startsWith('http'))
      : [];
  return [
    grant(
      'events:PutEvents',
      to.flatMap((one) => ('eventbridge' in one ? [busArn(one.eventbridge.bus)] : [])),
    ),
    grant(
      'sns:Publish',
      to.flatMap((one) => ('sns' in one ? [one.sns.topic] : [])),
    ),
    grant(
      'dynamodb:BatchWriteItem',
      to.flatMap((one) => ('dynamodb' in one ? [tableArn(one.dynamodb.table)] : [])),
    ),
    grant('sqs:SendMessage', written.map(queueArn)),
    ...['ReceiveMessage', 'DeleteMessage', 'ChangeMessageVisibility'].map((action) =>
      grant(`sqs:${action}`, read.map(queueArn)),
    ),
    grant('sqs:GetQueueUrl', asked.map(queueArn)),
    ...['DescribeStream', 'GetShardIterator', 'GetRecords'].map((action) =>
      grant(
        `dynamodb:${action}`,
        config.reverse.flatMap(({ from }) => ('dynamodbStream' in from ? [from.dynamodbStream.arn] : [])),
      ),
    ),
  ];
}

const grant = (action: string, resources: readonly Cfn[]): Grant => ({
  actions: [action],
  resources: [...new Map(resources.map((resource) => [JSON.stringify(resource), resource])).values()],
});

const queueOf = (deadLetters: DeadLetterConfig | undefined): readonly string[] =>
  deadLetters !== undefined && 'sqs' in deadLetters ? [deadLetters.sqs] : [];

const isArn = (address: string): boolean => address.startsWith('arn:');

const busArn = (bus: string): Cfn => (isArn(bus) ? bus : localArn('events', `event-bus/${bus}`));

const tableArn = (table: string): Cfn => (isArn(table) ? table : localArn('dynamodb', `table/${table}`));

/** `https://sqs.eu-west-1.amazonaws.com/123456789012/orders` belongs to whom it names. */
function queueArn(queue: string): Cfn {
  const [, region, account, name] =
    /^https:\/\/sqs\.([a-z0-9-]+)\.[^/]+\/(\d{12})\/([^/]+)$/.exec(queue) ?? [];
  if (name === undefined) return localArn('sqs', queue);
  return sub(`arn:\${AWS::Partition}:sqs:${region}:${account}:${name}`);
}
