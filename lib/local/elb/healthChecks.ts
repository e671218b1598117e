/**
 * Health as the balancer sees it: one loop per target, on the injected clock. A new target is healthy after
 * one good answer, a sick one after `healthyThreshold` in a row; it is unhealthy after `unhealthyThreshold`
 * bad ones (ELB user guide, "Target group health checks").
 */
import { request } from 'node:http';
import type { Clock } from '../../asl/clock.ts';
import type { Health, HealthCheckSettings, Target, TargetGroup } from './elbState.ts';

export type ProbeResult = { readonly status: number } | { readonly failure: 'timeout' | 'connection' };

/** Asks one target. Real time, because what it waits for is a real socket. */
export type Probe = (host: string, port: number, check: HealthCheckSettings) => Promise<ProbeResult>;

export type CheckWorld = {
  readonly clock: Clock;
  readonly probe: Probe;
  /** Told after a target's state or reason changed. */
  readonly onChange: (group: TargetGroup, target: Target) => void;
};

/** Starts checking; the target's `stop` ends it. */
export function startChecks(world: CheckWorld, group: TargetGroup, target: Target): void {
  let stopped = false;
  let good = 0;
  let bad = 0;
  const become = (health: Health) => {
    const changed = health.state !== target.health.state || health.reason !== target.health.reason;
    target.health = health;
    if (changed) world.onChange(group, target);
  };
  const take = (result: ProbeResult) => {
    const failure = failureOf(result, group.check);
    good = failure ? 0 : good + 1;
    bad = failure ? bad + 1 : 0;
    const needed = target.health.state === 'unhealthy' ? group.check.healthyThreshold : 1;
    if (good >= needed) become({ state: 'healthy' });
    if (failure && bad >= group.check.unhealthyThreshold) become(failure);
  };
  const look = async () => {
    const startedMs = world.clock.now();
    const port = group.check.port === 'traffic-port' ? target.port : Number(group.check.port);
    const result = await world.probe(hostOf(group, target), port, group.check);
    if (stopped) return;
    take(result);
    const nextMs = startedMs + group.check.intervalSeconds * 1000 - world.clock.now();
    cancel = world.clock.schedule(Math.max(0, nextMs), look);
  };
  become({
    state: 'initial',
    reason: 'Elb.InitialHealthChecking',
    description: 'Initial health checks in progress',
  });
  let cancel = world.clock.schedule(0, look);
  target.stop = () => {
    stopped = true;
    cancel();
  };
}

/** Where a target is reached: by its address, or on this machine where it is an instance. */
export const hostOf = (group: TargetGroup, target: Target): string =>
  group.targetType === 'ip' ? target.id : '127.0.0.1';

function failureOf(result: ProbeResult, check: HealthCheckSettings): Health | null {
  if ('status' in result) {
    if (matches(check.matcher, result.status)) return null;
    return {
      state: 'unhealthy',
      reason: 'Target.ResponseCodeMismatch',
      description: `Health checks failed with these codes: [${result.status}]`,
    };
  }
  if (result.failure === 'timeout')
    return { state: 'unhealthy', reason: 'Target.Timeout', description: 'Request timed out' };
  return { state: 'unhealthy', reason: 'Target.FailedHealthChecks', description: 'Health checks failed' };
}

/** Whether `status` is in a matcher like `200-299,302`. */
function matches(matcher: string, status: number): boolean {
  return matcher.split(',').some((part) => {
    const [from = 0, to = from] = part.split('-').map(Number);
    return status >= from && status <= to;
  });
}

/** GET over a connection of its own; the body does not matter. */
export const httpProbe: Probe = (host, port, check) =>
  new Promise((resolve) => {
    const outgoing = request({
      host,
      port,
      path: check.path,
      agent: false,
      headers: { host: `${host}:${port}`, 'user-agent': 'ELB-HealthChecker/2.0', connection: 'close' },
      signal: AbortSignal.timeout(check.timeoutSeconds * 1000),
    });
    outgoing.once('response', (response) => {
      response.resume();
      response.on('error', () => undefined);
      resolve({ status: response.statusCode ?? 0 });
    });
    outgoing.on('error', (error) => {
      resolve({
        failure: error.name === 'AbortError' || error.name === 'TimeoutError' ? 'timeout' : 'connection',
      });
    });
    outgoing.end();
  });
