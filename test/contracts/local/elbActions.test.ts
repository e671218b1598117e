import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../../lib/local/freePort.ts';
import { type ElbTestDesk, elbDesk, forwardTo } from './elbDesk.ts';

let desk: ElbTestDesk;
beforeEach(() => {
  desk = elbDesk();
});
afterEach(() => desk.close());

describe('forward actions', () => {
  const refusals: [string, (group: string) => unknown, string, RegExp][] = [
    [
      'a weight over 999',
      (group) => forwardTo({ [group]: 1000 }),
      'ValidationError',
      /'1000' at 'actions.1.member.forwardConfig.targetGroups.1.member.weight'.*less than or equal to 999/,
    ],
    [
      'a weight below 0',
      (group) => forwardTo({ [group]: -1 }),
      'ValidationError',
      /greater than or equal to 0/,
    ],
    ['a weight of 0.5', (group) => forwardTo({ [group]: 0.5 }), 'ValidationError', /Value '0.5'/],
    [
      'an unknown group',
      () => forwardTo({ 'arn:nobody': 1 }),
      'TargetGroupNotFoundException',
      /'arn:nobody' not found/,
    ],
    ['no group', () => forwardTo({}), 'InvalidLoadBalancerActionException', /1 to 5 target groups/],
    [
      'stickiness without end',
      (group) => forwardTo({ [group]: 1 }, 700_000),
      'InvalidLoadBalancerActionException',
      /1 to 604800/,
    ],
    [
      'two names for different groups',
      (group) => ({ ...forwardTo({ [group]: 1 }), TargetGroupArn: 'other' }),
      'InvalidLoadBalancerActionException',
      /same target group/,
    ],
    ['a login', () => ({ Type: 'authenticate-oidc' }), 'InvalidLoadBalancerActionException', /not emulated/],
  ];

  it.each(refusals)('refuses %s and opens no port', async (_name, action, name, message) => {
    const group = await desk.group('web');
    const input = {
      LoadBalancerArn: await desk.balancer(),
      Port: await freePort(),
      DefaultActions: [action(group)],
    };
    await expect(desk.call('CreateListener', input)).rejects.toMatchObject({ name, message });
    expect((await desk.call('DescribeListeners')).Listeners).toEqual([]);
  });

  it('refuse a bad weight without touching the good one', async () => {
    const group = await desk.group('web');
    const { arn } = await desk.listener(await desk.balancer(), { [group]: 7 });
    const shift = desk.call('ModifyListener', {
      ListenerArn: arn,
      DefaultActions: [forwardTo({ [group]: 1001 })],
    });
    await expect(shift).rejects.toMatchObject({ name: 'ValidationError' });
    const { Listeners } = await desk.call('DescribeListeners', { ListenerArns: [arn] });
    expect(Listeners[0].DefaultActions[0].ForwardConfig.TargetGroups[0].Weight).toBe(7);
  });

  it('name a single group both ways', async () => {
    const group = await desk.group('web');
    const { arn } = await desk.listener(await desk.balancer(), { [group]: 1 });
    await desk.call('ModifyListener', {
      ListenerArn: arn,
      DefaultActions: [{ Type: 'forward', TargetGroupArn: group }],
    });
    const { Rules } = await desk.call('DescribeRules', { ListenerArn: arn });
    expect(Rules[0]).toMatchObject({
      IsDefault: true,
      Priority: 'default',
      Actions: [
        { TargetGroupArn: group, ForwardConfig: { TargetGroups: [{ TargetGroupArn: group, Weight: 1 }] } },
      ],
    });
  });
});
