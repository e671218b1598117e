/**
 * Filter patterns of CloudWatch Logs: terms (`ERROR "two words" -not ?one ?other`), and conditions on JSON
 * lines (`{ $.level = "ERROR" && $.count > 3 }`). Patterns over columns (`[ip, user, …]`) are refused.
 * Source: CloudWatch Logs user guide, "Filter pattern syntax".
 */
import { type Json, valueAt } from '../json.ts';
import { ServiceError } from '../service.ts';

export type LineFilter = (line: string) => boolean;

/** @throws ServiceError InvalidParameterException */
export function compileFilterPattern(source: string): LineFilter {
  const pattern = source.trim();
  if (pattern === '' || pattern === '""' || pattern === '" "') return () => true;
  if (pattern.startsWith('{')) return jsonFilter(pattern);
  if (pattern.startsWith('[')) throw invalid(`patterns over columns are not evaluated here: ${source}`);
  return termFilter(pattern);
}

/** All plain terms, none of the excluded ones, and one of the optional ones when there are any. */
function termFilter(pattern: string): LineFilter {
  const terms = [...pattern.matchAll(/([-?]?)(?:"((?:[^"\\]|\\.)*)"|(\S+))/g)].map(
    ([, sign, quoted, bare]) => ({
      sign,
      text: quoted === undefined ? (bare as string) : quoted.replace(/\\(.)/g, '$1'),
    }),
  );
  const texts = (wanted: string) => terms.filter(({ sign }) => sign === wanted).map(({ text }) => text);
  const [needed, excluded, optional] = [texts(''), texts('-'), texts('?')];
  return (line) =>
    needed.every((text) => line.includes(text)) &&
    !excluded.some((text) => line.includes(text)) &&
    (optional.length === 0 || optional.some((text) => line.includes(text)));
}

type Condition = (value: Json) => boolean;

function jsonFilter(pattern: string): LineFilter {
  const body = /^\{([\s\S]*)\}$/.exec(pattern)?.[1];
  if (body === undefined) throw invalid(`${pattern} is not closed`);
  // Conditions bind tighter with && than with ||; parentheses are not evaluated here.
  const alternatives = body.split('||').map((part) => part.split('&&').map(condition));
  return (line) => {
    const value = jsonOf(line);
    return value !== undefined && alternatives.some((all) => all.every((holds) => holds(value)));
  };
}

function condition(source: string): Condition {
  const text = source.trim();
  const state = /^(\$[\w.[\]'-]*)\s+(IS\s+NULL|NOT\s+EXISTS|IS\s+TRUE|IS\s+FALSE)$/i.exec(text);
  if (state !== null) return stateCondition(state[1] as string, (state[2] as string).toUpperCase());
  const found = /^(\$[\w.[\]'-]*)\s*(=|!=|>=|<=|>|<)\s*("(?:[^"\\]|\\.)*"|%[^%]*%|\S+)$/.exec(text);
  if (found === null) throw invalid(`${text} is not a condition`);
  const [, path = '', operator = '', operand = ''] = found;
  const test = operandTest(operator, operand);
  return (value) => {
    const at = valueAt(value, path);
    return at !== undefined && test(at);
  };
}

function stateCondition(path: string, state: string): Condition {
  const wanted = state.replace(/\s+/g, ' ');
  return (value) => {
    const at = valueAt(value, path);
    if (wanted === 'NOT EXISTS') return at === undefined;
    return at === (wanted === 'IS NULL' ? null : wanted === 'IS TRUE');
  };
}

function operandTest(operator: string, operand: string): Condition {
  const number = Number(operand);
  if (operator !== '=' && operator !== '!=') return (value) => compare(operator, Number(value), number);
  const equals =
    operand.startsWith('"') || Number.isNaN(number) ? textTest(operand) : (value: Json) => value === number;
  return operator === '=' ? equals : (value) => !equals(value);
}

/** `*` stands for any characters. */
function textTest(operand: string): Condition {
  const text = operand.replace(/^"|"$/g, '');
  const source = text
    .split('*')
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('[\\s\\S]*');
  const pattern = new RegExp(`^${source}$`);
  return (value) => pattern.test(String(value));
}

function compare(operator: string, a: number, b: number): boolean {
  if (operator === '>') return a > b;
  if (operator === '>=') return a >= b;
  return operator === '<' ? a < b : a <= b;
}

/** A line's JSON; functions in text format write time, request and level before it. */
function jsonOf(line: string): Json | undefined {
  const start = line.indexOf('{');
  if (start < 0) return undefined;
  try {
    return JSON.parse(line.slice(start)) as Json;
  } catch {
    return undefined;
  }
}

const invalid = (reason: string) =>
  new ServiceError('InvalidParameterException', `Invalid filter pattern: ${reason}`);
