/** The operations on executions and on the tokens of their tasks. */
import type * as sdk from '@aws-sdk/client-sfn';
import { isLargerThan, type Json, PAYLOAD_BYTES_MAX } from '../../asl/json.ts';
import type { TokenAnswer } from '../../asl/taskTokens.ts';
import { parseArn } from '../arn.ts';
import { type LocalService, ServiceError } from '../service.ts';
import type { ExecutionRecord } from './executionRecord.ts';
import type { Executions } from './executions.ts';
import { sdkEvent } from './historyEvents.ts';
import { page } from './paging.ts';
import { parseStateMachineArn } from './stateMachineArn.ts';
import type { StateMachines } from './stateMachines.ts';

type Operations = LocalService['operations'];

export function executionOperations(
  machines: StateMachines,
  executions: Executions,
  uuid: () => string,
): Operations {
  return {
    StartExecution({ stateMachineArn, name, input = '{}' }: sdk.StartExecutionInput) {
      const record = executions.start(machines.startable(String(stateMachineArn)), name ?? uuid(), input);
      return { executionArn: record.arn, startDate: new Date(record.startedAt) };
    },

    StopExecution({ executionArn, error, cause }: sdk.StopExecutionInput) {
      const record = executions.require(String(executionArn));
      record.execution.stop(error, cause);
      return { stopDate: new Date(executions.endedAt(record) ?? record.startedAt) };
    },

    DescribeExecution({ executionArn }: sdk.DescribeExecutionInput) {
      return described(executions, executions.require(String(executionArn)));
    },

    DescribeStateMachineForExecution({ executionArn }: sdk.DescribeStateMachineForExecutionInput) {
      const { machineArn, machineName, revision, startedAt } = executions.require(String(executionArn));
      return {
        stateMachineArn: machineArn,
        name: machineName,
        definition: revision.definition,
        roleArn: revision.roleArn,
        revisionId: revision.id,
        updateDate: new Date(startedAt),
      };
    },

    ListExecutions({ stateMachineArn, statusFilter, maxResults, nextToken }: sdk.ListExecutionsInput) {
      const asked = String(stateMachineArn);
      const { arn } = machines.require(asked);
      const qualified = parseStateMachineArn(asked).qualifier !== null;
      const wanted = executions.all.filter(
        (record) =>
          record.machineArn === arn &&
          (!qualified || record.versionArn === asked || record.aliasArn === asked) &&
          (statusFilter === undefined || statusOf(record) === statusFilter),
      );
      const { items, next } = page(wanted, maxResults, nextToken);
      return { executions: items.map((record) => listed(executions, record)), nextToken: next };
    },

    GetExecutionHistory(input: sdk.GetExecutionHistoryInput) {
      const { executionArn, maxResults, nextToken, reverseOrder, includeExecutionData = true } = input;
      const { execution, machineArn } = executions.require(String(executionArn));
      const events = reverseOrder ? [...execution.history].reverse() : execution.history;
      const { items, next } = page(events, maxResults, nextToken);
      const region = parseArn(machineArn)?.region ?? '';
      return { events: items.map((event) => sdkEvent(event, region, includeExecutionData)), nextToken: next };
    },

    SendTaskSuccess({ taskToken, output = '' }: sdk.SendTaskSuccessInput) {
      checkAnswer(executions.tokens.succeed(String(taskToken), readOutput(output)));
    },
    SendTaskFailure({ taskToken, error, cause }: sdk.SendTaskFailureInput) {
      checkAnswer(executions.tokens.fail(String(taskToken), error, cause));
    },
    SendTaskHeartbeat({ taskToken }: sdk.SendTaskHeartbeatInput) {
      checkAnswer(executions.tokens.heartbeat(String(taskToken)));
    },
  };
}

const statusOf = ({ execution }: ExecutionRecord) => execution.result?.status ?? 'RUNNING';

function listed(executions: Executions, record: ExecutionRecord) {
  const endedAt = executions.endedAt(record);
  return {
    executionArn: record.arn,
    stateMachineArn: record.machineArn,
    name: record.name,
    status: statusOf(record),
    startDate: new Date(record.startedAt),
    stopDate: endedAt === undefined ? undefined : new Date(endedAt),
    stateMachineVersionArn: record.versionArn,
    stateMachineAliasArn: record.aliasArn,
    redriveCount: 0,
  };
}

function described(executions: Executions, record: ExecutionRecord) {
  const { result } = record.execution;
  const status = statusOf(record);
  const failed = result?.status === 'FAILED' || result?.status === 'ABORTED' ? result : undefined;
  const output = result?.status === 'SUCCEEDED' ? { output: JSON.stringify(result.output) } : {};
  return {
    ...listed(executions, record),
    input: record.inputText,
    inputDetails: { included: true },
    ...output,
    ...('output' in output ? { outputDetails: { included: true } } : {}),
    error: failed?.error,
    cause: failed?.cause,
    redriveStatus: 'NOT_REDRIVABLE',
    redriveStatusReason: `Execution is ${status} and cannot be redriven`,
  };
}

function readOutput(text: string): Json {
  const refused = (why: string) => new ServiceError('InvalidOutput', `Invalid Output: '${why}'`);
  let output: Json;
  try {
    output = JSON.parse(text);
  } catch (error) {
    throw refused((error as Error).message);
  }
  if (isLargerThan(output, PAYLOAD_BYTES_MAX))
    throw refused(`the output is larger than ${PAYLOAD_BYTES_MAX} bytes`);
  return output;
}

function checkAnswer(answer: TokenAnswer): void {
  if (answer === 'over') {
    throw new ServiceError('TaskTimedOut', "Task Timed Out: 'Provided task does not exist anymore'");
  }
  if (answer === 'unknown') throw new ServiceError('InvalidToken', "Invalid Token: 'Invalid token'");
}
