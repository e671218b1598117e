import { describe, expect, it } from 'vitest';
import { parseAlarmChange } from '../../../events/aws/cloudWatchAlarm.ts';
import { timeOf } from '../../../events/aws/envelope.ts';
import { parse, parseJson } from '../../../events/parsed.ts';
import { AlarmState } from '../../../events/rollback.ts';
import { having, type Json, sample, sentence } from './payloads.ts';

const changed = {
  alarmName: 'orchestrator-canary-5xx',
  alarmArn: 'arn:aws:cloudwatch:eu-central-1:123456789012:alarm:orchestrator-canary-5xx',
  state: 'ALARM',
  previousState: 'OK',
  reason: expect.stringContaining('Threshold Crossed: 2 out of the last 2 datapoints'),
  changedAt: Date.UTC(2026, 10, 21, 9, 48, 19, 989),
  region: 'eu-central-1',
  account: '123456789012',
};

describe('an alarm that changed', () => {
  const event = 'CloudWatchAlarmStateChange';
  const notification = 'CloudWatchAlarmNotification';
  /** The notification with one field of its inner message set. */
  const told = (path: string, value: unknown): Json => {
    const message = JSON.parse(sample(notification).Message as string) as Json;
    message[path] = value;
    return { ...sample(notification), Message: JSON.stringify(message) };
  };

  it('is one value, whether EventBridge or SNS brought it', () => {
    expect(parseAlarmChange(sample(event))).toEqual({
      ...{ ok: true, value: { eventId: 'c4c1c1c9-6542-e61b-6ef0-8c4d36933a92', ...changed } },
    });
    expect(parseAlarmChange(sample(notification))).toEqual({
      ...{ ok: true, value: { eventId: 'da41e39f-ea4d-435a-b922-c6aae3915ebe', ...changed } },
    });
  });

  it('is the same when SNS hands it to a function without a queue', () => {
    const delivery = {
      Records: [{ EventSource: 'aws:sns', EventVersion: '1.0', Sns: sample(notification) }],
    };
    expect(parseAlarmChange(delivery)).toEqual(parseAlarmChange(sample(notification)));
  });

  it.each([
    ['an alarm’s first state, which has no reasonData', 'detail.state.reasonData', undefined],
    ['an alarm that never had a state before', 'detail.previousState', undefined],
    [
      'a math alarm, which has an expression instead of a metric',
      'detail.configuration.metrics',
      [{ id: 'e1', expression: 'm1/m2', label: 'rate', returnData: true }],
    ],
    [
      'a composite alarm, which has a rule instead of metrics',
      'detail.configuration',
      { alarmRule: 'ALARM(a) OR ALARM(b)' },
    ],
    ['a composite alarm, which may give no reason', 'detail.state.reason', undefined],
    ['an alarm with tags', 'detail.alarmTags', { team: 'core' }],
    ['reasonData that is no JSON', 'detail.state.reasonData', 'not { json'],
  ])('may be %s', (_, path, value) => {
    expect(parseAlarmChange(having(event, path, value))).toMatchObject({
      ok: true,
      value: { alarmName: 'orchestrator-canary-5xx', state: 'ALARM' },
    });
  });

  it.each(['OK', 'ALARM', 'INSUFFICIENT_DATA'] as const)('may be %s in both forms', (state) => {
    expect(parseAlarmChange(having(event, 'detail.state.value', state))).toMatchObject({ value: { state } });
    expect(parseAlarmChange(told('NewStateValue', state))).toMatchObject({ value: { state } });
  });

  it('takes the region from the ARN: the notification names it for people', () => {
    const elsewhere = told('AlarmArn', 'arn:aws:cloudwatch:us-east-1:123456789012:alarm:a:b');
    expect(parseAlarmChange(elsewhere)).toMatchObject({ ok: true, value: { region: 'us-east-1' } });
  });

  it.each([
    ['2026-11-21T09:48:19.989+0000', Date.UTC(2026, 10, 21, 9, 48, 19, 989)],
    ['2026-11-21T10:48:19.989+0100', Date.UTC(2026, 10, 21, 9, 48, 19, 989)],
    ['2026-11-21T04:18:19-0530', Date.UTC(2026, 10, 21, 9, 48, 19)],
    ['2026-11-21T09:48:19.989Z', Date.UTC(2026, 10, 21, 9, 48, 19, 989)],
    ['2026-11-21T09:48:19+00:00', Date.UTC(2026, 10, 21, 9, 48, 19)],
  ])('at %s', (text, time) => {
    expect(timeOf(text)).toBe(time);
  });

  it.each([
    ['no object', 5, 'alarm event is 5: it must be an object.'],
    ['nothing', null, 'alarm event is null: it must be an object.'],
    [
      'another event',
      having(event, 'detail-type', 'CloudWatch Alarm Configuration Change'),
      'alarm event: detail-type is "CloudWatch Alarm Configuration Change": it must be "CloudWatch ' +
        'Alarm State Change".',
    ],
    [
      'another source',
      having(event, 'source', 'my.forgery'),
      'alarm event: source is "my.forgery": it must be "aws.cloudwatch".',
    ],
    [
      'no name',
      having(event, 'detail.alarmName', undefined),
      'alarm event: detail.alarmName is missing: it must be a text.',
    ],
    [
      'an empty name',
      having(event, 'detail.alarmName', ''),
      'alarm event: detail.alarmName is "": it must not be empty.',
    ],
    [
      'a state nobody knows',
      having(event, 'detail.state.value', 'alarm'),
      'alarm event: detail.state.value is "alarm": it must be one of OK, ALARM, INSUFFICIENT_DATA.',
    ],
    [
      'no ARN',
      having(event, 'resources', []),
      'alarm event: resources is []: it must hold the ARN of the alarm.',
    ],
    [
      'a time that is none',
      having(event, 'detail.state.timestamp', 'yesterday'),
      'alarm event: "yesterday" is no time; expected 2026-01-31T12:00:00.000+0000.',
    ],
    [
      'a message that is no JSON',
      { ...sample(notification), Message: 'ALARM!' },
      'alarm message: not JSON; it begins with "ALARM!".',
    ],
    [
      'a message that is something else',
      { ...sample(notification), Message: '{"hello":1}' },
      'alarm message: AlarmName is missing: it must be a text.',
    ],
    [
      'an ARN of something else',
      told('AlarmArn', 'arn:aws:s3:::bucket'),
      'alarm message: AlarmArn is "arn:aws:s3:::bucket": it must be the ARN of a CloudWatch alarm.',
    ],
    [
      'a time in the message that is none',
      told('StateChangeTime', ''),
      'alarm message: "" is no time; expected 2026-01-31T12:00:00.000+0000.',
    ],
    [
      'two records at once',
      { Records: [{ Sns: sample(notification) }, { Sns: sample(notification) }] },
      'alarm notification has 2 records: it must have one.',
    ],
  ])('is refused with one sentence: %s', (_, body, expected) => {
    expect(sentence(parseAlarmChange(body))).toBe(expected);
  });
});

describe('a sentence about what came in', () => {
  it('shows no more than forty characters of it, none cut in half', () => {
    const long = `${'x'.repeat(37)}😀😀`;
    const read = parse(AlarmState, long, 'state');
    expect(sentence(read)).toBe(
      `state is "${'x'.repeat(37)}\ufffd…: it must be one of OK, ALARM, INSUFFICIENT_DATA.`,
    );
  });

  it('of a text that is no JSON shows its beginning', () => {
    expect(sentence(parseJson('<html>', 'message'))).toBe('message: not JSON; it begins with "<html>".');
    expect(parseJson('[1]', 'message')).toEqual({ ok: true, value: [1] });
  });
});
