/** What is wrong with a file that a person wrote. */
import type * as z from 'zod';

/** One thing that is wrong: where it stands, what it is, what would be right. */
export type Problem = { readonly path: readonly (string | number)[]; readonly sentence: string };

/** What the schema library found, in our form. */
export function problemOf(issue: z.core.$ZodIssue): Problem {
  const path = issue.path.filter((part) => typeof part !== 'symbol');
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.map((key) => `"${key}"`).join(', ');
    return {
      path: [...path, ...issue.keys.slice(0, 1)],
      sentence: `unknown key ${keys}: remove it or correct its spelling.`,
    };
  }
  return { path, sentence: `${issue.message}.` };
}
