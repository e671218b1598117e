/**
 * A CloudWatch alarm that changed its state, as EventBridge delivers it and as SNS does. Both are read as one
 * value; only what is used is asked for, so that a field AWS adds or leaves out (`reasonData`, `metricStat`
 * of a math alarm) breaks nothing.
 */
import * as z from 'zod/mini';
import { malformed, type Parsed, parse, parseJson } from '../parsed.ts';
import { AlarmState } from '../rollback.ts';
import { eventBridgeForm, timed } from './envelope.ts';

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

export const CloudWatchAlarmStateChange = z.extend(
  eventBridgeForm(
    'aws.cloudwatch',
    'CloudWatch Alarm State Change',
    z.object({
      alarmName: z.string().check(z.minLength(1)),
      state: z.object({ value: AlarmState, reason: z.optional(z.string()), timestamp: z.string() }),
      previousState: z.optional(z.object({ value: AlarmState })),
    }),
  ),
  { resources: z.array(z.string()).check(z.minLength(1, 'it must hold the ARN of the alarm')) },
);

/** SNS to SQS, or one record of SNS to Lambda: the alarm is a JSON text in `Message`. */
export const CloudWatchAlarmNotification = z.object({ MessageId: z.string(), Message: z.string() });

const Message = z.object({
  AlarmName: z.string().check(z.minLength(1)),
  AlarmArn: z
    .string()
    .check(z.regex(/^arn:[^:]+:cloudwatch:[^:]+:\d*:alarm:/, 'it must be the ARN of a CloudWatch alarm')),
  AWSAccountId: z.string(),
  NewStateValue: AlarmState,
  NewStateReason: z.optional(z.string()),
  StateChangeTime: z.string(),
  OldStateValue: z.optional(AlarmState),
});

/** SNS to Lambda without a queue in between. */
const Delivery = z.object({ Records: z.array(z.object({ Sns: CloudWatchAlarmNotification })) });

/** @param body the EventBridge event, SNS's envelope, or SNS's delivery to Lambda (one record each) */
export function parseAlarmChange(body: unknown): Parsed<AlarmChanged> {
  const envelope = z.safeParse(CloudWatchAlarmNotification, body);
  if (envelope.success) return fromSns(envelope.data);
  const delivery = z.safeParse(Delivery, body);
  if (!delivery.success) return fromEventBridge(body);
  const [first, ...more] = delivery.data.Records;
  return first === undefined || more.length > 0
    ? malformed(`alarm notification has ${delivery.data.Records.length} records: it must have one.`)
    : fromSns(first.Sns);
}

function fromEventBridge(body: unknown): Parsed<AlarmChanged> {
  const read = parse(CloudWatchAlarmStateChange, body, 'alarm event');
  if (!read.ok) return read;
  const { id, region, account, resources, detail } = read.value;
  return timed('alarm event', detail.state.timestamp, {
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

function fromSns(envelope: z.infer<typeof CloudWatchAlarmNotification>): Parsed<AlarmChanged> {
  const json = parseJson(envelope.Message, 'alarm message');
  if (!json.ok) return json;
  const read = parse(Message, json.value, 'alarm message');
  if (!read.ok) return read;
  const message = read.value;
  return timed('alarm message', message.StateChangeTime, {
    eventId: envelope.MessageId,
    alarmName: message.AlarmName,
    alarmArn: message.AlarmArn,
    state: message.NewStateValue,
    previousState: message.OldStateValue ?? null,
    reason: message.NewStateReason ?? '',
    // `Region` holds a name for people; the ARN has the region's own.
    region: message.AlarmArn.split(':')[3] ?? '',
    account: message.AWSAccountId,
  });
}
