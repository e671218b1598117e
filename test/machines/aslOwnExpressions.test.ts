/** Every expression of our own machines answers as a closure what jsonata answers, whatever it is given. */
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import jsonata from 'jsonata';
import { describe, expect, it } from 'vitest';
import { compileDirect } from '../../lib/asl/directExpression.ts';
import { UNSURE } from '../../lib/asl/directOperators.ts';
import type { Variables } from '../../lib/asl/evaluationFrame.ts';
import type { Json, JsonObject } from '../../lib/asl/json.ts';
import { byJsonata, frameOf } from './expressionFrames.ts';

const folder = new URL('../../statemachines/', import.meta.url);
const files = readdirSync(folder).filter((file) => file.endsWith('.asl.json'));

function expressionsOf(file: string): readonly string[] {
  const found = new Set<string>();
  JSON.parse(readFileSync(new URL(file, folder), 'utf8'), (_, value: unknown) => {
    if (typeof value === 'string' && value.startsWith('{%')) found.add(value.slice(2, -2).trim());
    return value;
  });
  return [...found];
}

const matches = (texts: readonly string[], pattern: RegExp): readonly string[] => [
  ...new Set(texts.flatMap((text) => [...text.matchAll(pattern)].map((match) => match[1] ?? ''))),
];

/** An expression with what it may meet: its machine's own words, and what JSONata treats specially. */
function givenTo(text: string, words: readonly string[]) {
  const fields = ['Payload', ...matches([text], /\.(\w+)/g)];
  const names = ['absent', ...matches([text], /\$(\w+)\b(?!\()/g)].filter((name) => name !== 'states');
  const objectOf = (keys: readonly string[], member: fc.Arbitrary<Json>): fc.Arbitrary<JsonObject> =>
    fc.dictionary(fc.constantFrom(...keys), member, { noNullPrototype: true });
  const { value } = fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom<Json>(null, true, false, 0, 1, 60, 1000, 0.1, '', '0', ...words),
      fc.array(tie('value'), { maxLength: 2 }),
      objectOf(fields, tie('value')),
    ),
  }));
  const object = objectOf(fields, value);
  return fc.record({
    text: fc.constant(text),
    direct: fc.constant(compileDirect(jsonata(text).ast())),
    variables: objectOf(names, value),
    input: object,
    result: fc.option(object, { nil: undefined }),
    errorOutput: fc.option(objectOf(['Error', 'Cause'], value), { nil: undefined }),
  });
}

describe.each(files)('%s', (file) => {
  const texts = expressionsOf(file);
  const words = matches(texts, /'([^']*)'/g);
  const given = fc.oneof(...texts.map((text) => givenTo(text, words)));

  it('is answered by closures as jsonata answers it', async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(given, async ({ text, direct, variables, input, result, errorOutput }) => {
        const frame = { ...frameOf(variables as Variables, input, result), errorOutput };
        const answer = direct === null ? UNSURE : direct(frame);
        if (answer === UNSURE) return;
        compared++;
        expect(answer).toStrictEqual(await byJsonata(text, frame));
      }),
      { numRuns: 500 },
    );
    expect(compared).toBeGreaterThan(150);
  });

  it('leaves at most three of its expressions to jsonata', () => {
    const left = texts.filter((text) => compileDirect(jsonata(text).ast()) === null);
    expect(left.length).toBeLessThanOrEqual(3);
  });
});
