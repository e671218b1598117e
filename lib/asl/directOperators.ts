/**
 * JSONata's operators and most used functions on values that leave no doubt. Everything else (undefined
 * beside an operand of the wrong type, objects compared with objects, arrays asked for their truth) answers
 * `UNSURE`, and jsonata decides.
 */

/** "Ask jsonata": no value of a state machine, compared by identity. */
export const UNSURE = Symbol('unsure');

export type Operator = (left: unknown, right: unknown) => unknown;

/** Those that look at both sides whatever they are: all but `and` and `or`. */
export const operators: Readonly<Record<string, Operator>> = {
  '=': equality((equal) => equal),
  '!=': equality((equal) => !equal),
  '<': comparison((a, b) => a < b),
  '<=': comparison((a, b) => a <= b),
  '>': comparison((a, b) => a > b),
  '>=': comparison((a, b) => a >= b),
  '+': arithmetic((a, b) => a + b),
  '-': arithmetic((a, b) => a - b),
  '*': arithmetic((a, b) => a * b),
  '/': arithmetic((a, b) => a / b),
  '%': arithmetic((a, b) => a % b),
  '&': (left, right) => {
    const a = left === undefined ? '' : textOf(left);
    const b = right === undefined ? '' : textOf(right);
    return a === UNSURE || b === UNSURE ? UNSURE : `${a}${b}`;
  },
};

function equality(answer: (equal: boolean) => boolean): Operator {
  return (left, right) => {
    if (right === UNSURE) return UNSURE;
    if (left === undefined || right === undefined) return false;
    if (typeof left === 'object' && left !== null && typeof right === 'object' && right !== null)
      return UNSURE;
    return answer(left === right);
  };
}

function comparison(compare: (a: number | string, b: number | string) => boolean): Operator {
  return (left, right) => {
    if (typeof left === 'number' && typeof right === 'number') return compare(left, right);
    if (typeof left === 'string' && typeof right === 'string') return compare(left, right);
    return UNSURE;
  };
}

function arithmetic(calculate: (a: number, b: number) => number): Operator {
  return (left, right) => {
    if (typeof left !== 'number' || typeof right !== 'number') return UNSURE;
    const value = calculate(left, right);
    return Number.isFinite(value) ? value : UNSURE;
  };
}

/** JSONata's `$boolean`, for a value that is one way or the other beyond doubt. */
export function truthOf(value: unknown): boolean | typeof UNSURE {
  switch (typeof value) {
    case 'boolean':
      return value;
    case 'undefined':
      return false;
    case 'string':
      return value.length > 0;
    case 'number':
      return value !== 0;
    case 'object':
      return value === null ? false : Array.isArray(value) ? UNSURE : Object.keys(value).length > 0;
    default:
      return UNSURE;
  }
}

/** JSONata's `$string` of a scalar: numbers are cut to 15 significant digits. */
function textOf(value: unknown): string | typeof UNSURE {
  if (typeof value === 'string') return value;
  if (typeof value === 'number')
    return JSON.stringify(Number.isInteger(value) ? value : Number(value.toPrecision(15)));
  return typeof value === 'boolean' || value === null ? String(value) : UNSURE;
}

export const calls: Readonly<Record<string, (value: unknown) => unknown>> = {
  exists: (value) => value !== undefined,
  count: (value) => (value === undefined ? 0 : Array.isArray(value) ? value.length : 1),
  not: (value) => {
    const truth = value === undefined ? UNSURE : truthOf(value);
    return truth === UNSURE ? UNSURE : !truth;
  },
  boolean: (value) => (value === undefined ? UNSURE : truthOf(value)),
  string: (value) => (value === undefined ? UNSURE : textOf(value)),
};
