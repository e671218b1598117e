import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EcsTestDesk, ecsDesk, idling, serving } from './ecsDesk.ts';
import { bodies, until } from './elbDesk.ts';

let desk: EcsTestDesk;
beforeEach(() => {
  desk = ecsDesk();
});
afterEach(() => desk.close());

/** Ends at once, sooner than any task settles. */
const dying = () => desk.definition('exit 1', { entryPoint: ['/bin/sh', '-c'] });
const breaker = (rollback: boolean) => ({
  deploymentConfiguration: { deploymentCircuitBreaker: { enable: true, rollback } },
});

describe('the deployment circuit breaker', () => {
  it('fails a deployment whose tasks keep ending, and goes back to the last completed one', async () => {
    const { port, loadBalancers } = await desk.balanced();
    const good = await desk.definition(serving('v1'));
    await desk.create(good, { loadBalancers, ...breaker(true) });
    const first = (await desk.settled()).deployments[0];
    const before = desk.events.length;
    await desk.update({ taskDefinition: await dying() });
    await until(
      () => desk.events.slice(before).some(({ detail }) => detail.eventName === 'SERVICE_DEPLOYMENT_FAILED'),
      'it failed',
    );
    const service = await desk.settled();
    expect(service.deployments[0]).toMatchObject({
      id: first?.id,
      rolloutState: 'COMPLETED',
      failedTasks: 0,
    });
    expect(await bodies(port, 3)).toEqual({ v1: 3 });
    const told = desk.told('ECS Deployment State Change').slice(2);
    const failed = told[1]?.detail.deploymentId;
    expect(told.map(({ detail }) => detail)).toMatchObject([
      {
        eventType: 'INFO',
        eventName: 'SERVICE_DEPLOYMENT_IN_PROGRESS',
        deploymentId: failed,
        reason: `ECS deployment ${failed} in progress.`,
      },
      {
        eventType: 'ERROR',
        eventName: 'SERVICE_DEPLOYMENT_FAILED',
        reason: 'ECS deployment circuit breaker: tasks failed to start.',
      },
      {
        eventType: 'INFO',
        eventName: 'SERVICE_DEPLOYMENT_IN_PROGRESS',
        deploymentId: first?.id,
        reason: `ECS deployment circuit breaker: rolling back to deploymentId ${first?.id}.`,
      },
      { eventName: 'SERVICE_DEPLOYMENT_COMPLETED', deploymentId: first?.id },
    ]);
    const started = desk
      .told('ECS Task State Change')
      .filter(({ detail }) => detail.startedBy === failed && detail.lastStatus === 'STOPPED');
    expect(started).toHaveLength(3);
  });

  it('without rollback leaves the failed deployment and the old tasks where they are', async () => {
    await desk.create(await desk.definition(idling), breaker(false));
    const first = (await desk.settled()).deployments[0];
    await desk.update({ taskDefinition: await dying() });
    await until(async () => (await desk.described()).deployments[0]?.rolloutState === 'FAILED', 'it failed');
    const { deployments } = await desk.described();
    expect(deployments).toMatchObject([
      { status: 'PRIMARY', rolloutState: 'FAILED', failedTasks: 3, runningCount: 0 },
      { id: first?.id, status: 'ACTIVE', runningCount: 1 },
    ]);
  });

  it('counts tasks that never become healthy', async () => {
    const { group, loadBalancers } = await desk.balanced();
    await desk.elb.call('ModifyTargetGroup', { TargetGroupArn: group, HealthCheckIntervalSeconds: 1 });
    const sick =
      `require('node:http').createServer((q,r)=>{r.statusCode=500;` + 'r.end()}).listen(process.env.PORT)';
    const count = { type: 'COUNT', value: 1 };
    const configuration = {
      deploymentCircuitBreaker: { enable: true, rollback: false, thresholdConfiguration: count },
    };
    await desk.create(await desk.definition(sick), { loadBalancers, deploymentConfiguration: configuration });
    await until(async () => (await desk.described()).deployments[0]?.rolloutState === 'FAILED', 'it failed');
  });
});

describe('a crash loop', () => {
  it('without a breaker goes on, more and more slowly, and is told as impaired', async () => {
    await desk.create(await dying());
    const impaired = () =>
      desk
        .told('ECS Service Action')
        .find(({ detail }) => detail.eventName === 'SERVICE_TASK_START_IMPAIRED');
    await until(() => impaired() !== undefined, 'it is impaired');
    expect(impaired()?.detail).toMatchObject({
      eventType: 'WARN',
      clusterArn: 'arn:aws:ecs:eu-west-1:123456789012:cluster/default',
    });
    const service = await desk.described();
    expect(service.deployments[0]).toMatchObject({ rolloutState: 'IN_PROGRESS', failedTasks: 3 });
    expect(service.events.map(({ message }) => message)).toContain(
      '(service web) is unable to consistently start tasks successfully.',
    );
  });
});

describe('a deployment', () => {
  it('is superseded by a newer one', async () => {
    const { loadBalancers } = await desk.balanced();
    await desk.create(await desk.definition(serving('v1')), { loadBalancers });
    await desk.settled();
    const silent = await desk.definition(idling); // never answers: stays in progress
    await desk.update({ taskDefinition: silent, healthCheckGracePeriodSeconds: 60 });
    await until(async () => (await desk.described()).runningCount === 2, 'both run');
    await desk.update({ taskDefinition: await desk.definition(serving('v3')) });
    const service = await desk.settled();
    expect(service.taskDefinition).toMatch(/web:3$/);
    expect((await desk.tasksOf()).map(({ taskDefinitionArn }) => taskDefinitionArn)).toEqual([
      'arn:aws:ecs:eu-west-1:123456789012:task-definition/web:3',
    ]);
  });

  it('forced replaces tasks of the same revision; without force nothing happens', async () => {
    const definition = await desk.definition(idling);
    await desk.create(definition);
    const first = (await desk.settled()).deployments[0]?.id;
    await desk.update({ taskDefinition: definition });
    expect((await desk.described()).deployments[0]?.id).toBe(first);
    const [task] = await desk.tasksOf();
    await desk.update({ forceNewDeployment: true });
    const service = await desk.settled();
    expect(service.deployments[0]?.id).not.toBe(first);
    expect((await desk.tasksOf())[0]?.taskArn).not.toBe(task?.taskArn);
  });
});
