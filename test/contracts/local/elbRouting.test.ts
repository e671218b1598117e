import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bodies, type ElbTestDesk, elbDesk, get, named } from './elbDesk.ts';

let desk: ElbTestDesk;
beforeEach(() => {
  desk = elbDesk({ seed: 7 });
});
afterEach(() => desk.close());

const twoSides = (weights: { blue: number; green: number }, stickySeconds?: number) =>
  desk.twoSides(weights, stickySeconds);

describe('weights', () => {
  it('divide the requests; the same seed gives the same division', async () => {
    const { port } = await twoSides({ blue: 90, green: 10 });
    const first = await bodies(port, 200);
    expect(first.green).toBeGreaterThan(8);
    expect(first.green).toBeLessThan(35);
    await desk.close();
    desk = elbDesk({ seed: 7 });
    const again = await twoSides({ blue: 90, green: 10 });
    expect(await bodies(again.port, 200)).toEqual(first);
  });

  it('count from the next request on, and 0 means none', async () => {
    const { port, shift } = await twoSides({ blue: 50, green: 50 });
    await shift({ blue: 1, green: 0 });
    expect(await bodies(port, 20)).toEqual({ blue: 20 });
    await shift({ blue: 0, green: 999 });
    expect(await bodies(port, 20)).toEqual({ green: 20 });
  });

  it('all 0 answer 503', async () => {
    const { port } = await twoSides({ blue: 0, green: 0 });
    expect((await get(port)).status).toBe(503);
  });

  it('are read back as written', async () => {
    const { arn, blue, green } = await twoSides({ blue: 95, green: 5 });
    const { Listeners } = await desk.call('DescribeListeners', { ListenerArns: [arn] });
    expect(Listeners[0].DefaultActions).toEqual([
      {
        Type: 'forward',
        ForwardConfig: {
          TargetGroups: [
            { TargetGroupArn: blue, Weight: 95 },
            { TargetGroupArn: green, Weight: 5 },
          ],
          TargetGroupStickinessConfig: { Enabled: false },
        },
      },
    ]);
  });
});

describe('stickiness', () => {
  const cookieOf = (headers: Record<string, string | string[] | undefined>) =>
    [headers['set-cookie'] ?? []]
      .flat()
      .map((line) => line.split(';')[0])
      .join('; ');

  it('of the target group wins over a changed weight, also over 0', async () => {
    const { port, shift } = await twoSides({ blue: 0, green: 1 }, 60);
    const first = await get(port);
    const cookie = cookieOf(first.headers);
    expect(cookie).toMatch(/^AWSALBTG=/);
    await shift({ blue: 1, green: 0 });
    expect(await bodies(port, 5, { cookie })).toEqual({ green: 5 });
    expect(await bodies(port, 5)).toEqual({ blue: 5 });
  });

  it('of the target keeps a client on one of many', async () => {
    const ports = [
      await desk.target(named('a')),
      await desk.target(named('b')),
      await desk.target(named('c')),
    ];
    const group = await desk.group('web', ports);
    await desk.call('ModifyTargetGroupAttributes', {
      TargetGroupArn: group,
      Attributes: [{ Key: 'stickiness.enabled', Value: 'true' }],
    });
    const { port } = await desk.listener(await desk.balancer(), { [group]: 1 });
    await desk.healthy(group, 3);
    const first = await get(port);
    expect(await bodies(port, 6, { cookie: cookieOf(first.headers) })).toEqual({ [first.body]: 6 });
    expect(Object.keys(await bodies(port, 6)).sort()).toEqual(['a', 'b', 'c']);
  });
});

describe('rules', () => {
  it('match by path, host, header, query and method, lowest priority number first', async () => {
    const { arn, port, blue, green } = await twoSides({ blue: 1, green: 0 });
    const rule = (Priority: number, ...Conditions: unknown[]) =>
      desk.call('CreateRule', {
        ListenerArn: arn,
        Priority,
        Conditions,
        Actions: [{ Type: 'forward', TargetGroupArn: green }],
      });
    await rule(50, { Field: 'path-pattern', Values: ['/v?/orders/*'] });
    await rule(40, { Field: 'host-header', HostHeaderConfig: { Values: ['*.Green.test'] } });
    await rule(30, {
      Field: 'http-header',
      HttpHeaderConfig: { HttpHeaderName: 'X-Side', Values: ['green'] },
    });
    await rule(20, { Field: 'query-string', QueryStringConfig: { Values: [{ Key: 'side', Value: 'gr*' }] } });
    await rule(
      10,
      { Field: 'http-request-method', HttpRequestMethodConfig: { Values: ['DELETE'] } },
      { Field: 'source-ip', SourceIpConfig: { Values: ['127.0.0.0/8'] } },
    );
    await desk.call('CreateRule', {
      ListenerArn: arn,
      Priority: 5,
      Conditions: [{ Field: 'path-pattern', Values: ['/v2/orders/blue'] }],
      Actions: [{ Type: 'forward', TargetGroupArn: blue }],
    });
    const side = async (asked: Parameters<typeof get>[1]) => (await get(port, asked)).body;
    expect(await side({ path: '/v2/orders/7?x=1' })).toBe('green');
    expect(await side({ path: '/v2/orders/blue' })).toBe('blue');
    expect(await side({ path: '/V2/ORDERS/7' })).toBe('blue');
    expect(await side({ headers: { host: 'shop.green.test:80' } })).toBe('green');
    expect(await side({ headers: { 'x-side': 'GREEN' } })).toBe('green');
    expect(await side({ path: '/?a=1&SIDE=grey' })).toBe('green');
    expect(await side({ method: 'DELETE' })).toBe('green');
    expect(await side({})).toBe('blue');
    const { Rules } = await desk.call('DescribeRules', { ListenerArn: arn });
    expect(Rules.map((one: { Priority: string }) => one.Priority)).toEqual([
      '5',
      '10',
      '20',
      '30',
      '40',
      '50',
      'default',
    ]);
  });

  it('answer by themselves: fixed responses and redirects', async () => {
    const { arn, port } = await twoSides({ blue: 1, green: 0 });
    const rule = (Priority: number, path: string, action: unknown) =>
      desk.call('CreateRule', {
        ListenerArn: arn,
        Priority,
        Conditions: [{ Field: 'path-pattern', Values: [path] }],
        Actions: [action],
      });
    await rule(1, '/down', {
      Type: 'fixed-response',
      FixedResponseConfig: {
        StatusCode: '503',
        ContentType: 'application/json',
        MessageBody: '{"down":true}',
      },
    });
    await rule(2, '/old/*', {
      Type: 'redirect',
      RedirectConfig: { StatusCode: 'HTTP_301', Path: '/new/#{path}' },
    });
    const fixed = await get(port, { path: '/down' });
    expect([fixed.status, fixed.body, fixed.headers['content-type']]).toEqual([
      503,
      '{"down":true}',
      'application/json',
    ]);
    const moved = await get(port, { path: '/old/a?b=1', headers: { host: 'shop.test' } });
    expect([moved.status, moved.headers.location]).toEqual([301, `http://shop.test:${port}/new/old/a?b=1`]);
  });
});
