/** A target that takes requests and never answers, behind the local balancer, as the analysis sees it. */
import { request } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { EcsAlbTarget } from '../../../events/target.ts';
import { VirtualClock } from '../../../lib/asl/clock.ts';
import { awsMetrics } from '../../../lib/aws/targets.ts';
import { analyse } from '../../../lib/core/analysis/analyse.ts';
import { assumedBaseline } from '../../../lib/core/analysis/baseline.ts';
import { defaultAnalysisPolicy } from '../../../lib/core/analysis/policy.ts';
import { elbDesk, get, named, until } from '../local/elbDesk.ts';
import { cloudWatchWire, startMs } from './cloudWatchWire.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** Blue answers and green hangs; a minute of its own for what is sent. */
async function hangingGreen() {
  const wire = await cloudWatchWire();
  const clock = new VirtualClock(startMs + 1000);
  const desk = elbDesk({ clock, probe: async () => ({ status: 200 }), putMetric: wire.put });
  closers.push(desk.close, wire.close);
  let waiting = 0;
  let left = 0;
  const hanging = await desk.target((incoming) => {
    waiting++;
    incoming.once('close', () => left++);
  });
  const blue = await desk.group('blue', [await desk.target(named('blue'))]);
  const green = await desk.group('green', [hanging]);
  const lb = await desk.balancer();
  await desk.call('ModifyLoadBalancerAttributes', {
    LoadBalancerArn: lb,
    Attributes: [{ Key: 'idle_timeout.timeout_seconds', Value: '1' }],
  });
  const [onBlue, onGreen] = [await desk.listener(lb, { [blue]: 1 }), await desk.listener(lb, { [green]: 1 })];
  await clock.advance(0);
  const target: EcsAlbTarget = {
    kind: 'ecs-alb',
    cluster: 'shop',
    services: { blue: 'shop-blue', green: 'shop-green' },
    targetGroups: { blue, green },
    ruleArn: onBlue.arn,
  };
  return {
    clock,
    ask: {
      blue: (count: number) => Promise.all(Array.from({ length: count }, () => get(onBlue.port))),
      green: (count: number) => Promise.all(Array.from({ length: count }, () => get(onGreen.port))),
    },
    /** A client that leaves once its request has reached the target. */
    async leave() {
      const before = waiting;
      const outgoing = request({ host: '127.0.0.1', port: onGreen.port, agent: false });
      outgoing.on('error', () => undefined).end();
      await until(() => waiting > before, 'the target has the request');
      const gone = left;
      outgoing.destroy();
      await until(() => left > gone, 'the balancer has let go of the target');
    },
    reached: (count: number) => until(() => waiting >= count, `${count} requests wait at the target`),
    async read() {
      const minutes = await awsMetrics(wire.client).minutes({
        target,
        canarySlot: 'green',
        periodSeconds: 60,
        fromMs: startMs,
        toMs: startMs + 120_000,
        thresholdsMs: [500],
      });
      return minutes;
    },
  };
}

describe('a canary that hangs', () => {
  it('is charged with every request it left to the balancer’s time-out, and taken back for it', async () => {
    const { clock, ask, read } = await hangingGreen();
    const [, replies] = await Promise.all([ask.blue(20), ask.green(8)]);
    expect(replies.map(({ status }) => status)).toEqual(Array(8).fill(504));
    await clock.advance(60_000);
    const minutes = await read();
    expect(minutes[0]).toMatchObject({
      canary: { requests: 8, errors: 8 },
      stable: { requests: 20, errors: 0 },
    });
    const analysis = analyse({
      policy: defaultAnalysisPolicy,
      baseline: assumedBaseline(defaultAnalysisPolicy),
      minutes: minutes.slice(0, 1),
      now: startMs + 180_000,
      stepStartedAt: startMs,
      stepEndsAt: startMs + 600_000,
      weight: 25,
      checksDue: 'bake',
    });
    expect(analysis).toMatchObject({ verdict: 'fail', canary: { bad: 8, total: 8 } });
  });

  it('is charged in the minute that gave it the request, although the time-out came in the next', async () => {
    const { clock, ask, reached, read } = await hangingGreen();
    const replies = ask.green(5);
    await reached(5);
    await clock.advance(59_000);
    expect((await read())[0]?.canary).toMatchObject({ requests: 5, errors: 0 });
    await replies;
    await clock.advance(60_000);
    expect((await read())[0]?.canary).toMatchObject({ requests: 5, errors: 5 });
  });

  it('is slow, not failing, for clients that left before the balancer gave up', async () => {
    const { clock, leave, read } = await hangingGreen();
    for (let i = 0; i < 3; i++) await leave();
    await clock.advance(60_000);
    expect((await read())[0]?.canary).toMatchObject({ requests: 3, errors: 0, slow: [3] });
  });
});
