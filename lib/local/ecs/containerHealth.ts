/**
 * A container's own health check: a command run in its environment every interval; exit code 0 is healthy, as
 * many failures in a row as `retries` are unhealthy. Defaults: ECS reference, `HealthCheck`.
 */
import { spawn } from 'node:child_process';
import type { HealthCheck } from '@aws-sdk/client-ecs';
import type { Clock } from '../../asl/clock.ts';

export type HealthWatch = {
  readonly check: HealthCheck;
  readonly environment: Readonly<Record<string, string>>;
  readonly directory: string;
  readonly onHealth: (health: 'HEALTHY' | 'UNHEALTHY') => void;
};

/** Begins watching; the answer ends it. */
export function watchHealth(clock: Clock, watch: HealthWatch): () => void {
  const { interval = 30, timeout = 5, retries = 3, startPeriod = 0, command = [] } = watch.check;
  const startedMs = clock.now();
  let failures = 0;
  let stopped = false;
  const look = async () => {
    const good = await succeeds(command, watch, timeout * 1000);
    if (stopped) return;
    // Failures within the start period do not count, unless a check has succeeded before (same reference).
    const counts = good || clock.now() - startedMs >= startPeriod * 1000;
    failures = good ? 0 : failures + (counts ? 1 : 0);
    if (good) watch.onHealth('HEALTHY');
    else if (failures >= retries) watch.onHealth('UNHEALTHY');
    cancel = clock.schedule(interval * 1000, look);
  };
  let cancel = clock.schedule(interval * 1000, look);
  return () => {
    stopped = true;
    cancel();
  };
}

/**
 * `CMD-SHELL text`, `CMD program args…`, or the program and its arguments alone. The timeout is real time.
 */
function succeeds(command: readonly string[], watch: HealthWatch, timeoutMs: number): Promise<boolean> {
  const [kind, ...rest] = command;
  const words =
    kind === 'CMD-SHELL' ? ['/bin/sh', '-c', rest.join(' ')] : kind === 'CMD' ? rest : [...command];
  const [program = '', ...args] = words;
  return new Promise((resolve) => {
    const child = spawn(program === 'node' ? process.execPath : program, args, {
      cwd: watch.directory,
      env: { ...watch.environment },
      stdio: 'ignore',
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
}
