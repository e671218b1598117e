/** For the type checker: see lambdaSdk.mjs. */
import type { Plugin } from 'esbuild';

export const lambdaSdkPlugin: Plugin;
export const replacements: readonly {
  readonly file: RegExp;
  readonly with: (text: string, path: string) => string | null;
}[];
export const regionalServices: Readonly<Record<string, string>>;
