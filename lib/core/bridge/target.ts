/** One destination with its own queue, pace and circuit. Rules with the same destination share it. */
import type { BridgeConfig, DestinationConfig, RuleConfig } from './config.ts';
import { isFifo } from './fifo.ts';

export type TargetKind = 'eventbridge' | 'sqs' | 'sns' | 'dynamodb';

export type TargetSpec = {
  /** `sqs:orders.fifo`: its name in metrics and logs. */
  readonly key: string;
  readonly kind: TargetKind;
  /** The bus, queue, topic or table, as configured. */
  readonly address: string;
  /** DynamoDB: the names of the table's key attributes; empty for others. */
  readonly keys: readonly string[];
  readonly order: 'none' | 'strict' | 'batch';
  readonly batch: { readonly max: number; readonly bytes: number; readonly lingerMs: number };
  readonly limits: { readonly inFlight: number; readonly ratePerSec: number | null };
  readonly retry: RetrySpec;
};

export type RetrySpec = {
  readonly attempts: number;
  /** Nothing is put aside before it has failed for this long while others passed. */
  readonly budgetMs: number;
  readonly baseMs: number;
  readonly capMs: number;
  readonly exhausted: 'park' | 'wait';
};

/**
 * What the APIs take in one request: entries, and bytes of all entries together (AWS SDK model texts,
 * 3.1169).
 */
export const API_LIMITS: Readonly<Record<TargetKind, { readonly entries: number; readonly bytes: number }>> =
  {
    eventbridge: { entries: 10, bytes: 1_000_000 },
    sqs: { entries: 10, bytes: 1_048_576 },
    sns: { entries: 10, bytes: 1_048_576 },
    dynamodb: { entries: 25, bytes: 16_000_000 },
  };

const RETRY: RetrySpec = {
  attempts: 8,
  budgetMs: 15 * 60_000,
  baseMs: 100,
  capMs: 20_000,
  exhausted: 'park',
};
const LINGER_MS = 5;
/** At 10 ms round trip and batches of 10, 64 requests under way carry 64 000 messages a second. */
const IN_FLIGHT = 64;

/** What a rule's destination is called and how it is paced; null for `drop`. */
export function targetOf(rule: RuleConfig, aws: BridgeConfig['aws']): TargetSpec | null {
  if (rule.to === 'drop') return null;
  const { kind, address } = addressOf(rule.to);
  const limit = API_LIMITS[kind];
  const bytesMax: Record<TargetKind, number> = {
    eventbridge: aws.eventSizeMax,
    sqs: aws.messageSizeMax,
    sns: aws.topicSizeMax,
    dynamodb: limit.bytes,
  };
  const keepsOrder = kind === 'dynamodb' || (kind !== 'eventbridge' && isFifo(address));
  return {
    key: `${kind}:${address}`,
    kind,
    address,
    keys: 'dynamodb' in rule.to ? rule.to.dynamodb.key : [],
    order: keepsOrder ? rule.order : 'none',
    batch: {
      max: rule.batch?.max ?? limit.entries,
      bytes: rule.batch?.bytes ?? Math.min(limit.bytes, bytesMax[kind]),
      lingerMs: rule.batch?.linger ?? LINGER_MS,
    },
    limits: { inFlight: rule.limits?.inFlight ?? IN_FLIGHT, ratePerSec: rule.limits?.ratePerSec ?? null },
    retry: {
      attempts: rule.retry?.attempts ?? RETRY.attempts,
      budgetMs: rule.retry?.budget ?? RETRY.budgetMs,
      baseMs: rule.retry?.base ?? RETRY.baseMs,
      capMs: rule.retry?.cap ?? RETRY.capMs,
      exhausted: rule.retry?.exhausted ?? RETRY.exhausted,
    },
  };
}

function addressOf(to: Exclude<DestinationConfig, 'drop'>): { kind: TargetKind; address: string } {
  if ('eventbridge' in to) return { kind: 'eventbridge', address: to.eventbridge.bus };
  if ('sqs' in to) return { kind: 'sqs', address: to.sqs.queue };
  if ('sns' in to) return { kind: 'sns', address: to.sns.topic };
  return { kind: 'dynamodb', address: to.dynamodb.table };
}
