/**
 * One alternative of a pattern's field: a plain value, or an object with one of EventBridge's comparisons.
 * A filter sees all values of the field; none of them when the field is absent.
 */
import { isIPv4 } from 'node:net';
import type { Json } from '../json.ts';

export type Filter = (values: readonly Json[]) => boolean;
type Test = (value: Json) => boolean;

/** The filter, or the reason why this is none. */
export function filterOf(alternative: Json): Filter | string {
  if (alternative === null || typeof alternative !== 'object') return some((value) => value === alternative);
  const [entry, second] = Object.entries(alternative as { readonly [key: string]: Json });
  if (Array.isArray(alternative) || entry === undefined)
    return 'a comparison must be an object with one name';
  if (second !== undefined) return `only one comparison in one object: ${entry[0]}, ${second[0]}`;
  const [name, operand] = entry;
  if (name === 'exists') return existsFilter(operand);
  if (name === 'anything-but') return anythingBut(operand);
  const test = testOf(name, operand);
  return typeof test === 'string' ? test : some(test);
}

const some =
  (test: Test): Filter =>
  (values) =>
    values.some(test);

function existsFilter(operand: Json): Filter | string {
  if (typeof operand !== 'boolean') return 'exists takes true or false';
  return (values) => values.length > 0 === operand;
}

/** The field must be there, and some value of it be none of these. */
function anythingBut(operand: Json): Filter | string {
  if (operand !== null && typeof operand === 'object' && !Array.isArray(operand)) {
    const [entry] = Object.entries(operand as { readonly [key: string]: Json });
    if (entry === undefined || !['prefix', 'suffix', 'equals-ignore-case', 'wildcard'].includes(entry[0])) {
      return 'anything-but takes values, prefix, suffix, equals-ignore-case or wildcard';
    }
    const tests = [entry[1]].flat().map((one) => testOf(entry[0], one as Json));
    const wrong = tests.find((test) => typeof test === 'string');
    if (typeof wrong === 'string') return wrong;
    return some((value) => !(tests as Test[]).some((test) => test(value)));
  }
  const refused = (Array.isArray(operand) ? operand : [operand]) as readonly Json[];
  if (!refused.every((value) => typeof value === 'string' || typeof value === 'number')) {
    return 'anything-but takes strings or numbers';
  }
  return some((value) => !refused.includes(value as string | number));
}

function testOf(name: string, operand: Json): Test | string {
  switch (name) {
    case 'prefix':
    case 'suffix':
      return affix(name, operand);
    case 'equals-ignore-case':
      if (typeof operand !== 'string') return 'equals-ignore-case takes a string';
      return (value) => typeof value === 'string' && value.toLowerCase() === operand.toLowerCase();
    case 'wildcard':
      return wildcard(operand);
    case 'numeric':
      return numeric(operand);
    case 'cidr':
      return cidr(operand);
    default:
      return `unrecognized match type ${name}`;
  }
}

function affix(name: 'prefix' | 'suffix', operand: Json): Test | string {
  const folded = operand !== null && typeof operand === 'object' && !Array.isArray(operand);
  const text = folded ? (operand as { readonly [key: string]: Json })['equals-ignore-case'] : operand;
  if (typeof text !== 'string') return `${name} takes a string`;
  const fold = (value: string) => (folded ? value.toLowerCase() : value);
  const wanted = fold(text);
  return (value) => {
    if (typeof value !== 'string') return false;
    return name === 'prefix' ? fold(value).startsWith(wanted) : fold(value).endsWith(wanted);
  };
}

/** `*` stands for any characters, `\*` and `\\` for themselves. */
function wildcard(operand: Json): Test | string {
  if (typeof operand !== 'string') return 'wildcard takes a string';
  if (operand.includes('**')) return 'wildcard: two stars in a row are not allowed';
  const source = operand.replace(/\\(\*|\\)|\*|[.+?^${}()|[\]\\/-]/g, (part, escaped) => {
    if (part === '*') return '[\\s\\S]*';
    return `\\${escaped ?? part}`;
  });
  const pattern = new RegExp(`^${source}$`);
  return (value) => typeof value === 'string' && pattern.test(value);
}

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '=': (a, b) => a === b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

/** `['>', 0, '<=', 5]`: one or two comparisons, all of which must hold. */
function numeric(operand: Json): Test | string {
  if (!Array.isArray(operand) || operand.length % 2 !== 0 || operand.length === 0 || operand.length > 4) {
    return 'numeric takes one or two pairs of operator and number';
  }
  const tests: ((value: number) => boolean)[] = [];
  for (let index = 0; index < operand.length; index += 2) {
    const compare = comparisons[String(operand[index])];
    const bound = operand[index + 1];
    if (compare === undefined || typeof bound !== 'number')
      return 'numeric takes =, <, <=, > or >= and a number';
    tests.push((value) => compare(value, bound));
  }
  return (value) => typeof value === 'number' && tests.every((test) => test(value));
}

function cidr(operand: Json): Test | string {
  const [address = '', bits] = String(operand).split('/');
  const length = Number(bits);
  if (!isIPv4(address) || !Number.isInteger(length) || length < 0 || length > 32)
    return 'cidr takes an IPv4 block';
  const mask = length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0;
  const network = (ipv4(address) & mask) >>> 0;
  return (value) => typeof value === 'string' && isIPv4(value) && (ipv4(value) & mask) >>> 0 === network;
}

const ipv4 = (address: string) => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
