/** Timeouts, heartbeats, task tokens, and executions that are stopped. */
import { describe, expect, it } from 'vitest';
import { TaskTokens } from '../../lib/asl/taskTokens.ts';
import { failing, invoke, machineOf, run, start } from './runMachine.ts';

const never = new Promise(() => undefined);
const waiting = (more: object = {}) =>
  machineOf('Ask', {
    Ask: {
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
      Arguments: { FunctionName: 'ask', Payload: { token: '{% $states.context.Task.Token %}' } },
      End: true,
      ...more,
    },
  });

describe('TimeoutSeconds', () => {
  it.each([
    ['as a number', 30],
    ['as an expression', '{% $states.input.patience * 3 %}'],
  ])('%s ends a task that takes longer', async (_, TimeoutSeconds) => {
    const ran = await run(machineOf('T', { T: invoke('f', { TimeoutSeconds, End: true }) }), {
      input: { patience: 10 },
      functions: { f: () => never },
    });
    expect(ran.result).toEqual({ status: 'FAILED', error: 'States.Timeout', cause: undefined });
    expect(ran.seconds).toBe(30);
    expect(ran.types).toEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      'TaskScheduled',
      'TaskStarted',
      'TaskTimedOut',
      'ExecutionFailed',
    ]);
  });

  it('counts for each attempt anew', async () => {
    const Retry = [{ ErrorEquals: ['States.Timeout'], IntervalSeconds: 5, MaxAttempts: 1 }];
    const ran = await run(machineOf('T', { T: invoke('f', { TimeoutSeconds: 10, Retry, End: true }) }), {
      functions: { f: () => never },
    });
    expect(ran.seconds).toBe(10 + 5 + 10);
  });

  it('drops an answer that comes too late', async () => {
    let answer: (value: unknown) => void = () => undefined;
    const late = new Promise((resolve) => {
      answer = resolve;
    });
    const definition = machineOf('T', {
      T: invoke('f', {
        TimeoutSeconds: 10,
        Catch: [{ ErrorEquals: ['States.Timeout'], Next: 'W' }],
        Next: 'W',
      }),
      W: { Type: 'Wait', Seconds: 5, Output: 'went on', End: true },
    });
    const { execution, clock } = start(definition, { functions: { f: () => late } });
    await clock.advance(12_000);
    answer('late');
    await clock.advance(10_000);
    expect(execution.result).toEqual({ status: 'SUCCEEDED', output: 'went on' });
    expect(execution.history.filter(({ type }) => type === 'TaskSucceeded')).toEqual([]);
  });

  it('that is not a whole number of at least 1 is a failed expression', async () => {
    const definition = machineOf('T', { T: invoke('f', { TimeoutSeconds: '{% 0 %}', End: true }) });
    expect((await run(definition, { functions: { f: () => 1 } })).result).toMatchObject({
      error: 'States.QueryEvaluationError',
      cause: expect.stringContaining("specified for the field 'TimeoutSeconds'"),
    });
  });

  it('of the machine ends the execution as TIMED_OUT, whatever it is doing', async () => {
    const definition = machineOf(
      'W',
      { W: { Type: 'Wait', Seconds: 60, End: true } },
      { TimeoutSeconds: 45 },
    );
    const ran = await run(definition);
    expect(ran.result).toEqual({ status: 'TIMED_OUT' });
    expect(ran.seconds).toBe(45);
    expect(ran.types).toEqual(['ExecutionStarted', 'WaitStateEntered', 'ExecutionTimedOut']);
    expect(ran.execution.history.at(-1)).toMatchObject({
      previousEventId: 0,
      details: { error: 'States.Timeout' },
    });
  });

  it('of the machine also cuts a retry delay', async () => {
    const Retry = [{ ErrorEquals: ['States.ALL'], IntervalSeconds: 100 }];
    const definition = machineOf('T', { T: invoke('f', { Retry, End: true }) }, { TimeoutSeconds: 10 });
    expect((await run(definition, { functions: { f: failing('E') } })).seconds).toBe(10);
  });
});

describe('a task that waits for its token', () => {
  const asked = async (more: object = {}) => {
    const tokens: string[] = [];
    const { execution, clock } = start(waiting(more), {
      functions: { ask: ({ token }: { token: string }) => tokens.push(token) },
      uuid: () => 'token-1',
    });
    await clock.advance(0);
    return { execution, clock, token: tokens[0] as string };
  };

  it('ends with the output that is sent for it', async () => {
    const { execution, clock, token } = await asked();
    await clock.advance(3_600_000);
    expect(execution.result).toBeUndefined();
    expect(token).toBe('token-1');
    expect(execution.tokens.waiting).toEqual(['token-1']);
    expect(execution.tokens.succeed(token, { approved: true })).toBe('accepted');
    await expect(clock.runUntil(execution.done)).resolves.toEqual({
      status: 'SUCCEEDED',
      output: { approved: true },
    });
    expect(execution.history.map(({ type }) => type)).toEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      'TaskScheduled',
      'TaskStarted',
      'TaskSubmitted',
      'TaskSucceeded',
      'TaskStateExited',
      'ExecutionSucceeded',
    ]);
  });

  it('fails with the error that is sent for it, which can be caught', async () => {
    const { execution, clock, token } = await asked();
    execution.tokens.fail(token, 'Rejected', 'not today');
    expect(await clock.runUntil(execution.done)).toEqual({
      status: 'FAILED',
      error: 'Rejected',
      cause: 'not today',
    });
  });

  it('accepts one answer only, and none for a token that nobody has', async () => {
    const { execution, token } = await asked();
    expect(execution.tokens.succeed(token, 1)).toBe('accepted');
    expect(execution.tokens.succeed(token, 2)).toBe('over');
    expect(execution.tokens.heartbeat(token)).toBe('over');
    expect(execution.tokens.fail('another')).toBe('unknown');
  });

  it('times out after TimeoutSeconds, and its token is over', async () => {
    const { execution, clock, token } = await asked({ TimeoutSeconds: 60 });
    expect(await clock.runUntil(execution.done)).toMatchObject({ error: 'States.Timeout' });
    expect(clock.now() - execution.startedAt).toBe(60_000);
    expect(execution.tokens.succeed(token, 1)).toBe('over');
  });

  it('times out when heartbeats stop coming, and lives while they come', async () => {
    const { execution, clock, token } = await asked({ TimeoutSeconds: 600, HeartbeatSeconds: 20 });
    for (let beat = 0; beat < 5; beat++) {
      await clock.advance(15_000);
      expect(execution.tokens.heartbeat(token)).toBe('accepted');
    }
    expect(await clock.runUntil(execution.done)).toEqual({
      status: 'FAILED',
      error: 'States.Timeout',
      cause: undefined,
    });
    expect(clock.now() - execution.startedAt).toBe(5 * 15_000 + 20_000);
  });

  it('catches a missed heartbeat as States.HeartbeatTimeout, reported as States.Timeout', async () => {
    const definition = machineOf('Ask', {
      ...waiting({
        HeartbeatSeconds: '{% $states.input.beat %}',
        Catch: [{ ErrorEquals: ['States.HeartbeatTimeout'], Next: 'Caught' }],
      }).States,
      Caught: { Type: 'Pass', Output: '{% $states.input.Error %}', End: true },
    });
    const ran = await run(definition, { input: { beat: 4 }, functions: { ask: () => 1 } });
    expect(ran.result).toEqual({ status: 'SUCCEEDED', output: 'States.Timeout' });
    expect(ran.seconds).toBe(4);
  });

  it('fails when the call that hands the token on fails', async () => {
    const { result } = await run(waiting(), { functions: { ask: failing('E') } });
    expect(result).toMatchObject({ status: 'FAILED', error: 'E' });
  });

  it('may be answered by the call itself', async () => {
    const tokens = new TaskTokens();
    const ran = await run(waiting(), {
      tokens,
      functions: { ask: ({ token }: { token: string }) => void tokens.succeed(token, 'at once') },
    });
    expect(ran.result).toEqual({ status: 'SUCCEEDED', output: 'at once' });
    expect(ran.types).not.toContain('TaskSubmitted');
  });
});

describe('stop', () => {
  it('aborts the execution where it stands, once', async () => {
    const definition = machineOf('W', { W: { Type: 'Wait', Seconds: 60, Next: 'T' }, T: invoke('f') });
    let calls = 0;
    const { execution, clock } = start(definition, { functions: { f: () => calls++ } });
    await clock.advance(30_000);
    expect(execution.stop('Superseded', 'a newer rollout')).toBe(true);
    expect(execution.stop()).toBe(false);
    expect(await execution.done).toEqual({
      status: 'ABORTED',
      error: 'Superseded',
      cause: 'a newer rollout',
    });
    expect(clock.nextAt).toBeNull();
    await clock.advance(60_000);
    expect(calls).toBe(0);
    expect(execution.history.at(-1)?.type).toBe('ExecutionAborted');
  });

  it('leaves the tokens it waited for over', async () => {
    const { execution, clock } = start(waiting(), { functions: { ask: () => 1 }, uuid: () => 't' });
    await clock.advance(1000);
    execution.stop();
    expect(execution.tokens.succeed('t', 1)).toBe('over');
  });

  it('before the first state runs nothing', async () => {
    const { execution } = start(machineOf('T', { T: invoke('f') }), {
      functions: { f: failing('must not run') },
    });
    execution.stop();
    expect(await execution.done).toMatchObject({ status: 'ABORTED' });
    expect(execution.history.map(({ type }) => type)).toEqual(['ExecutionStarted', 'ExecutionAborted']);
  });
});
