/** Executions: started, followed, stopped, and told about. */
import * as sfn from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import { ServiceError } from '../../../lib/local/service.ts';
import { awsCliJson } from './awsCli.ts';
import {
  bus,
  client,
  clock,
  create,
  definitionOf,
  describeExecution,
  endpoint,
  events,
  failureOf,
  machineArn,
  pass,
  place,
  ran,
  roleArn,
  start,
  startedAt,
  useDesk,
  waiting,
} from './stepFunctionsDesk.ts';

useDesk();

describe('an execution', () => {
  it('is described while it runs and when it has ended', async () => {
    await create(waiting);
    const input = '{"service":"checkout"}';
    const { executionArn, startDate } = await start({ name: 'r-1', input });
    expect(executionArn).toBe(`arn:aws:states:${place}:execution:rollout:r-1`);
    expect(startDate).toEqual(new Date(startedAt));
    expect(await describeExecution(executionArn)).toMatchObject({
      executionArn,
      stateMachineArn: machineArn,
      name: 'r-1',
      status: 'RUNNING',
      input,
      redriveCount: 0,
    });
    await clock.advance(60_000);
    expect(await describeExecution(executionArn)).toMatchObject({
      status: 'SUCCEEDED',
      stopDate: new Date(startedAt + 60_000),
      output: input,
    });
  });

  it('is the one there is for the same name and input while it runs; the name stays taken', async () => {
    await create(waiting);
    const first = await start({ name: 'r-1', input: '{"n":1}' });
    await clock.advance(1000);
    expect(await start({ name: 'r-1', input: '{"n":1}' })).toMatchObject({
      executionArn: first.executionArn,
      startDate: first.startDate,
    });
    expect(await failureOf(start({ name: 'r-1', input: '{"n":2}' }))).toBeInstanceOf(
      sfn.ExecutionAlreadyExists,
    );
    await clock.advance(60_000);
    const again = await failureOf(start({ name: 'r-1', input: '{"n":1}' }));
    expect(again).toBeInstanceOf(sfn.ExecutionAlreadyExists);
    expect(again?.message).toBe(`Execution Already Exists: '${first.executionArn}'`);
  });

  it('is refused for an input that is no JSON, one that is too large, and a wrong name', async () => {
    await create(pass);
    expect(await failureOf(start({ input: '{' }))).toBeInstanceOf(sfn.InvalidExecutionInput);
    expect(await failureOf(start({ input: `"${'x'.repeat(262_144)}"` }))).toBeInstanceOf(
      sfn.InvalidExecutionInput,
    );
    expect(await failureOf(start({ name: 'a/b' }))).toBeInstanceOf(sfn.InvalidName);
    expect(await failureOf(describeExecution(`${machineArn}:x`))).toBeInstanceOf(sfn.ExecutionDoesNotExist);
  });

  it('ends with the error and cause of what failed', async () => {
    await create(definitionOf({ A: { Type: 'Fail', Error: 'RolledBack', Cause: 'verdict fail' } }));
    expect(await ran()).toMatchObject({ status: 'FAILED', error: 'RolledBack', cause: 'verdict fail' });
  });

  it('times out without an error', async () => {
    const definition = { ...JSON.parse(waiting), TimeoutSeconds: 30 };
    await create(JSON.stringify(definition));
    const timedOut = await ran({}, 30);
    expect(timedOut.status).toBe('TIMED_OUT');
    expect(timedOut.error).toBeUndefined();
  });

  it('is stopped once, with the reason given', async () => {
    await create(waiting);
    const { executionArn } = await start();
    await clock.advance(10_000);
    const stop = () =>
      client.send(
        new sfn.StopExecutionCommand({ executionArn, error: 'Superseded', cause: 'a newer rollout' }),
      );
    expect((await stop()).stopDate).toEqual(new Date(startedAt + 10_000));
    await clock.advance(10_000);
    expect((await stop()).stopDate).toEqual(new Date(startedAt + 10_000));
    expect(await describeExecution(executionArn)).toMatchObject({
      status: 'ABORTED',
      error: 'Superseded',
      cause: 'a newer rollout',
    });
  });

  it('is listed newest first, by status, in pages', async () => {
    await create(waiting);
    for (const name of ['a', 'b', 'c']) {
      await start({ name });
      await clock.advance(30_000);
    }
    const list = (more: Partial<sfn.ListExecutionsCommandInput> = {}) =>
      client.send(new sfn.ListExecutionsCommand({ stateMachineArn: machineArn, ...more }));
    expect((await list()).executions?.map(({ name, status }) => [name, status])).toEqual([
      ['c', 'RUNNING'],
      ['b', 'SUCCEEDED'],
      ['a', 'SUCCEEDED'],
    ]);
    const page = await list({ statusFilter: 'SUCCEEDED', maxResults: 1 });
    expect(page.executions?.map(({ name }) => name)).toEqual(['b']);
    const rest = await list({ statusFilter: 'SUCCEEDED', maxResults: 1, nextToken: page.nextToken });
    expect(rest.executions?.map(({ name }) => name)).toEqual(['a']);
    expect(rest.nextToken).toBeUndefined();
    expect(await failureOf(list({ nextToken: 'made up' }))).toBeInstanceOf(sfn.InvalidToken);
  });

  it('tells EventBridge when it starts and how it ends', async () => {
    await create(waiting);
    const { executionArn } = await start({ name: 'r-1', input: '{"n":1}' });
    await clock.advance(60_000);
    const detail = {
      executionArn,
      stateMachineArn: machineArn,
      name: 'r-1',
      startDate: startedAt,
      input: '{"n":1}',
      inputDetails: { included: true },
      error: null,
      cause: null,
      stateMachineVersionArn: null,
      stateMachineAliasArn: null,
      redriveCount: 0,
      redriveDate: null,
      redriveStatus: 'NOT_REDRIVABLE',
    };
    const event = {
      source: 'aws.states',
      detailType: 'Step Functions Execution Status Change',
      resources: [executionArn],
    };
    expect(events).toEqual([
      {
        ...event,
        time: new Date(startedAt),
        detail: {
          ...detail,
          status: 'RUNNING',
          stopDate: null,
          output: null,
          outputDetails: null,
          redriveStatusReason: 'Execution is RUNNING and cannot be redriven',
        },
      },
      {
        ...event,
        time: new Date(startedAt + 60_000),
        detail: {
          ...detail,
          status: 'SUCCEEDED',
          stopDate: startedAt + 60_000,
          output: '{"n":1}',
          outputDetails: { included: true },
          redriveStatusReason: 'Execution is SUCCEEDED and cannot be redriven',
        },
      },
    ]);
  });

  it('is started by a rule that has the state machine for its target', async () => {
    await create(pass);
    await bus.send(machineArn, { body: '{"from":"rule"}', from: 'arn:rule' });
    await clock.advance(0);
    const { executions } = await client.send(new sfn.ListExecutionsCommand({ stateMachineArn: machineArn }));
    expect((await describeExecution(executions?.[0]?.executionArn)).output).toBe('{"from":"rule"}');
    await expect(bus.send(`${machineArn}-other`, { body: '{}', from: 'x' })).rejects.toThrow(ServiceError);
  });
});

describe('the aws command', () => {
  it('creates, starts and reads', async () => {
    const aws = (...args: string[]) => awsCliJson(endpoint.url, 'stepfunctions', ...args);
    const { stateMachineArn } = await aws(
      'create-state-machine',
      '--name',
      'rollout',
      '--definition',
      pass,
      '--role-arn',
      roleArn,
    );
    const { executionArn } = await aws(
      'start-execution',
      '--state-machine-arn',
      stateMachineArn,
      '--input',
      '{"a":1}',
    );
    await clock.advance(0);
    expect(await aws('describe-execution', '--execution-arn', executionArn)).toMatchObject({
      status: 'SUCCEEDED',
      output: '{"a":1}',
    });
    const { events: history } = await aws('get-execution-history', '--execution-arn', executionArn);
    expect(history.map(({ type }: { type: string }) => type)).toEqual([
      'ExecutionStarted',
      'PassStateEntered',
      'PassStateExited',
      'ExecutionSucceeded',
    ]);
  });
});
