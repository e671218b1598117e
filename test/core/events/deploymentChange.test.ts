import { describe, expect, it } from 'vitest';
import { parseCodeDeployChange } from '../../../events/aws/codeDeploy.ts';
import { parseDeploymentTrouble } from '../../../events/aws/deploymentTrouble.ts';
import { parseEcsDeploymentChange, parseTaskChange } from '../../../events/aws/ecs.ts';
import { having, type Json, sample, sentence } from './payloads.ts';

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
      value: {
        kind: 'task',
        of: { cluster: 'mistersmith-prod', ecsService: 'mistersmith-orchestrator-green' },
      },
    });
  });

  it('is a deployment that ECS gave up', () => {
    expect(parseDeploymentTrouble(sample('EcsDeploymentStateChange'))).toMatchObject({
      ok: true,
      value: {
        kind: 'deployment',
        of: { ecsService: 'mistersmith-orchestrator-green' },
        what: expect.stringContaining('circuit breaker'),
      },
    });
  });

  it.each([
    ['FAILURE', 'failed'],
    ['STOP', 'was stopped'],
  ])('is a deployment that CodeDeploy says %s of', (state, said) => {
    expect(parseDeploymentTrouble(having('CodeDeployDeploymentStateChange', 'detail.state', state))).toEqual({
      ok: true,
      value: {
        ...{ eventId: 'c071bfbf-83c4-49ca-a6ff-3df053957145', kind: 'deployment' },
        of: { application: 'orchestrator', deploymentGroup: 'prod' },
        what: `CodeDeploy deployment d-75I7MBT7C of orchestrator/prod ${said}`,
        changedAt: Date.UTC(2026, 10, 21, 9, 52, 31),
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
    [
      'a deployment that CodeDeploy has begun',
      having('CodeDeployDeploymentStateChange', 'detail.state', 'START'),
    ],
    [
      'a deployment that CodeDeploy has done',
      having('CodeDeployDeploymentStateChange', 'detail.state', 'SUCCESS'),
    ],
  ])('is not %s', (_, body) => {
    expect(parseDeploymentTrouble(body)).toEqual({ ok: true, value: null });
  });

  it.each([null, 7, {}, sample('CloudWatchAlarmStateChange')])('is not said by %o', (body) => {
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
