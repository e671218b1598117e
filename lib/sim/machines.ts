/** Executions by name. What runs them is handed in: this world knows no state machine. */
import type { Machines } from '../ports.ts';
import type { Instance } from './instance.ts';
import type { Wire } from './wire.ts';

export type MachineName = Parameters<Machines['start']>[0];

export type RunningExecution = {
  readonly machine: MachineName;
  readonly name: string;
  readonly startedAt: number;
  isRunning(): boolean;
  /** What it ended with; null while it runs. */
  outcome(): string | null;
  stop(): void;
};

export class ExecutionDesk {
  readonly executions = new Map<string, RunningExecution>();
  readonly #begin: (machine: MachineName, name: string, input: unknown) => RunningExecution;
  readonly #answer: (token: string, output: unknown) => void;

  constructor(
    begin: (machine: MachineName, name: string, input: unknown) => RunningExecution,
    answer: (token: string, output: unknown) => void,
  ) {
    this.#begin = begin;
    this.#answer = answer;
  }

  /** An execution that was started before is what was asked for. */
  start(machine: MachineName, name: string, input: unknown): void {
    const key = `${machine}/${name.slice(0, 80)}`;
    if (this.executions.has(key)) return;
    this.executions.set(key, this.#begin(machine, name, input));
  }

  running(machine: MachineName, prefix: string): boolean {
    for (const execution of this.executions.values()) {
      if (execution.machine === machine && execution.name.startsWith(prefix) && execution.isRunning())
        return true;
    }
    return false;
  }

  resume(token: string, output: unknown): void {
    this.#answer(token, output);
  }
}

export const simMachines = (wire: Wire, who: Instance, desk: ExecutionDesk): Machines => ({
  start: (machine, name, input) => wire.call(who, 'machines.start', () => desk.start(machine, name, input)),
  running: (machine, prefix) => wire.question(who, 'machines.running', () => desk.running(machine, prefix)),
  resume: (token, output) => wire.call(who, 'machines.resume', () => desk.resume(token, output)),
});
