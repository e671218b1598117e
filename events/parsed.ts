/** What came in from outside: a value, or one sentence that says what is wrong, where, and what would be right. */
import * as z from 'zod/mini';

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly sentence: string };

export const parsed = <T>(value: T): Parsed<T> => ({ ok: true, value });
export const malformed = (sentence: string): Parsed<never> => ({ ok: false, sentence });

/** @param what the payload in words: `rollout request` */
export function parse<T>(schema: z.ZodMiniType<T>, input: unknown, what: string): Parsed<T> {
  const result = z.safeParse(schema, input);
  if (result.success) return parsed(result.data);
  const issue = result.error.issues[0];
  const place = issue?.path.join('.');
  return malformed(`${what}${place ? `: ${place}` : ''}: ${issue?.message ?? 'not as agreed'}`);
}

/** The value of a JSON text, or a sentence. */
export function parseJson(text: string, what: string): Parsed<unknown> {
  try {
    return parsed(JSON.parse(text) as unknown);
  } catch {
    return malformed(`${what}: not JSON; it begins with ${JSON.stringify(text.slice(0, 40))}`);
  }
}
