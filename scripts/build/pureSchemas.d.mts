/** For the type checker: see pureSchemas.mjs. */
import type { Plugin } from 'esbuild';

export const pureSchemasPlugin: Plugin;
export const pureSchemas: (text: string) => string;
