/**
 * A CloudWatch alarm that changed its state, as EventBridge delivers it and as SNS does. Both are read as one
 * value; only what is used is asked for, so that a field AWS adds or leaves out (`reasonData`, `metricStat` of a
 * math alarm) breaks nothing.
 */
import * as z from 'zod/mini';
import { malformed, type Parsed, parse, parsed, parseJson } from '../parsed.ts';
import { AlarmState } from '../rollback.ts';

export type AlarmChanged = {
  /** Of the event that brought it. */
  readonly eventId: string;
  readonly alarmName: string;
  readonly alarmArn: string;
  readonly state: AlarmState;
  readonly previousState: AlarmState | null;
  readonly reason: string;
  /** Epoch milliseconds. */
  readonly changedAt: number;
  readonly region: string;
  readonly account: string;
};

const EventForm = z.object({
  id: z.string(),
  source: z.literal('aws.cloudwatch'),
  'detail-type': z.literal('CloudWatch Alarm State Change'),
  region: z.string(),
  account: z.string(),
  resources: z.array(z.string()).check(z.minLength(1, 'the alarm ARN is missing')),
  detail: z.object({
    alarmName: z.string(),
    state: z.object({ value: AlarmState, reason: z.optional(z.string()), timestamp: z.string() }),
    previousState: z.optional(z.object({ value: AlarmState })),
  }),
});

const SnsMessage = z.object({
  AlarmName: z.string(),
  AlarmArn: z.string(),
  AWSAccountId: z.string(),
  NewStateValue: AlarmState,
  NewStateReason: z.string(),
  StateChangeTime: z.string(),
  OldStateValue: z.optional(AlarmState),
});

const SnsEnvelope = z.object({ MessageId: z.string(), Message: z.string() });

/** CloudWatch writes offsets as `+0000`; ISO 8601 in JavaScript wants `+00:00`. NaN when it is no time. */
export const timeOf = (text: string): number => Date.parse(text.replace(/([+-]\d{2})(\d{2})$/, '$1:$2'));

/** @param body the EventBridge event, or SNS's envelope (its `Message` is a JSON string) */
export function parseAlarmChange(body: unknown): Parsed<AlarmChanged> {
  const envelope = z.safeParse(SnsEnvelope, body);
  return envelope.success ? fromSns(envelope.data) : fromEventBridge(body);
}

function fromEventBridge(body: unknown): Parsed<AlarmChanged> {
  const read = parse(EventForm, body, 'alarm event');
  if (!read.ok) return read;
  const { id, region, account, resources, detail } = read.value;
  return timed(detail.state.timestamp, {
    eventId: id,
    alarmName: detail.alarmName,
    alarmArn: resources[0] ?? '',
    state: detail.state.value,
    previousState: detail.previousState?.value ?? null,
    reason: detail.state.reason ?? '',
    region,
    account,
  });
}

function fromSns({ MessageId, Message }: z.infer<typeof SnsEnvelope>): Parsed<AlarmChanged> {
  const json = parseJson(Message, 'alarm message');
  if (!json.ok) return json;
  const read = parse(SnsMessage, json.value, 'alarm message');
  if (!read.ok) return read;
  const message = read.value;
  return timed(message.StateChangeTime, {
    eventId: MessageId,
    alarmName: message.AlarmName,
    alarmArn: message.AlarmArn,
    state: message.NewStateValue,
    previousState: message.OldStateValue ?? null,
    reason: message.NewStateReason,
    // `Region` holds a name for people; the ARN has the region's own.
    region: message.AlarmArn.split(':')[3] ?? '',
    account: message.AWSAccountId,
  });
}

function timed(timestamp: string, change: Omit<AlarmChanged, 'changedAt'>): Parsed<AlarmChanged> {
  const changedAt = timeOf(timestamp);
  return Number.isNaN(changedAt)
    ? malformed(`alarm event: ${JSON.stringify(timestamp)} is no time; expected 2026-01-31T12:00:00.000+0000`)
    : parsed({ ...change, changedAt });
}
