/** Retry and Catch, and which errors they match. */
import { describe, expect, it } from 'vitest';
import { matchesError, StateFailure } from '../../lib/asl/stateFailure.ts';
import { TaskError } from '../../lib/asl/taskRunner.ts';
import { failing, invoke, machineOf, outputOf, run } from './runMachine.ts';

const caught = { Type: 'Pass', Output: { caught: '{% $states.input %}' }, End: true };
const catching = (...names: string[]) => [{ ErrorEquals: names, Next: 'Caught' }];

describe('Retry', () => {
  it('waits IntervalSeconds × BackoffRate^n between attempts', async () => {
    const at: number[] = [];
    const definition = machineOf('T', {
      T: invoke('f', {
        Retry: [{ ErrorEquals: ['Throttled'], IntervalSeconds: 2, MaxAttempts: 3, BackoffRate: 3 }],
        End: true,
      }),
    });
    const ran = await run(definition, {
      functions: {
        f: () => {
          at.push(1);
          throw Object.assign(new Error('slow down'), { name: 'Throttled' });
        },
      },
    });
    expect(at.length).toBe(4);
    expect(ran.seconds).toBe(2 + 6 + 18);
    expect(ran.result).toMatchObject({ status: 'FAILED', error: 'Throttled' });
  });

  it('has the documented defaults: 1 s, rate 2, 3 attempts', async () => {
    const definition = machineOf('T', {
      T: invoke('f', { Retry: [{ ErrorEquals: ['States.ALL'] }], End: true }),
    });
    expect((await run(definition, { functions: { f: failing('E') } })).seconds).toBe(1 + 2 + 4);
  });

  it('waits no longer than MaxDelaySeconds, and with full jitter a share of it', async () => {
    const retry = { ErrorEquals: ['E'], IntervalSeconds: 4, MaxAttempts: 3, MaxDelaySeconds: 5 };
    const withRetry = (more: object) =>
      machineOf('T', { T: invoke('f', { Retry: [{ ...retry, ...more }], End: true }) });
    const functions = { f: failing('E') };
    expect((await run(withRetry({ JitterStrategy: 'NONE' }), { functions })).seconds).toBe(4 + 5 + 5);
    const draws = [0.5, 0.2, 0];
    const random = () => draws.shift() as number;
    expect((await run(withRetry({ JitterStrategy: 'FULL' }), { functions, random })).seconds).toBe(2 + 1);
  });

  it('counts attempts for each retrier by itself, and the first that matches decides', async () => {
    const errors = ['A', 'B', 'A', 'B', 'A'];
    const definition = machineOf('T', {
      T: invoke('f', {
        Retry: [
          { ErrorEquals: ['A'], IntervalSeconds: 1, MaxAttempts: 2, BackoffRate: 1 },
          { ErrorEquals: ['States.ALL'], IntervalSeconds: 10, MaxAttempts: 9, BackoffRate: 1 },
        ],
        End: true,
      }),
    });
    const ran = await run(definition, { functions: { f: () => failing(errors.shift() as string)() } });
    expect(ran.seconds).toBe(1 + 10 + 1 + 10);
    expect(ran.result).toMatchObject({ error: 'A' }); // the third A finds its retrier used up
  });

  it('evaluates the arguments anew, with the count of retries', async () => {
    const seen: unknown[] = [];
    const definition = machineOf('T', {
      T: invoke(
        'f',
        { Retry: [{ ErrorEquals: ['E'], MaxAttempts: 2 }], End: true },
        { n: '{% $states.context.State.RetryCount %}' },
      ),
    });
    const functions = { f: (payload: unknown) => seen.push(payload) > 2 || failing('E')() };
    expect(await run(definition, { functions })).toMatchObject({ result: { status: 'SUCCEEDED' } });
    expect(seen).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }]);
  });

  it('does nothing for States.Runtime, and MaxAttempts 0 never retries', async () => {
    const definition = machineOf('T', {
      T: invoke('f', {
        Retry: [{ ErrorEquals: ['E'], MaxAttempts: 0 }, { ErrorEquals: ['States.ALL'] }],
        End: true,
      }),
    });
    expect((await run(definition, { functions: { f: failing('E') } })).seconds).toBe(0);
    expect((await run(definition, { functions: { f: failing('States.Runtime') } })).seconds).toBe(0);
  });
});

describe('Catch', () => {
  it('goes on with the error output', async () => {
    const definition = machineOf('T', {
      T: invoke('f', { Catch: catching('E'), End: true }),
      Caught: caught,
    });
    const output = (await outputOf(definition, { functions: { f: failing('E', 'why') } })) as {
      caught: { Error: string; Cause: string };
    };
    expect(output.caught.Error).toBe('E');
    expect(JSON.parse(output.caught.Cause)).toMatchObject({ errorMessage: 'why', errorType: 'E' });
  });

  it('assigns and puts out what it says, and sees the error and the input', async () => {
    const definition = machineOf('T', {
      T: invoke('f', {
        Catch: [
          {
            ErrorEquals: ['States.ALL'],
            Assign: { error: '{% $states.errorOutput.Error %}' },
            Output: { input: '{% $states.input %}' },
            Next: 'After',
          },
        ],
        End: true,
      }),
      After: {
        Type: 'Pass',
        Output: { error: '{% $error %}', input: '{% $states.input.input %}' },
        End: true,
      },
    });
    expect(await outputOf(definition, { input: 1, functions: { f: failing('E') } })).toEqual({
      error: 'E',
      input: 1,
    });
  });

  it('comes after Retry, and the first catcher that matches is taken', async () => {
    const definition = machineOf('T', {
      T: invoke('f', {
        Retry: [{ ErrorEquals: ['E'], IntervalSeconds: 7, MaxAttempts: 1 }],
        Catch: [
          { ErrorEquals: ['Other'], Next: 'Other' },
          { ErrorEquals: ['X', 'E'], Next: 'Mine' },
          { ErrorEquals: ['States.ALL'], Next: 'Other' },
        ],
        Next: 'Other',
      }),
      Mine: { Type: 'Pass', Output: 'mine', End: true },
      Other: { Type: 'Pass', Output: 'other', End: true },
    });
    const ran = await run(definition, { functions: { f: failing('E') } });
    expect(ran.result).toMatchObject({ output: 'mine' });
    expect(ran.seconds).toBe(7);
  });

  it('also catches a failure of Output after the work was done', async () => {
    const definition = machineOf('T', {
      T: {
        ...invoke('f', { Catch: catching('States.QueryEvaluationError'), End: true }),
        Output: '{% $states.result.no %}',
      },
      Caught: { Type: 'Pass', Output: '{% $states.input.Cause %}', End: true },
    });
    expect(await outputOf(definition, { functions: { f: () => 1 } })).toBe(
      "An error occurred while executing the state 'T' (entered at the event id #2). " +
        "The JSONata expression '$states.result.no' " +
        "specified for the field 'Output' returned nothing (undefined).",
    );
  });

  it('that fails itself ends the execution with its own failure', async () => {
    const definition = machineOf('T', {
      T: invoke('f', {
        Catch: [
          { ErrorEquals: ['Other'], Next: 'Caught' },
          { ErrorEquals: ['E'], Output: { v: '{% $states.input.absent %}' }, Next: 'Caught' },
        ],
        End: true,
      }),
      Caught: caught,
    });
    expect((await run(definition, { functions: { f: failing('E') } })).result).toMatchObject({
      status: 'FAILED',
      error: 'States.QueryEvaluationError',
      cause: expect.stringContaining("the field 'Catch[1]/Output/v' returned nothing"),
    });
  });

  it('reads a missing cause as an empty string', async () => {
    const definition = machineOf('T', {
      T: invoke('f', { TimeoutSeconds: 3, Catch: catching('States.Timeout'), End: true }),
      Caught: caught,
    });
    const never = new Promise(() => undefined);
    expect(await outputOf(definition, { functions: { f: () => never } })).toEqual({
      caught: { Error: 'States.Timeout', Cause: '' },
    });
  });
});

describe('error names', () => {
  const failure = (error: string | undefined, alias?: string) =>
    new StateFailure(error, undefined, alias === undefined ? {} : { alias });

  it.each([
    ['States.ALL', 'Anything', true],
    ['States.ALL', 'States.Timeout', true],
    ['States.ALL', 'States.QueryEvaluationError', true],
    ['States.ALL', 'States.DataLimitExceeded', false],
    ['States.ALL', 'States.Runtime', false],
    ['States.TaskFailed', 'Anything', true],
    ['States.TaskFailed', 'States.QueryEvaluationError', true],
    ['States.TaskFailed', 'States.Timeout', false],
    ['States.TaskFailed', 'States.DataLimitExceeded', false],
    ['States.TaskFailed', 'States.Runtime', false],
    ['States.DataLimitExceeded', 'States.DataLimitExceeded', true],
    ['States.Timeout', 'States.Timeout', true],
    ['Lambda.ServiceException', 'Lambda.ServiceException', true],
    ['lambda.serviceexception', 'Lambda.ServiceException', false],
  ])('%s and %s: %s', (name, error, matches) => {
    expect(matchesError([name], failure(error))).toBe(matches);
  });

  it('a missed heartbeat answers to both its names, and an error without a name to the wildcards', () => {
    const heartbeat = failure('States.Timeout', 'States.HeartbeatTimeout');
    expect(matchesError(['States.HeartbeatTimeout'], heartbeat)).toBe(true);
    expect(matchesError(['States.Timeout'], heartbeat)).toBe(true);
    expect(matchesError(['States.HeartbeatTimeout'], failure('States.Timeout'))).toBe(false);
    expect(matchesError(['States.ALL'], failure(undefined))).toBe(true);
    expect(matchesError(['E'], failure(undefined))).toBe(false);
  });

  it('a TaskError carries its name and cause as they are', async () => {
    const { result } = await run(machineOf('T', { T: invoke('f') }), {
      tasks: () => {
        throw new TaskError('Lambda.TooManyRequestsException', 'Rate exceeded');
      },
    });
    expect(result).toEqual({
      status: 'FAILED',
      error: 'Lambda.TooManyRequestsException',
      cause: 'Rate exceeded',
    });
  });
});
