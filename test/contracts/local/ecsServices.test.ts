import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EcsTestDesk, ecsDesk, idling, serving } from './ecsDesk.ts';
import { bodies, get, until } from './elbDesk.ts';

let desk: EcsTestDesk;
beforeEach(() => {
  desk = ecsDesk();
});
afterEach(() => desk.close());

const messages = async () => (await desk.described()).events.map(({ message }) => message);
const deployments = () => desk.told('ECS Deployment State Change').map(({ detail }) => detail.eventName);

describe('a service', () => {
  it('has as many tasks as desired, scales, and tells when it is steady', async () => {
    await desk.create(await desk.definition(idling), { desiredCount: 2 });
    const first = await desk.settled();
    expect(first).toMatchObject({ status: 'ACTIVE', desiredCount: 2, runningCount: 2, pendingCount: 0 });
    expect(first.deployments).toMatchObject([
      { status: 'PRIMARY', rolloutState: 'COMPLETED', runningCount: 2 },
    ]);
    await desk.update({ desiredCount: 1 });
    await until(async () => (await desk.described()).runningCount === 1, 'one runs');
    await desk.update({ desiredCount: 3 });
    await until(async () => (await desk.described()).runningCount === 3, 'three run');
    expect(deployments()).toEqual(['SERVICE_DEPLOYMENT_IN_PROGRESS', 'SERVICE_DEPLOYMENT_COMPLETED']);
    expect(desk.told('ECS Service Action')[0]?.detail).toMatchObject({
      eventName: 'SERVICE_STEADY_STATE',
      eventType: 'INFO',
    });
    expect(await messages()).toContain('(service web) has reached a steady state.');
    const [task] = await desk.tasksOf();
    expect(task).toMatchObject({ group: 'service:web', startedBy: first.deployments[0]?.id });
  });

  it('replaces a task that died', async () => {
    await desk.create(await desk.definition(idling));
    await desk.settled();
    const [task] = await desk.tasksOf();
    await desk.call('StopTask', { task: task?.taskArn });
    const another = async () => {
      const [now] = await desk.tasksOf();
      return now !== undefined && now.taskArn !== task?.taskArn && now.lastStatus === 'RUNNING';
    };
    await until(another, 'another task runs');
  });

  it('registers its real ports and is reached through the balancer', async () => {
    const { port, group, loadBalancers } = await desk.balanced();
    await desk.create(await desk.definition(serving('v1')), { desiredCount: 2, loadBalancers });
    await desk.settled();
    expect(await bodies(port, 4)).toEqual({ v1: 4 });
    expect(await desk.elb.health(group)).toMatchObject([{ State: 'healthy' }, { State: 'healthy' }]);
    expect(await messages()).toContain(`(service web) registered 1 targets in (target-group ${group})`);
  });

  it('rolls to a new revision without losing a request', async () => {
    const { port, group, loadBalancers } = await desk.balanced();
    await desk.create(await desk.definition(serving('v1')), { desiredCount: 2, loadBalancers });
    await desk.settled();
    let asking = true;
    const seen: string[] = [];
    const client = (async () => {
      while (asking) {
        const { status, body } = await get(port);
        seen.push(status === 200 ? body : `${status}`);
      }
    })();
    const { service } = await desk.update({ taskDefinition: await desk.definition(serving('v2')) });
    expect(service.deployments.map(({ status }: { status: string }) => status)).toEqual([
      'PRIMARY',
      'ACTIVE',
    ]);
    await desk.settled();
    asking = false;
    await client;
    expect(new Set(seen)).toEqual(new Set(['v1', 'v2']));
    expect(await bodies(port, 4)).toEqual({ v2: 4 });
    expect(await desk.elb.health(group)).toHaveLength(2);
  });

  it('stops a task its balancer finds unhealthy and says why', async () => {
    const { group, loadBalancers } = await desk.balanced();
    const sick =
      `let n=0;require('node:http').createServer((q,r)=>{r.statusCode=++n>2?500:200;` +
      'r.end()}).listen(process.env.PORT)';
    await desk.create(await desk.definition(sick), { loadBalancers });
    await desk.settled();
    const told = () =>
      desk.told('ECS Task State Change').find(({ detail }) => detail.lastStatus === 'STOPPED');
    await until(() => told() !== undefined, 'a task was stopped');
    expect(told()?.detail.stoppedReason).toBe(
      `(service web) (port 8080) is unhealthy in (target-group ${group}) due to (reason ` +
        'Health checks failed with these codes: [500])',
    );
  });

  it('deleted drains, then is INACTIVE, and its name is free again', async () => {
    const definition = await desk.definition(idling);
    await desk.create(definition);
    await desk.settled();
    await expect(desk.call('DeleteService', { service: 'web' })).rejects.toThrow(/scaled above 0/);
    await desk.call('DeleteService', { service: 'web', force: true });
    await until(async () => (await desk.described()).status === 'INACTIVE', 'it is INACTIVE');
    await expect(desk.update({ desiredCount: 1 })).rejects.toMatchObject({
      name: 'ServiceNotFoundException',
    });
    await desk.create(definition, { desiredCount: 0 });
    expect((await desk.described()).status).toBe('ACTIVE');
  });

  it('keeps and gives tags, and is listed', async () => {
    await desk.create(await desk.definition(idling), {
      desiredCount: 0,
      tags: [{ key: 'team', value: 'shop' }],
    });
    const { services } = await desk.call('DescribeServices', {
      services: ['web', 'none'],
      include: ['TAGS'],
    });
    expect(services[0].tags).toEqual([{ key: 'team', value: 'shop' }]);
    await desk.call('TagResource', {
      resourceArn: services[0].serviceArn,
      tags: [{ key: 'team', value: 'cart' }],
    });
    const { tags } = await desk.call('ListTagsForResource', { resourceArn: services[0].serviceArn });
    expect(tags).toEqual([{ key: 'team', value: 'cart' }]);
    expect((await desk.call('ListServices')).serviceArns).toEqual([
      'arn:aws:ecs:eu-west-1:123456789012:service/default/web',
    ]);
  });

  it.each([
    [{ desiredCount: -1 }, /negative/],
    [{ deploymentConfiguration: { strategy: 'BLUE_GREEN' } }, /BLUE_GREEN is not emulated/],
    [{ deploymentController: { type: 'CODE_DEPLOY' } }, /CODE_DEPLOY is not emulated/],
    [{ deploymentConfiguration: { maximumPercent: 100 } }, /no task could ever be replaced/],
    [
      { loadBalancers: [{ targetGroupArn: 'arn:none', containerName: 'app', containerPort: 8080 }] },
      /does not exist: arn:none/,
    ],
    [{ serviceConnectConfiguration: { enabled: true } }, /not emulated/],
  ])('is refused with %j', async (more, message) => {
    const definition = await desk.definition(idling);
    await expect(desk.create(definition, more)).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message,
    });
    expect((await desk.call('ListServices')).serviceArns).toEqual([]);
  });

  it('is refused a target group without a balancer, and a port its container does not have', async () => {
    const definition = await desk.definition(idling);
    const alone = await desk.elb.group('alone');
    const lb = (targetGroupArn: string, containerPort: number) => ({
      loadBalancers: [{ targetGroupArn, containerName: 'app', containerPort }],
    });
    await expect(desk.create(definition, lb(alone, 8080))).rejects.toThrow(
      /does not have an associated load balancer/,
    );
    const { group } = await desk.balanced();
    await expect(desk.create(definition, lb(group, 9999))).rejects.toThrow(/container port 9999/);
  });
});
