/** What is refused before anything runs, and why; and that what is accepted, asl-validator accepts as well. */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { loadMachine } from '../../lib/asl/loadMachine.ts';
import { MachineRefused } from '../../lib/asl/refusal.ts';
import { invoke, machineOf } from './runMachine.ts';

const aslValidator = createRequire(import.meta.url)('asl-validator') as (definition: unknown) => {
  isValid: boolean;
};
const end = { End: true };
const pass = { Type: 'Pass', ...end };
const lambda = 'arn:aws:states:::lambda:invoke';
const scope = (startAt: string, states: object) => ({ StartAt: startAt, States: states });

function refusal(definition: unknown, substitutions?: Record<string, string>): string {
  try {
    loadMachine(definition, substitutions === undefined ? {} : { substitutions });
  } catch (error) {
    if (error instanceof MachineRefused) return error.message;
    throw error;
  }
  throw new Error('the machine was accepted');
}

const state = (fields: object) => machineOf('A', { A: fields });
const output = (expression: string) => state({ ...pass, Output: expression });

describe('a machine is refused with its place and one sentence', () => {
  it.each<[string, unknown, string]>([
    ['no object', 'text', 'must be an object.'],
    [
      'JSONPath',
      { StartAt: 'A', States: { A: pass } },
      'QueryLanguage must be JSONata for the whole machine.',
    ],
    ['no states', { QueryLanguage: 'JSONata', StartAt: 'A' }, 'the field States is required.'],
    [
      'an unknown field',
      machineOf('A', { A: pass }, { Processor: 1 }),
      'Processor: is not supported in a state machine.',
    ],
    ['a version', machineOf('A', { A: pass }, { Version: '2.0' }), 'Version: must be 1.0.'],
    [
      'a timeout of text',
      machineOf('A', { A: pass }, { TimeoutSeconds: '5' }),
      'TimeoutSeconds: must be an integer from 1 to 99999999.',
    ],
    ['a wrong start', machineOf('B', { A: pass }), 'StartAt: there is no state B.'],
    ['a wrong Next', state({ Type: 'Pass', Next: 'B' }), 'States.A: leads to B, which does not exist.'],
    ['an unreachable state', machineOf('A', { A: pass, B: pass }), 'States.B: cannot be reached.'],
    [
      'a machine that never ends',
      machineOf('A', { A: { Type: 'Pass', Next: 'B' }, B: { Type: 'Pass', Next: 'A' } }),
      'States: no state ends this scope.',
    ],
    [
      'Next and End',
      state({ Type: 'Pass', Next: 'A', End: true }),
      'States.A: has exactly one of Next and End.',
    ],
    ['neither', state({ Type: 'Pass' }), 'States.A: has exactly one of Next and End.'],
    ['End: false', state({ Type: 'Pass', End: false }), 'States.A.End: must be true.'],
    ['an unknown type', state({ Type: 'Sleep', ...end }), 'States.A.Type: Sleep is not a type of state.'],
    [
      'a JSONPath state',
      state({ ...pass, QueryLanguage: 'JSONPath' }),
      'States.A.QueryLanguage: must be JSONata.',
    ],
    [
      'a JSONPath field',
      state({ ...pass, ResultPath: '$.x' }),
      'States.A.ResultPath: belongs to JSONPath; only JSONata is run here.',
    ],
    [
      'a field of another type',
      state({ ...pass, Seconds: 1 }),
      'States.A.Seconds: is not supported in a Pass state.',
    ],
    [
      'Assign in Succeed',
      state({ Type: 'Succeed', Assign: { a: 1 } }),
      'States.A.Assign: is not supported in a Succeed state.',
    ],
    [
      'the same name in two scopes',
      state({ Type: 'Parallel', Branches: [scope('A', { A: pass })], ...end }),
      'States.A.Branches[0].States: two states are called A.',
    ],
    [
      'a Wait for nothing',
      state({ Type: 'Wait', ...end }),
      'States.A: a Wait state has exactly one of Seconds and Timestamp.',
    ],
    [
      'a Wait for two things',
      state({ Type: 'Wait', Seconds: 1, Timestamp: '2026-01-01T00:00:00Z', ...end }),
      'States.A: a Wait state has exactly one of Seconds and Timestamp.',
    ],
    [
      'a wrong timestamp',
      state({ Type: 'Wait', Timestamp: 'tomorrow', ...end }),
      'States.A.Timestamp: must be a timestamp such as 2026-01-01T00:00:00Z.',
    ],
    [
      'negative seconds',
      state({ Type: 'Wait', Seconds: -1, ...end }),
      'States.A.Seconds: must be an integer from 0 to 99999999.',
    ],
    [
      'a Choice without rules',
      state({ Type: 'Choice', Choices: [] }),
      'States.A.Choices: must be an array that is not empty.',
    ],
    [
      'a rule without condition',
      machineOf('A', { A: { Type: 'Choice', Choices: [{ Next: 'B' }] }, B: pass }),
      'States.A.Choices[0]: the field Condition is required.',
    ],
    [
      'a JSONPath rule',
      machineOf('A', {
        A: { Type: 'Choice', Choices: [{ Condition: true, Variable: '$.x', Next: 'B' }] },
        B: pass,
      }),
      'States.A.Choices[0].Variable: belongs to JSONPath; only JSONata is run here.',
    ],
    [
      'Output for a Default that is missing',
      machineOf('A', {
        A: { Type: 'Choice', Choices: [{ Condition: true, Next: 'B' }], Output: 1 },
        B: pass,
      }),
      'States.A.Output: belongs to Default, which is missing.',
    ],
    [
      'a function’s own ARN',
      state({ Type: 'Task', Resource: 'arn:aws:lambda:eu-west-1:1:function:f', ...end }),
      `States.A.Resource: arn:aws:lambda:eu-west-1:1:function:f is not supported; use ${lambda} or arn:aws:states:::aws-sdk:<service>:<action>.`,
    ],
    [
      '.sync',
      state({ Type: 'Task', Resource: 'arn:aws:states:::states:startExecution.sync:2', ...end }),
      'States.A.Resource: the pattern .sync:2 is not supported.',
    ],
    [
      'an integration nobody runs',
      state({ Type: 'Task', Resource: 'arn:aws:states:::glue:startJobRun', ...end }),
      'States.A.Resource: glue:startJobRun is not supported; aws-sdk:glue:startJobRun may be.',
    ],
    [
      'a call without its function',
      state({ Type: 'Task', Resource: lambda, ...end }),
      'States.A.Arguments: the argument FunctionName is required.',
    ],
    [
      'Credentials',
      state({ ...invoke('f'), Credentials: {} }),
      'States.A.Credentials: is not supported in a Task state.',
    ],
    [
      'a timeout of 0',
      state({ ...invoke('f'), TimeoutSeconds: 0 }),
      'States.A.TimeoutSeconds: must be an integer from 1 to 99999999.',
    ],
    [
      'heartbeats nobody can send',
      state({ ...invoke('f'), HeartbeatSeconds: 5 }),
      'States.A.HeartbeatSeconds: only a task that waits for its token can send heartbeats.',
    ],
    [
      'a heartbeat longer than the timeout',
      state({
        ...invoke('f'),
        Resource: `${lambda}.waitForTaskToken`,
        TimeoutSeconds: 5,
        HeartbeatSeconds: 5,
      }),
      'States.A.HeartbeatSeconds: must be less than TimeoutSeconds.',
    ],
    [
      'a retrier without names',
      state({ ...invoke('f'), Retry: [{}] }),
      'States.A.Retry[0]: the field ErrorEquals is required.',
    ],
    [
      'a retrier’s unknown field',
      state({ ...invoke('f'), Retry: [{ ErrorEquals: ['E'], Delay: 1 }] }),
      'States.A.Retry[0].Delay: is not supported in a retrier.',
    ],
    [
      'a shrinking delay',
      state({ ...invoke('f'), Retry: [{ ErrorEquals: ['E'], BackoffRate: 0.5 }] }),
      'States.A.Retry[0].BackoffRate: must be a number from 1 to 1000.',
    ],
    [
      'a jitter',
      state({ ...invoke('f'), Retry: [{ ErrorEquals: ['E'], JitterStrategy: 'SOME' }] }),
      'States.A.Retry[0].JitterStrategy: must be FULL or NONE.',
    ],
    [
      'a maximum below the interval',
      state({ ...invoke('f'), Retry: [{ ErrorEquals: ['E'], IntervalSeconds: 9, MaxDelaySeconds: 9 }] }),
      'States.A.Retry[0].MaxDelaySeconds: must be greater than IntervalSeconds.',
    ],
    [
      'States.ALL with others',
      state({ ...invoke('f'), Retry: [{ ErrorEquals: ['E', 'States.ALL'] }] }),
      'States.A.Retry[0].ErrorEquals: States.ALL must stand alone, and last.',
    ],
    [
      'States.ALL before others',
      state({ ...invoke('f'), Retry: [{ ErrorEquals: ['States.ALL'] }, { ErrorEquals: ['E'] }] }),
      'States.A.Retry[0].ErrorEquals: States.ALL must stand alone, and last.',
    ],
    [
      'States.Runtime in Retry',
      state({ ...invoke('f'), Retry: [{ ErrorEquals: ['States.Runtime'] }] }),
      'States.A.Retry[0].ErrorEquals: States.Runtime always ends the execution.',
    ],
    [
      'an error that does not exist',
      state({ ...invoke('f'), Retry: [{ ErrorEquals: ['States.Timout'] }] }),
      'States.A.Retry[0].ErrorEquals[0]: States.Timout is no error that can occur here.',
    ],
    [
      'Catch to nowhere',
      state({ ...invoke('f'), Catch: [{ ErrorEquals: ['E'], Next: 'B' }] }),
      'States.A: leads to B, which does not exist.',
    ],
    ['Catch on a Pass', state({ ...pass, Catch: [] }), 'States.A.Catch: is not supported in a Pass state.'],
    [
      'a tolerance',
      state({ Type: 'Map', ItemProcessor: scope('B', { B: pass }), ToleratedFailurePercentage: 5, ...end }),
      'States.A.ToleratedFailurePercentage: is not supported in a Map state.',
    ],
    [
      'a distributed Map',
      state({
        Type: 'Map',
        ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED' }, ...scope('B', { B: pass }) },
        ...end,
      }),
      'States.A.ItemProcessor.ProcessorConfig.Mode: must be INLINE.',
    ],
    [
      'an ItemReader',
      state({ Type: 'Map', ItemReader: {}, ItemProcessor: scope('B', { B: pass }), ...end }),
      'States.A.ItemReader: is not supported in a Map state.',
    ],
    [
      'items that are no list',
      state({ Type: 'Map', Items: { a: 1 }, ItemProcessor: scope('B', { B: pass }), ...end }),
      'States.A.Items: must be an array, or an expression.',
    ],
    [
      'a leak from a branch',
      state({ Type: 'Parallel', Branches: [scope('B', { B: { Type: 'Pass', Next: 'A' } })], ...end }),
      'States.A.Branches[0].States.B: leads to A, which does not exist.',
    ],
  ])('%s', (_, definition, sentence) => {
    expect(refusal(definition)).toBe(sentence);
  });
});

describe('an expression is refused when it can never have a value', () => {
  it.each([
    ['{% $states.input. %}', "'$states.input.' is not JSONata: S0207"],
    ['{% $states.input', 'is not one whole expression; Step Functions would take it as plain text.'],
    ['Hello {% $states.input %}', 'is not one whole expression'],
    ['{% x + 1 %}', 'the name x has nothing to be looked up in; use $states.input.x.'],
    ['{% $.x %}', '$ has no value here; use $states.input.'],
    ['{% $$.x %}', '$$ has no value in Step Functions; use $states.input.'],
    ['{% * %}', 'a wildcard has nothing to be looked up in; start from $states.input.'],
    ["{% $eval('1') %}", '$eval is not available in Step Functions; use $parse for JSON.'],
    ['{% $lenght($states.input) %}', '$lenght is not a function of JSONata or Step Functions.'],
    ['{% $states.inputs.x %}', '$states.inputs does not exist here, only $states.input, $states.context.'],
    ['{% $states.result %}', '$states.result does not exist here'],
    ['{% $states.errorOutput %}', '$states.errorOutput does not exist here'],
    ['{% $map($states.input, function($v){ x }) %}', 'the name x has nothing to be looked up in'],
  ])('%s', (expression, sentence) => {
    expect(refusal(output(expression))).toContain(`States.A.Output: `);
    expect(refusal(output(expression))).toContain(sentence);
  });

  it.each([
    '{% $states.input.items[x = 1].y %}',
    '{% $states.input.(x + y) %}',
    '{% $states.input.items.$string() %}',
    '{% $states.input.items[$ > 1] %}',
    '{% $states.input.items^(x).y %}',
    '{% $states.input ~> |a|{"b": c}| %}',
    '{% $states.input.a@$v.b.{"x": $v} %}',
    '{% ($f := function($x){ $x }; $f(1)) %}',
    '{% $map([1], $string) %}',
    '{% $states.input{a: b} %}',
    '{% $exists($later) ? $later : 0 %}',
  ])('%s is accepted', (expression) => {
    expect(loadMachine(output(expression))).toBeDefined();
  });

  it('$states.result exists after the work, and the error only in Catch', () => {
    const task = (more: object) => machineOf('A', { A: { ...invoke('f', { Next: 'B' }), ...more }, B: pass });
    expect(
      loadMachine(task({ Output: '{% $states.result %}', Assign: { r: '{% $states.result %}' } })),
    ).toBeDefined();
    expect(refusal(task({ TimeoutSeconds: '{% $states.result %}' }))).toContain(
      'States.A.TimeoutSeconds: $states.result',
    );
    const catcher = (Output: string) => task({ Catch: [{ ErrorEquals: ['E'], Next: 'B', Output }] });
    expect(loadMachine(catcher('{% $states.errorOutput %}'))).toBeDefined();
    expect(refusal(catcher('{% $states.result %}'))).toContain('States.A.Catch[0].Output: $states.result');
  });
});

describe('variables', () => {
  const assigning = (name: string) => state({ ...pass, Assign: { [name]: 1 } });

  it.each([
    ['states', 'States.A.Assign.states: $states belongs to Step Functions.'],
    ['a-b', 'States.A.Assign.a-b: a-b cannot be the name of a variable.'],
    ['1st', 'States.A.Assign.1st: 1st cannot be the name of a variable.'],
  ])('cannot be called %s', (name, sentence) => {
    expect(refusal(assigning(name))).toBe(sentence);
  });

  it('of an outer scope cannot be assigned inside, not even by a Catch', () => {
    const inner = {
      ...invoke('f', { Next: 'C' }),
      Catch: [{ ErrorEquals: ['E'], Assign: { x: 1 }, Next: 'C' }],
    };
    const definition = machineOf('A', {
      A: { Type: 'Pass', Assign: { x: 1 }, Next: 'P' },
      P: { Type: 'Parallel', Branches: [scope('B', { B: inner, C: pass })], ...end },
    });
    expect(refusal(definition)).toBe(
      'States.P.Branches[0].States.B.Catch[0].Assign.x: $x is a variable of the scope outside this one.',
    );
  });

  it('cannot take the name of a function that the machine calls', () => {
    const definition = machineOf('A', {
      A: { Type: 'Pass', Assign: { count: 1 }, Next: 'B' },
      B: { ...pass, Output: '{% $count($states.input) %}' },
    });
    expect(refusal(definition)).toBe(
      'States.B.Output: $count() is called, but the machine has a variable of that name.',
    );
  });
});

describe('substitutions', () => {
  const definition = state({ ...invoke('${ShiftFn}'), Comment: 'calls ${ShiftFn}' });

  it('fill every placeholder, without touching the definition', () => {
    const before = JSON.stringify(definition);
    const { root } = loadMachine(definition, { substitutions: { ShiftFn: 'arn:f' } });
    expect(JSON.stringify(definition)).toBe(before);
    expect(root.states.get('A')).toMatchObject({ type: 'Task' });
  });

  it('must be given for every placeholder', () => {
    expect(refusal(definition, {})).toBe(
      'States.A.Arguments.FunctionName: no substitution is given for ${ShiftFn}.',
    );
  });

  it('are not asked for when none are given at all', () => {
    expect(loadMachine(definition)).toBeDefined();
  });
});

describe('asl-validator', () => {
  const canary = JSON.parse(readFileSync(new URL('./canary.asl.json', import.meta.url), 'utf8'));
  const everything = machineOf(
    'Start',
    {
      Start: {
        Type: 'Pass',
        Comment: 'c',
        Assign: { n: '{% $states.input.n %}' },
        Output: '{% $states.input %}',
        Next: 'Ask',
      },
      Ask: {
        Type: 'Task',
        Resource: 'arn:aws:states:::sqs:sendMessage.waitForTaskToken',
        Arguments: { QueueUrl: 'q', MessageBody: { token: '{% $states.context.Task.Token %}' } },
        TimeoutSeconds: '{% $n * 10 %}',
        HeartbeatSeconds: 5,
        Retry: [{ ErrorEquals: ['States.TaskFailed'], IntervalSeconds: 1, MaxAttempts: 2, BackoffRate: 1.5 }],
        Catch: [{ ErrorEquals: ['States.ALL'], Assign: { e: '{% $states.errorOutput %}' }, Next: 'Failed' }],
        Next: 'Pick',
      },
      Pick: {
        Type: 'Choice',
        Choices: [{ Condition: '{% $n > 1 %}', Assign: { big: true }, Next: 'Both' }],
        Default: 'Rest',
      },
      Both: {
        Type: 'Parallel',
        Branches: [scope('B', { B: { Type: 'Wait', Seconds: '{% $n %}', End: true } })],
        Next: 'Each',
      },
      Each: {
        Type: 'Map',
        Items: '{% [1, 2] %}',
        MaxConcurrency: 2,
        ItemSelector: { v: '{% $states.context.Map.Item.Value %}' },
        ItemProcessor: {
          ProcessorConfig: { Mode: 'INLINE' },
          ...scope('E', { E: { Type: 'Succeed', Output: { n: 1 } } }),
        },
        Next: 'Rest',
      },
      Rest: { Type: 'Wait', Timestamp: '{% $states.input.until %}', Next: 'Done' },
      Done: { Type: 'Succeed' },
      Failed: { Type: 'Fail', Error: '{% $e.Error %}', Cause: 'no' },
    },
    { Comment: 'everything', Version: '1.0', TimeoutSeconds: 3600 },
  );
  const product = readdirSync('statemachines')
    .filter((file) => file.endsWith('.json'))
    .map((file): [string, unknown] => [file, JSON.parse(readFileSync(`statemachines/${file}`, 'utf8'))]);

  it.each<[string, unknown]>([['everything', everything], ['canary', canary], ...product])(
    'accepts %s, as we do',
    (_, definition) => {
      expect(loadMachine(definition)).toBeDefined();
      expect(aslValidator(structuredClone(definition))).toMatchObject({ isValid: true });
    },
  );

  it.each<[string, unknown]>([
    ['a wrong Next', state({ Type: 'Pass', Next: 'B' })],
    ['an unreachable state', machineOf('A', { A: pass, B: pass })],
    ['a JSONPath field', state({ ...pass, ResultPath: '$.x' })],
    ['Next and End', state({ Type: 'Pass', Next: 'A', End: true })],
    ['a machine that never ends', machineOf('A', { A: { Type: 'Pass', Next: 'A' } })],
    ['a Wait for nothing', state({ Type: 'Wait', ...end })],
  ])('refuses %s, as we do', (_, definition) => {
    expect(refusal(definition)).not.toBe('');
    expect(aslValidator(structuredClone(definition))).toMatchObject({ isValid: false });
  });
});
