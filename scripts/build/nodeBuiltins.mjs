/**
 * For esbuild: Node's own modules as `process.getBuiltinModule` gives them. An `import` of one makes Node
 * read every export it has, also those that are made when first read: `node:crypto` then loads the whole of
 * Web Crypto, which is a sixth of a function's load time and is used by none.
 */
import { builtinModules } from 'node:module';

const namespace = 'switchback-builtin';

/** Calls of `require` and `import()` stay as they are: they cost what they are used for. */
const isStatic = (kind) => kind === 'import-statement';

export const nodeBuiltinsPlugin = {
  name: 'switchback-node-builtins',
  setup(build) {
    build.onResolve({ filter: /^(?:node:)?[a-z_]+(?:\/[a-z_]+)*$/ }, ({ path, kind, namespace: from }) => {
      const name = path.replace(/^node:/, '');
      if (from === namespace || !isStatic(kind) || !builtinModules.includes(name)) return undefined;
      return { path: `node:${name}`, namespace, sideEffects: false };
    });
    build.onLoad({ filter: /.*/, namespace }, ({ path }) => ({ contents: moduleText(path), loader: 'js' }));
  },
};

/** Each export is read only where something imports it. */
function moduleText(name) {
  const names = Object.keys(process.getBuiltinModule(name)).filter((key) => /^[A-Za-z_$][\w$]*$/.test(key));
  return [
    `const builtin = process.getBuiltinModule(${JSON.stringify(name)});`,
    'export default builtin;',
    ...names.map(
      (key) =>
        `const own_${key} = /* @__PURE__ */ (() => builtin.${key})(); export { own_${key} as ${key} };`,
    ),
  ].join('\n');
}
