/**
 * A container is a child process: entryPoint and command are what is run, the image is only a label. Stopping
 * is SIGTERM, then SIGKILL after the stop timeout.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Clock } from '../../asl/clock.ts';

export type ProcessPlan = {
  /** The program and its arguments; `node` means the Node that runs the local cloud. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly directory: string;
  readonly onOutput: (stream: 'stdout' | 'stderr', piece: string) => void;
};

export interface ContainerProcess {
  /** Resolves with the exit code once the process has ended; 128 + n after signal n, as Docker counts. */
  readonly ended: Promise<number>;
  /** Ends it: at once when `graceMs` is 0. */
  stop(clock: Clock, graceMs: number): void;
}

/** Resolves once it runs; rejects when it cannot be started. */
export function startProcess(plan: ProcessPlan): Promise<ContainerProcess> {
  const [program = '', ...args] = plan.command;
  return new Promise((resolve, reject) => {
    const child = spawn(program === 'node' ? process.execPath : program, args, {
      cwd: plan.directory,
      env: { ...plan.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const killWithUs = () => child.kill('SIGKILL');
    process.once('exit', killWithUs);
    const ended = new Promise<number>((resolveEnd) => {
      child.once('close', (code, signal) => {
        process.off('exit', killWithUs);
        resolveEnd(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
      });
    });
    child.once('error', (error) => {
      process.off('exit', killWithUs);
      reject(error);
    });
    child.stdout?.setEncoding('utf8').on('data', (piece: string) => plan.onOutput('stdout', piece));
    child.stderr?.setEncoding('utf8').on('data', (piece: string) => plan.onOutput('stderr', piece));
    child.once('spawn', () =>
      resolve({ ended, stop: (clock, graceMs) => stop(child, ended, clock, graceMs) }),
    );
  });
}

function stop(child: ChildProcess, ended: Promise<number>, clock: Clock, graceMs: number): void {
  if (graceMs === 0) {
    child.kill('SIGKILL');
    return;
  }
  child.kill('SIGTERM');
  const cancel = clock.schedule(graceMs, () => child.kill('SIGKILL'));
  void ended.then(cancel);
}
