/**
 * Most expressions of a state machine are paths, comparisons and small objects. jsonata answers them in 2 to
 * 12 µs, through a dozen promises; as closures they take 0.01 to 0.2 µs (`npm run bench -- interpreter`).
 * Only what can be told apart for certain is compiled: a node of another kind makes `compileDirect` answer
 * null, and a value that JSONata treats specially (an array inside a path, an operand of the wrong type)
 * makes the closure answer `UNSURE`. Either way jsonata itself decides, and also words the error.
 */
import { calls, operators, truthOf, UNSURE } from './directOperators.ts';
import type { EvaluationFrame } from './evaluationFrame.ts';
import { type Ast, isFunctionName } from './expressionChecks.ts';

/** Answers a value, undefined for nothing, or `UNSURE`. */
export type Direct = (frame: EvaluationFrame) => unknown;

/** The expression as a closure, or null when a part of it is not of the kinds below. */
export function compileDirect(node: Ast): Direct | null {
  if (node.group !== undefined || node.keepArray || node.keepSingletonArray || node.tuple) return null;
  if (isLiteral(node)) {
    const { value } = node;
    return node.predicate === undefined ? () => value : null;
  }
  switch (node.type) {
    case 'variable':
      return compileFilters(compileVariable(node.value), node.predicate);
    case 'path':
      return compilePath(node);
    case 'binary':
      return compileBinary(node);
    case 'condition':
      return compileCondition(node);
    case 'unary':
      return node.value === '{' ? compileObject(node) : node.value === '[' ? compileArray(node) : null;
    case 'block':
      return node.predicate === undefined && node.expressions.length === 1
        ? compileDirect(node.expressions[0])
        : null;
    case 'function':
      return compileCall(node);
    default:
      return null;
  }
}

const isLiteral = ({ type }: Ast) => type === 'string' || type === 'number' || type === 'value';

function compileVariable(name: string): Direct | null {
  if (name === '' || name === '$' || name === 'states' || isFunctionName(name)) return null;
  return (frame) => frame.variables[name];
}

/** `$states.input.a.b`, `$steps[$i].weight`: a variable, then names. */
function compilePath(node: Ast): Direct | null {
  const [first, second, ...others] = node.steps as Ast[];
  if (first.keepArray || first.group || first.tuple) return null;
  let start: Direct | null;
  let steps: Ast[];
  if (first.type === 'variable' && first.value === 'states') {
    if (second?.type !== 'name' || first.predicate !== undefined) return null;
    start = compileFilters(statesMember(second.value), second.stages);
    steps = others;
  } else {
    start = first.stages === undefined ? compileDirect(first) : null;
    steps = second === undefined ? others : [second, ...others];
  }
  let names: string[] = [];
  for (const step of steps) {
    if (step.type !== 'name' || step.keepArray || step.tuple || step.group) return null;
    names.push(step.value);
    if (step.stages === undefined) continue;
    start = compileFilters(compileNames(start, names), step.stages);
    names = [];
  }
  return compileNames(start, names);
}

function statesMember(name: string): Direct | null {
  switch (name) {
    case 'input':
      return (frame) => frame.input;
    case 'result':
      return (frame) => frame.result;
    case 'errorOutput':
      return (frame) => frame.errorOutput;
    case 'context':
      return (frame) => frame.context;
    default:
      return null;
  }
}

function compileNames(of: Direct | null, names: readonly string[]): Direct | null {
  if (of === null || names.length === 0) return of;
  const mayInherit = names.some((name) => name in Object.prototype); // others are there only as an own member
  return (frame) => {
    let value = of(frame);
    for (const name of names) {
      if (typeof value !== 'object' || value === null) return value === UNSURE ? UNSURE : undefined;
      if (Array.isArray(value)) return UNSURE; // a path maps over arrays, and flattens
      if (mayInherit && !Object.hasOwn(value, name)) return undefined;
      value = (value as Record<string, unknown>)[name];
    }
    return value;
  };
}

/** `[0]` and `[$i]`: an index. Any other predicate is jsonata's. */
function compileFilters(of: Direct | null, filters: readonly Ast[] | undefined): Direct | null {
  if (of === null || filters === undefined) return of;
  const [filter, ...others] = filters;
  if (others.length > 0 || filter.type !== 'filter') return null;
  const { type } = filter.expr;
  // A binary expression may read the item it is asked about; a number or a variable cannot.
  const at = type === 'number' || type === 'variable' ? compileDirect(filter.expr) : null;
  if (at === null) return null;
  return (frame) => {
    const items = of(frame);
    if (!Array.isArray(items)) return UNSURE;
    const index = at(frame);
    if (typeof index !== 'number' || !Number.isFinite(index)) return UNSURE;
    const whole = Math.floor(index);
    const item = items[whole < 0 ? items.length + whole : whole];
    return Array.isArray(item) ? UNSURE : item;
  };
}

function compileCondition(node: Ast): Direct | null {
  const condition = compileDirect(node.condition);
  const yes = compileDirect(node.then);
  const no = node.else === undefined ? () => undefined : compileDirect(node.else);
  if (condition === null || yes === null || no === null || node.predicate !== undefined) return null;
  return (frame) => {
    const truth = truthOf(condition(frame));
    return truth === UNSURE ? UNSURE : truth ? yes(frame) : no(frame);
  };
}

/** `{"a": $x}` with fixed, different keys; a value that is nothing leaves its key out. */
function compileObject(node: Ast): Direct | null {
  if (node.predicate !== undefined) return null;
  const members: { readonly name: string; readonly direct: Direct }[] = [];
  for (const [key, value] of node.lhs as [Ast, Ast][]) {
    const compiled = compileDirect(value);
    if (key.type !== 'string' || key.predicate || compiled === null) return null;
    if (key.value.startsWith('_') || members.some(({ name }) => name === key.value)) return null;
    members.push({ name: key.value, direct: compiled });
  }
  return (frame) => {
    const object: Record<string, unknown> = {};
    for (const { name, direct } of members) {
      const value = direct(frame);
      if (value === UNSURE) return UNSURE;
      if (value !== undefined) object[name] = value;
    }
    return object;
  };
}

/** `[$a, 1]`: an array among the items is spliced in, unless it is itself written as `[…]`. */
function compileArray(node: Ast): Direct | null {
  if (node.predicate !== undefined || node.consarray) return null;
  const items: { readonly direct: Direct; readonly nested: boolean }[] = [];
  for (const item of node.expressions as Ast[]) {
    const direct = compileDirect(item);
    if (direct === null) return null;
    items.push({ direct, nested: item.value === '[' });
  }
  return (frame) => {
    const array: unknown[] = [];
    for (const { direct, nested } of items) {
      const value = direct(frame);
      if (value === UNSURE) return UNSURE;
      if (Array.isArray(value) && !nested) array.push(...value);
      else if (value !== undefined) array.push(value);
    }
    return array;
  };
}

function compileBinary(node: Ast): Direct | null {
  const lhs = compileDirect(node.lhs);
  const rhs = compileDirect(node.rhs);
  if (lhs === null || rhs === null || node.predicate !== undefined) return null;
  if (node.value === 'and' || node.value === 'or') {
    const decides = node.value === 'or'; // the truth that the right side cannot change
    return (frame) => {
      const truth = truthOf(lhs(frame));
      return truth === UNSURE || truth === decides ? truth : truthOf(rhs(frame));
    };
  }
  const operator = operators[node.value as string];
  if (operator === undefined) return null;
  if (isLiteral(node.rhs)) {
    const right: unknown = node.rhs.value;
    return (frame) => {
      const left = lhs(frame);
      return left === UNSURE ? UNSURE : operator(left, right);
    };
  }
  return (frame) => {
    const left = lhs(frame);
    return left === UNSURE ? UNSURE : operator(left, rhs(frame));
  };
}

function compileCall(node: Ast): Direct | null {
  const { procedure } = node;
  if (procedure.type !== 'variable' || node.predicate !== undefined || node.arguments.length !== 1)
    return null;
  const call = Object.hasOwn(calls, procedure.value) ? calls[procedure.value] : undefined;
  const argument = compileDirect(node.arguments[0]);
  if (call === undefined || argument === null) return null;
  return (frame) => {
    const value = argument(frame);
    return value === UNSURE ? UNSURE : call(value);
  };
}
