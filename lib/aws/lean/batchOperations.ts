/**
 * The four batch operations: how a request is put together from entries, and which of them its answer
 * refuses.
 */
import { keyOf } from '../../core/bridge/draft.ts';
import { failureKind } from '../../core/bridge/failure.ts';
import type { Entry, Failure } from '../../core/bridge/ports.ts';
import type { TargetKind, TargetSpec } from '../../core/bridge/target.ts';
import type { Operation } from './awsClient.ts';

export type Failures = ReadonlyMap<number, Failure> | null;

export type BatchOperation = {
  readonly operation: Operation;
  /** @param address the bus, queue URL, topic ARN or table */
  body(address: string, entries: readonly Entry[]): string;
  /** The refused entries by position; null when all were taken. Throws when the answer is no such answer. */
  failures(body: string, entries: readonly Entry[], target: TargetSpec): Failures;
};

const JSON_1_0 = 'application/x-amz-json-1.0';
const JSON_1_1 = 'application/x-amz-json-1.1';

export const BATCH_OPERATIONS: Readonly<Record<TargetKind, BatchOperation>> = {
  eventbridge: {
    operation: { service: 'events', contentType: JSON_1_1, target: 'AWSEvents.PutEvents' },
    body: (_, entries) => `{"Entries":[${listed(entries)}]}`,
    failures: eventFailures,
  },
  sqs: {
    operation: { service: 'sqs', contentType: JSON_1_0, target: 'AmazonSQS.SendMessageBatch' },
    body: (url, entries) => {
      const named = entries.map(({ json }, i) => `{"Id":"${i}",${json.slice(1)}`);
      return `{"QueueUrl":${JSON.stringify(url)},"Entries":[${named.join(',')}]}`;
    },
    failures: queueFailures,
  },
  sns: {
    operation: { service: 'sns', contentType: 'application/x-www-form-urlencoded', target: null },
    body: topicBody,
    failures: topicFailures,
  },
  dynamodb: {
    operation: { service: 'dynamodb', contentType: JSON_1_0, target: 'DynamoDB_20120810.BatchWriteItem' },
    body: (table, entries) => `{"RequestItems":{${JSON.stringify(table)}:[${listed(entries)}]}}`,
    failures: itemFailures,
  },
};

/** The entries' texts with commas between; an array's `join` copies each of them once more. */
function listed(entries: readonly Entry[]): string {
  let text = '';
  for (const { json } of entries) text += text === '' ? json : `,${json}`;
  return text;
}

const failure = (code: string, message: string, status: number): Failure => ({
  kind: failureKind(code, message, status),
  code,
  message,
});

/** An entry that the answer says nothing about: it may or may not have been taken. */
const UNANSWERED: Failure = {
  kind: 'retry',
  code: 'Unanswered',
  message: 'the answer does not mention the entry',
};

type EventResult = {
  readonly EventId?: string | undefined;
  readonly ErrorCode?: string | undefined;
  readonly ErrorMessage?: string | undefined;
};

function eventFailures(body: string, entries: readonly Entry[]): Failures {
  const answer = JSON.parse(body) as { FailedEntryCount?: number; Entries?: EventResult[] };
  const results = answer.Entries ?? [];
  if (answer.FailedEntryCount === 0 && results.length === entries.length) return null;
  return positionedFailures(results, entries.length);
}

/** PutEvents answers by position. */
export function positionedFailures(results: readonly EventResult[], count: number): Failures {
  const failed = new Map<number, Failure>();
  for (let i = 0; i < count; i++) {
    const result = results[i];
    if (result === undefined) failed.set(i, UNANSWERED);
    else if (result.ErrorCode !== undefined)
      failed.set(i, failure(result.ErrorCode, result.ErrorMessage ?? '', 0));
    else if (result.EventId === undefined) failed.set(i, UNANSWERED);
  }
  return failed.size === 0 ? null : failed;
}

export type Named = {
  readonly Id?: string | undefined;
  readonly Code?: string | undefined;
  readonly Message?: string | undefined;
  readonly SenderFault?: boolean | undefined;
};

function queueFailures(body: string, entries: readonly Entry[]): Failures {
  const answer = JSON.parse(body) as { Successful?: Named[]; Failed?: Named[] };
  return namedFailures(answer.Successful ?? [], answer.Failed ?? [], entries.length);
}

/** SQS and SNS answer by the ids of a batch, which are positions here. */
export function namedFailures(
  successful: readonly Named[],
  refused: readonly Named[],
  count: number,
): Failures {
  if (successful.length === count && refused.length === 0) return null;
  const failed = new Map<number, Failure>();
  const taken = new Set(successful.map(({ Id }) => Id));
  for (let i = 0; i < count; i++) if (!taken.has(String(i))) failed.set(i, UNANSWERED);
  for (const { Id, Code = '', Message = '', SenderFault } of refused) {
    failed.set(Number(Id), failure(Code, Message, SenderFault ? 400 : 500));
  }
  return failed.size === 0 ? null : failed;
}

type TopicEntry = {
  readonly MessageAttributes?: Record<string, { DataType: string; StringValue: string }>;
} & Record<string, string>;

function topicBody(topic: string, entries: readonly Entry[]): string {
  const fields = [`Action=PublishBatch&Version=2010-03-31&TopicArn=${encodeURIComponent(topic)}`];
  for (const [index, entry] of entries.entries()) {
    const prefix = `PublishBatchRequestEntries.member.${index + 1}`;
    const { MessageAttributes, ...plain } = JSON.parse(entry.json) as TopicEntry;
    fields.push(`${prefix}.Id=${index}`);
    for (const [name, value] of Object.entries(plain))
      fields.push(`${prefix}.${name}=${encodeURIComponent(value)}`);
    for (const [i, [name, value]] of Object.entries(MessageAttributes ?? {}).entries()) {
      const attribute = `${prefix}.MessageAttributes.entry.${i + 1}`;
      fields.push(
        `${attribute}.Name=${encodeURIComponent(name)}&${attribute}.Value.DataType=${value.DataType}`,
      );
      fields.push(`${attribute}.Value.StringValue=${encodeURIComponent(value.StringValue)}`);
    }
  }
  return fields.join('&');
}

function topicFailures(body: string, entries: readonly Entry[]): Failures {
  if (!body.includes('<PublishBatchResult')) throw new Error('the answer is no PublishBatchResult');
  return namedFailures(membersOf(body, 'Successful'), membersOf(body, 'Failed'), entries.length);
}

/** The query protocol answers in XML: `<Failed><member><Id>…`. */
function membersOf(body: string, list: string): readonly Named[] {
  const inner = new RegExp(`<${list}>(.*?)</${list}>`, 's').exec(body)?.[1] ?? '';
  return [...inner.matchAll(/<member>(.*?)<\/member>/gs)].map(([, member]) => {
    const field = (name: string) =>
      new RegExp(`<${name}>([^<]*)</${name}>`).exec(member as string)?.[1] ?? '';
    return {
      Id: field('Id'),
      Code: field('Code'),
      Message: field('Message'),
      SenderFault: field('SenderFault') === 'true',
    };
  });
}

export type WriteRequest = {
  readonly PutRequest?: { readonly Item?: Readonly<Record<string, object>> | undefined } | undefined;
};

const ALL_ITEMS_TAKEN = '{"UnprocessedItems":{}}';

function itemFailures(body: string, entries: readonly Entry[], target: TargetSpec): Failures {
  if (body === ALL_ITEMS_TAKEN) return null;
  const answer = JSON.parse(body) as { UnprocessedItems?: Record<string, WriteRequest[]> };
  if (answer.UnprocessedItems === undefined) throw new Error('the answer is no BatchWriteItem result');
  return unprocessedFailures(Object.values(answer.UnprocessedItems).flat(), entries, target);
}

/** BatchWriteItem answers with the items it left. */
export function unprocessedFailures(
  left: readonly WriteRequest[],
  entries: readonly Entry[],
  target: TargetSpec,
): Failures {
  if (left.length === 0) return null;
  const unprocessed: Failure = { kind: 'throttle', code: 'Unprocessed', message: 'left by BatchWriteItem' };
  const positions = new Map(entries.map(({ key }, index) => [key, index]));
  const failed = new Map<number, Failure>();
  for (const { PutRequest } of left) {
    const key = keyOf(target.keys, (name) => Object.values(PutRequest?.Item?.[name] ?? {})[0]);
    const position = positions.get(key);
    // An item we cannot recognise: writing all of them again is harmless, leaving one out is not.
    if (position === undefined) return new Map(entries.map((_, index) => [index, unprocessed]));
    failed.set(position, unprocessed);
  }
  return failed;
}
