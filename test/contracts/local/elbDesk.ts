/** Load balancers alone, with real ports and small HTTP servers as targets. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Clock, realClock } from '../../../lib/asl/clock.ts';
import type { MetricPoint } from '../../../lib/local/cloudwatch/metricStore.ts';
import { type ElbDeps, elbService } from '../../../lib/local/elb/elbService.ts';
import { freePort } from '../../../lib/local/freePort.ts';
import { ask, place } from './cloudwatchDesk.ts';

/** Waits for a fact of the real world: asks every 10 ms, gives up after 20 s. */
export async function until(fact: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await fact())) {
    if (performance.now() > deadline) throw new Error(`it never came true that ${what}`);
    await new Promise((resolve) => realClock.schedule(10, () => resolve(undefined)));
  }
}

export type Reply = {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
};

type Asked = {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
};

/** One HTTP request on a connection of its own. */
export async function get(
  port: number,
  { path = '/', method = 'GET', headers = {}, body }: Asked = {},
): Promise<Reply> {
  const outgoing = request({ host: '127.0.0.1', port, path, method, headers, agent: false }).end(body);
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of answer) text += chunk;
  return { status: answer.statusCode ?? 0, body: text, headers: answer.headers };
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Makes everything a test needs and takes it down again with `close`. */
export function elbDesk(options: { clock?: Clock } & Partial<Omit<ElbDeps, 'clock'>> = {}) {
  const metrics: MetricPoint[] = [];
  const { clock = realClock, ...deps } = options;
  const service = elbService({ clock, place, putMetric: (point) => void metrics.push(point), ...deps });
  const ending: (() => Promise<unknown>)[] = [() => service.close?.() ?? Promise.resolve()];
  const call = (operation: string, input: Record<string, unknown> = {}) => ask(service, operation, input);

  const target = async (handler: Handler): Promise<number> => {
    const server = createServer(handler);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ending.push(() => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });
    return (server.address() as AddressInfo).port;
  };

  const balancer = async (name = 'shop'): Promise<string> =>
    (await call('CreateLoadBalancer', { Name: name })).LoadBalancers[0].LoadBalancerArn;

  const group = async (name: string, ports: readonly number[] = [], more: Record<string, unknown> = {}) => {
    const created = await call('CreateTargetGroup', {
      Name: name,
      Protocol: 'HTTP',
      Port: 80,
      TargetType: 'ip',
      HealthCheckIntervalSeconds: 1,
      HealthCheckTimeoutSeconds: 1,
      ...more,
    });
    const arn: string = created.TargetGroups[0].TargetGroupArn;
    await call('RegisterTargets', {
      TargetGroupArn: arn,
      Targets: ports.map((Port) => ({ Id: '127.0.0.1', Port })),
    });
    return arn;
  };

  const listener = async (loadBalancerArn: string, weights: Readonly<Record<string, number>>) => {
    const port = await freePort();
    const made = await call('CreateListener', {
      LoadBalancerArn: loadBalancerArn,
      Port: port,
      Protocol: 'HTTP',
      DefaultActions: [forwardTo(weights)],
    });
    return { port, arn: made.Listeners[0].ListenerArn as string };
  };

  const health = async (
    groupArn: string,
  ): Promise<{ State: string; Reason?: string; Description?: string }[]> => {
    const { TargetHealthDescriptions: all } = await call('DescribeTargetHealth', {
      TargetGroupArn: groupArn,
    });
    return all.map((one: { TargetHealth: unknown }) => one.TargetHealth);
  };

  const healthy = (groupArn: string, count: number) =>
    until(
      async () => (await health(groupArn)).filter(({ State }) => State === 'healthy').length === count,
      `${count} targets are healthy`,
    );

  /** blue and green, one target each, behind one listener. */
  const twoSides = async (weights: { blue: number; green: number }, stickySeconds?: number) => {
    const blue = await group('blue', [await target(named('blue'))]);
    const green = await group('green', [await target(named('green'))]);
    const lb = await balancer();
    const made = await listener(lb, { [blue]: weights.blue, [green]: weights.green });
    const shift = (to: { blue: number; green: number }) =>
      call('ModifyListener', {
        ListenerArn: made.arn,
        DefaultActions: [forwardTo({ [blue]: to.blue, [green]: to.green }, stickySeconds)],
      });
    if (stickySeconds !== undefined) await shift(weights);
    await healthy(blue, 1);
    await healthy(green, 1);
    return { ...made, blue, green, shift, lb };
  };

  const close = async () => {
    for (const end of ending) await end();
  };
  return { service, call, metrics, target, balancer, group, listener, health, healthy, twoSides, close };
}

export type ElbTestDesk = ReturnType<typeof elbDesk>;

export const forwardTo = (weights: Readonly<Record<string, number>>, stickySeconds?: number) => ({
  Type: 'forward',
  ForwardConfig: {
    TargetGroups: Object.entries(weights).map(([TargetGroupArn, Weight]) => ({ TargetGroupArn, Weight })),
    ...(stickySeconds !== undefined && {
      TargetGroupStickinessConfig: { Enabled: true, DurationSeconds: stickySeconds },
    }),
  },
});

/** A target that answers with its name. */
export const named =
  (name: string): Handler =>
  (_request, response) =>
    void response.end(name);

/** How often each body was answered to `count` requests, one after the other. */
export async function bodies(port: number, count: number, headers: Record<string, string> = {}, path = '/') {
  const found: Record<string, number> = {};
  for (let i = 0; i < count; i++) {
    const { body } = await get(port, { headers, path });
    found[body] = (found[body] ?? 0) + 1;
  }
  return found;
}
