/** What EventBridge is told when an execution starts and ends. */
import type { CloudEvent } from '../cloudEvent.ts';
import type { ExecutionRecord } from './executionRecord.ts';

/** "Step Functions Execution Status Change", with every member AWS sends; times in milliseconds. */
export function statusChange(record: ExecutionRecord, at: number): CloudEvent {
  const { arn, machineArn, name, versionArn, aliasArn, inputText, startedAt } = record;
  const { result } = record.execution;
  const status = result?.status ?? 'RUNNING';
  const output = result?.status === 'SUCCEEDED' ? JSON.stringify(result.output) : null;
  const ended = result !== undefined && 'error' in result ? result : { error: undefined, cause: undefined };
  return {
    source: 'aws.states',
    detailType: 'Step Functions Execution Status Change',
    time: new Date(at),
    resources: [arn],
    detail: {
      executionArn: arn,
      stateMachineArn: machineArn,
      name,
      status,
      startDate: startedAt,
      stopDate: result === undefined ? null : at,
      input: inputText,
      output,
      inputDetails: { included: true },
      outputDetails: output === null ? null : { included: true },
      error: ended.error ?? null,
      cause: ended.cause ?? null,
      stateMachineVersionArn: versionArn ?? null,
      stateMachineAliasArn: aliasArn ?? null,
      redriveCount: 0,
      redriveDate: null,
      redriveStatus: 'NOT_REDRIVABLE',
      redriveStatusReason: `Execution is ${status} and cannot be redriven`,
    },
  };
}
