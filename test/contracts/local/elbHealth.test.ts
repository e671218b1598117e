import { afterEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../lib/asl/clock.ts';
import type { ProbeResult } from '../../../lib/local/elb/healthChecks.ts';
import { freePort } from '../../../lib/local/freePort.ts';
import { type ElbTestDesk, elbDesk, forwardTo, get, until } from './elbDesk.ts';

let desk: ElbTestDesk | undefined;
afterEach(() => desk?.close());

/** One target whose health checks answer what the test says, every 30 s of a clock that stands still. */
async function scripted(settings: Record<string, unknown> = {}) {
  const clock = new VirtualClock();
  const script: { next: ProbeResult; asked: number } = { next: { status: 200 }, asked: 0 };
  const made = elbDesk({
    clock,
    probe: async () => {
      script.asked += 1;
      return script.next;
    },
  });
  desk = made;
  const group = await made.group('web', [], {
    HealthCheckIntervalSeconds: 30,
    HealthCheckTimeoutSeconds: 5,
    ...settings,
  });
  const target = { TargetGroupArn: group, Targets: [{ Id: '127.0.0.1', Port: 4000 }] };
  const { arn } = await made.listener(await made.balancer(), { [group]: 1 });
  await made.call('RegisterTargets', target);
  const state = async () => (await made.health(group))[0];
  return { clock, script, group, target, state, listenerArn: arn, desk: made };
}

describe('health', () => {
  it('begins as initial and needs one good answer', async () => {
    const { clock, state } = await scripted();
    expect(await state()).toEqual({
      State: 'initial',
      Reason: 'Elb.InitialHealthChecking',
      Description: 'Initial health checks in progress',
    });
    await clock.advance(0);
    expect(await state()).toMatchObject({ State: 'healthy', Reason: undefined });
  });

  it.each([
    [{ status: 503 }, 'Target.ResponseCodeMismatch', 'Health checks failed with these codes: [503]'],
    [{ failure: 'timeout' }, 'Target.Timeout', 'Request timed out'],
    [{ failure: 'connection' }, 'Target.FailedHealthChecks', 'Health checks failed'],
  ] as const)('is lost after two answers like %j', async (answer, Reason, Description) => {
    const { clock, script, state } = await scripted();
    await clock.advance(0);
    script.next = answer;
    await clock.advance(30_000);
    expect(await state()).toMatchObject({ State: 'healthy' });
    await clock.advance(30_000);
    expect(await state()).toEqual({ State: 'unhealthy', Reason, Description });
  });

  it('once lost comes back after as many good answers in a row as asked', async () => {
    const { clock, script, state } = await scripted({ HealthyThresholdCount: 3 });
    script.next = { status: 500 };
    await clock.advance(30_000);
    expect(await state()).toMatchObject({ State: 'unhealthy' });
    script.next = { status: 200 };
    await clock.advance(60_000);
    script.next = { status: 500 };
    await clock.advance(30_000);
    script.next = { status: 200 };
    await clock.advance(60_000);
    expect(await state()).toMatchObject({ State: 'unhealthy' });
    await clock.advance(30_000);
    expect(await state()).toMatchObject({ State: 'healthy' });
  });

  it('follows the matcher and its later changes', async () => {
    const {
      clock,
      script,
      state,
      group,
      desk: made,
    } = await scripted({ Matcher: { HttpCode: '200-204,301' } });
    script.next = { status: 301 };
    await clock.advance(0);
    expect(await state()).toMatchObject({ State: 'healthy' });
    await made.call('ModifyTargetGroup', { TargetGroupArn: group, Matcher: { HttpCode: '200' } });
    await clock.advance(30_000);
    expect(await state()).toMatchObject({ State: 'unhealthy' });
  });

  it('is not asked for while no listener uses the group', async () => {
    const { clock, script, state, listenerArn, desk: made } = await scripted();
    await clock.advance(0);
    await made.call('DeleteListener', { ListenerArn: listenerArn });
    await clock.advance(90_000);
    expect(await state()).toMatchObject({ State: 'unused', Reason: 'Target.NotInUse' });
    expect(script.asked).toBe(1);
  });

  it('disabled counts as available', async () => {
    const { state } = await scripted({ HealthCheckEnabled: false });
    expect(await state()).toMatchObject({ State: 'unavailable', Reason: 'Target.HealthCheckDisabled' });
  });
});

describe('deregistration', () => {
  it('of a target with nothing to answer is done at once', async () => {
    const { clock, target, state, desk: made } = await scripted();
    await clock.advance(0);
    await made.call('DeregisterTargets', target);
    expect(await state()).toBeUndefined();
    const { TargetHealthDescriptions } = await made.call('DescribeTargetHealth', target);
    expect(TargetHealthDescriptions[0].TargetHealth).toMatchObject({
      State: 'unused',
      Reason: 'Target.NotRegistered',
    });
  });

  it('lets a request under way end, gives no new one, and cuts no one off', async () => {
    desk = elbDesk();
    let answer = () => undefined as unknown;
    const slow = await desk.target((request, response) => {
      if (request.url === '/slow') answer = () => response.end('late');
      else response.end('ok');
    });
    const group = await desk.group('web', [slow]);
    const { port } = await desk.listener(await desk.balancer(), { [group]: 1 });
    await desk.healthy(group, 1);
    const waiting = get(port, { path: '/slow' });
    const unanswered = answer;
    await until(() => answer !== unanswered, 'the target holds the request');
    const target = { TargetGroupArn: group, Targets: [{ Id: '127.0.0.1', Port: slow }] };
    await desk.call('DeregisterTargets', target);
    expect(await desk.health(group)).toMatchObject([
      { State: 'draining', Reason: 'Target.DeregistrationInProgress' },
    ]);
    expect((await get(port)).status).toBe(503);
    answer();
    expect((await waiting).body).toBe('late');
    await until(async () => (await desk?.health(group))?.length === 0, 'the target is gone');
  });

  it('waits no longer than the deregistration delay', async () => {
    const clock = new VirtualClock();
    const made = elbDesk({ clock, probe: async () => ({ status: 200 }) });
    desk = made;
    let holding = false;
    const held = await made.target(() => {
      holding = true;
    });
    const group = await made.group('web', [held]);
    await made.call('ModifyTargetGroupAttributes', {
      TargetGroupArn: group,
      Attributes: [{ Key: 'deregistration_delay.timeout_seconds', Value: '20' }],
    });
    const { port } = await made.listener(await made.balancer(), { [group]: 1 });
    await clock.advance(0);
    const cut = get(port).catch((error: Error) => error.message);
    await until(() => holding, 'the target holds the request');
    const done = made.service.targets.deregister(group, { id: '127.0.0.1', port: held });
    await clock.advance(19_999);
    expect(await made.health(group)).toMatchObject([{ State: 'draining' }]);
    await clock.advance(1);
    await done;
    expect(await made.health(group)).toEqual([]);
    await made.close();
    desk = undefined;
    expect(await cut).toMatch(/socket hang up|ECONNRESET/);
  });
});

describe('real health checks', () => {
  it('send a GET to the path and port of the group', async () => {
    const made = elbDesk();
    desk = made;
    const seen: (string | undefined)[] = [];
    const admin = await made.target((request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers['user-agent']}`);
      response.end();
    });
    const group = await made.group('web', [await freePort()], {
      HealthCheckPath: '/health?deep=1',
      HealthCheckPort: `${admin}`,
    });
    await made.listener(await made.balancer(), { [group]: 1 });
    await made.healthy(group, 1);
    expect(seen[0]).toBe('GET /health?deep=1 ELB-HealthChecker/2.0');
  });

  it('tell a refused connection from a silent target', async () => {
    const made = elbDesk();
    desk = made;
    const silent = await made.target(() => undefined);
    const group = await made.group('web', [silent, await freePort()]);
    await made.call('CreateListener', {
      LoadBalancerArn: await made.balancer(),
      Port: await freePort(),
      DefaultActions: [forwardTo({ [group]: 1 })],
    });
    const reasons = async () => (await made.health(group)).map(({ Reason }) => Reason);
    await until(
      async () => (await reasons()).join() === 'Target.Timeout,Target.FailedHealthChecks',
      'both are known to be sick',
    );
  });
});
