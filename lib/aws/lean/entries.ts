/** A message's entry as EventBridge, SQS, SNS and DynamoDB want it, with its size as they count it. */
import { hash } from 'node:crypto';
import { type Draft, type Refused, refused } from '../../core/bridge/draft.ts';
import type { Entry } from '../../core/bridge/ports.ts';
import type { TargetSpec } from '../../core/bridge/target.ts';

export type SizeLimits = {
  /** PutEvents counts all entries of a request together. */
  readonly eventbridge: number;
  readonly sqs: number;
  readonly sns: number;
};

/** DynamoDB: an item with its attribute names. */
const ITEM_BYTES_MAX = 400 * 1024;
/** EventBridge counts a Time as 14 bytes (developer guide, "Calculating PutEvents event entry size"). */
const TIME_BYTES = 14;
/** SQS and SNS ids: up to 128 letters, digits and punctuation. */
const PLAIN_ID = /^[!-~]{1,128}$/;

/** The entry, or why its service would never take it. */
export function entryOf(target: TargetSpec, draft: Draft, limits: SizeLimits): Entry | Refused {
  switch (draft.kind) {
    case 'eventbridge':
      return eventEntry(target, draft, limits.eventbridge);
    case 'sqs':
      return within(queueEntry(draft), limits.sqs);
    case 'sns':
      return within(topicEntry(draft), limits.sns);
    case 'dynamodb':
      return within(itemEntry(draft), ITEM_BYTES_MAX);
  }
}

function within(entry: Entry, bytesMax: number): Entry | Refused {
  if (entry.bytes <= bytesMax) return entry;
  return refused('TooLarge', `${entry.bytes} bytes, and ${bytesMax} are allowed`);
}

type EventDraft = Extract<Draft, { kind: 'eventbridge' }>;

function eventEntry(target: TargetSpec, draft: EventDraft, bytesMax: number): Entry | Refused {
  let bytes =
    Buffer.byteLength(draft.source) + Buffer.byteLength(draft.detailType) + Buffer.byteLength(draft.detail);
  let extra = '';
  if (draft.time !== '') {
    const ms = Number.isNaN(Number(draft.time)) ? Date.parse(draft.time) : Number(draft.time);
    if (Number.isNaN(ms)) return refused('Time', `'${draft.time}' is no time`);
    extra += `,"Time":${ms / 1000}`;
    bytes += TIME_BYTES;
  }
  if (draft.resources.length > 0) {
    extra += `,"Resources":${JSON.stringify(draft.resources)}`;
    for (const resource of draft.resources) bytes += Buffer.byteLength(resource);
  }
  const json =
    `{"EventBusName":${JSON.stringify(target.address)},"Source":${JSON.stringify(draft.source)},` +
    `"DetailType":${JSON.stringify(draft.detailType)},"Detail":${JSON.stringify(draft.detail)}${extra}}`;
  return within({ json, bytes, key: '' }, bytesMax);
}

type QueuedDraft = Extract<Draft, { kind: 'sqs' | 'sns' }>;

function queueEntry(draft: QueuedDraft): Entry {
  const { json, bytes } = attributesOf(draft);
  const delay = draft.delaySeconds > 0 ? `,"DelaySeconds":${draft.delaySeconds}` : '';
  return {
    json: `{"MessageBody":${JSON.stringify(draft.body)}${idsOf(draft)}${delay}${json}}`,
    bytes: Buffer.byteLength(draft.body) + bytes,
    key: '',
  };
}

function topicEntry(draft: QueuedDraft): Entry {
  const { json, bytes } = attributesOf(draft);
  const subject = draft.subject === '' ? '' : `,"Subject":${JSON.stringify(draft.subject.slice(0, 100))}`;
  return {
    json: `{"Message":${JSON.stringify(draft.body)}${idsOf(draft)}${subject}${json}}`,
    bytes: Buffer.byteLength(draft.body) + bytes,
    key: '',
  };
}

function idsOf(draft: QueuedDraft): string {
  let ids = draft.group === '' ? '' : `,"MessageGroupId":${JSON.stringify(draft.group)}`;
  if (draft.dedup !== '') {
    // An id that is too long or of other characters is hashed, not cut: two messages must not become one.
    const id = PLAIN_ID.test(draft.dedup) ? draft.dedup : hash('sha256', draft.dedup);
    ids += `,"MessageDeduplicationId":${JSON.stringify(id)}`;
  }
  return ids;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these are what is looked for
const NOT_IN_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

/** Name, type and value of each attribute count as the message's bytes. The services refuse empty values. */
function attributesOf(draft: QueuedDraft): { readonly json: string; readonly bytes: number } {
  const given = draft.base64 ? [...draft.attributes, ['encoding', 'base64'] as const] : draft.attributes;
  if (given.length === 0) return { json: '', bytes: 0 };
  let bytes = 0;
  const fields: string[] = [];
  for (const [name, raw] of given) {
    if (raw === '') continue;
    const value = raw.replace(NOT_IN_XML, '\ufffd');
    bytes += name.length + 'String'.length + Buffer.byteLength(value);
    fields.push(`${JSON.stringify(name)}:{"DataType":"String","StringValue":${JSON.stringify(value)}}`);
  }
  return { json: fields.length === 0 ? '' : `,"MessageAttributes":{${fields.join(',')}}`, bytes };
}

type ItemDraft = Extract<Draft, { kind: 'dynamodb' }>;

function itemEntry(draft: ItemDraft): Entry {
  let bytes = 0;
  const fields = draft.item.map(([name, type, value]) => {
    // A base64 character carries three quarters of a byte.
    bytes +=
      Buffer.byteLength(name) + (type === 'B' ? Math.ceil(value.length * 0.75) : Buffer.byteLength(value));
    return `${JSON.stringify(name)}:{"${type}":${JSON.stringify(value)}}`;
  });
  return { json: `{"PutRequest":{"Item":{${fields.join(',')}}}}`, bytes, key: draft.key };
}
