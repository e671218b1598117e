/**
 * What came in from outside: a value, or one sentence that says what is wrong, where, and what would be
 * right.
 */
import * as z from 'zod/mini';

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly sentence: string };

export const parsed = <T>(value: T): Parsed<T> => ({ ok: true, value });
export const malformed = (sentence: string): Parsed<never> => ({ ok: false, sentence });

/**
 * The first thing that is wrong, in one sentence; a schema's own messages are read as what would be right.
 * @param what the payload in words: `rollout request`
 */
export function parse<T>(schema: z.ZodMiniType<T>, input: unknown, what: string): Parsed<T> {
  const result = z.safeParse(schema, input);
  if (result.success) return parsed(result.data);
  const issue = result.error.issues[0];
  return malformed(issue === undefined ? `${what}: not as agreed.` : sentenceOf(issue, input, what));
}

/** The value of a JSON text, or a sentence. */
export function parseJson(text: string, what: string): Parsed<unknown> {
  try {
    return parsed(JSON.parse(text) as unknown);
  } catch {
    return malformed(`${what}: not JSON; it begins with ${shown(text)}.`);
  }
}

function sentenceOf(issue: z.core.$ZodIssue, input: unknown, what: string): string {
  const place = issue.path.map(String).join('.');
  const where = place === '' ? what : `${what}: ${place}`;
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.map((key) => `"${key}"`).join(', ');
    return `${where} has the unknown key ${keys}: remove it or correct its spelling.`;
  }
  const value = issue.path.reduce<unknown>(
    (inner, key) => (inner as Readonly<Record<PropertyKey, unknown>> | undefined)?.[key],
    input,
  );
  const found = value === undefined ? 'is missing' : `is ${shown(value)}`;
  return `${where} ${found}: ${wanted(issue)}.`;
}

function wanted(issue: z.core.$ZodIssue): string {
  if (issue.message !== 'Invalid input') return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return `it must be ${nouns[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return issue.values.length === 1
        ? `it must be ${shown(issue.values[0])}`
        : `it must be one of ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      if (issue.origin === 'string' && issue.minimum === 1) return 'it must not be empty';
      return `it must be ${bound(issue.inclusive, 'least', 'more')} ${measured(issue.origin, issue.minimum)}`;
    case 'too_big':
      return `it must be ${bound(issue.inclusive, 'most', 'less')} ${measured(issue.origin, issue.maximum)}`;
    default:
      return 'it is not as agreed';
  }
}

const nouns: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  array: 'a list',
};

const bound = (inclusive: boolean | undefined, at: string, than: string): string =>
  inclusive ? `at ${at}` : `${than} than`;

const measured = (origin: string, limit: number | bigint): string =>
  origin === 'string' ? `${limit} characters long` : origin === 'array' ? `${limit} long` : `${limit}`;

/** A value in a sentence: forty characters of its JSON. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 40 ? text : `${text.slice(0, 39).toWellFormed()}…`;
}
