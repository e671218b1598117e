/** What tasks call, the tokens they wait for, and the history of it. */
import * as sfn from '@aws-sdk/client-sfn';
import { beforeEach, describe, expect, it } from 'vitest';
import { ServiceError } from '../../../lib/local/service.ts';
import {
  calls,
  client,
  clock,
  create,
  definitionOf,
  describeExecution,
  failureOf,
  functions,
  invoke,
  machineArn,
  place,
  ran,
  roleArn,
  start,
  startedAt,
  useDesk,
} from './stepFunctionsDesk.ts';

useDesk();

describe('tasks', () => {
  it('invoke functions, and see their errors by name', async () => {
    await create(definitionOf({ A: invoke('shift') }));
    functions.shift = (payload: { weight: number }) => ({ payload: { shifted: payload.weight } });
    expect((await ran({ input: '{"weight":10}' })).output).toBe('{"shifted":10}');
    functions.shift = () => ({
      error: { name: 'TrafficUnconfirmed', message: 'weight is 5', trace: ['at shift'] },
    });
    const failed = await ran({ input: '{"weight":10}' });
    expect(failed).toMatchObject({ status: 'FAILED', error: 'TrafficUnconfirmed' });
    expect(JSON.parse(String(failed.cause))).toEqual({
      errorType: 'TrafficUnconfirmed',
      errorMessage: 'weight is 5',
      trace: ['at shift'],
    });
  });

  it('retry a function that is throttled, on the cloud’s clock', async () => {
    const Retry = [{ ErrorEquals: ['Lambda.TooManyRequestsException'], IntervalSeconds: 2, MaxAttempts: 2 }];
    await create(definitionOf({ A: invoke('busy', { Retry, End: true }) }));
    let attempts = 0;
    functions.busy = () => {
      if (++attempts < 3) throw new ServiceError('TooManyRequestsException', 'Rate Exceeded.', 429);
      return { payload: 'done' };
    };
    const { executionArn } = await start();
    await clock.advance(5999);
    expect((await describeExecution(executionArn)).status).toBe('RUNNING');
    await clock.advance(1);
    expect((await describeExecution(executionArn)).output).toBe('"done"');
  });

  it('name the errors of a missing function and of another service as Step Functions does', async () => {
    await create(definitionOf({ A: invoke('nobody') }));
    expect(await ran()).toMatchObject({
      error: 'Lambda.ResourceNotFoundException',
      cause: expect.stringContaining(
        'Function not found: nobody (Service: Lambda, Status Code: 404, Request ID: ',
      ),
    });
    const Resource = 'arn:aws:states:::aws-sdk:ecs:describeClusters';
    await create(definitionOf({ A: { Type: 'Task', Resource, Arguments: { Clusters: ['c'] }, End: true } }), {
      name: 'ecs',
    });
    expect(await ran({ stateMachineArn: machineArn.replace('rollout', 'ecs') })).toMatchObject({
      error: 'Ecs.ClusterNotFoundException',
    });
    expect(calls).toEqual([['ecs', 'describeClusters', { Clusters: ['c'] }, 'eu-west-1', '000000000000']]);
  });

  it('send JSON as text where the service takes text', async () => {
    const task = (action: string, Arguments: object, more: object) => ({
      Type: 'Task',
      Resource: `arn:aws:states:::${action}`,
      Arguments,
      ...more,
    });
    const definition = definitionOf({
      A: task(
        'sqs:sendMessage',
        { QueueUrl: 'q', MessageBody: { n: '{% $states.input.n %}' } },
        { Next: 'B' },
      ),
      B: task(
        'events:putEvents',
        { Entries: [{ Source: 's', DetailType: 't', Detail: { a: 1 } }] },
        { Next: 'C' },
      ),
      C: task('sns:publish', { TopicArn: 't', Message: 'plain' }, { End: true }),
    });
    await create(definition);
    expect(await ran({ input: '{"n":1}' })).toMatchObject({ output: '{"MessageId":"m-1"}' });
    expect(calls.map((call) => call.slice(0, 3))).toEqual([
      ['sqs', 'sendMessage', { QueueUrl: 'q', MessageBody: '{"n":1}' }],
      ['eventbridge', 'putEvents', { Entries: [{ Source: 's', DetailType: 't', Detail: '{"a":1}' }] }],
      ['sns', 'publish', { TopicArn: 't', Message: 'plain' }],
    ]);
  });

  it('start their successor and do not wait for it', async () => {
    await create(
      definitionOf({
        A: {
          Type: 'Choice',
          Choices: [{ Condition: '{% $states.input.part = 2 %}', Next: 'W' }],
          Default: 'S',
        },
        S: {
          Type: 'Task',
          Resource: 'arn:aws:states:::states:startExecution',
          Arguments: {
            StateMachineArn: '{% $states.context.StateMachine.Id %}',
            Name: 'part-2',
            Input: { part: 2 },
          },
          Output: '{% $states.result.ExecutionArn %}',
          Retry: [{ ErrorEquals: ['States.TaskFailed'], MaxAttempts: 1 }],
          End: true,
        },
        W: { Type: 'Wait', Seconds: 60, End: true },
      }),
    );
    const arn = `arn:aws:states:${place}:execution:rollout:part-2`;
    expect(await ran({ input: '{"part":1}' })).toMatchObject({
      status: 'SUCCEEDED',
      output: JSON.stringify(arn),
    });
    expect(await describeExecution(arn)).toMatchObject({ status: 'RUNNING', input: '{"part":2}' });
    await clock.advance(60_000);
    expect(await ran({ input: '{"part":1}', name: 'again' }, 10)).toMatchObject({
      status: 'FAILED',
      error: 'StepFunctions.ExecutionAlreadyExistsException',
    });
  });
});

describe('task tokens', () => {
  const approval = definitionOf({
    A: {
      ...invoke('ask'),
      Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
      Arguments: { FunctionName: 'ask', Payload: { token: '{% $states.context.Task.Token %}' } },
      Output: '{% $states.result %}',
      TimeoutSeconds: 600,
      HeartbeatSeconds: 60,
    },
  });
  let taskToken: string;
  let executionArn: string | undefined;
  beforeEach(async () => {
    functions.ask = ({ token }: { token: string }) => {
      taskToken = token;
      return { payload: null };
    };
    await create(approval);
    executionArn = (await start()).executionArn;
    await clock.advance(0);
  });

  it('a task ends with the output that is sent', async () => {
    await client.send(new sfn.SendTaskSuccessCommand({ taskToken, output: '{"approved":true}' }));
    await clock.advance(0);
    expect((await describeExecution(executionArn)).output).toBe('{"approved":true}');
    const late = await failureOf(client.send(new sfn.SendTaskSuccessCommand({ taskToken, output: '1' })));
    expect(late).toBeInstanceOf(sfn.TaskTimedOut);
  });

  it('a task fails with the error that is sent', async () => {
    await client.send(new sfn.SendTaskFailureCommand({ taskToken, error: 'Rejected', cause: 'no' }));
    await clock.advance(0);
    expect(await describeExecution(executionArn)).toMatchObject({
      status: 'FAILED',
      error: 'Rejected',
      cause: 'no',
    });
  });

  it('heartbeats keep a task alive until they stop', async () => {
    for (let beat = 0; beat < 3; beat++) {
      await clock.advance(50_000);
      await client.send(new sfn.SendTaskHeartbeatCommand({ taskToken }));
    }
    await clock.advance(59_999);
    expect((await describeExecution(executionArn)).status).toBe('RUNNING');
    await clock.advance(1);
    expect(await describeExecution(executionArn)).toMatchObject({
      status: 'FAILED',
      error: 'States.Timeout',
    });
    const late = await failureOf(client.send(new sfn.SendTaskHeartbeatCommand({ taskToken })));
    expect(late).toBeInstanceOf(sfn.TaskTimedOut);
  });

  it('a wrong token and an output that is no JSON are refused, and the task waits on', async () => {
    const success = (token: string, output: string) =>
      failureOf(client.send(new sfn.SendTaskSuccessCommand({ taskToken: token, output })));
    expect(await success('made up', '1')).toBeInstanceOf(sfn.InvalidToken);
    expect(await success(taskToken, '{')).toBeInstanceOf(sfn.InvalidOutput);
    expect((await describeExecution(executionArn)).status).toBe('RUNNING');
  });
});

describe('history', () => {
  const definition = definitionOf({
    A: {
      Type: 'Map',
      Items: [1],
      ItemProcessor: {
        StartAt: 'I',
        States: { I: { ...invoke('f'), TimeoutSeconds: 9, Assign: { x: { y: 1 } } } },
      },
      Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Z' }],
      Next: 'Z',
    },
    Z: { Type: 'Wait', Seconds: 5, Output: '{% $states.input.absent %}', End: true },
  });

  it('is told event by event, in the shapes of the API', async () => {
    functions.f = (n: number) => ({ payload: n * 2 });
    await create(definition);
    const { executionArn } = await start({ input: '{"a":1}' });
    await clock.advance(5000);
    const { events: history = [] } = await client.send(new sfn.GetExecutionHistoryCommand({ executionArn }));
    const at = new Date(startedAt);
    const whole = { truncated: false };
    const task = { resourceType: 'lambda', resource: 'invoke' };
    expect(history.slice(0, 9)).toEqual([
      {
        id: 1,
        previousEventId: 0,
        timestamp: at,
        type: 'ExecutionStarted',
        executionStartedEventDetails: { input: '{"a":1}', inputDetails: whole, roleArn },
      },
      {
        id: 2,
        previousEventId: 0,
        timestamp: at,
        type: 'MapStateEntered',
        stateEnteredEventDetails: { name: 'A', input: '{"a":1}', inputDetails: whole },
      },
      {
        id: 3,
        previousEventId: 2,
        timestamp: at,
        type: 'MapStateStarted',
        mapStateStartedEventDetails: { length: 1 },
      },
      {
        id: 4,
        previousEventId: 3,
        timestamp: at,
        type: 'MapIterationStarted',
        mapIterationStartedEventDetails: { name: 'A', index: 0 },
      },
      {
        id: 5,
        previousEventId: 4,
        timestamp: at,
        type: 'TaskStateEntered',
        stateEnteredEventDetails: { name: 'I', input: '1', inputDetails: whole },
      },
      {
        id: 6,
        previousEventId: 5,
        timestamp: at,
        type: 'TaskScheduled',
        taskScheduledEventDetails: {
          ...task,
          region: 'eu-west-1',
          parameters: '{"FunctionName":"f","Payload":1}',
          timeoutInSeconds: 9,
        },
      },
      { id: 7, previousEventId: 6, timestamp: at, type: 'TaskStarted', taskStartedEventDetails: task },
      {
        id: 8,
        previousEventId: 7,
        timestamp: at,
        type: 'TaskSucceeded',
        taskSucceededEventDetails: {
          ...task,
          output: '{"ExecutedVersion":"$LATEST","Payload":2,"StatusCode":200}',
          outputDetails: whole,
        },
      },
      {
        id: 9,
        previousEventId: 8,
        timestamp: at,
        type: 'TaskStateExited',
        stateExitedEventDetails: {
          name: 'I',
          output: '2',
          outputDetails: whole,
          assignedVariables: { x: '{"y":1}' },
          assignedVariablesDetails: whole,
        },
      },
    ]);
    expect(history.at(-2)).toMatchObject({
      type: 'EvaluationFailed',
      timestamp: new Date(startedAt + 5000),
      evaluationFailedEventDetails: { state: 'Z', location: 'Output', error: 'States.QueryEvaluationError' },
    });
    expect(history.at(-1)).toMatchObject({
      type: 'ExecutionFailed',
      executionFailedEventDetails: { error: 'States.QueryEvaluationError' },
    });
  });

  it('is told backwards, in pages, and without its data', async () => {
    functions.f = (n: number) => ({ payload: n });
    await create(definition);
    const { executionArn } = await start();
    await clock.advance(5000);
    const page = await client.send(
      new sfn.GetExecutionHistoryCommand({
        executionArn,
        reverseOrder: true,
        maxResults: 2,
        includeExecutionData: false,
      }),
    );
    expect(page.events?.map(({ type }) => type)).toEqual(['ExecutionFailed', 'EvaluationFailed']);
    const rest = await client.send(
      new sfn.GetExecutionHistoryCommand({
        executionArn,
        reverseOrder: true,
        includeExecutionData: false,
        nextToken: page.nextToken,
      }),
    );
    expect(rest.events?.at(-1)).toMatchObject({ id: 1, type: 'ExecutionStarted' });
    expect(rest.events?.at(-1)?.executionStartedEventDetails?.input).toBeUndefined();
  });
});
