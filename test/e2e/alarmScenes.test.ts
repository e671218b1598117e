/** Alarms at awkward moments and in every form, on the wire. */
import {
  CloudWatchClient,
  DescribeAlarmsCommand,
  PutMetricAlarmCommand,
  type PutMetricAlarmCommandInput,
} from '@aws-sdk/client-cloudwatch';
import {
  CloudWatchLogsClient,
  DescribeLogGroupsCommand,
  FilterLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import {
  DescribeExecutionCommand,
  ListExecutionsCommand,
  SFNClient,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import {
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AlarmState } from '../../events/rollback.ts';
import { until } from '../until.ts';
import { openWire, restingAtHalf, stream, type Wire } from './wire.ts';

const receivesMax = 15;
const noAlarm = 'the fire brigade';
let wire: Wire;

beforeAll(async () => {
  wire = await openWire(
    {
      ...restingAtHalf,
      alarms: ['blue', 'green'].flatMap((slot) => [
        { name: `shop-${slot}-errors`, slot },
        { name: `shop-${slot}-slow`, slot, onUnknown: 'hold' },
        { name: `shop-${slot}-refused`, slot, onUnknown: 'roll-back' },
      ]),
      evaluateSeconds: 5,
      rollbackWindowSeconds: 60,
      shiftTimeoutSeconds: 2,
    },
    { receivesMax },
  );
  await toQueue('switchback-alarms', noAlarm); // tried again and again while everything below happens
});

afterAll(() => wire.close());
afterEach(() => wire.cloud.faults.clear());

async function requested() {
  for (const slot of ['blue', 'green']) await wire.ring(`shop-${slot}-errors`, 'OK');
  const release = await wire.request();
  // More is taken back here than in a day anywhere: the flap guard holds the start, and a person lets it go
  // on.
  const started = await until('started', async () => {
    const rollout = (await wire.state())?.rollout;
    return rollout?.phase !== 'none' && rollout?.rolloutId === release.rolloutId ? rollout : null;
  });
  if (started.phase === 'held') await wire.operate('resume');
  return release;
}

async function baking() {
  const release = await requested();
  await wire.phase('baking');
  return { ...release, canary: await canarySlot() };
}

async function canarySlot(): Promise<'blue' | 'green'> {
  const rollout = (await wire.state())?.rollout;
  if (rollout === undefined || rollout.phase === 'none') throw new Error('there is no rollout');
  return rollout.canarySlot;
}

/** Weight 0, one rollback, the record whole. */
async function takenBack(before: number) {
  await wire.phase('rolled-back');
  wire.cloud.faults.clear();
  expect(await wire.canaryWeight()).toBe(0);
  const events = await wire.events(before + 1);
  expect(events.filter(({ type }) => type === 'RollbackInitiated')).toHaveLength(1);
  expect((await wire.store.verify(stream)).brokenAt).toBeNull();
  return events;
}

async function toQueue(name: string, body: string): Promise<void> {
  const sqs = new SQSClient(wire.at);
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: name }));
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: body }));
}

/** As EventBridge delivers it. */
const alarmEvent = (id: string, alarmName: string, value: AlarmState, changedAt = Date.now()): string => {
  const time = new Date(changedAt).toISOString();
  return JSON.stringify({
    ...{ id, source: 'aws.cloudwatch', 'detail-type': 'CloudWatch Alarm State Change' },
    ...{ account: '000000000000', region: 'eu-west-1', time },
    resources: [`arn:aws:cloudwatch:eu-west-1:000000000000:alarm:${alarmName}`],
    detail: {
      alarmName,
      state: { value, reason: `the test says ${value}`, timestamp: time.replace('Z', '+0000') },
      previousState: { value: 'OK' },
    },
  });
};

describe('an alarm', () => {
  it('delivered three times, in one batch and later, is one record and one rollback', async () => {
    const { before, canary } = await baking();
    const event = alarmEvent('thrice', `shop-${canary}-errors`, 'ALARM');
    await Promise.all([toQueue('switchback-alarms', event), toQueue('switchback-alarms', event)]);
    await takenBack(before);
    const heard = () =>
      wire.lines.filter((line) => line.includes('alarm heard') && line.includes('"thrice"')).length;
    const already = heard(); // two, or more where a slow function's message came again meanwhile
    await toQueue('switchback-alarms', event);
    await until('the third is heard', () => heard() > already);
    const events = await takenBack(before);
    expect(events.filter((one) => one.type === 'AlarmReceived' && one.state === 'ALARM')).toHaveLength(1);
  });

  it('is heard by topic as well', async () => {
    const { before, canary } = await baking();
    const cloudWatch = new CloudWatchClient(wire.at);
    const AlarmName = `shop-${canary}-errors`;
    const { MetricAlarms = [] } = await cloudWatch.send(
      new DescribeAlarmsCommand({ AlarmNames: [AlarmName] }),
    );
    const topic = 'arn:aws:sns:eu-west-1:000000000000:switchback-alarms';
    const alarm = { ...MetricAlarms[0], AlarmActions: [topic] } as PutMetricAlarmCommandInput;
    await cloudWatch.send(new PutMetricAlarmCommand(alarm));
    await wire.muted(async () => {
      await wire.ring(AlarmName);
      await takenBack(before);
    });
    await cloudWatch.send(new PutMetricAlarmCommand({ ...alarm, AlarmActions: [] }));
  });

  it('that rang before the start does not block the release, and its next breach counts', async () => {
    const release = await requested();
    const slot = await nextCanarySlot(release.before);
    const alarm = `shop-${slot}-errors`;
    await wire.phase('baking');
    await toQueue('switchback-alarms', alarmEvent('from-before', alarm, 'ALARM', Date.now() - 3_600_000));
    await until('heard as baseline', async () =>
      (await wire.events(release.before + 1)).find(
        (event) => event.type === 'AlarmReceived' && event.action === 'baseline',
      ),
    );
    expect((await wire.state())?.rollout.phase).toBe('baking');
    await toQueue('switchback-alarms', alarmEvent('again', alarm, 'ALARM'));
    await takenBack(release.before);
  });
});

/** The slot the release just asked for goes to. */
const nextCanarySlot = (before: number) =>
  until('started', async () => {
    const started = (await wire.events(before + 1)).find((event) => event.type === 'RolloutStarted');
    return started?.type === 'RolloutStarted' ? started.canarySlot : null;
  });

describe('one rollback, end to end', () => {
  it('has one id from the alarm to the last line about it, and one query finds all of it', async () => {
    const { before, canary, rolloutId } = await baking();
    const id = 'the-alarm-s-own-event-id';
    const asked = wire.requests.length;
    await toQueue('switchback-alarms', alarmEvent(id, `shop-${canary}-errors`, 'ALARM'));
    await takenBack(before);

    const calls = wire.requests
      .slice(asked)
      .filter(({ caller }) => caller.startsWith('fn-switchback-on-alarm'));
    const operations = calls.map(({ operation }) => operation);
    expect(operations.slice(0, operations.indexOf('ModifyRule'))).toEqual([
      'GetItem',
      'PutItem',
      'DescribeRules',
    ]);

    const recorded = (await Array.fromAsync(wire.store.read(stream, before + 1))).filter(
      ({ correlationId }) => correlationId === id,
    );
    expect(recorded.map(({ event }) => event.type)).toEqual([
      ...['AlarmReceived', 'RollbackInitiated', 'TrafficShifted', 'RollbackCompleted'],
    ]);
    expect(recorded[0]?.commandId).toMatch(new RegExp(`^alarm:shop-${canary}-errors@\\d+:ALARM$`));
    const executionArn = `arn:aws:states:eu-west-1:000000000000:execution:switchback-rollback:${rolloutId}-back`;
    const { input } = await new SFNClient(wire.at).send(new DescribeExecutionCommand({ executionArn }));
    expect(JSON.parse(input ?? '')).toMatchObject({ correlationId: id, rolloutId });

    const found = await until('all of it in the logs', async () => {
      const lines = await logged(`{ $.correlationId = "${id}" }`);
      return (
        lines.filter(({ message }) => message === 'event published').length === 2 * recorded.length && lines
      );
    });
    const said = (message: string) => found.filter((line) => line.message === message);
    expect(new Set(found.map((line) => line.function))).toEqual(
      new Set(['on-alarm', 'roll-back', 'publish-events']),
    );
    expect(said('alarm heard')).toHaveLength(1);
    expect(said('traffic shifted')).toMatchObject([{ function: 'on-alarm', weight: 0 }]);
    // By the machine for it, and by the rollout's own, where that looked in the meantime.
    expect(new Set(said('rolled back').map((line) => `${line.function} ${line.rolloutId}`))).toEqual(
      new Set([`roll-back ${rolloutId}`]),
    );
    expect(
      said('event published').flatMap(({ subscriber, type }) => (subscriber === 'bus' ? [type] : [])),
    ).toEqual(recorded.map(({ event }) => event.type));
  });
});

type Line = { readonly function: string; readonly message: string; readonly [field: string]: unknown };

/** Lines of every function that match, as one query of CloudWatch Logs Insights would find them. */
async function logged(filterPattern: string): Promise<readonly Line[]> {
  const logs = new CloudWatchLogsClient(wire.at);
  const { logGroups = [] } = await logs.send(
    new DescribeLogGroupsCommand({ logGroupNamePrefix: '/aws/lambda/switchback-' }),
  );
  const found = await Promise.all(
    logGroups.map(({ logGroupName }) =>
      logs.send(new FilterLogEventsCommand({ logGroupName, filterPattern })),
    ),
  );
  return found.flatMap(({ events = [] }) => events.map(({ message = '' }) => JSON.parse(message) as Line));
}

describe('an alarm that does not know', () => {
  it('is recorded and waited out where the policy says wait', async () => {
    const { before, canary } = await baking();
    await toQueue('switchback-alarms', alarmEvent('unknown-1', `shop-${canary}-errors`, 'INSUFFICIENT_DATA'));
    await until('recorded', async () =>
      (await wire.events(before + 1)).find(
        (event) => event.type === 'AlarmReceived' && event.state === 'INSUFFICIENT_DATA',
      ),
    );
    expect((await wire.state())?.rollout.phase).toBe('baking');
    expect(await wire.canaryWeight()).toBe(50);
  });

  it('holds where the policy says hold, and rolls back where it says so', async () => {
    const canary = await canarySlot();
    await toQueue('switchback-alarms', alarmEvent('unknown-2', `shop-${canary}-slow`, 'INSUFFICIENT_DATA'));
    await wire.phase('held');
    expect((await wire.events()).findLast(({ type }) => type === 'RolloutHeld')).toMatchObject({
      reason: 'unknown',
    });
    expect(await wire.canaryWeight()).toBe(50);
    await toQueue(
      'switchback-alarms',
      alarmEvent('unknown-3', `shop-${canary}-refused`, 'INSUFFICIENT_DATA'),
    );
    await wire.phase('rolled-back');
    expect(await wire.canaryWeight()).toBe(0);
  });
});

describe('when nothing durable takes the decision', () => {
  it('the traffic is taken off all the same, and the alarm stays in its queue until something does', async () => {
    const { before, canary } = await baking();
    const caller = 'fn-switchback-on-alarm';
    const fault = { kind: 'error', status: 500 } as const;
    wire.cloud.faults.add({ service: 'dynamodb', caller, fault });
    wire.cloud.faults.add({ service: 'sqs', operation: 'SendMessage', caller, fault });
    await toQueue('switchback-alarms', alarmEvent('nobody-takes-it', `shop-${canary}-errors`, 'ALARM'));
    await until('weight 0', async () => (await wire.canaryWeight()) === 0);
    const said = () =>
      wire.lines.filter((line) => line.includes('it comes again') && line.includes('nobody-takes-it'));
    await until('it came again', () => said().length >= 2);
    expect((await wire.events(before + 1)).some(({ type }) => type === 'AlarmReceived')).toBe(false);
    wire.cloud.faults.clear();
    const events = await takenBack(before);
    expect(events.find((event) => event.type === 'AlarmReceived')).toMatchObject({ action: 'roll-back' });
  });
});

describe('an alarm whose event is lost', () => {
  it('is heard at the next look of the evaluation, without anybody else', async () => {
    const { before, canary } = await baking();
    const nobody = ['switchback-alarms', 'switchback-reconcile'];
    await wire.muted(async () => {
      const heard = async () => {
        await wire.ring(`shop-${canary}-errors`); // nobody is failing, so it would be OK again in a second
        return (await wire.state())?.rollout.phase !== 'baking';
      };
      await until('the evaluation hears of it', heard);
      await wire.phase('rolled-back');
    }, nobody);
    const events = await takenBack(before);
    expect(events.find((event) => event.type === 'AlarmReceived' && event.state === 'ALARM')).toMatchObject({
      ...{ alarm: `shop-${canary}-errors`, action: 'roll-back' },
    });
  });
});

describe('an execution that died', () => {
  it('is followed by another that reconcile starts, and the rollout is looked after again', async () => {
    const { before, canary, rolloutId } = await baking();
    const machines = new SFNClient(wire.at);
    const stateMachineArn = 'arn:aws:states:eu-west-1:000000000000:stateMachine:switchback-rollout';
    const running = async () => {
      const command = new ListExecutionsCommand({ stateMachineArn, statusFilter: 'RUNNING' });
      return (await machines.send(command)).executions ?? [];
    };
    const [execution] = (await running()).filter(({ name }) => name === rolloutId);
    await machines.send(new StopExecutionCommand({ executionArn: execution?.executionArn }));
    await wire.invoke('reconcile', { id: 'after-the-crash' });
    const names = (await running()).map(({ name }) => name);
    expect(names).toEqual([expect.stringContaining(`${rolloutId}-again-`)]);
    await wire.invoke('reconcile', { id: 'once-more' });
    expect(await running()).toHaveLength(1);
    await toQueue('switchback-alarms', alarmEvent('after-all', `shop-${canary}-errors`, 'ALARM'));
    await takenBack(before);
  });
});

describe('an alarm while traffic moves', () => {
  it('wins against a step whose write is still under way', async () => {
    wire.cloud.faults.add({
      ...{ operation: 'ModifyRule', caller: 'fn-switchback-shift-traffic', times: 1 },
      fault: { kind: 'late', ms: 1500, answer: 'silence' },
    });
    const { before } = await requested();
    await wire.phase('shifting');
    await until(
      'the step has written',
      () => wire.cloud.faults.strikes.at(-1)?.call.operation === 'ModifyRule',
    );
    await wire.ring(`shop-${await canarySlot()}-errors`);
    const events = await takenBack(before);
    expect(events.findLast((event) => event.type === 'TrafficShifted')).toMatchObject({ weight: 0 });
  });

  it('wins against a promotion whose write is still under way', async () => {
    const { before, canary } = await baking();
    wire.cloud.faults.add({
      ...{ operation: 'ModifyRule', caller: 'fn-switchback-operate', times: 1 },
      fault: { kind: 'slow', ms: 1000 },
    });
    await wire.operate('promote-fully');
    await wire.phase('promoting');
    await wire.ring(`shop-${canary}-errors`);
    const events = await takenBack(before);
    expect(events.some(({ type }) => type === 'RolloutPromoted')).toBe(false);
  });
});

describe('an alarm after the promotion', () => {
  it('warms stable first and sends it traffic only once it answers', async () => {
    const { before, canary } = await baking();
    await wire.operate('promote-fully');
    await until('tidied up', async () =>
      (await wire.events(before + 1)).some(({ type }) => type === 'RolloutCompleted'),
    );
    expect(await wire.canaryWeight()).toBe(100);
    await wire.ring(`shop-${canary}-errors`);
    await wire.phase('rolling-back');
    const answers = new Set<number>();
    const visiting = setInterval(
      () =>
        void fetch(wire.shopUrl).then(
          ({ status }) => answers.add(status),
          () => answers.add(0),
        ),
      50,
    );
    await wire.phase('rolled-back').finally(() => clearInterval(visiting));
    const events = await takenBack(before);
    expect(events.at(-1)).toMatchObject({ type: 'RollbackCompleted', differences: [] });
    expect([...answers]).toEqual([200]);
  });
});

describe('a message that is no alarm', () => {
  it('becomes a dead letter with its sentence in the log, while alarms are heard', async () => {
    const sqs = new SQSClient(wire.at);
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: 'switchback-dead-letters' }));
    const dead = await until(
      'the dead letter',
      async () => (await sqs.send(new ReceiveMessageCommand({ QueueUrl }))).Messages?.[0],
      3000 * receivesMax,
    );
    expect(dead.Body).toBe(noAlarm);
    const said = wire.lines.filter((line) => line.includes('message not understood'));
    expect(said).toHaveLength(receivesMax);
    expect(said[0]).toContain('not JSON');
  });
});
