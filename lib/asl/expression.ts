/**
 * One JSONata expression, `{% … %}`: parsed and checked once, when the machine is loaded, and evaluated as
 * often as the machine runs through it.
 */
import jsonata from 'jsonata';
import { CHANCE, NOW, registerBuiltins } from './builtins.ts';
import { compileDirect } from './directExpression.ts';
import { UNSURE } from './directOperators.ts';
import type { EvaluationFrame } from './evaluationFrame.ts';
import { type ExpressionFacts, inspect, type StatesMember } from './expressionChecks.ts';
import { copyJson, type Json } from './json.ts';
import { queryFailure, type StateFailure } from './stateFailure.ts';

/** Known at once, or once jsonata has answered. */
export type Eventually<T> = T | Promise<T>;

// A function that calls itself for ever must not take the whole cloud with it: 5 s, or 1000 calls deep.
const GUARDS = { timeout: 5000, stack: 1000 };

/** Where an expression stands. */
export type Place = {
  /** As AWS names it in a cause, e.g. `Choices[1]/Condition`. */
  readonly location: string;
  /** What `$states` has there. */
  readonly members: ReadonlySet<StatesMember>;
  refuse(sentence: string): never;
};

export type Expression = {
  readonly source: string;
  readonly location: string;
  readonly facts: ExpressionFacts;
  /** Throws, or rejects with, a States.QueryEvaluationError; an expression that answers nothing is one. */
  evaluate(frame: EvaluationFrame): Eventually<Json>;
};

/** True for a string with a delimiter in it; `compileExpression` refuses it if there is more to it. */
export const isExpression = (text: string) => text.includes('{%') || text.includes('%}');

/** `text` with its `{% %}`; refuses what cannot be parsed, or can never have a value. */
export function compileExpression(text: string, place: Place): Expression {
  if (!text.startsWith('{%') || !text.endsWith('%}') || text.length < 4) {
    place.refuse(`"${text}" is not one whole expression; Step Functions would take it as plain text.`);
  }
  const source = text.slice(2, -2).trim();
  const parsed = parse(source, place);
  const ast = parsed.ast();
  const facts = inspect(ast, place.members, place.refuse);
  registerBuiltins(parsed, facts.functions);
  registerBuiltins(parsed, facts.variables); // `$map($x, $parse)` names a function without calling it
  const direct = compileDirect(ast);
  const { location } = place;

  const evaluate = (frame: EvaluationFrame): Eventually<Json> => {
    const value = direct === null ? UNSURE : direct(frame);
    if (value === UNSURE) return evaluateFully(parsed, facts, frame, source, location);
    if (value === undefined) throw nothing(source, location);
    return value as Json;
  };
  return { source, location, facts, evaluate };
}

function parse(source: string, place: Place): jsonata.Expression {
  try {
    return jsonata(source, GUARDS);
  } catch (error) {
    return place.refuse(`'${source}' is not JSONata: ${wording(error)}`);
  }
}

async function evaluateFully(
  parsed: jsonata.Expression,
  facts: ExpressionFacts,
  frame: EvaluationFrame,
  source: string,
  location: string,
): Promise<Json> {
  let value: unknown;
  try {
    value = await parsed.evaluate(undefined, bindings(facts, frame));
  } catch (error) {
    throw queryFailure(
      `${naming(source, location)} threw an error during evaluation. ${wording(error)}`,
      location,
      error,
    );
  }
  if (value === undefined) throw nothing(source, location);
  try {
    return copyJson(value);
  } catch (error) {
    throw queryFailure(`${naming(source, location)} returned an unsupported result type.`, location, error);
  }
}

function bindings(facts: ExpressionFacts, frame: EvaluationFrame): Record<string, unknown> {
  const bound: Record<string, unknown> = { [CHANCE]: frame.chance, [NOW]: frame.now() };
  for (const name of facts.variables) if (name in frame.variables) bound[name] = frame.variables[name];
  if (facts.reads.size > 0) {
    const states: Record<string, unknown> = {};
    for (const member of facts.reads) if (frame[member] !== undefined) states[member] = frame[member];
    bound.states = states;
  }
  return bound;
}

const naming = (source: string, location: string) =>
  `The JSONata expression '${source}' specified for the field '${location}'`;

const nothing = (source: string, location: string): StateFailure =>
  queryFailure(`${naming(source, location)} returned nothing (undefined).`, location);

/** The failure of an expression whose value has the wrong type; `expected` as AWS says it, e.g. `boolean`. */
export function wrongType(expression: Expression, expected: string, value: Json): StateFailure {
  const { source, location } = expression;
  const was = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  return queryFailure(
    `${naming(source, location)} returned an unexpected result type. ` +
      `Expected '${expected}', but was '${was}' for value: ${JSON.stringify(value)}`,
    location,
  );
}

/** jsonata throws plain objects with a code and a message. */
function wording(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return code === undefined ? String(message ?? error) : `${code}: ${message}`;
}
