import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ElbTestDesk, elbDesk, forwardTo } from './elbDesk.ts';

let desk: ElbTestDesk;
beforeEach(() => {
  desk = elbDesk();
});
afterEach(() => desk.close());

const path = (pattern: string) => [{ Field: 'path-pattern', Values: [pattern] }];

describe('rules', () => {
  async function listenerWithRules(...priorities: number[]) {
    const group = await desk.group('web');
    const { arn } = await desk.listener(await desk.balancer(), { [group]: 1 });
    const rules: string[] = [];
    for (const Priority of priorities) {
      const input = {
        ListenerArn: arn,
        Priority,
        Conditions: path(`/${Priority}`),
        Actions: [forwardTo({ [group]: 1 })],
      };
      rules.push((await desk.call('CreateRule', input)).Rules[0].RuleArn);
    }
    return { arn, group, rules };
  }

  it('page with size and marker', async () => {
    const { arn } = await listenerWithRules(3, 1, 2);
    const first = await desk.call('DescribeRules', { ListenerArn: arn, PageSize: 3 });
    const rest = await desk.call('DescribeRules', {
      ListenerArn: arn,
      PageSize: 3,
      Marker: first.NextMarker,
    });
    const priorities = [...first.Rules, ...rest.Rules].map((rule: { Priority: string }) => rule.Priority);
    expect(priorities).toEqual(['1', '2', '3', 'default']);
    expect(rest.NextMarker).toBeUndefined();
    await expect(desk.call('DescribeRules', { ListenerArn: arn, Marker: 'x' })).rejects.toThrow(/marker/);
  });

  it('change weights by ModifyRule, which the default rule refuses', async () => {
    const { arn, group, rules } = await listenerWithRules(1);
    await desk.call('ModifyRule', { RuleArn: rules[0], Actions: [forwardTo({ [group]: 42 })] });
    const { Rules } = await desk.call('DescribeRules', { RuleArns: rules });
    expect(Rules[0]).toMatchObject({
      Conditions: path('/1'),
      Actions: [{ ForwardConfig: { TargetGroups: [{ Weight: 42 }] } }],
    });
    const all = await desk.call('DescribeRules', { ListenerArn: arn });
    const byDefault = desk.call('ModifyRule', { RuleArn: all.Rules[1].RuleArn, Actions: [] });
    await expect(byDefault).rejects.toMatchObject({ name: 'OperationNotPermittedException' });
  });

  it('refuse a priority in use and swap priorities on request', async () => {
    const { arn, rules } = await listenerWithRules(1, 2);
    await expect(listenerRule(arn, 2)).rejects.toMatchObject({ name: 'PriorityInUseException' });
    const [a, b] = rules;
    await desk.call('SetRulePriorities', {
      RulePriorities: [
        { RuleArn: a, Priority: 2 },
        { RuleArn: b, Priority: 1 },
      ],
    });
    const { Rules } = await desk.call('DescribeRules', { ListenerArn: arn });
    expect(Rules.map((rule: { RuleArn: string }) => rule.RuleArn).slice(0, 2)).toEqual([b, a]);
  });

  const listenerRule = async (arn: string, Priority: number) =>
    desk.call('CreateRule', {
      ListenerArn: arn,
      Priority,
      Conditions: path('/x'),
      Actions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '200' } }],
    });

  it.each([
    [[], /condition must be specified/],
    [[{ Field: 'moon-phase', Values: ['full'] }], /moon-phase/],
    [[{ Field: 'path-pattern', Values: [] }], /at least one value/],
    [[{ Field: 'http-header', HttpHeaderConfig: { Values: ['x'] } }], /header name/],
  ])('refuse the conditions %j', async (Conditions, message) => {
    const { arn, group } = await listenerWithRules();
    const input = { ListenerArn: arn, Priority: 9, Conditions, Actions: [forwardTo({ [group]: 1 })] };
    await expect(desk.call('CreateRule', input)).rejects.toThrow(message);
  });
});

describe('resources', () => {
  it('are made once for the same request, and refused for another of the same name', async () => {
    const one = await desk.balancer('shop');
    expect(await desk.balancer('shop')).toBe(one);
    const other = desk.call('CreateLoadBalancer', { Name: 'shop', Scheme: 'internal' });
    await expect(other).rejects.toMatchObject({ name: 'DuplicateLoadBalancerNameException' });
    const group = await desk.group('web');
    expect(await desk.group('web')).toBe(group);
    await expect(desk.group('web', [], { Port: 81 })).rejects.toMatchObject({
      name: 'DuplicateTargetGroupNameException',
    });
  });

  it("have ARNs whose ends are the metrics' dimensions", async () => {
    const lb = await desk.balancer();
    const group = await desk.group('web');
    expect(lb).toMatch(
      /^arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer\/app\/shop\/[0-9a-f]{16}$/,
    );
    expect(group).toMatch(
      /^arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup\/web\/[0-9a-f]{16}$/,
    );
  });

  it('carry tags', async () => {
    const group = await desk.group('web');
    const { arn } = await desk.listener(await desk.balancer(), { [group]: 1 });
    const { Rules } = await desk.call('DescribeRules', { ListenerArn: arn });
    const arns = [group, arn, Rules[0].RuleArn];
    await desk.call('AddTags', {
      ResourceArns: arns,
      Tags: [
        { Key: 'stable', Value: 'blue' },
        { Key: 'x', Value: '1' },
      ],
    });
    await desk.call('RemoveTags', { ResourceArns: arns, TagKeys: ['x'] });
    const { TagDescriptions } = await desk.call('DescribeTags', { ResourceArns: arns });
    expect(TagDescriptions).toEqual(
      arns.map((ResourceArn) => ({ ResourceArn, Tags: [{ Key: 'stable', Value: 'blue' }] })),
    );
  });

  it('in use are not deleted', async () => {
    const group = await desk.group('web');
    const { arn } = await desk.listener(await desk.balancer(), { [group]: 1 });
    const remove = () => desk.call('DeleteTargetGroup', { TargetGroupArn: group });
    await expect(remove()).rejects.toMatchObject({ name: 'ResourceInUseException' });
    await desk.call('DeleteListener', { ListenerArn: arn });
    await remove();
    await expect(desk.call('DescribeTargetGroups', { TargetGroupArns: [group] })).rejects.toMatchObject({
      name: 'TargetGroupNotFoundException',
    });
  });

  it('say which balancer uses a group, and no group serves two', async () => {
    const group = await desk.group('web');
    const lb = await desk.balancer();
    await desk.listener(lb, { [group]: 1 });
    const { TargetGroups } = await desk.call('DescribeTargetGroups', { LoadBalancerArn: lb });
    expect(TargetGroups).toMatchObject([{ TargetGroupArn: group, LoadBalancerArns: [lb] }]);
    const second = desk.listener(await desk.balancer('other'), { [group]: 1 });
    await expect(second).rejects.toMatchObject({ name: 'TargetGroupAssociationLimitException' });
  });

  it.each([
    [{ Name: '-web' }, /must have 1 to 32/],
    [{ Protocol: 'HTTPS' }, /HTTP \(HTTP1\) only/],
    [{ TargetType: 'lambda' }, /not emulated/],
    [{ Port: 0 }, /port from 1/],
    [{ HealthCheckIntervalSeconds: 301 }, /between 5 and 300/],
    [{ HealthCheckIntervalSeconds: 5, HealthCheckTimeoutSeconds: 6 }, /smaller than the interval/],
    [{ HealthCheckPath: 'health' }, /begin with a '\/'/],
    [{ Matcher: { HttpCode: 'ok' } }, /matcher/],
  ])('refuse a target group with %j', async (more, message) => {
    await expect(desk.group('web', [], more)).rejects.toThrow(message);
  });

  it('refuse attributes nobody obeys', async () => {
    const TargetGroupArn = await desk.group('web');
    const set = (Key: string, Value: string) =>
      desk.call('ModifyTargetGroupAttributes', { TargetGroupArn, Attributes: [{ Key, Value }] });
    await expect(set('slow_start.duration_seconds', '30')).rejects.toThrow(/not possible here/);
    await expect(set('no.such', '1')).rejects.toThrow(/not recognized/);
    await set('deregistration_delay.timeout_seconds', '0');
    const { Attributes } = await desk.call('DescribeTargetGroupAttributes', { TargetGroupArn });
    expect(Attributes).toContainEqual({ Key: 'deregistration_delay.timeout_seconds', Value: '0' });
  });

  it('note what AWS would have refused', async () => {
    await desk.group('web', [], { HealthCheckIntervalSeconds: 1, HealthCheckTimeoutSeconds: 1 });
    expect(desk.service.notes).toEqual([
      'target group web: a health check with intervalSeconds 1 is accepted here only; AWS ' +
        'asks for at least 5',
      'target group web: a health check with timeoutSeconds 1 is accepted here only; AWS asks for at least 2',
    ]);
  });
});
