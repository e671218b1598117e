/** The alarm path on the wire, while everything that can go wrong on the way does. */
import {
  DescribeRulesCommand,
  ElasticLoadBalancingV2Client,
  ModifyRuleCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { FaultRule } from '../../lib/local/faults.ts';
import { until } from '../until.ts';
import { openWire, restingAtHalf, stream, type Wire } from './wire.ts';

let wire: Wire;

beforeAll(async () => {
  // No write of a step is under way in these scenes: a rollback need not watch for it long.
  wire = await openWire({ ...restingAtHalf, shiftTimeoutSeconds: 0.3 });
});

afterAll(() => wire.close());

/** A rollout at 50 %, baking. */
async function baking() {
  wire.cloud.faults.clear();
  for (const slot of ['blue', 'green']) await wire.ring(`shop-${slot}-errors`, 'OK');
  const release = await wire.request();
  // More is taken back here than in a day anywhere: the flap guard holds the start, and a person lets it go
  // on.
  const held = await until('started', async () => {
    const rollout = (await wire.state())?.rollout;
    if (rollout === undefined || rollout.phase === 'none' || rollout.rolloutId !== release.rolloutId)
      return null;
    return rollout.phase === 'held' ? 'held' : 'free';
  });
  if (held === 'held') await wire.operate('resume');
  await wire.phase('baking');
  // Faults are counted from here on: what on-alarm had to hear of before is heard.
  await until('every alarm heard to be OK', async () =>
    Object.values((await wire.state())?.alarms ?? {}).every(({ state }) => state === 'OK'),
  );
  expect(await wire.canaryWeight()).toBe(50);
  return release;
}

/** The end every story must come to: weight 0, one rollback, the alarm recorded, the record whole. */
async function takenBack(before: number) {
  await wire.phase('rolled-back');
  wire.cloud.faults.clear();
  expect(await wire.canaryWeight()).toBe(0);
  const events = await wire.events(before + 1);
  expect(events.filter(({ type }) => type === 'RollbackInitiated')).toHaveLength(1);
  expect(events.filter(({ type }) => type === 'RollbackCompleted')).toHaveLength(1);
  expect(events.some(({ type }) => type === 'AlarmReceived')).toBe(true);
  expect((await wire.store.verify(stream)).brokenAt).toBeNull();
  return events;
}

const canaryAlarm = async () => {
  const rollout = (await wire.state())?.rollout;
  return `shop-${rollout?.phase === 'none' ? 'green' : rollout?.canarySlot}-errors`;
};

afterEach(() => wire.cloud.faults.clear());

describe('an alarm while nothing else is wrong', () => {
  it('takes the traffic off before the function answers, and restores the rest', async () => {
    const { before } = await baking();
    const alarm = await canaryAlarm();
    await wire.ring(alarm);
    const events = await takenBack(before);
    const received = events.find((event) => event.type === 'AlarmReceived' && event.state === 'ALARM');
    expect(received).toMatchObject({ alarm, action: 'roll-back' });
    expect(events.find(({ type }) => type === 'RollbackInitiated')).toMatchObject({
      trigger: 'alarm',
      fromWeight: 50,
    });
  });

  it('two alarms at once are two records and one rollback', async () => {
    const { before } = await baking();
    const alarm = await canaryAlarm();
    await Promise.all([wire.ring(alarm), wire.ring(alarm.replace('errors', 'slow'))]);
    const events = await takenBack(before);
    await until('both alarms recorded', async () => {
      const heard = (await wire.events(before + 1)).filter(
        (event) => event.type === 'AlarmReceived' && event.state === 'ALARM',
      );
      return heard.length === 2 ? true : null;
    });
    expect(events.filter(({ type }) => type === 'RollbackInitiated')).toHaveLength(1);
    await wire.ring(alarm.replace('errors', 'slow'), 'OK');
  });
});

const steps: readonly (readonly [string, Partial<FaultRule>])[] = [
  ['reading the head', { service: 'dynamodb', operation: 'GetItem' }],
  ['appending the decision', { service: 'dynamodb', operation: 'PutItem' }],
  ['reading the rule', { service: 'elasticloadbalancing', operation: 'DescribeRules' }],
  ['shifting the traffic', { service: 'elasticloadbalancing', operation: 'ModifyRule' }],
  ['seeing it shifted', { service: 'elasticloadbalancing', operation: 'DescribeRules', nth: 2 }],
  ['appending what it saw', { service: 'dynamodb', operation: 'PutItem', nth: 2 }],
  ['starting the rollback machine', { service: 'states', operation: 'StartExecution' }],
];

/** The caller as fault rules see it. */
const onAlarm = 'fn-switchback-on-alarm-';

describe('on-alarm killed', () => {
  for (const [step, call] of steps) {
    it(`after ${step} is delivered again and finishes`, async () => {
      const { before } = await baking();
      const fault = { kind: 'kill', when: 'after' } as const;
      wire.cloud.faults.add({ nth: 1, ...call, times: 1, caller: onAlarm, fault });
      await wire.ring(await canaryAlarm());
      await takenBack(before);
      expect(wire.cloud.faults.strikes.at(-1)?.call.operation).toBe(call.operation);
    });
  }
});

describe('the world refusing for a while', () => {
  it('DynamoDB: the intent queue is the record, and the traffic is off before the store is back', async () => {
    const { before } = await baking();
    const restore = wire.cloud.faults.add({
      service: 'dynamodb',
      caller: 'fn-',
      fault: { kind: 'error', status: 500 },
    });
    await wire.ring(await canaryAlarm());
    await until('weight 0 without the store', async () => ((await wire.canaryWeight()) === 0 ? true : null));
    expect((await wire.events(before + 1)).some(({ type }) => type === 'RollbackInitiated')).toBe(false);
    restore();
    await takenBack(before);
  });

  it('DynamoDB, and on-alarm killed once the queue has the intent: it is told twice and recorded once', async () => {
    const { before } = await baking();
    const away = { kind: 'error', status: 500 } as const;
    const restore = wire.cloud.faults.add({ service: 'dynamodb', caller: 'fn-', fault: away });
    const kill = { kind: 'kill', when: 'after' } as const;
    wire.cloud.faults.add({ operation: 'SendMessage', caller: onAlarm, times: 1, fault: kill });
    await wire.ring(await canaryAlarm());
    await until('weight 0 without the store', async () => ((await wire.canaryWeight()) === 0 ? true : null));
    expect(wire.cloud.faults.strikes.some(({ call }) => call.operation === 'SendMessage')).toBe(true);
    restore();
    const events = await takenBack(before);
    expect(events.filter((event) => event.type === 'AlarmReceived' && event.state === 'ALARM')).toHaveLength(
      1,
    );
  });

  it('the balancer: the alarm comes again until it answers', async () => {
    const { before } = await baking();
    const call = { service: 'elasticloadbalancing', operation: 'ModifyRule' };
    wire.cloud.faults.add({ ...call, times: 4, fault: { kind: 'error', status: 503 } });
    await wire.ring(await canaryAlarm());
    await takenBack(before);
  });

  it('the balancer answers half, resets, or applies and says that it failed', async () => {
    const { before } = await baking();
    const call = { service: 'elasticloadbalancing', operation: 'ModifyRule', times: 1 };
    wire.cloud.faults.add({ ...call, fault: { kind: 'half' } });
    wire.cloud.faults.add({ ...call, fault: { kind: 'reset' } });
    wire.cloud.faults.add({ ...call, fault: { kind: 'applied', answer: 'error' } });
    await wire.ring(await canaryAlarm());
    await takenBack(before);
  });

  it('Step Functions: the traffic is off, and the slow part begins when it answers', async () => {
    const { before } = await baking();
    wire.cloud.faults.add({
      service: 'states',
      operation: 'StartExecution',
      times: 5,
      fault: { kind: 'throttle' },
    });
    await wire.ring(await canaryAlarm());
    await takenBack(before);
  });
});

describe('somebody else at the balancer', () => {
  it('a write of the step that lands after the rollback is zeroed again', async () => {
    const { before } = await baking();
    const balancer = new ElasticLoadBalancingV2Client(wire.at);
    const { Rules } = await balancer.send(new DescribeRulesCommand({ RuleArns: [wire.target.ruleArn] }));
    const stepActions = Rules?.[0]?.Actions;
    const look = { operation: 'DescribeRules', caller: 'fn-switchback-roll-back' };
    const lookAgain = wire.cloud.faults.add({ ...look, fault: { kind: 'error', status: 503 } });
    await wire.ring(await canaryAlarm());
    await until('traffic off', async () => ((await wire.canaryWeight()) === 0 ? true : null));
    await balancer.send(new ModifyRuleCommand({ RuleArn: wire.target.ruleArn, Actions: stepActions }));
    lookAgain(); // the rollback looked at nothing since, so the write came within its watch
    await takenBack(before);
  });

  it('less canary by hand is adopted and holds the rollout for a person', async () => {
    const { before } = await baking();
    const rollout = (await wire.state())?.rollout;
    if (rollout === undefined || rollout.phase === 'none') throw new Error('a rollout is under way');
    await wire.traffic.shift(wire.target, rollout.canarySlot, 20);
    await wire.invoke('reconcile', { id: 'by-hand' });
    await wire.phase('held');
    expect(await wire.canaryWeight()).toBe(20);
    const events = await wire.events(before + 1);
    expect(events.find(({ type }) => type === 'DriftFound')).toMatchObject({
      expectedWeight: 50,
      foundWeight: 20,
    });
    await wire.operate('abort', { why: 'the test is over' });
    await wire.phase('rolled-back');
  });

  it('all traffic sent elsewhere by hand is left there, and holds the rollout for a person', async () => {
    const { before } = await baking();
    const balancer = new ElasticLoadBalancingV2Client(wire.at);
    const closed = { Type: 'fixed-response' as const, FixedResponseConfig: { StatusCode: '503' } };
    await balancer.send(new ModifyRuleCommand({ RuleArn: wire.target.ruleArn, Actions: [closed] }));
    await wire.invoke('reconcile', { id: 'by-hand' });
    await wire.phase('held');
    expect((await fetch(wire.shopUrl)).status).toBe(503);
    const events = await wire.events(before + 1);
    expect(events.find(({ type }) => type === 'DriftFound')).toMatchObject({
      ...{ expectedWeight: 50, foundWeight: null },
    });
    // Without a rule before them the groups have no balancer, and ECS changes nothing of such services.
    await wire.traffic.shift(wire.target, 'green', 0);
    await wire.operate('abort', { why: 'the test is over' });
    await wire.phase('rolled-back');
    expect(await wire.canaryWeight()).toBe(0);
  });

  it('more canary by hand is corrected at once', async () => {
    const { before } = await baking();
    const rollout = (await wire.state())?.rollout;
    if (rollout === undefined || rollout.phase === 'none') throw new Error('a rollout is under way');
    await wire.traffic.shift(wire.target, rollout.canarySlot, 90);
    await wire.invoke('reconcile', { id: 'by-hand' });
    expect(await wire.canaryWeight()).toBe(50);
    await wire.ring(await canaryAlarm());
    await takenBack(before);
  });
});

describe('events that do not come', () => {
  it('an alarm whose event was lost is heard by reconcile', async () => {
    const { before } = await baking();
    const alarm = await canaryAlarm();
    // CloudWatch looks again within a second, and finds all well: who was too slow for that rings once more.
    const heard = async () => {
      await wire.ring(alarm);
      await wire.invoke('reconcile', { id: 'found-again' });
      return (await wire.state())?.rollout.phase !== 'baking';
    };
    await wire.muted(async () => {
      await until('heard', heard);
    });
    await takenBack(before);
  });
});
