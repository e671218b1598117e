/** JSONata as Step Functions has it: its extra functions, injected time and chance, and its failures. */
import { describe, expect, it } from 'vitest';
import { machineOf, outputOf, run } from './runMachine.ts';

const evaluating = (expression: string) =>
  machineOf('A', { A: { Type: 'Pass', Output: { v: `{% ${expression} %}` }, End: true } });
const answerOf = async (expression: string, input: unknown = {}) =>
  ((await outputOf(evaluating(expression), { input })) as { v: unknown }).v;
const causeOf = async (expression: string, input: unknown = {}) =>
  ((await run(evaluating(expression), { input })).result as { cause?: string }).cause;

describe('the functions that Step Functions adds', () => {
  it.each([
    ['$partition([1,2,3,4,5], 2)', [[1, 2], [3, 4], [5]]],
    ['$partition([1,2,3])', [[1, 2, 3]]],
    ['$partition([1,2,3,4,5], 2.9)', [[1, 2], [3, 4], [5]]],
    ['$range(0, 10, 2)', [0, 2, 4, 6, 8, 10]],
    ['$range(10, 0, -2)', [10, 8, 6, 4, 2, 0]],
    ['$range(1.7, 5, 1)', [1, 2, 3, 4, 5]],
    ['$range(-1.7, 2, 1)', [-1, 0, 1, 2]],
    ['$range(3, 3, 1)', 3],
    ['$count($range(1, 360145, 1))', 360_145],
    ["$hash('Hello', 'MD5')", '8b1a9953c4611296a827abf8c47804d7'],
    ["$hash('Hello', 'SHA-1')", 'f7ff9e8b7bb2e09b70935a5d785e0cc5d9d0abf0'],
    ["$hash('Hello', 'SHA-256')", '185f8db32271fe25f561a6fc938b2e264306ec304eda518007d1764826381969'],
    ["$hash('ñ', 'MD5')", '94e9342ecbb1458b6043ecd3bfcbc192'],
    ['$random(42)', 0.7275636800328681],
    ['$random(0.9)', 0.730967787376657],
    ['$parse(\'{"b":1,"a":[2]}\')', { b: 1, a: [2] }],
    ["$exists($parse('null'))", true],
    ['$map([\'{"a":1}\', \'{"a":2}\'], $parse).a', [1, 2]],
  ])('%s', async (expression, value) => {
    expect(await answerOf(expression)).toEqual(value);
  });

  it.each([
    '$partition([], 2)',
    '$partition([1], 0)',
    '$range(5, 1, 1)',
    '$range(1, 5)',
    "$hash('a')",
    '$parse()',
  ])('%s is nothing', async (expression) => {
    expect(await causeOf(expression)).toContain('returned nothing (undefined)');
  });

  it.each([
    ['$partition([1], -1)', 'D3137: Second argument must be zero or greater'],
    ['$partition(null, 2)', 'T0412'],
    ['$range(1)', 'T0410'],
    ['$range(1, 360146, 1)', 'Expression evaluation memory limit exceeded'],
    ["$hash('a', 'md5')", 'D3137'],
    ['$hash(42, "MD5")', 'T0410'],
    ["$uuid('seed')", 'T0410'],
    ['$random(1, 2)', 'T0410'],
    ['$parse(null)', 'T0410'],
    ["$parse('not json')", 'D3137: Invalid JSON'],
  ])('%s fails with %s', async (expression, code) => {
    const cause = await causeOf(expression);
    expect(cause).toContain(
      `The JSONata expression '${expression}' specified for the field 'Output/v' threw an error`,
    );
    expect(cause).toContain(code);
  });
});

describe('time and chance', () => {
  it('come from the clock and the source that were given', async () => {
    const definition = machineOf('W', {
      W: { Type: 'Wait', Seconds: 90, Next: 'A' },
      A: {
        Type: 'Pass',
        Output: {
          now: '{% $now() %}',
          day: "{% $now('[D01].[M01].[Y]') %}",
          millis: '{% $millis() %}',
          random: '{% $random() %}',
          uuid: '{% $uuid() %}',
          shuffled: '{% $shuffle([1,2,3]) %}',
        },
        End: true,
      },
    });
    const output = await outputOf(definition, { random: () => 0.25, uuid: () => 'u' });
    expect(output).toEqual({
      now: '2026-01-01T00:01:30.000Z',
      day: '01.01.2026',
      millis: Date.UTC(2026, 0, 1, 0, 1, 30),
      random: 0.25,
      uuid: 'u',
      shuffled: [2, 3, 1],
    });
  });
});

describe('values', () => {
  it('are nothing where a name leads nowhere, at any depth of a template', async () => {
    const definition = machineOf('A', {
      A: { Type: 'Pass', Output: { list: [1, { deep: '{% $states.input.absent %}' }] }, End: true },
    });
    expect((await run(definition)).result).toMatchObject({
      cause: expect.stringContaining("the field 'Output/list[1]/deep' returned nothing"),
    });
  });

  it('that are functions are no result', async () => {
    expect(await causeOf('function($x){ $x }')).toContain('returned an unsupported result type');
    expect(await causeOf('$sum')).toContain('returned an unsupported result type');
  });

  it('that JSONata cannot combine fail with its own words', async () => {
    expect(await causeOf('1 + "a"')).toContain(
      'T2002: The right side of the "+" operator must evaluate to a number',
    );
  });

  it('keep a member that is called like the prototype', async () => {
    const input = JSON.parse('{"__proto__":{"a":1},"b":2}');
    expect(JSON.stringify(await answerOf('$states.input', input))).toBe('{"__proto__":{"a":1},"b":2}');
    expect(await answerOf('$states.input.a', { ...input, a: 3 })).toBe(3);
  });

  it('that would take for ever are cut off', async () => {
    const endless = '($f := function($x){ 1 + $f($x + 1) }; $f(1))';
    expect(await causeOf(endless)).toContain('D1011');
  });

  it('may bind variables of their own', async () => {
    expect(await answerOf('($a := $states.input.x; $f := function($n){ $n * $a }; $f(3))', { x: 2 })).toBe(6);
  });

  it('read everything that JSONata can say of the input', async () => {
    const input = { steps: [{ weight: 10 }, { weight: 50 }], a: { b: [1, 2] } };
    expect(await answerOf('$sum($states.input.steps.weight)', input)).toBe(60);
    expect(await answerOf('$states.input.steps[weight > 10].weight', input)).toBe(50);
    expect(await answerOf('$states.input.a.*', input)).toEqual([1, 2]);
    expect(await answerOf('$string($states.input.a)', input)).toBe('{"b":[1,2]}');
    expect(await answerOf('$states.input.steps ~> $map(function($s){ $s.weight })', input)).toEqual([10, 50]);
    expect(await answerOf('$keys($states)', input)).toEqual(['input', 'context']);
  });
});
