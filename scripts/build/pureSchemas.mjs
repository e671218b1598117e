/**
 * For esbuild: the schemas of events/ that a function does not read stay out of its bundle. A schema is made
 * by calls, and a bundler must keep a call unless it is told that nothing comes of it but its value.
 */
import { readFileSync } from 'node:fs';

/** The words are made by the schema library alone: `z.object(…)`, and functions that call it. */
export const pureSchemas = (text) =>
  text
    .replace(/\bz\.\w+\(/g, '/* @__PURE__ */ $&')
    .replace(/^((?:export )?const \w+ = )(?=\w+\()/gm, '$1/* @__PURE__ */ ');

export const pureSchemasPlugin = {
  name: 'switchback-pure-schemas',
  setup(build) {
    build.onLoad({ filter: /[\\/]events[\\/](?:aws[\\/])?\w+\.ts$/ }, ({ path }) => ({
      contents: pureSchemas(readFileSync(path, 'utf8')),
      loader: 'ts',
    }));
  },
};
