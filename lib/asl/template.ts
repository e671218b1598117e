/**
 * A JSON value whose strings may be expressions (`Arguments`, `Output`, `Assign`, …). Parts without an
 * expression are built once and shared.
 */
import type { EvaluationFrame } from './evaluationFrame.ts';
import {
  compileExpression,
  type Eventually,
  type Expression,
  isExpression,
  type Place,
} from './expression.ts';
import { copyJson, isObject, type Json } from './json.ts';

export type Template = {
  /** Every expression in it. */
  readonly expressions: readonly Expression[];
  evaluate(frame: EvaluationFrame): Eventually<Json>;
};

/** Compiles `value`; `place.location` names the field and grows as in AWS: `Output/v`, `Output/list[0]`. */
export function compileTemplate(value: unknown, place: Place): Template {
  if (typeof value === 'string' && isExpression(value)) {
    const expression = compileExpression(value, place);
    return { expressions: [expression], evaluate: expression.evaluate };
  }
  if (Array.isArray(value)) {
    const items = value.map((item, index) =>
      compileTemplate(item, { ...place, location: `${place.location}[${index}]` }),
    );
    if (items.some(varies)) return composed(items, (values) => values);
  } else if (isObject(value)) {
    const keys = Object.keys(value);
    if (keys.includes('__proto__')) place.refuse('a member called __proto__ is refused.');
    const members = keys.map((key) =>
      compileTemplate(value[key], { ...place, location: `${place.location}/${key}` }),
    );
    if (members.some(varies)) {
      return composed(members, (values) => {
        const object: Record<string, Json> = {};
        for (let index = 0; index < keys.length; index++)
          object[keys[index] as string] = values[index] as Json;
        return object;
      });
    }
  }
  const constant = copyJson(value);
  return { expressions: [], evaluate: () => constant };
}

const varies = (template: Template) => template.expressions.length > 0;

/** Evaluates the parts in their order; waits only for those that jsonata has to answer. */
function composed(parts: readonly Template[], build: (values: Json[]) => Json): Template {
  return {
    expressions: parts.flatMap((part) => part.expressions),
    evaluate(frame) {
      const values: Json[] = [];
      for (const part of parts) {
        const value = part.evaluate(frame);
        if (value instanceof Promise) return rest(parts, frame, values, value).then(build);
        values.push(value);
      }
      return build(values);
    },
  };
}

async function rest(
  parts: readonly Template[],
  frame: EvaluationFrame,
  values: Json[],
  pending: Promise<Json>,
): Promise<Json[]> {
  values.push(await pending);
  for (const part of parts.slice(values.length)) values.push(await part.evaluate(frame));
  return values;
}
