import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseAlarmChange } from '../../../events/aws/cloudWatchAlarm.ts';
import { parseCodeDeployChange } from '../../../events/aws/codeDeploy.ts';
import {
  parseDeploymentTrouble,
  parseEcsDeploymentChange,
  parseTaskChange,
} from '../../../events/aws/ecs.ts';
import { timeOf } from '../../../events/aws/envelope.ts';
import type { Parsed } from '../../../events/parsed.ts';
import { parse, parseJson } from '../../../events/parsed.ts';
import { AlarmState } from '../../../events/rollback.ts';

type Json = Record<string, unknown>;
const sample = (name: string): Json =>
  JSON.parse(readFileSync(new URL(`../../../events/samples/${name}.json`, import.meta.url), 'utf8'));

/** The sample with one field set, or taken away where the value is undefined; the path is dotted. */
function having(name: string, path: string, value: unknown): Json {
  const event = sample(name);
  const keys = path.split('.');
  const holder = keys.slice(0, -1).reduce<Json>((inner, key) => inner[key] as Json, event);
  holder[keys.at(-1) as string] = value;
  return JSON.parse(JSON.stringify(event));
}

const sentence = <T>(read: Parsed<T>): string =>
  read.ok ? `accepted: ${JSON.stringify(read.value)}` : read.sentence;
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
      'alarm event: detail-type is "CloudWatch Alarm Configuration Change": it must be "CloudWatch Alarm State Change".',
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

describe('a task that changed', () => {
  const event = 'EcsTaskStateChange';

  it('is told with what happened to it, for a person', () => {
    expect(parseTaskChange(sample(event))).toEqual({
      ok: true,
      value: {
        eventId: '3317b2af-7005-947d-b652-f55e762e571a',
        taskArn:
          'arn:aws:ecs:eu-central-1:123456789012:task/mistersmith-prod/c13b4cb40f1f4fe4a2971f76ae5a47ad',
        version: 6,
        cluster: 'mistersmith-prod',
        service: 'mistersmith-orchestrator-green',
        taskDefinitionArn:
          'arn:aws:ecs:eu-central-1:123456789012:task-definition/mistersmith-orchestrator:42',
        lastStatus: 'STOPPED',
        failed: true,
        what:
          'task c13b4cb40f1f4fe4a2971f76ae5a47ad stopped: Essential container in task exited; ' +
          'orchestrator exited with 137 (OutOfMemoryError: Container killed due to memory usage)',
        changedAt: Date.UTC(2026, 10, 21, 9, 47, 58, 103),
      },
    });
  });

  const stopped = (stopCode: string | undefined, stoppedReason: string | undefined): Json => {
    const given = having(event, 'detail.stopCode', stopCode);
    return { ...given, detail: { ...(given.detail as Json), stoppedReason } };
  };

  it.each([
    ['crashed', 'EssentialContainerExited', 'Essential container in task exited', true],
    [
      'could not start',
      'TaskFailedToStart',
      'CannotPullContainerError: pull image manifest has been retried',
      true,
    ],
    ['failed its own health check', 'ServiceSchedulerInitiated', 'Task failed container health checks', true],
    [
      'failed the balancer’s health check',
      'ServiceSchedulerInitiated',
      'Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:…)',
      true,
    ],
    [
      'was unhealthy',
      'ServiceSchedulerInitiated',
      '(service a) (port 80) is unhealthy in (target-group b)',
      true,
    ],
    [
      'was scaled in',
      'ServiceSchedulerInitiated',
      'Scaling activity initiated by (deployment ecs-svc/9223370509927195773)',
      false,
    ],
    ['was stopped by a person', 'UserInitiated', 'Task stopped by ada', false],
    ['gave its spot back', 'SpotInterruption', 'Your Spot Task was interrupted.', false],
    ['was moved by AWS', 'TerminationNotice', 'Fargate retires the host', false],
    ['stopped for a reason nobody gave', undefined, undefined, false],
  ])('that %s: failed %s', (_, stopCode, reason, failed) => {
    expect(parseTaskChange(stopped(stopCode, reason))).toMatchObject({ ok: true, value: { failed } });
  });

  const running = (over: Json): Json => {
    const given = sample(event);
    return {
      ...given,
      detail: { ...(given.detail as Json), lastStatus: 'RUNNING', desiredStatus: 'RUNNING', ...over },
    };
  };

  it.each([
    ['runs and is healthy', { healthStatus: 'HEALTHY' }, false],
    ['runs and is unhealthy', { healthStatus: 'UNHEALTHY' }, true],
    [
      'is unhealthy while it is being stopped',
      { healthStatus: 'UNHEALTHY', desiredStatus: 'STOPPED' },
      false,
    ],
    ['is pending', { lastStatus: 'PENDING', healthStatus: undefined }, false],
    ['is in a state ECS has added since', { lastStatus: 'HIBERNATING' }, false],
  ])('that %s: failed %s', (_, over, failed) => {
    expect(parseTaskChange(running(over))).toMatchObject({ ok: true, value: { failed } });
  });

  it('that no service started belongs to none', () => {
    expect(parseTaskChange(having(event, 'detail.group', 'family:sample'))).toMatchObject({
      value: { service: null },
    });
    expect(parseTaskChange(having(event, 'detail.group', undefined))).toMatchObject({
      value: { service: null },
    });
  });

  it('that left nothing but its end says so', () => {
    const bare = stopped(undefined, undefined);
    const given = { ...bare, detail: { ...(bare.detail as Json), containers: undefined } };
    expect(parseTaskChange(given)).toMatchObject({
      value: { what: 'task c13b4cb40f1f4fe4a2971f76ae5a47ad stopped: no reason given' },
    });
  });

  it.each([
    [
      'another event',
      sample('EcsDeploymentStateChange'),
      'task event: detail-type is "ECS Deployment State Change": it must be "ECS Task State Change".',
    ],
    [
      'no task',
      having(event, 'detail.taskArn', undefined),
      'task event: detail.taskArn is missing: it must be a text.',
    ],
    [
      'an exit code that is no number',
      having(event, 'detail.containers', [{ name: 'a', exitCode: '1' }]),
      'task event: detail.containers.0.exitCode is "1": it must be a number.',
    ],
    [
      'a time that is none',
      having(event, 'detail.updatedAt', 'now'),
      'task event: "now" is no time; expected 2026-01-31T12:00:00.000+0000.',
    ],
  ])('is refused with one sentence: %s', (_, body, expected) => {
    expect(sentence(parseTaskChange(body))).toBe(expected);
  });
});

describe('a deployment of ECS that changed', () => {
  const event = 'EcsDeploymentStateChange';

  it('is told with its service and its cluster', () => {
    expect(parseEcsDeploymentChange(sample(event))).toEqual({
      ok: true,
      value: {
        eventId: 'ddca6449-b258-46c0-8653-e0e3a6d8a3b1',
        serviceArn:
          'arn:aws:ecs:eu-central-1:123456789012:service/mistersmith-prod/mistersmith-orchestrator-green',
        cluster: 'mistersmith-prod',
        service: 'mistersmith-orchestrator-green',
        deploymentId: 'ecs-svc/9223370509927195773',
        state: 'failed',
        rollingBack: false,
        reason: 'ECS deployment circuit breaker: tasks failed to start.',
        changedAt: Date.UTC(2026, 10, 21, 9, 51, 11),
      },
    });
  });

  it.each([
    ['SERVICE_DEPLOYMENT_IN_PROGRESS', 'ECS deployment ecs-svc/123 in progress.', 'in-progress', false],
    [
      'SERVICE_DEPLOYMENT_IN_PROGRESS',
      'ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/122.',
      'in-progress',
      true,
    ],
    ['SERVICE_DEPLOYMENT_COMPLETED', 'ECS deployment ecs-svc/123 completed.', 'completed', false],
    ['SERVICE_DEPLOYMENT_FAILED', undefined, 'failed', false],
    ['SERVICE_DEPLOYMENT_REDECORATED', 'new in 2027', 'other', false],
  ])('%s (%s) is %s', (eventName, reason, state, rollingBack) => {
    const given = having(event, 'detail.eventName', eventName);
    const body = { ...given, detail: { ...(given.detail as Json), reason } };
    expect(parseEcsDeploymentChange(body)).toMatchObject({ ok: true, value: { state, rollingBack } });
  });

  it.each([
    ['arn:aws:ecs:eu-central-1:123456789012:service/shop', '', 'shop'],
    ['arn:aws:ecs:eu-central-1:123456789012:service/shop/shop', 'shop', 'shop'],
    ['arn:aws-cn:ecs:cn-north-1:123456789012:service/prod/a-b_c', 'prod', 'a-b_c'],
  ])('of %s', (arn, cluster, service) => {
    expect(parseEcsDeploymentChange(having(event, 'resources', [arn]))).toMatchObject({
      value: { cluster, service },
    });
  });

  it.each([
    [
      'no service',
      having(event, 'resources', []),
      'deployment event: resources is []: it must hold the ARN of the service.',
    ],
    [
      'an ARN of something else',
      having(event, 'resources', ['arn:aws:s3:::b']),
      'deployment event: resources.0 is "arn:aws:s3:::b": it must be the ARN of an ECS service.',
    ],
    [
      'no name',
      having(event, 'detail.eventName', 7),
      'deployment event: detail.eventName is 7: it must be a text.',
    ],
  ])('is refused with one sentence: %s', (_, body, expected) => {
    expect(sentence(parseEcsDeploymentChange(body))).toBe(expected);
  });
});

describe('trouble with a deployment', () => {
  it('is a task that failed', () => {
    expect(parseDeploymentTrouble(sample('EcsTaskStateChange'))).toMatchObject({
      ok: true,
      value: { kind: 'task', cluster: 'mistersmith-prod', ecsService: 'mistersmith-orchestrator-green' },
    });
  });

  it('is a deployment that ECS gave up', () => {
    expect(parseDeploymentTrouble(sample('EcsDeploymentStateChange'))).toMatchObject({
      ok: true,
      value: {
        kind: 'deployment',
        ecsService: 'mistersmith-orchestrator-green',
        what: expect.stringContaining('circuit breaker'),
      },
    });
  });

  it('is a deployment that ECS takes back', () => {
    const given = having('EcsDeploymentStateChange', 'detail.eventName', 'SERVICE_DEPLOYMENT_IN_PROGRESS');
    const back = {
      ...given,
      detail: { ...(given.detail as Json), reason: 'rolling back to deploymentId ecs-svc/1' },
    };
    expect(parseDeploymentTrouble(back)).toMatchObject({ ok: true, value: { kind: 'deployment' } });
  });

  it.each([
    ['a task that was scaled in', having('EcsTaskStateChange', 'detail.stopCode', 'UserInitiated')],
    ['a task of no service', having('EcsTaskStateChange', 'detail.group', undefined)],
    [
      'a deployment that is complete',
      having('EcsDeploymentStateChange', 'detail.eventName', 'SERVICE_DEPLOYMENT_COMPLETED'),
    ],
  ])('is not %s', (_, body) => {
    expect(parseDeploymentTrouble(body)).toEqual({ ok: true, value: null });
  });

  it.each([null, 7, {}, sample('CodeDeployDeploymentStateChange')])('is not said by %o', (body) => {
    expect(parseDeploymentTrouble(body)).toMatchObject({
      ok: false,
      sentence: expect.stringMatching(/^task event.*\.$/),
    });
  });
});

describe('a CodeDeploy deployment that changed', () => {
  const event = 'CodeDeployDeploymentStateChange';

  it.each([
    ['START', 'started'],
    ['READY', 'ready'],
    ['SUCCESS', 'succeeded'],
    ['FAILURE', 'failed'],
    ['STOP', 'stopped'],
    ['REDECORATE', 'other'],
  ])('%s is %s', (given, state) => {
    expect(parseCodeDeployChange(having(event, 'detail.state', given))).toEqual({
      ok: true,
      value: {
        ...{
          eventId: 'c071bfbf-83c4-49ca-a6ff-3df053957145',
          application: 'orchestrator',
          deploymentGroup: 'prod',
        },
        ...{ deploymentId: 'd-75I7MBT7C', state, region: 'eu-central-1', account: '123456789012' },
        changedAt: Date.UTC(2026, 10, 21, 9, 52, 31),
      },
    });
  });

  it('needs no instance group: a Lambda deployment has none', () => {
    expect(parseCodeDeployChange(having(event, 'detail.instanceGroupId', undefined)).ok).toBe(true);
  });

  it.each([
    [
      'no deployment',
      having(event, 'detail.deploymentId', undefined),
      'CodeDeploy event: detail.deploymentId is missing: it must be a text.',
    ],
    [
      'another source',
      having(event, 'source', 'aws.ecs'),
      'CodeDeploy event: source is "aws.ecs": it must be "aws.codedeploy".',
    ],
  ])('is refused with one sentence: %s', (_, body, expected) => {
    expect(sentence(parseCodeDeployChange(body))).toBe(expected);
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
