/** The events of an execution: their kinds, their order, and what each follows, as recorded from AWS. */
import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../../lib/asl/history.ts';
import { failing, invoke, machineOf, run, start } from './runMachine.ts';

const scope = (startAt: string, states: object) => ({ StartAt: startAt, States: states });
const pass = (more: object = { End: true }) => ({ Type: 'Pass', ...more });
const chain = (history: readonly HistoryEvent[]) =>
  history.map(({ type, previousEventId }) => [type, previousEventId]);

describe('history', () => {
  it('numbers events from 1, at the clock’s time, and the first state follows nothing', async () => {
    const { execution } = await run(machineOf('W', { W: { Type: 'Wait', Seconds: 2, End: true } }));
    const t = execution.startedAt;
    expect(execution.history).toEqual([
      { id: 1, previousEventId: 0, at: t, type: 'ExecutionStarted', details: { input: {} } },
      { id: 2, previousEventId: 0, at: t, type: 'WaitStateEntered', details: { name: 'W', input: {} } },
      {
        id: 3,
        previousEventId: 2,
        at: t + 2000,
        type: 'WaitStateExited',
        details: { name: 'W', output: {} },
      },
      { id: 4, previousEventId: 3, at: t + 2000, type: 'ExecutionSucceeded', details: { output: {} } },
    ]);
  });

  it('tells each event as it happens', async () => {
    const seen: string[] = [];
    const { types } = await run(machineOf('P', { P: pass() }), { onHistory: ({ type }) => seen.push(type) });
    expect(seen).toEqual(types);
  });

  it('tells a task’s call, its result, and what was assigned', async () => {
    const T = { ...invoke('f', { TimeoutSeconds: 9, End: true }, { n: 1 }), Assign: { x: 2 }, Output: 3 };
    const { execution } = await run(machineOf('T', { T }), { functions: { f: () => 'r' } });
    const task = { resourceType: 'lambda', resource: 'invoke' };
    expect(execution.history.slice(2, 6).map(({ type, details }) => [type, details])).toEqual([
      [
        'TaskScheduled',
        { ...task, parameters: { FunctionName: 'f', Payload: { n: 1 } }, timeoutInSeconds: 9 },
      ],
      ['TaskStarted', task],
      ['TaskSucceeded', { ...task, output: { ExecutedVersion: '$LATEST', Payload: 'r', StatusCode: 200 } }],
      ['TaskStateExited', { name: 'T', output: 3, assignedVariables: { x: 2 } }],
    ]);
  });

  it('records every attempt of a retried task, inside one visit of the state', async () => {
    const Retry = [{ ErrorEquals: ['States.ALL'], MaxAttempts: 1 }];
    const { types } = await run(machineOf('T', { T: invoke('f', { Retry, End: true }) }), {
      functions: { f: failing('E') },
    });
    expect(types).toEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      ...['TaskScheduled', 'TaskStarted', 'TaskFailed'],
      ...['TaskScheduled', 'TaskStarted', 'TaskFailed'],
      'ExecutionFailed',
    ]);
  });

  it('records a failed expression once for each attempt, with the field and the state', async () => {
    const Retry = [{ ErrorEquals: ['States.ALL'], MaxAttempts: 1, IntervalSeconds: 0 }];
    const T = invoke('f', { Retry, End: true }, { a: '{% $states.input.absent %}' });
    const { execution } = await run(machineOf('T', { T }));
    expect(chain(execution.history)).toEqual([
      ['ExecutionStarted', 0],
      ['TaskStateEntered', 0],
      ['EvaluationFailed', 2],
      ['EvaluationFailed', 3],
      ['ExecutionFailed', 4],
    ]);
    expect(execution.history[2]?.details).toEqual({
      error: 'States.QueryEvaluationError',
      cause:
        "An error occurred while executing the state 'T' (entered at the event id #2). " +
        "The JSONata expression '$states.input.absent' " +
        "specified for the field 'Arguments/Payload/a' returned nothing (undefined).",
      location: 'Arguments/Payload/a',
      state: 'T',
    });
  });

  it('lets each branch of a Parallel follow its own events, and the state go on from the last of them', async () => {
    const branch = (name: string) =>
      scope(`${name}1`, { [`${name}1`]: pass({ Next: `${name}2` }), [`${name}2`]: pass() });
    const { execution } = await run(
      machineOf('P', { P: { Type: 'Parallel', Branches: [branch('A'), branch('B')], Next: 'Z' }, Z: pass() }),
    );
    const { history } = execution;
    const event = (type: string, name: string) =>
      history.find((e) => e.type === type && e.details?.name === name)?.id;
    const previous = (type: string, name: string) =>
      history.find((e) => e.type === type && e.details?.name === name)?.previousEventId;
    for (const name of ['A', 'B']) {
      expect(previous('PassStateEntered', `${name}1`)).toBe(3);
      expect(previous('PassStateExited', `${name}1`)).toBe(event('PassStateEntered', `${name}1`));
      expect(previous('PassStateEntered', `${name}2`)).toBe(event('PassStateExited', `${name}1`));
    }
    expect(chain(history).slice(0, 3)).toEqual([
      ['ExecutionStarted', 0],
      ['ParallelStateEntered', 0],
      ['ParallelStateStarted', 2],
    ]);
    expect(chain(history).slice(11)).toEqual([
      ['ParallelStateSucceeded', 11],
      ['ParallelStateExited', 11],
      ['PassStateEntered', 13],
      ['PassStateExited', 14],
      ['ExecutionSucceeded', 15],
    ]);
  });

  it('records a Parallel that a Fail state ends, and what its Catch makes of it', async () => {
    const P = {
      Type: 'Parallel',
      Branches: [scope('Boom', { Boom: { Type: 'Fail', Error: 'MyError', Cause: 'my cause' } })],
      Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Z' }],
      Next: 'Z',
    };
    const { execution } = await run(machineOf('P', { P, Z: pass() }));
    expect(chain(execution.history)).toEqual([
      ['ExecutionStarted', 0],
      ['ParallelStateEntered', 0],
      ['ParallelStateStarted', 2],
      ['FailStateEntered', 3],
      ['ParallelStateFailed', 4],
      ['ParallelStateExited', 5],
      ['PassStateEntered', 6],
      ['PassStateExited', 7],
      ['ExecutionSucceeded', 8],
    ]);
  });

  it('records the failure of a Catch clause in place of the state’s first failure', async () => {
    const P = {
      Type: 'Parallel',
      Branches: [scope('Boom', { Boom: { Type: 'Fail', Error: 'MyError' } })],
      Catch: [{ ErrorEquals: ['States.ALL'], Output: '{% $states.input.absent %}', Next: 'Z' }],
      Next: 'Z',
    };
    const { execution } = await run(machineOf('P', { P, Z: pass() }));
    expect(chain(execution.history).slice(3)).toEqual([
      ['FailStateEntered', 3],
      ['ParallelStateFailed', 4],
      ['EvaluationFailed', 4],
      ['ParallelStateFailed', 6],
      ['ExecutionFailed', 7],
    ]);
  });

  it('records a task that ends its branch as aborted beside its failure', async () => {
    const P = {
      Type: 'Parallel',
      Branches: [scope('Send', { Send: invoke('f') })],
      Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Z' }],
      Next: 'Z',
    };
    const { execution } = await run(machineOf('P', { P, Z: pass() }), { functions: { f: failing('E') } });
    expect(chain(execution.history).slice(3, 10)).toEqual([
      ['TaskStateEntered', 3],
      ['TaskScheduled', 4],
      ['TaskStarted', 5],
      ['TaskFailed', 6],
      ['TaskStateAborted', 7],
      ['ParallelStateFailed', 7],
      ['ParallelStateExited', 9],
    ]);
  });

  it('records the iterations of a Map, and the next one follows the one that made room for it', async () => {
    const M = {
      Type: 'Map',
      Items: [1, 2],
      MaxConcurrency: 1,
      ItemProcessor: scope('I', { I: pass() }),
      End: true,
    };
    const { execution } = await run(machineOf('M', { M }));
    expect(chain(execution.history)).toEqual([
      ['ExecutionStarted', 0],
      ['MapStateEntered', 0],
      ['MapStateStarted', 2],
      ['MapIterationStarted', 3],
      ['PassStateEntered', 4],
      ['PassStateExited', 5],
      ['MapIterationSucceeded', 6],
      ['MapIterationStarted', 6],
      ['PassStateEntered', 8],
      ['PassStateExited', 9],
      ['MapIterationSucceeded', 10],
      ['MapStateSucceeded', 11],
      ['MapStateExited', 11],
      ['ExecutionSucceeded', 13],
    ]);
    expect(execution.history[2]?.details).toEqual({ length: 2 });
    expect(execution.history[7]?.details).toEqual({ name: 'M', index: 1 });
  });

  it('records a Map over nothing', async () => {
    const M = { Type: 'Map', Items: [], ItemProcessor: scope('I', { I: pass() }), End: true };
    const { execution } = await run(machineOf('M', { M }));
    expect(chain(execution.history).slice(2)).toEqual([
      ['MapStateStarted', 2],
      ['MapStateSucceeded', 3],
      ['MapStateExited', 3],
      ['ExecutionSucceeded', 5],
    ]);
  });

  it('records the iterations that a failing one cuts, in the state they were in', async () => {
    const item = scope('Kind', {
      Kind: {
        Type: 'Choice',
        Choices: [{ Condition: '{% $states.input = "fail" %}', Next: 'Pause' }],
        Default: 'Long',
      },
      Pause: { Type: 'Wait', Seconds: 1, Next: 'Boom' },
      Boom: { Type: 'Fail', Error: 'Boom' },
      Long: { Type: 'Wait', Seconds: 20, End: true },
    });
    const M = { Type: 'Map', Items: ['wait', 'fail'], ItemProcessor: item, End: true };
    const { execution, seconds } = await run(machineOf('M', { M }));
    const boom = execution.history.find(({ type }) => type === 'FailStateEntered')?.id as number;
    expect(seconds).toBe(1);
    expect(
      execution.history
        .slice(boom)
        .map(({ type, previousEventId, details }) => [type, previousEventId, details?.index]),
    ).toEqual([
      ['MapIterationAborted', boom, 0],
      ['WaitStateAborted', boom, undefined],
      ['MapIterationFailed', boom, 1],
      ['MapStateFailed', boom, undefined],
      ['ExecutionFailed', boom + 4, undefined],
    ]);
  });

  it('says nothing of a Map that States.Runtime ends', async () => {
    const item = scope('Pick', {
      Pick: { Type: 'Choice', Choices: [{ Condition: false, Next: 'S' }] },
      S: { Type: 'Succeed' },
    });
    const M = { Type: 'Map', Items: [1, 2], MaxConcurrency: 1, ItemProcessor: item, End: true };
    const { types } = await run(machineOf('M', { M }));
    expect(types).toEqual([
      'ExecutionStarted',
      'MapStateEntered',
      'MapStateStarted',
      'MapIterationStarted',
      'ChoiceStateEntered',
      'ExecutionFailed',
    ]);
  });
});

describe('limits', () => {
  it('ends an execution whose history would pass 25 000 events', async () => {
    const { execution, result } = await run(
      machineOf('A', {
        A: pass({ Next: 'B' }),
        B: { Type: 'Choice', Choices: [{ Condition: false, Next: 'C' }], Default: 'A' },
        C: { Type: 'Succeed' },
      }),
    );
    expect(result).toEqual({
      status: 'FAILED',
      error: 'States.Runtime',
      cause: 'The execution reached the maximum number of history events (25000).',
    });
    expect(execution.history.length).toBe(25_000);
    expect(execution.history.at(-1)).toMatchObject({
      id: 25_000,
      previousEventId: 24_999,
      type: 'ExecutionFailed',
    });
  });

  it('does so inside a Map, too, and none of its iterations goes on', async () => {
    const loop = scope('W', {
      W: { Type: 'Wait', Seconds: 1, Next: 'X' },
      X: {
        Type: 'Choice',
        Choices: [
          { Condition: true, Next: 'W' },
          { Condition: false, Next: 'Y' },
        ],
      },
      Y: { Type: 'Succeed' },
    });
    const M = {
      Type: 'Map',
      Items: [1, 2, 3],
      ItemProcessor: loop,
      Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Z' }],
      Next: 'Z',
    };
    const { execution, clock } = start(machineOf('M', { M, Z: pass() }));
    expect(await clock.runUntil(execution.done)).toMatchObject({ error: 'States.Runtime' });
    expect(execution.history.length).toBe(25_000);
    expect(clock.nextAt).toBeNull();
  });

  it('counts the events of a history that nobody keeps, and still tells them', async () => {
    const definition = machineOf('A', {
      A: pass({ Next: 'B' }),
      B: { Type: 'Choice', Choices: [{ Condition: false, Next: 'C' }], Default: 'A' },
      C: { Type: 'Succeed' },
    });
    const told: number[] = [];
    for (const more of [{}, { onHistory: ({ id }: HistoryEvent) => told.push(id) }]) {
      const { execution, result } = await run(definition, { keepsHistory: false, ...more });
      expect(result).toMatchObject({ error: 'States.Runtime' });
      expect(execution.history).toEqual([]);
    }
    expect(told.length).toBe(25_000);
    expect(told.at(-1)).toBe(25_000);
  });

  const large = 'x'.repeat(262_144);

  it.each([
    ['a task’s result', invoke('f', { Next: 'Z' }), { f: () => large }, 'lambda'],
    [
      'a state’s output',
      pass({ Output: { a: '{% $states.input.half %}', b: '{% $states.input.half %}' }, Next: 'Z' }),
      {},
      'A',
    ],
    [
      'what a state assigns',
      pass({ Assign: { a: '{% $states.input.half & $states.input.half %}' }, Next: 'Z' }),
      {},
      'A',
    ],
    [
      'a task’s arguments',
      invoke('f', { Next: 'Z' }, '{% $states.input.half & $states.input.half %}'),
      { f: () => 1 },
      'A',
    ],
  ])('fails %s of more than 256 KiB, and States.ALL does not catch it', async (_, state, functions, what) => {
    const recovery = state.Type === 'Task' ? { Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Z' }] } : {};
    const definition = machineOf('A', { A: { ...state, ...recovery }, Z: pass() });
    const input = { half: 'é'.repeat(66_000) };
    expect((await run(definition, { input, functions })).result).toEqual({
      status: 'FAILED',
      error: 'States.DataLimitExceeded',
      cause:
        `The state/task '${what}' returned a result with a size exceeding the maximum number of bytes ` +
        'service limit.',
    });
  });

  it('fails the first state that passes on an input of more than 256 KiB', async () => {
    const definition = machineOf('A', {
      A: pass({ Output: 1, Next: 'B' }),
      B: pass({ Output: '{% $states.context.Execution.Input %}', Next: 'Z' }),
      Z: pass(),
    });
    const { result, types } = await run(definition, { input: large });
    expect(result).toMatchObject({ error: 'States.DataLimitExceeded' });
    expect(types.filter((type) => type === 'PassStateEntered').length).toBe(2);
  });

  it('lets 256 KiB pass', async () => {
    const A = { ...invoke('f', { End: true }), Output: '{% $states.result.Payload %}' };
    const { result } = await run(machineOf('A', { A }), { functions: { f: () => 'x'.repeat(262_000) } });
    expect(result.status).toBe('SUCCEEDED');
  });
});
