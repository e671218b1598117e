import { Agent, request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../../lib/local/freePort.ts';
import { bodies, type ElbTestDesk, elbDesk, forwardTo, get, named, until } from './elbDesk.ts';

let desk: ElbTestDesk;
beforeEach(() => {
  desk = elbDesk({ seed: 7 });
});
afterEach(() => desk.close());

describe('forwarding', () => {
  it('keeps method, path, body and host, and says who asked', async () => {
    const seen: Record<string, unknown>[] = [];
    const echo = await desk.target(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      seen.push({ method: request.method, url: request.url, body, headers: request.headers });
      response.writeHead(201, { 'x-mine': 'yes', 'set-cookie': ['a=1', 'b=2'] }).end('done');
    });
    const group = await desk.group('web', [echo], { HealthCheckEnabled: false });
    const { port } = await desk.listener(await desk.balancer(), { [group]: 1 });
    const reply = await get(port, {
      method: 'POST',
      path: '/orders?id=7',
      body: 'x'.repeat(100_000),
      headers: { host: 'shop.test', 'x-forwarded-for': '10.0.0.9' },
    });
    expect([reply.status, reply.body, reply.headers['x-mine'], reply.headers['set-cookie']]).toEqual([
      201,
      'done',
      'yes',
      ['a=1', 'b=2'],
    ]);
    expect(reply.headers.server).toBeUndefined();
    expect(seen[0]).toMatchObject({ method: 'POST', url: '/orders?id=7', body: 'x'.repeat(100_000) });
    expect(seen[0]?.headers).toMatchObject({
      host: 'shop.test',
      'x-forwarded-for': '10.0.0.9, 127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-port': `${port}`,
      'x-amzn-trace-id': expect.stringMatching(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$/),
    });
  });

  it('keeps connections to the target open', async () => {
    const sockets = new Set<unknown>();
    const own = await desk.target((request, response) => {
      sockets.add(request.socket);
      response.end('ok');
    });
    const group = await desk.group('web', [own], { HealthCheckEnabled: false });
    const { port } = await desk.listener(await desk.balancer(), { [group]: 1 });
    await bodies(port, 5);
    expect(sockets.size).toBe(1);
  });

  it('takes turns among healthy targets, and asks all when none is healthy', async () => {
    const sick = (name: string) =>
      desk.target((request, response) => {
        response.writeHead(request.url === '/health' ? 500 : 200).end(name);
      });
    const group = await desk.group('web', [await sick('a'), await sick('b')], { HealthCheckPath: '/health' });
    const { port } = await desk.listener(await desk.balancer(), { [group]: 1 });
    await until(
      async () => (await desk.health(group)).every(({ State }) => State === 'unhealthy'),
      'both are unhealthy',
    );
    expect(await bodies(port, 6)).toEqual({ a: 3, b: 3 });
  });
});

describe('errors', () => {
  const single = async (targetPort: number) => {
    const group = await desk.group('web', [targetPort], { HealthCheckEnabled: false });
    const lb = await desk.balancer();
    return { ...(await desk.listener(lb, { [group]: 1 })), group, lb };
  };

  it('502 where nobody listens', async () => {
    const { port } = await single(await freePort());
    const reply = await get(port);
    expect([reply.status, reply.headers.server]).toEqual([502, 'awselb/2.0']);
    expect(reply.body).toContain('<h1>502 Bad Gateway</h1>');
  });

  it('502 where the target resets the connection', async () => {
    const { port } = await single(await desk.target((request) => request.socket.resetAndDestroy()));
    expect((await get(port, { method: 'POST', body: 'x' })).status).toBe(502);
  });

  it('503 where the group has no target', async () => {
    const group = await desk.group('empty');
    const { port } = await desk.listener(await desk.balancer(), { [group]: 1 });
    expect((await get(port)).status).toBe(503);
  });

  it('504 after the idle timeout', async () => {
    const { port, lb } = await single(await desk.target(() => undefined));
    await desk.call('ModifyLoadBalancerAttributes', {
      LoadBalancerArn: lb,
      Attributes: [{ Key: 'idle_timeout.timeout_seconds', Value: '1' }],
    });
    expect((await get(port)).status).toBe(504);
  });

  it('an answer that breaks off is broken off', async () => {
    const { port } = await single(
      await desk.target((_request, response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('half', () => response.destroy());
      }),
    );
    await expect(get(port)).rejects.toThrow(/aborted/);
  });

  it('a kept-alive connection that the target closed meanwhile costs a GET nothing', async () => {
    let asked = 0;
    const own = await desk.target((request, response) => {
      asked += 1;
      if (asked === 2) request.socket.resetAndDestroy();
      else response.end(`${asked}`);
    });
    const { port } = await single(own);
    expect([(await get(port)).body, (await get(port)).body]).toEqual(['1', '3']);
  });
});

describe('a listener', () => {
  it('whose port is taken says so and does not come to be', async () => {
    const taken = await desk.target(named('other'));
    const group = await desk.group('web');
    const lb = await desk.balancer();
    const creating = desk.call('CreateListener', {
      LoadBalancerArn: lb,
      Port: taken,
      DefaultActions: [forwardTo({ [group]: 1 })],
    });
    await expect(creating).rejects.toMatchObject({
      name: 'OperationNotPermittedException',
      message:
        `Port ${taken} of 127.0.0.1 is already in use on this machine: choose another ` +
        'Port, or end what listens there.',
    });
    expect((await desk.call('DescribeListeners', { LoadBalancerArn: lb })).Listeners).toEqual([]);
  });

  it('moves to another port, and closes with its balancer', async () => {
    const { arn, port, lb } = await desk.twoSides({ blue: 1, green: 0 });
    const agent = new Agent({ keepAlive: true });
    await new Promise((resolve) =>
      request({ port, host: '127.0.0.1', agent }, (answer) => answer.resume().on('end', resolve)).end(),
    );
    const next = await freePort();
    await desk.call('ModifyListener', { ListenerArn: arn, Port: next });
    await expect(get(port)).rejects.toThrow(/ECONNREFUSED/);
    expect((await get(next)).body).toBe('blue');
    await desk.call('DeleteLoadBalancer', { LoadBalancerArn: lb });
    await expect(get(next)).rejects.toThrow(/ECONNREFUSED/);
    agent.destroy();
  });
});
