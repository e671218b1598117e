/** Expressions, variables and placeholders, as far as they can be judged before anything runs. */
import { describe, expect, it } from 'vitest';
import { loadMachine } from '../../lib/asl/loadMachine.ts';
import { end, pass, refusal, scope, state } from './loading.ts';
import { invoke, machineOf } from './runMachine.ts';

const output = (expression: string) => state({ ...pass, Output: expression });

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
