/** A template's intrinsics with values put in, as CloudFormation would after creating everything. */
import type { Template } from './packaged.ts';

export const account = '111122223333';
export const region = 'eu-west-1';

const pseudo: Readonly<Record<string, string>> = {
  'AWS::AccountId': account,
  'AWS::Region': region,
  'AWS::Partition': 'aws',
  'AWS::URLSuffix': 'amazonaws.com',
};

/** `value` of the template without `Ref`, `Fn::GetAtt`, `Fn::Sub` and `Fn::Join`. */
// biome-ignore lint/suspicious/noExplicitAny: JSON in, JSON out
export function resolved(template: Template, value: unknown): any {
  if (Array.isArray(value)) return value.map((inner) => resolved(template, inner));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [[name, argument] = ['', undefined]] = entries;
  if (entries.length === 1) {
    if (name === 'Ref') return refOf(template, argument);
    if (name === 'Fn::GetAtt') return attributeOf(template, argument[0], argument[1]);
    if (name === 'Fn::Join') return resolved(template, argument[1]).join(argument[0]);
    if (name === 'Fn::Sub') {
      return argument.replace(/\$\{([^!}]+)\}/g, (_: string, inner: string) => {
        const [id = '', attribute] = inner.split('.');
        return attribute === undefined ? refOf(template, id) : attributeOf(template, id, attribute);
      });
    }
  }
  return Object.fromEntries(entries.map(([key, inner]) => [key, resolved(template, inner)]));
}

function refOf(template: Template, id: string): string {
  const found = pseudo[id];
  if (found !== undefined) return found;
  return template.Resources[id]?.Type === 'AWS::SNS::Topic' ? attributeOf(template, id, 'TopicArn') : id;
}

/** ARNs by type and name; other attributes as text that tells what they are. */
function attributeOf(template: Template, id: string, attribute: string): string {
  const resource = template.Resources[id];
  if (resource === undefined) throw new Error(`${id} is not in the template`);
  const name = (key: string): string => resolved(template, resource.Properties?.[key] ?? id);
  const arn = (service: string, rest: string) => `arn:aws:${service}:${region}:${account}:${rest}`;
  const table = () => arn('dynamodb', `table/${name('TableName')}`);
  switch (`${resource.Type}.${attribute}`) {
    case 'AWS::SQS::Queue.Arn':
      return arn('sqs', name('QueueName'));
    case 'AWS::SNS::Topic.TopicArn':
      return arn('sns', name('TopicName'));
    case 'AWS::DynamoDB::Table.Arn':
      return table();
    case 'AWS::DynamoDB::Table.StreamArn':
      return `${table()}/stream/2026-01-01T00:00:00.000`;
    case 'AWS::KMS::Key.Arn':
      return arn('kms', `key/${id}`);
    case 'AWS::Lambda::Function.Arn':
      return arn('lambda', `function:${name('FunctionName')}`);
    case 'AWS::Events::EventBus.Arn':
      return arn('events', `event-bus/${name('Name')}`);
    case 'AWS::Logs::LogGroup.Arn':
      return arn('logs', `log-group:${name('LogGroupName')}:*`);
    case 'AWS::IAM::Role.Arn':
      return `arn:aws:iam::${account}:role/${id}`;
    default:
      return `${id}.${attribute}`;
  }
}
