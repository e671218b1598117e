/**
 * A queue's settings: their defaults and bounds. Source of the limits: the SQS developer guide, "Amazon SQS
 * message quotas" (1 MiB per message since August 2025) and the CreateQueue reference.
 */
import { ServiceError } from '../service.ts';

/** Bytes: 1 MiB, for one message as for one batch. */
export const messageBytesMax = 1_048_576;
export const batchEntriesMax = 10;

export type RedrivePolicy = { readonly deadLetterTargetArn: string; readonly maxReceiveCount: number };

export type QueueSettings = {
  readonly visibilitySeconds: number;
  readonly delaySeconds: number;
  readonly waitSeconds: number;
  readonly retentionSeconds: number;
  readonly messageBytesMax: number;
  readonly redrive: RedrivePolicy | null;
  readonly contentBasedDeduplication: boolean;
  /** FIFO only: whether ids are compared within the whole queue or within their message group. */
  readonly deduplicationScope: 'queue' | 'messageGroup';
};

type Bounds = { readonly usual: number; readonly min: number; readonly max: number };

const numeric: Readonly<Record<string, Bounds>> = {
  VisibilityTimeout: { usual: 30, min: 0, max: 43_200 },
  DelaySeconds: { usual: 0, min: 0, max: 900 },
  ReceiveMessageWaitTimeSeconds: { usual: 0, min: 0, max: 20 },
  MessageRetentionPeriod: { usual: 345_600, min: 60, max: 1_209_600 },
  MaximumMessageSize: { usual: messageBytesMax, min: 1_024, max: messageBytesMax },
};

const others: readonly string[] = [
  'RedrivePolicy',
  'RedriveAllowPolicy',
  'Policy',
  'FifoQueue',
  'ContentBasedDeduplication',
  'DeduplicationScope',
  'FifoThroughputLimit',
  'KmsMasterKeyId',
  'KmsDataKeyReusePeriodSeconds',
  'SqsManagedSseEnabled',
];

/** Checks attributes as they were given. @throws ServiceError InvalidAttributeName, InvalidAttributeValue */
export function checkAttributes(attributes: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(attributes)) {
    const bounds = numeric[name];
    if (bounds === undefined && !others.includes(name)) {
      throw new ServiceError('InvalidAttributeName', `Unknown Attribute ${name}.`);
    }
    if (bounds !== undefined && value !== '') {
      const number = Number(value);
      if (!Number.isInteger(number) || number < bounds.min || number > bounds.max) throw invalid(name);
    }
  }
  readRedrive(attributes.RedrivePolicy);
}

/** What the attributes mean; an absent or empty one means its default. */
export function settingsOf(attributes: Readonly<Record<string, string>>): QueueSettings {
  const number = (name: string) => Number(attributes[name] || (numeric[name] as Bounds).usual);
  return {
    visibilitySeconds: number('VisibilityTimeout'),
    delaySeconds: number('DelaySeconds'),
    waitSeconds: number('ReceiveMessageWaitTimeSeconds'),
    retentionSeconds: number('MessageRetentionPeriod'),
    messageBytesMax: number('MaximumMessageSize'),
    redrive: readRedrive(attributes.RedrivePolicy),
    contentBasedDeduplication: attributes.ContentBasedDeduplication === 'true',
    deduplicationScope: attributes.DeduplicationScope === 'messageGroup' ? 'messageGroup' : 'queue',
  };
}

/** Every numeric attribute, with its default where it was not given. */
export function withDefaults(attributes: Readonly<Record<string, string>>): Record<string, string> {
  const usual = Object.entries(numeric).map(([name, bounds]) => [name, String(bounds.usual)]);
  const given = Object.entries(attributes).filter(([, value]) => value !== '');
  return { ...Object.fromEntries(usual), SqsManagedSseEnabled: 'true', ...Object.fromEntries(given) };
}

function readRedrive(text: string | undefined): RedrivePolicy | null {
  if (text === undefined || text === '') return null;
  let policy: { deadLetterTargetArn?: unknown; maxReceiveCount?: unknown };
  try {
    policy = JSON.parse(text);
  } catch {
    throw invalid('RedrivePolicy');
  }
  const maxReceiveCount = Number(policy.maxReceiveCount);
  const count = Number.isInteger(maxReceiveCount) && maxReceiveCount >= 1 && maxReceiveCount <= 1_000;
  if (typeof policy.deadLetterTargetArn !== 'string' || !count) throw invalid('RedrivePolicy');
  return { deadLetterTargetArn: policy.deadLetterTargetArn, maxReceiveCount };
}

const invalid = (name: string) =>
  new ServiceError('InvalidAttributeValue', `Invalid value for the parameter ${name}.`);
