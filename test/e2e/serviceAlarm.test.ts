/**
 * An alarm on the whole service: made of real requests, counted by the balancer, rung by CloudWatch. Whose
 * fault it is, the counts of both sides say.
 */
import { CloudWatchClient, DescribeAlarmsCommand, PutMetricAlarmCommand } from '@aws-sdk/client-cloudwatch';
import { ListTopicsCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Shoppers, sendShoppers } from '../../lib/apps/demo/shoppers.ts';
import { dimensionsOf } from '../../lib/aws/metrics/ecsAlb.ts';
import { until } from '../until.ts';
import { openWire, restingAtHalf, stream, type Wire } from './wire.ts';

const alarm = 'shop-errors';
let wire: Wire;
let pages: () => Promise<readonly string[]>;

beforeAll(async () => {
  wire = await openWire({
    ...restingAtHalf,
    alarms: [{ name: alarm, scope: 'service' }],
    'analysis.windowSeconds': 30, // a busy machine is slow to hear of what it counted
    shiftTimeoutSeconds: 0.3,
  });
  const Dimensions = dimensionsOf(wire.target, 'blue').filter(({ Name }) => Name === 'LoadBalancer');
  await new CloudWatchClient(wire.at).send(
    new PutMetricAlarmCommand({
      AlarmName: alarm,
      ...{ Namespace: 'AWS/ApplicationELB', MetricName: 'HTTPCode_Target_5XX_Count', Dimensions },
      ...{ Statistic: 'Sum', Period: 1, EvaluationPeriods: 5, DatapointsToAlarm: 2 },
      ...{ ComparisonOperator: 'GreaterThanThreshold', Threshold: 0, TreatMissingData: 'notBreaching' },
    }),
  );
  pages = await pageSubjects();
});

afterAll(() => wire.close());

/** Subjects of what was sent to whoever must act, oldest first. */
async function pageSubjects(): Promise<() => Promise<readonly string[]>> {
  const sqs = new SQSClient(wire.at);
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'pages' }));
  const asked = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] });
  const { Attributes } = await sqs.send(asked);
  const sns = new SNSClient(wire.at);
  const { Topics = [] } = await sns.send(new ListTopicsCommand({}));
  const TopicArn = Topics.map((topic) => topic.TopicArn).find((arn) => arn?.endsWith('notifications'));
  const subscription = { TopicArn, Protocol: 'sqs', Endpoint: Attributes?.QueueArn };
  const FilterPolicy = JSON.stringify({ urgency: ['page'] });
  await sns.send(new SubscribeCommand({ ...subscription, Attributes: { FilterPolicy } }));
  const seen: string[] = [];
  return async () => {
    const receive = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 600 });
    const { Messages = [] } = await sqs.send(receive);
    seen.push(...Messages.map(({ Body = '{}' }) => JSON.parse(Body).Subject));
    return seen;
  };
}

const visitors: Shoppers[] = [];
const visit = (path: '' | 'orders', perSecond: number) => {
  visitors.push(sendShoppers(`${wire.shopUrl}${path}`, perSecond));
};
const leave = () => {
  for (const some of visitors.splice(0)) some.stop();
};
afterEach(leave);

const alarmIs = (state: 'ALARM' | 'OK') =>
  until(`the alarm says ${state}`, async () => {
    const asked = new DescribeAlarmsCommand({ AlarmNames: [alarm] });
    const { MetricAlarms = [] } = await new CloudWatchClient(wire.at).send(asked);
    return MetricAlarms[0]?.StateValue === state;
  });

const received = async (since: number) =>
  (await wire.events(since + 1)).filter((event) => event.type === 'AlarmReceived');

async function takenBack(before: number) {
  await wire.phase('rolled-back');
  expect(await wire.canaryWeight()).toBe(0);
  const events = await wire.events(before + 1);
  expect(events.filter(({ type }) => type === 'RollbackInitiated')).toHaveLength(1);
  expect((await wire.store.verify(stream)).brokenAt).toBeNull();
  return events;
}

describe('an alarm on the whole service', () => {
  it('where stable suffers as much holds the rollout and pages a person: the canary stays', async () => {
    await alarmIs('OK');
    const { before } = await wire.request();
    await wire.phase('baking');
    visit('orders', 30);
    await wire.phase('held');
    const events = await wire.events(before + 1);
    expect(events.findLast(({ type }) => type === 'AlarmReceived')).toMatchObject({
      ...{ alarm, scope: 'service', state: 'ALARM', action: 'hold', judged: { blame: 'both' } },
    });
    expect(events.at(-1)).toMatchObject({ type: 'RolloutHeld', reason: 'both-sides-suffer' });
    expect(await wire.canaryWeight()).toBe(50);
    await until('the page', async () => (await pages()).includes('shop: held (both-sides-suffer)'));

    leave();
    await alarmIs('OK');
    await wire.operate('resume');
    await wire.phase('baking');
    expect(await wire.canaryWeight()).toBe(50);
    await wire.operate('abort', { why: 'the test is over' });
    await wire.phase('rolled-back');
  });

  it('where the canary alone suffers takes it back', async () => {
    const { before } = await wire.request({}, 'errors');
    await wire.phase('baking');
    visit('', 40);
    const events = await takenBack(before);
    expect(events.find(({ type }) => type === 'RollbackInitiated')).toMatchObject({
      ...{ trigger: 'alarm', reason: expect.stringContaining(alarm), fromWeight: 50 },
    });
    expect(events.some(({ type }) => type === 'RolloutHeld')).toBe(false);
  });
});

describe('an alarm that rang before the start', () => {
  /** A canary that fails, at half of the traffic, while the alarm has been ringing since before it came. */
  async function ringingSinceBefore() {
    visit('orders', 5);
    await alarmIs('ALARM');
    const release = await wire.request({}, 'errors');
    await wire.phase('baking');
    const [started] = await wire.events(release.before + 1);
    expect(started).toMatchObject({ type: 'RolloutStarted', baselineAlarms: [alarm] });
    expect(await received(release.before)).toEqual([]);
    return release;
  }

  it('does not block the release, and a canary that makes it worse is found by comparison', async () => {
    const { before, rolloutId } = await ringingSinceBefore();
    visit('', 40);
    const task = { service: 'shop', rolloutId, correlationId: 'by-the-test' };
    await until(
      'a look that fails it',
      async () => {
        await wire.invoke('evaluate-canary', task);
        return (await wire.state())?.rollout.phase !== 'baking';
      },
      40_000,
    );
    await wire.invoke('reconcile', { id: 'after-the-look' }); // the machine itself looks again in ten minutes
    const events = await takenBack(before);
    expect(events.find(({ type }) => type === 'RollbackInitiated')).toMatchObject({ trigger: 'analysis' });
    expect(await received(before)).toEqual([]);
  });

  it('and rings again counts once the canary suffers as stable does not', async () => {
    const { before } = await ringingSinceBefore();
    await ringAgain(); // the canary's half of the orders fails like stable's
    await until('it is heard', async () =>
      (await received(before)).some(({ action }) => action === 'baseline'),
    );
    expect((await wire.state())?.rollout.phase).toBe('baking');

    visit('', 40);
    await until(
      'it rang again, and the counts were against the canary',
      async () => {
        await ringAgain();
        return (await wire.state())?.rollout.phase !== 'baking';
      },
      40_000,
    );
    await takenBack(before);
    expect((await received(before)).find(({ action }) => action === 'roll-back')).toMatchObject({
      ...{ alarm, state: 'ALARM', judged: { blame: 'canary' } },
    });
  });

  /** Unknown for a moment; it comes back by itself, because orders fail all the while. */
  async function ringAgain(): Promise<void> {
    await wire.ring(alarm, 'INSUFFICIENT_DATA');
    await alarmIs('ALARM');
  }
});
