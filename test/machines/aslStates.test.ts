/** Each type of state, and what its expressions see. */
import { describe, expect, it } from 'vitest';
import { failing, invoke, machineOf, outputOf, run } from './runMachine.ts';

describe('Pass', () => {
  it('hands its input on', async () => {
    expect(await outputOf(machineOf('A', { A: { Type: 'Pass', End: true } }), { input: { x: 1 } })).toEqual({
      x: 1,
    });
  });

  it('puts out a template, with expressions at any depth', async () => {
    const definition = machineOf('A', {
      A: {
        Type: 'Pass',
        Output: {
          fixed: [1, 'two'],
          deep: { sum: '{% $states.input.a + 1 %}' },
          list: ['{% $states.input.a %}', null],
        },
        End: true,
      },
    });
    expect(await outputOf(definition, { input: { a: 2 } })).toEqual({
      fixed: [1, 'two'],
      deep: { sum: 3 },
      list: [2, null],
    });
  });

  it('keeps an explicit null', async () => {
    const definition = machineOf('A', {
      A: { Type: 'Pass', Assign: { n: '{% $states.input.bar %}' }, Next: 'B' },
      B: { Type: 'Pass', Output: { n: '{% $n %}', there: '{% $exists($n) %}' }, End: true },
    });
    expect(await outputOf(definition, { input: { bar: null } })).toEqual({ n: null, there: true });
  });
});

describe('Assign', () => {
  it('is seen from the next state on, and its expressions do not see each other', async () => {
    const definition = machineOf('A', {
      A: { Type: 'Pass', Assign: { x: 3, a: 6 }, Next: 'B' },
      B: {
        Type: 'Pass',
        Assign: { x: '{% $a %}', nextX: '{% $x %}' },
        Output: { before: '{% $x %}' },
        Next: 'C',
      },
      C: {
        Type: 'Pass',
        Output: { before: '{% $states.input.before %}', x: '{% $x %}', nextX: '{% $nextX %}' },
        End: true,
      },
    });
    expect(await outputOf(definition)).toEqual({ before: 3, x: 6, nextX: 3 });
  });

  it('assigns nothing when the state fails', async () => {
    const definition = machineOf('A', {
      A: {
        ...invoke('f', { Next: 'B' }),
        Assign: { done: true },
        Output: '{% $states.input.absent %}',
        Catch: [{ ErrorEquals: ['States.QueryEvaluationError'], Next: 'B' }],
      },
      B: { Type: 'Pass', Output: '{% $exists($done) %}', End: true },
    });
    expect(await outputOf(definition, { functions: { f: () => 1 } })).toBe(false);
  });

  it('is available to a variable that has the name of a function', async () => {
    const definition = machineOf('A', {
      A: { Type: 'Pass', Assign: { count: 42 }, Next: 'B' },
      B: { Type: 'Pass', Output: '{% $count %}', End: true },
    });
    expect(await outputOf(definition)).toBe(42);
  });
});

describe('Choice', () => {
  const pick = (choices: object[], more: object = {}) =>
    machineOf('Pick', {
      Pick: { Type: 'Choice', Choices: choices, ...more },
      First: {
        Type: 'Pass',
        Output: { went: 'First', note: '{% $exists($note) ? $note : null %}' },
        End: true,
      },
      Second: {
        Type: 'Pass',
        Output: { went: 'Second', note: '{% $exists($note) ? $note : null %}' },
        End: true,
      },
    });
  const rule = (condition: unknown, next: string, more: object = {}) => ({
    Condition: condition,
    Next: next,
    ...more,
  });

  it('takes the first rule that is true, and evaluates no later one', async () => {
    const definition = pick([
      rule('{% $states.input.n > 1 %}', 'First'),
      rule('{% $states.input.absent %}', 'Second'),
    ]);
    expect(await outputOf(definition, { input: { n: 2 } })).toMatchObject({ went: 'First' });
  });

  it('takes Default when no rule is true', async () => {
    const definition = pick([rule('{% false %}', 'First')], { Default: 'Second' });
    expect(await outputOf(definition)).toMatchObject({ went: 'Second' });
  });

  it('assigns and puts out what the taken rule says; its own Assign belongs to Default', async () => {
    const definition = pick([rule('{% $states.input.yes %}', 'First', { Assign: { note: 'rule' } })], {
      Default: 'Second',
      Assign: { note: 'default' },
    });
    expect(await outputOf(definition, { input: { yes: true } })).toEqual({ went: 'First', note: 'rule' });
    expect(await outputOf(definition, { input: { yes: false } })).toEqual({
      went: 'Second',
      note: 'default',
    });
  });

  it('fails with States.Runtime when nothing matches and there is no Default', async () => {
    const definition = pick([rule('{% false %}', 'First'), rule(false, 'Second')]);
    expect((await run(definition)).result).toEqual({
      status: 'FAILED',
      error: 'States.Runtime',
      cause:
        "An error occurred while executing the state 'Pick' (entered at the event id #2). " +
        'Failed to transition out of the state. The state does not point to a next state.',
    });
  });

  it('fails when a condition answers nothing, instead of taking Default', async () => {
    const definition = pick([rule('{% false %}', 'First'), rule('{% $states.input.absent %}', 'Second')], {
      Default: 'First',
    });
    expect((await run(definition)).result).toEqual({
      status: 'FAILED',
      error: 'States.QueryEvaluationError',
      cause:
        "An error occurred while executing the state 'Pick' (entered at the event id #2). " +
        "The JSONata expression '$states.input.absent' " +
        "specified for the field 'Choices[1]/Condition' returned nothing (undefined).",
    });
  });

  it('fails when a condition is not a boolean', async () => {
    const definition = pick([rule('{% "yes" %}', 'First')], { Default: 'Second' });
    expect((await run(definition)).result).toMatchObject({
      error: 'States.QueryEvaluationError',
      cause: expect.stringContaining("Expected 'boolean', but was 'string' for value: \"yes\""),
    });
  });
});

describe('Wait', () => {
  const waiting = (fields: object) => machineOf('W', { W: { Type: 'Wait', End: true, ...fields } });

  it.each([
    ['a number of seconds', { Seconds: 90 }, 90],
    ['an expression for seconds', { Seconds: '{% $states.input.bakeSeconds * 2 %}' }, 60],
    ['a timestamp', { Timestamp: '2026-01-01T00:02:00Z' }, 120],
    ['an expression for a timestamp', { Timestamp: '{% $states.input.until %}' }, 300],
    ['a timestamp that has passed', { Timestamp: '2025-12-31T00:00:00Z' }, 0],
  ])('waits for %s', async (_, fields, seconds) => {
    const input = { bakeSeconds: 30, until: '2026-01-01T01:05:00+01:00' };
    const ran = await run(waiting(fields), { input });
    expect(ran.result).toEqual({ status: 'SUCCEEDED', output: input });
    expect(ran.seconds).toBe(seconds);
  });

  it.each([
    ['{% -1 %}', 'Seconds'],
    ['{% 1.5 %}', 'Seconds'],
    ['{% "soon" %}', 'Timestamp'],
    ['{% $states.input.absent %}', 'Timestamp'],
  ])('fails for %s as %s', async (value, field) => {
    expect((await run(waiting({ [field]: value }))).result).toMatchObject({
      error: 'States.QueryEvaluationError',
    });
  });
});

describe('Succeed and Fail', () => {
  it('ends with the output of Succeed', async () => {
    const definition = machineOf('S', { S: { Type: 'Succeed', Output: { n: '{% $states.input.n %}' } } });
    expect(await outputOf(definition, { input: { n: 1 } })).toEqual({ n: 1 });
  });

  it('ends with the error and cause of Fail, which may be expressions', async () => {
    const definition = machineOf('F', {
      F: { Type: 'Fail', Error: 'RolledBack', Cause: '{% "verdict " & $states.input.v %}' },
    });
    expect((await run(definition, { input: { v: 'fail' } })).result).toEqual({
      status: 'FAILED',
      error: 'RolledBack',
      cause: 'verdict fail',
    });
  });

  it('ends without error and cause when Fail names none', async () => {
    expect((await run(machineOf('F', { F: { Type: 'Fail' } }))).result).toEqual({
      status: 'FAILED',
      error: undefined,
      cause: undefined,
    });
  });

  it('reports an Error expression that answers nothing in place of the error', async () => {
    const definition = machineOf('F', { F: { Type: 'Fail', Error: '{% $states.input.absent %}' } });
    expect((await run(definition)).result).toMatchObject({ error: 'States.QueryEvaluationError' });
  });
});

describe('Task', () => {
  it('calls the function with the payload, and has its answer as the result', async () => {
    const seen: unknown[] = [];
    const definition = machineOf('T', {
      T: {
        ...invoke('shift', { End: true }, { weight: '{% $states.input.weight %}' }),
        Output: { answer: '{% $states.result.Payload %}', status: '{% $states.result.StatusCode %}' },
      },
    });
    const functions = {
      shift: (payload: { weight: number }) => seen.push(payload) && { shifted: payload.weight },
    };
    expect(await outputOf(definition, { input: { weight: 10 }, functions })).toEqual({
      answer: { shifted: 10 },
      status: 200,
    });
    expect(seen).toEqual([{ weight: 10 }]);
  });

  it('has null for an answer that is nothing, and waits for one that is promised', async () => {
    const definition = machineOf('T', { T: { ...invoke('f'), Output: '{% $states.result.Payload %}' } });
    expect(await outputOf(definition, { functions: { f: () => undefined } })).toBeNull();
    expect(await outputOf(definition, { functions: { f: async () => ({ later: true }) } })).toEqual({
      later: true,
    });
  });

  it('keeps what a function was given and has answered apart from what it does with it afterwards', async () => {
    const kept = { list: [1] };
    const definition = machineOf('T', {
      T: {
        ...invoke('f', { Next: 'U' }),
        Assign: { answer: '{% $states.result.Payload %}' },
        Output: '{% $states.input %}',
      },
      U: { ...invoke('spoil', { Next: 'V' }), Output: '{% $states.input %}' },
      V: { Type: 'Pass', Output: { answer: '{% $answer %}', input: '{% $states.input %}' }, End: true },
    });
    const functions = {
      f: () => kept,
      spoil: (payload: { n: number }) => {
        kept.list.push(2);
        payload.n = 99;
      },
    };
    expect(await outputOf(definition, { input: { n: 1 }, functions })).toEqual({
      answer: { list: [1] },
      input: { n: 1 },
    });
  });

  it('reports what a function throws by its name, with the cause Lambda gives', async () => {
    const { result } = await run(machineOf('T', { T: invoke('f') }), {
      functions: { f: failing('TrafficUnconfirmed', 'the weight is 10') },
    });
    expect(result).toMatchObject({ status: 'FAILED', error: 'TrafficUnconfirmed' });
    const { cause } = result as { cause: string };
    expect(JSON.parse(cause)).toEqual({
      errorType: 'TrafficUnconfirmed',
      errorMessage: 'the weight is 10',
      trace: expect.arrayContaining([expect.stringContaining('runMachine')]),
    });
  });

  it('reports an answer that is no JSON', async () => {
    const { result } = await run(machineOf('T', { T: invoke('f') }), { functions: { f: () => ({ n: 1n }) } });
    expect(result).toMatchObject({ status: 'FAILED', error: 'Runtime.MarshalError' });
  });

  it('does not make the call when its arguments cannot be evaluated', async () => {
    let calls = 0;
    const { types, result } = await run(
      machineOf('T', { T: invoke('f', { End: true }, { x: '{% $states.input.absent %}' }) }),
      { functions: { f: () => calls++ } },
    );
    expect(calls).toBe(0);
    expect(types).toEqual(['ExecutionStarted', 'TaskStateEntered', 'EvaluationFailed', 'ExecutionFailed']);
    expect(result).toMatchObject({ cause: expect.stringContaining("the field 'Arguments/Payload/x'") });
  });

  it('hands every other integration to the runner', async () => {
    const calls: unknown[] = [];
    const definition = machineOf('Put', {
      Put: {
        Type: 'Task',
        Resource: 'arn:aws:states:::aws-sdk:dynamodb:putItem',
        Arguments: { TableName: 't', Item: {} },
        Next: 'Next',
      },
      Next: {
        Type: 'Task',
        Resource: 'arn:aws:states:::states:startExecution',
        Arguments: { StateMachineArn: 'arn:m', Input: { generation: 2 } },
        Output: '{% $states.result.ExecutionArn %}',
        End: true,
      },
    });
    const output = await outputOf(definition, {
      tasks: ({ resource, arguments: given }) => {
        calls.push([resource.awsSdk, resource.service, resource.action, given]);
        return { ExecutionArn: 'arn:e' };
      },
    });
    expect(output).toBe('arn:e');
    expect(calls).toEqual([
      [true, 'dynamodb', 'putItem', { TableName: 't', Item: {} }],
      [false, 'states', 'startExecution', { StateMachineArn: 'arn:m', Input: { generation: 2 } }],
    ]);
  });
});

describe('$states.context', () => {
  it('tells the execution, the machine, the state and the time it was entered', async () => {
    const definition = machineOf('W', {
      W: { Type: 'Wait', Seconds: 5, Next: 'P' },
      P: { Type: 'Pass', Output: '{% $states.context %}', End: true },
    });
    const output = await outputOf(definition, {
      input: { a: 1 },
      name: 'rollout-1',
      executionArn: 'arn:e',
      stateMachineArn: 'arn:m',
      stateMachineName: 'rollout',
      roleArn: 'arn:r',
    });
    expect(output).toEqual({
      Execution: {
        Id: 'arn:e',
        Input: { a: 1 },
        Name: 'rollout-1',
        RoleArn: 'arn:r',
        StartTime: '2026-01-01T00:00:00.000Z',
        RedriveCount: 0,
      },
      State: { EnteredTime: '2026-01-01T00:00:05.000Z', Name: 'P', RetryCount: 0 },
      StateMachine: { Id: 'arn:m', Name: 'rollout' },
    });
  });
});
