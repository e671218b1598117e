/** Step Functions: executions started once by name, waiting ones let go on. */
import { SendTaskSuccessCommand, type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { invariant } from '../core/decision.ts';
import type { Machines } from '../ports.ts';
import { answered } from './answered.ts';

/** The machines a function may start; each needs the right to. */
export type MachineArns = Partial<Readonly<Record<'rollout' | 'rollback' | 'migration', string>>>;

const named = (error: unknown, ...names: string[]): boolean => names.includes((error as Error).name);

export function stepFunctions(client: SFNClient, arns: MachineArns = {}): Machines {
  return {
    async start(machine, name, input) {
      const stateMachineArn = arns[machine];
      invariant(stateMachineArn !== undefined, `this function was not given the ${machine} machine`);
      const command = new StartExecutionCommand({
        stateMachineArn,
        // A name holds 80 characters of this alphabet.
        name: name.replace(/[^A-Za-z0-9_-]/g, '-').slice(0, 80),
        input: JSON.stringify(input),
      });
      const started = client.send(command).catch((error: unknown) => {
        if (named(error, 'ExecutionAlreadyExists')) return; // started before: that is what was asked for
        throw error;
      });
      await answered(`StartExecution of ${machine}`, started);
    },

    async resume(token, output) {
      const command = new SendTaskSuccessCommand({ taskToken: token, output: JSON.stringify(output) });
      const resumed = client.send(command).catch((error: unknown) => {
        if (named(error, 'TaskDoesNotExist', 'TaskTimedOut', 'InvalidToken')) return; // nobody waits any more
        throw error;
      });
      await answered('SendTaskSuccess', resumed);
    },
  };
}
