import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../lib/asl/clock.ts';
import { type EcsTestDesk, ecsDesk, idling, serving } from './ecsDesk.ts';
import { get, until } from './elbDesk.ts';

let desk: EcsTestDesk;
beforeEach(() => {
  desk = ecsDesk({ environment: { CLOUD: 'local' }, secret: async (valueFrom) => `secret of ${valueFrom}` });
});
afterEach(() => desk.close());

const stop = (task: string, more: Record<string, unknown> = {}) => desk.call('StopTask', { task, ...more });
const texts = (arn: string) => desk.service.output(arn).map(({ text }) => text);

describe('task definitions', () => {
  it('count revisions per family and default what ECS defaults', async () => {
    expect(await desk.definition(idling)).toBe('web:1');
    expect(await desk.definition(idling)).toBe('web:2');
    expect(await desk.definition(idling, {}, 'api')).toBe('api:1');
    const { taskDefinition } = await desk.call('DescribeTaskDefinition', { taskDefinition: 'web' });
    expect(taskDefinition).toMatchObject({
      taskDefinitionArn: 'arn:aws:ecs:eu-west-1:123456789012:task-definition/web:2',
      revision: 2,
      status: 'ACTIVE',
      containerDefinitions: [{ name: 'app', image: 'shop/app:1', essential: true, environment: [] }],
    });
  });

  it('deregistered are INACTIVE: described, no longer listed, not run', async () => {
    await desk.definition(idling);
    const second = await desk.definition(idling);
    await desk.call('DeregisterTaskDefinition', { taskDefinition: second });
    expect((await desk.call('ListTaskDefinitions', { familyPrefix: 'web' })).taskDefinitionArns).toEqual([
      'arn:aws:ecs:eu-west-1:123456789012:task-definition/web:1',
    ]);
    expect(
      (await desk.call('DescribeTaskDefinition', { taskDefinition: second })).taskDefinition.status,
    ).toBe('INACTIVE');
    expect(
      (await desk.call('DescribeTaskDefinition', { taskDefinition: 'web' })).taskDefinition.revision,
    ).toBe(1);
    await expect(desk.run(second)).rejects.toMatchObject({
      name: 'ClientException',
      message: 'TaskDefinition is inactive',
    });
  });

  it.each([
    [{ family: 'a b', containerDefinitions: [{ name: 'x', image: 'y' }] }, /Family must/],
    [{ family: 'a', containerDefinitions: [] }, /cannot be empty/],
    [{ family: 'a', containerDefinitions: [{ name: 'x' }] }, /image should not be null/],
    [
      {
        family: 'a',
        containerDefinitions: [
          { name: 'x', image: 'y' },
          { name: 'x', image: 'y' },
        ],
      },
      /unique/,
    ],
    [
      {
        family: 'a',
        containerDefinitions: [{ name: 'x', image: 'y', portMappings: [{ containerPort: 0 }] }],
      },
      /ports from 1/,
    ],
  ])('refuse %j', async (input, message) => {
    await expect(desk.call('RegisterTaskDefinition', input)).rejects.toMatchObject({
      name: 'ClientException',
      message,
    });
  });
});

describe('a task', () => {
  it('is a child process that answers on a port of its own', async () => {
    const definition = await desk.definition(serving('hello'));
    const arns = [await desk.run(definition), await desk.run(definition)];
    const ports: number[] = [];
    for (const arn of arns) {
      const [binding] = (await desk.reached(arn, 'RUNNING')).containers[0]?.networkBindings ?? [];
      expect(binding).toMatchObject({ containerPort: 8080, protocol: 'tcp' });
      ports.push(binding?.hostPort ?? 0);
      await until(() => texts(arn).includes('up'), 'it listens');
    }
    expect(ports[0]).not.toBe(ports[1]);
    for (const port of ports) expect((await get(port)).body).toBe('hello');
  });

  it('finds its ports, variables, secrets and the cloud in its environment', async () => {
    const script =
      'const {PORT,PORT_9090,COLOR,CLOUD,TOKEN}=process.env;' +
      'console.log(JSON.stringify({same:PORT===process.env.PORT_8080,admin:+PORT_9090>' +
      '0,COLOR,CLOUD,TOKEN}))';
    const definition = await desk.definition(script, {
      portMappings: [{ containerPort: 8080 }, { containerPort: 9090 }],
      environment: [{ name: 'COLOR', value: 'blue' }],
      secrets: [{ name: 'TOKEN', valueFrom: 'arn:token' }],
    });
    const arn = await desk.run(definition, {
      overrides: { containerOverrides: [{ name: 'app', environment: [{ name: 'COLOR', value: 'green' }] }] },
    });
    await desk.reached(arn, 'STOPPED');
    const found = { same: true, admin: true, COLOR: 'green', CLOUD: 'local', TOKEN: 'secret of arn:token' };
    expect(JSON.parse(texts(arn)[0] ?? '')).toEqual(found);
  });

  it('that ends by itself is STOPPED with its exit code', async () => {
    const arn = await desk.run(await desk.definition(`console.error('no config');process.exit(3)`));
    const task = await desk.reached(arn, 'STOPPED');
    expect(task).toMatchObject({
      stopCode: 'EssentialContainerExited',
      stoppedReason: 'Essential container in task exited',
      containers: [{ exitCode: 3 }],
    });
    expect(desk.service.output(arn)).toMatchObject([
      { stream: 'stderr', text: 'no config', container: 'app' },
    ]);
  });

  it('stopped gets SIGTERM and may end well', async () => {
    const arn = await desk.run(await desk.definition(serving('x')));
    await desk.reached(arn, 'RUNNING');
    await until(() => texts(arn).includes('up'), 'it listens');
    await stop(arn, { reason: 'enough' });
    const task = await desk.reached(arn, 'STOPPED');
    expect(task).toMatchObject({
      stopCode: 'UserInitiated',
      stoppedReason: 'enough',
      containers: [{ exitCode: 0 }],
    });
    expect(texts(arn)).toContain('bye');
  });

  it('that cannot be started says why', async () => {
    const program = await desk.run(await desk.definition('', { entryPoint: ['/no/such/program'] }));
    expect(await desk.reached(program, 'STOPPED')).toMatchObject({
      stopCode: 'TaskFailedToStart',
      stoppedReason: expect.stringMatching(/^CannotStartContainerError: .*ENOENT/),
    });
    const nothing = await desk.run(await desk.definition('', { entryPoint: [], command: [] }));
    expect((await desk.reached(nothing, 'STOPPED')).stoppedReason).toMatch(/neither entryPoint nor command/);
  });

  it('tells every change of its status to EventBridge', async () => {
    const arn = await desk.run(await desk.definition(`process.exit(1)`), { startedBy: 'me', group: 'batch' });
    await desk.reached(arn, 'STOPPED');
    const told = desk.told('ECS Task State Change');
    expect(told.map(({ detail }) => detail.lastStatus)).toEqual([
      'PENDING',
      'RUNNING',
      'DEACTIVATING',
      'STOPPING',
      'STOPPED',
    ]);
    expect(told.map(({ detail }) => detail.version)).toEqual([1, 2, 3, 4, 5]);
    expect(told.at(-1)).toMatchObject({
      source: 'aws.ecs',
      resources: [arn],
      detail: {
        taskArn: arn,
        clusterArn: 'arn:aws:ecs:eu-west-1:123456789012:cluster/default',
        desiredStatus: 'STOPPED',
        group: 'batch',
        startedBy: 'me',
        stopCode: 'EssentialContainerExited',
        stoppedReason: 'Essential container in task exited',
        containers: [{ name: 'app', lastStatus: 'STOPPED', exitCode: 1, taskArn: arn }],
        stoppedAt: expect.stringMatching(/^\d{4}-.*Z$/),
        updatedAt: expect.stringMatching(/Z$/),
      },
    });
    expect(told.at(-1)?.detail).not.toHaveProperty('healthStatus');
  });

  it('is healthy by its own check, and unhealthy after as many failures as retries', async () => {
    const check = (command: string[]) => ({ healthCheck: { command, interval: 0.05, retries: 2 } });
    const good = await desk.run(await desk.definition(idling, check(['CMD-SHELL', 'test -n "$PORT"'])));
    const bad = await desk.run(
      await desk.definition(idling, check(['CMD', 'node', '-e', 'process.exit(1)'])),
    );
    await until(async () => (await desk.task(good)).healthStatus === 'HEALTHY', 'the one is healthy');
    await until(async () => (await desk.task(bad)).healthStatus === 'UNHEALTHY', 'the other is not');
  });

  it('with several containers ends with its first essential one', async () => {
    const fragile =
      `require('node:http').createServer(()=>` +
      `process.exit(4)).listen(process.env.PORT,()=>console.log('up'))`;
    const portMappings = [{ containerPort: 80 }];
    const { taskDefinition } = await desk.call('RegisterTaskDefinition', {
      family: 'pair',
      containerDefinitions: [
        { name: 'log', image: 'log', essential: false, command: ['node', '-e', 'process.exit(0)'] },
        { name: 'app', image: 'app', command: ['node', '-e', fragile], portMappings },
        { name: 'side', image: 'side', essential: false, command: ['node', '-e', idling] },
      ],
    });
    const arn = await desk.run(taskDefinition.taskDefinitionArn);
    const first = async () => (await desk.task(arn)).containers[0]?.lastStatus;
    await until(async () => (await first()) === 'STOPPED', 'the one that is not essential has ended');
    await until(() => texts(arn).length === 2, 'both others are up');
    expect((await desk.task(arn)).lastStatus).toBe('RUNNING');
    const port = (await desk.task(arn)).containers[1]?.networkBindings[0]?.hostPort ?? 0;
    await expect(get(port)).rejects.toThrow(/hang up|ECONNRESET/);
    const task = await desk.reached(arn, 'STOPPED');
    expect(task.containers.map(({ exitCode }) => exitCode)).toEqual([0, 4, 143]); // 128 + SIGTERM
  });

  it('is found by its cluster only, and missing ones are failures', async () => {
    await desk.call('CreateCluster', { clusterName: 'other' });
    const arn = await desk.run(await desk.definition(idling));
    const { tasks, failures } = await desk.call('DescribeTasks', { cluster: 'other', tasks: [arn] });
    expect([tasks, failures[0].reason]).toEqual([[], 'MISSING']);
    await expect(desk.call('DescribeTasks', { cluster: 'none', tasks: [arn] })).rejects.toMatchObject({
      name: 'ClusterNotFoundException',
    });
  });
});

describe('a task that does not hear', () => {
  it('is killed after its stop timeout, on the cloud’s clock', async () => {
    const clock = new VirtualClock();
    const deaf = ecsDesk({ clock });
    const arn = await deaf.run(
      await deaf.definition(`process.on('SIGTERM',()=>console.log('heard'));${idling}`, { stopTimeout: 20 }),
    );
    await deaf.reached(arn, 'RUNNING');
    await until(() => deaf.service.output(arn).length === 1, 'it is up');
    await deaf.call('StopTask', { task: arn });
    await until(() => deaf.service.output(arn).length === 2, 'it got SIGTERM');
    await clock.advance(19_999);
    expect((await deaf.task(arn)).lastStatus).toBe('STOPPING');
    await clock.advance(1);
    expect((await deaf.reached(arn, 'STOPPED')).containers[0]?.exitCode).toBe(137); // 128 + SIGKILL
    await deaf.close();
  });
});
