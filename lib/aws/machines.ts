/** Step Functions: executions started once by name, waiting ones let go on. */
import {
  ListExecutionsCommand,
  SendTaskSuccessCommand,
  type SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { invariant } from '../core/decision.ts';
import type { Machines } from '../ports.ts';
import { answered } from './answered.ts';

/** The machines a function may start; each needs the right to. */
export type MachineArns = Partial<Readonly<Record<'rollout' | 'rollback' | 'migration', string>>>;

const named = (error: unknown, ...names: string[]): boolean => names.includes((error as Error).name);

/** A name holds 80 characters of this alphabet. */
const executionName = (name: string): string => name.replace(/[^A-Za-z0-9_-]/g, '-').slice(0, 80);

/** Pages of a thousand running executions each. */
const pagesMax = 20;

/** Starts executions through the ARN that was given: a machine, or its alias. */
export function executionStarts(client: SFNClient, arns: MachineArns): Pick<Machines, 'start'> {
  return {
    async start(machine, name, input) {
      const command = new StartExecutionCommand({
        stateMachineArn: arnOf(arns, machine),
        name: executionName(name),
        input: JSON.stringify(input),
      });
      const started = client.send(command).catch((error: unknown) => {
        if (named(error, 'ExecutionAlreadyExists')) return; // started before: that is what was asked for
        throw error;
      });
      await answered(`StartExecution of ${machine}`, started);
    },
  };
}

/**
 * For one pass: a listing serves all of it, because ListExecutions is granted five times a second to an
 * account. Who stands in it runs; who does not is looked for in a new one.
 */
export function runningExecutions(client: SFNClient, arns: MachineArns): Pick<Machines, 'running'> {
  const listed = new Map<string, readonly string[]>();
  return {
    async running(machine, prefix) {
      const beginning = executionName(prefix);
      const isIn = (names: readonly string[] = []) => names.some((name) => name.startsWith(beginning));
      if (isIn(listed.get(machine))) return true;
      const names = await runningNames(client, arnOf(arns, machine), machine);
      listed.set(machine, names);
      return isIn(names);
    },
  };
}

async function runningNames(client: SFNClient, arn: string, machine: string): Promise<readonly string[]> {
  const names: string[] = [];
  let nextToken: string | undefined;
  for (let page = 0; page < pagesMax; page++) {
    const command = new ListExecutionsCommand({
      stateMachineArn: unqualified(arn),
      statusFilter: 'RUNNING',
      maxResults: 1000,
      ...(nextToken === undefined ? {} : { nextToken }),
    });
    const answer = await answered(`ListExecutions of ${machine}`, client.send(command));
    for (const { name = '' } of answer.executions ?? []) names.push(name);
    nextToken = answer.nextToken;
    if (nextToken === undefined) break;
  }
  return names;
}

export function waitingExecutions(client: SFNClient): Pick<Machines, 'resume'> {
  return {
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

function arnOf(arns: MachineArns, machine: keyof MachineArns): string {
  const arn = arns[machine];
  invariant(arn !== undefined, `this function was not given the ${machine} machine`);
  return arn;
}

/** An alias lists only what was started through it, and a successor is started by the machine itself. */
const unqualified = (arn: string): string => arn.split(':').slice(0, 7).join(':');
