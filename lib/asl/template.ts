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
    if (items.some(varies)) return composed([...items.keys()], items, () => []);
  } else if (isObject(value)) {
    const keys = Object.keys(value);
    if (keys.includes('__proto__')) place.refuse('a member called __proto__ is refused.');
    const members = keys.map((key) =>
      compileTemplate(value[key], { ...place, location: `${place.location}/${key}` }),
    );
    if (members.some(varies)) return composed(keys, members, () => ({}));
  }
  const constant = copyJson(value);
  return { expressions: [], evaluate: () => constant };
}

const varies = (template: Template) => template.expressions.length > 0;

/** An array or an object, by its indexes or names. */
type Whole = Record<string | number, Json>;

/** Evaluates the parts in their order; waits only for those that jsonata has to answer. */
function composed(
  keys: readonly (string | number)[],
  parts: readonly Template[],
  begin: () => object,
): Template {
  return {
    expressions: parts.flatMap((part) => part.expressions),
    evaluate(frame) {
      const whole = begin() as Whole;
      for (let at = 0; at < keys.length; at++) {
        const value = (parts[at] as Template).evaluate(frame);
        if (value instanceof Promise) return rest(keys, parts, frame, whole, at, value);
        whole[keys[at] as string] = value;
      }
      return whole;
    },
  };
}

/** @param from the part that is pending */
async function rest(
  keys: readonly (string | number)[],
  parts: readonly Template[],
  frame: EvaluationFrame,
  whole: Whole,
  from: number,
  pending: Promise<Json>,
): Promise<Json> {
  whole[keys[from] as string] = await pending;
  for (let at = from + 1; at < keys.length; at++)
    whole[keys[at] as string] = await (parts[at] as Template).evaluate(frame);
  return whole;
}
