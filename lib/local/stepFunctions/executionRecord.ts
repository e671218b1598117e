/** What is kept of an execution. */
import type { Execution } from '../../asl/execution.ts';
import type { Revision } from './stateMachines.ts';

export type ExecutionRecord = {
  readonly arn: string;
  readonly name: string;
  readonly machineArn: string;
  readonly machineName: string;
  readonly versionArn: string | undefined;
  readonly aliasArn: string | undefined;
  readonly revision: Revision;
  /** As it was sent. */
  readonly inputText: string;
  readonly startedAt: number;
  readonly execution: Execution;
};
