/** What ECS says of tasks, and the capacity behind a rollout, on the wire: no alarm has any part in it. */
import {
  ApplicationAutoScalingClient,
  DescribeScalableTargetsCommand,
  RegisterScalableTargetCommand,
} from '@aws-sdk/client-application-auto-scaling';
import { ECSClient, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import {
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { DisableRuleCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { GetQueueUrlCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../until.ts';
import { openWire, restingAtHalf, type Wire } from './wire.ts';

let wire: Wire;

beforeAll(async () => {
  wire = await openWire({
    ...restingAtHalf,
    strategy: {
      ...restingAtHalf.strategy,
      steps: [{ weight: 50, bakeSeconds: 900 }, { weight: 60, bakeSeconds: 900 }, { weight: 100 }],
    },
    codeDeploy: [
      { application: 'shop', deploymentGroup: 'shop-live' },
      { application: 'shop', deploymentGroup: 'shop-blue', slot: 'blue' },
    ],
    healthFailuresMax: 2,
    rollbacksPerDayMax: 5,
    rolloutTimeoutSeconds: 1, // asked about by `reconcile` alone, which runs here only when a test says so
  });
  const rules = new EventBridgeClient(wire.at);
  for (const Name of ['switchback-alarms', 'switchback-reconcile']) {
    await rules.send(new DisableRuleCommand({ Name }));
  }
});

afterAll(() => wire.close());

async function baking(fault: 'none' | 'crash' = 'none') {
  wire.cloud.faults.clear();
  const release = await wire.request({}, fault);
  await wire.phase('baking');
  return release;
}

const abort = async () => {
  await wire.operate('abort', { why: 'the test is over' });
  await wire.phase('rolled-back');
};

/** A task of the slot that stopped, as ECS tells of it. */
async function taskStopped(id: string, slot: 'blue' | 'green'): Promise<void> {
  const at = new Date().toISOString();
  const body = {
    ...{ id, source: 'aws.ecs', 'detail-type': 'ECS Task State Change' },
    ...{ account: '000000000000', region: 'eu-west-1', time: at, resources: [] },
    detail: {
      taskArn: `arn:aws:ecs:eu-west-1:000000000000:task/shop/${id}`,
      clusterArn: 'arn:aws:ecs:eu-west-1:000000000000:cluster/shop',
      taskDefinitionArn: 'arn:aws:ecs:eu-west-1:000000000000:task-definition/shop:1',
      group: `service:shop-${slot}`,
      ...{ lastStatus: 'STOPPED', desiredStatus: 'STOPPED', version: 4, updatedAt: at },
      ...{ stopCode: 'EssentialContainerExited', stoppedReason: 'Essential container in task exited' },
    },
  };
  const sqs = new SQSClient(wire.at);
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: 'switchback-deployments' }));
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(body) }));
}

/** How often the function says that it heard of it. */
const heard = (what: string): number =>
  wire.lines.filter((line) => line.includes('deployment heard') && line.includes(what)).length;

const healthFailures = async (since: number) =>
  (await wire.events(since + 1)).filter((event) => event.type === 'HealthCheckFailed');

describe('tasks of the canary that crash', () => {
  it('are taken back without any alarm', async () => {
    const { before } = await baking('crash');
    const visiting = setInterval(() => void fetch(wire.shopUrl).catch(() => undefined), 50);
    await wire.phase('rolled-back').finally(() => clearInterval(visiting));
    expect(await wire.canaryWeight()).toBe(0);
    const events = await wire.events(before + 1);
    expect(events.some(({ type }) => type === 'AlarmReceived')).toBe(false);
    expect(events.find(({ type }) => type === 'RollbackInitiated')).toMatchObject({
      trigger: 'health',
      reason: expect.stringContaining('exited with 1'),
      fromWeight: 50,
    });
    expect(events.filter((event) => event.type === 'HealthCheckFailed')).toMatchObject([
      { side: 'canary', consecutive: 1, limit: 2 },
      { side: 'canary', consecutive: 2, limit: 2 },
    ]);
  });

  it('count once, however often ECS says it', async () => {
    const { before } = await baking();
    await Promise.all([taskStopped('said-twice', 'green'), taskStopped('said-twice', 'green')]);
    await taskStopped('said-twice', 'green');
    await until('counted', async () => (await healthFailures(before)).length > 0);
    await until('all three read', () => heard('said-twice') >= 3);
    expect(await healthFailures(before)).toMatchObject([{ side: 'canary', consecutive: 1 }]);
    await abort();
  });
});

/** A deployment that ended, as CodeDeploy tells of it. */
function codeDeployed(deploymentGroup: string, state: 'SUCCESS' | 'FAILURE' | 'STOP', time = new Date()) {
  const application = 'shop';
  const of = 'arn:aws:codedeploy:eu-west-1:000000000000';
  return wire.cloud.buses.publish({
    source: 'aws.codedeploy',
    detailType: 'CodeDeploy Deployment State-change Notification',
    time,
    resources: [`${of}:application:shop`, `${of}:deploymentgroup:shop/${deploymentGroup}`],
    detail: { application, deploymentGroup, deploymentId: `d-${state}`, region: 'eu-west-1', state },
  });
}

describe('a deployment that ECS gave up', () => {
  const ecsDeployed = (slot: 'blue' | 'green', eventName: string, reason: string) =>
    wire.cloud.buses.publish({
      source: 'aws.ecs',
      detailType: 'ECS Deployment State Change',
      time: new Date(),
      resources: [`arn:aws:ecs:eu-west-1:000000000000:service/shop/shop-${slot}`],
      detail: { eventName, reason, deploymentId: 'ecs-svc/1', updatedAt: new Date().toISOString() },
    });

  it('or takes back by itself, takes the canary back at once', async () => {
    const { before } = await baking();
    const reason = 'ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/0.';
    ecsDeployed('green', 'SERVICE_DEPLOYMENT_IN_PROGRESS', reason);
    await wire.phase('rolled-back');
    expect(await wire.canaryWeight()).toBe(0);
    expect((await wire.events(before + 1)).find(({ type }) => type === 'RollbackInitiated')).toMatchObject({
      ...{ trigger: 'deployment', fromWeight: 50, reason: expect.stringContaining('circuit breaker') },
    });
  });
});

describe('a deployment that CodeDeploy gave up', () => {
  it('stands in the record of an override, and takes nothing back', async () => {
    const { before } = await baking();
    await wire.operate('override', { why: 'we watch it ourselves', untilMinutes: 5 });
    await until('overridden', async () => (await wire.state())?.override !== null);
    codeDeployed('shop-live', 'FAILURE');
    await until('recorded', async () => (await healthFailures(before)).length > 0);
    expect(await healthFailures(before)).toMatchObject([
      { side: 'canary', what: 'CodeDeploy deployment d-FAILURE of shop/shop-live failed', consecutive: 1 },
    ]);
    expect(await wire.canaryWeight()).toBe(50);
    await wire.operate('lift-override');
    await until('lifted', async () => (await wire.state())?.override === null);
    await abort();
  });

  it('takes the canary back at once, like one of ECS', async () => {
    const { before } = await baking();
    const healthy = await wire.events(before + 1);
    codeDeployed('shop-live', 'FAILURE', new Date(Date.now() - 3_600_000)); // of another release, told late
    codeDeployed('shop-live', 'SUCCESS');
    codeDeployed('another-s', 'FAILURE');
    await until('both failures heard', () => heard('d-FAILURE') >= 2);
    expect(await wire.events(before + 1)).toEqual(healthy);
    codeDeployed('shop-live', 'FAILURE');
    await wire.phase('rolled-back');
    expect(await wire.canaryWeight()).toBe(0);
    expect((await wire.events(before + 1)).find(({ type }) => type === 'RollbackInitiated')).toMatchObject({
      trigger: 'deployment',
      reason: 'CodeDeploy deployment d-FAILURE of shop/shop-live failed',
      fromWeight: 50,
    });
  });

  it('counts against stable where the group deploys to stable’s slot', async () => {
    const { before } = await baking();
    codeDeployed('shop-blue', 'STOP');
    codeDeployed('shop-blue', 'STOP');
    await wire.phase('held');
    expect((await wire.events(before + 1)).slice(-3)).toMatchObject([
      { type: 'HealthCheckFailed', side: 'stable', consecutive: 1 },
      { type: 'HealthCheckFailed', side: 'stable', consecutive: 2 },
      { type: 'RolloutHeld', reason: 'stable-suffers', why: expect.stringContaining('was stopped') },
    ]);
    await abort();
  });
});

describe('tasks of stable that crash', () => {
  it('hold the rollout: a canary that has not passed is not given everybody', async () => {
    const { before } = await baking();
    await taskStopped('stable-1', 'blue');
    await taskStopped('stable-2', 'blue');
    await wire.phase('held');
    expect(await wire.canaryWeight()).toBe(50);
    expect((await wire.events(before + 1)).at(-1)).toMatchObject({
      type: 'RolloutHeld',
      reason: 'stable-suffers',
    });
    await abort();
  });
});

describe('capacity', () => {
  it('that stable has lost holds the rollout before the next shift', async () => {
    const { rolloutId } = await baking();
    await wire.operate('promote');
    await until('moved on by hand', async () => (await wire.events()).at(-1)?.type === 'RolloutApproved');
    const ecs = new ECSClient(wire.at);
    const stable = { cluster: 'shop', service: 'shop-blue' };
    await ecs.send(new UpdateServiceCommand({ ...stable, desiredCount: 0 }));
    const { target } = wire;
    await until('stable is gone', async () => (await healthy(target.targetGroups.blue)) === 0);
    await wire.invoke('shift-traffic', { service: 'shop', rolloutId, correlationId: 'by-the-test' });
    await wire.phase('held');
    expect((await wire.events()).at(-1)).toMatchObject({
      type: 'RolloutHeld',
      reason: 'capacity',
      why: expect.stringContaining('0 healthy tasks of the 1'),
    });
    expect(await wire.canaryWeight()).toBe(50);
    await ecs.send(new UpdateServiceCommand({ ...stable, desiredCount: 1 }));
    await until('stable is back', async () => (await healthy(target.targetGroups.blue)) === 1);
    await abort();
  });

  it('of stable is pinned while a rollout runs, and its own again afterwards, also when a step was killed', async () => {
    const scaling = new ApplicationAutoScalingClient(wire.at);
    const own = {
      ServiceNamespace: 'ecs',
      ScalableDimension: 'ecs:service:DesiredCount',
    } as const;
    const ResourceId = 'service/shop/shop-blue';
    const bounds = async () => {
      const command = new DescribeScalableTargetsCommand({ ...own, ResourceIds: [ResourceId] });
      const [found] = (await scaling.send(command)).ScalableTargets ?? [];
      return {
        min: found?.MinCapacity,
        max: found?.MaxCapacity,
        holdsIn: found?.SuspendedState?.DynamicScalingInSuspended ?? false,
      };
    };
    await scaling.send(
      new RegisterScalableTargetCommand({ ...own, ResourceId, MinCapacity: 0, MaxCapacity: 4 }),
    );
    await baking();
    expect(await bounds()).toEqual({ min: 1, max: 4, holdsIn: true });
    const caller = 'fn-switchback-roll-back';
    const kill = { kind: 'kill', when: 'before' } as const;
    wire.cloud.faults.add({ operation: 'RegisterScalableTarget', caller, times: 1, fault: kill });
    await abort();
    expect(wire.cloud.faults.strikes.at(-1)?.call.operation).toBe('RegisterScalableTarget');
    expect(await bounds()).toEqual({ min: 0, max: 4, holdsIn: false });
  });
});

describe('a rollout that takes too long', () => {
  it('is ended by reconcile, and says so', async () => {
    const { before } = await baking();
    await until('its time is over', () => wire.invoke('reconcile', { id: 'too-long' }).then(rolledBack));
    await wire.phase('rolled-back');
    expect((await wire.events(before + 1)).find(({ type }) => type === 'RollbackInitiated')).toMatchObject({
      trigger: 'outage',
      reason: 'the rollout took longer than 1 s',
    });
    expect(await wire.canaryWeight()).toBe(0);
  });

  it('costs nothing once nothing is under way', async () => {
    await until(
      'nothing active',
      async () => (await wire.invoke('reconcile')).payload.reconciled.length === 0,
    );
    const asked = wire.requests.length;
    await wire.invoke('reconcile');
    const calls = wire.requests
      .slice(asked)
      .filter(({ caller }) => caller.startsWith('fn-switchback-reconcile'));
    expect(calls.map(({ operation }) => operation)).toEqual(['Query']);
  });
});

const rolledBack = async () => {
  const phase = (await wire.state())?.rollout.phase;
  return phase === 'rolling-back' || phase === 'rolled-back';
};

async function healthy(targetGroup: string): Promise<number> {
  const command = new DescribeTargetHealthCommand({ TargetGroupArn: targetGroup });
  const { TargetHealthDescriptions = [] } = await new ElasticLoadBalancingV2Client(wire.at).send(command);
  return TargetHealthDescriptions.filter(({ TargetHealth }) => TargetHealth?.State === 'healthy').length;
}
