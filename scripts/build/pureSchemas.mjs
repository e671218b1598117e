/**
 * For esbuild: the schemas that a function does not read by stay out of its bundle. A schema is made
 * by calls, and a bundler must keep a call unless it is told that nothing comes of it but its value.
 */
import { readFileSync } from 'node:fs';

/** The words are made by the schema library alone: `z.object(…)`, and functions that call it. */
export const pureSchemas = (text) =>
  text
    .replace(/\bz\.\w+\(/g, '/* @__PURE__ */ $&')
    .replace(/^((?:export )?const \w+ = )(?=\w+\()/gm, '$1/* @__PURE__ */ ');

/** The words, and the configuration's shape. */
const schemaPath = /[\\/](?:events(?:[\\/]aws)?|lib[\\/]core[\\/]config)[\\/]\w+\.ts$/;

export const pureSchemasPlugin = {
  name: 'switchback-pure-schemas',
  setup(build) {
    build.onLoad({ filter: schemaPath }, ({ path }) => ({
      contents: pureSchemas(readFileSync(path, 'utf8')),
      loader: 'ts',
    }));
  },
};
