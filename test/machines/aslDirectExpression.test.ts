/** The closures answer what jsonata answers, or leave it to jsonata: on random expressions and values. */
import fc from 'fast-check';
import jsonata from 'jsonata';
import { describe, expect, it } from 'vitest';
import { compileDirect } from '../../lib/asl/directExpression.ts';
import { UNSURE } from '../../lib/asl/directOperators.ts';
import type { Json } from '../../lib/asl/json.ts';
import { byJsonata, frameOf } from './expressionFrames.ts';

const scalar = fc.oneof(
  fc.constantFrom<Json>(null, true, false, 0, 1, -1, 2, 0.1, 1e21, '', 'a', 'b', '10'),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.string({ maxLength: 3 }),
);
const { value } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
}));

const { expression } = fc.letrec<{ expression: string }>((tie) => {
  const deeper = tie('expression');
  const path = fc
    .tuple(
      fc.constantFrom('$x', '$y', '$absent', '$states.input', '$states.result', '$states.context'),
      fc.array(fc.constantFrom('.a', '.b', '.c', '[0]', '[-1]', '[$i]', '[1.7]'), { maxLength: 4 }),
    )
    .map(([start, steps]) => start + steps.join(''));
  return {
    expression: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      path,
      fc.constantFrom('1', '0', '2.5', '"a"', '""', 'true', 'false', 'null'),
      fc
        .tuple(
          deeper,
          fc.constantFrom('=', '!=', '<', '<=', '>', '>=', '+', '-', '*', '/', '%', '&', 'and', 'or'),
          deeper,
        )
        .map(([a, operator, b]) => `(${a} ${operator} ${b})`),
      fc.tuple(deeper, deeper, deeper).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
      fc.tuple(deeper, deeper).map(([a, b]) => `(${a} ? ${b})`),
      fc.tuple(deeper, deeper).map(([a, b]) => `{"k": ${a}, "l": ${b}}`),
      fc.array(deeper, { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
      fc
        .tuple(fc.constantFrom('exists', 'count', 'not', 'boolean', 'string'), deeper)
        .map(([f, a]) => `$${f}(${a})`),
      fc.tuple(deeper, deeper).map(([a, b]) => `(${a}).a = ${b}`),
    ),
  };
});

describe('direct expressions', () => {
  it('answer what jsonata answers, or nothing at all', async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(expression, value, value, value, async (text, x, y, input) => {
        const frame = frameOf({ x, y, i: 1 }, input, Array.isArray(y) ? undefined : y);
        const direct = compileDirect(jsonata(text).ast());
        if (direct === null) return;
        const answer = direct(frame);
        if (answer === UNSURE) return;
        compared++;
        expect(answer).toEqual(await byJsonata(text, frame));
      }),
      { numRuns: 4000 },
    );
    expect(compared).toBeGreaterThan(500);
  });

  it.each([
    ['$states.input.a.b', 2],
    ['$states.result.Payload.verdict', 'pass'],
    ['$i < $count($steps)', true],
    ['$steps[$i].weight', 50],
    ['$steps[-1].weight', 100],
    ['{"weight": $steps[$i].weight, "left": $count($steps) - $i}', { weight: 50, left: 2 }],
    ['$exists($absent) ? $absent : "none"', 'none'],
    ['"verdict " & $states.result.Payload.verdict', 'verdict pass'],
    ['[$i, [2]]', [1, [2]]],
  ])('%s needs no jsonata', (text, answer) => {
    const frame = frameOf(
      { i: 1, steps: [{ weight: 10 }, { weight: 50 }, { weight: 100 }] },
      { a: { b: 2 } },
      { Payload: { verdict: 'pass' } },
    );
    expect(compileDirect(jsonata(text).ast())?.(frame)).toEqual(answer);
  });

  it.each([
    '$map($steps, function($s){ $s.weight })',
    '$steps[weight > 10]',
    '$sum($steps.weight)',
    '$a.*',
    '$steps^(weight)',
  ])('%s is left to jsonata', (text) => {
    expect(compileDirect(jsonata(text).ast())).toBeNull();
  });

  it('leaves a path over an array to jsonata', () => {
    const direct = compileDirect(jsonata('$steps.weight').ast());
    expect(direct?.(frameOf({ steps: [{ weight: 10 }] }, null, undefined))).toBe(UNSURE);
  });
});
