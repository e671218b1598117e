/**
 * The configuration inside a bundle. A function writes
 *
 *     import { configuration } from 'virtual:switchback-config';
 *
 * and carries the validated configuration as a literal: nothing on the alarm's way reads a file or waits for
 * Parameter Store. The file is the one SWITCHBACK_CONFIG names, else switchback.yml, else the first example;
 * `compileConfiguration(path)` of lib/apps/configure/compile.ts answers its JSON, or throws with the place
 * and the remedy in the message. It is called at most once a build.
 */
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { configurationPath } from './sources.mjs';

const moduleName = 'virtual:switchback-config';

/** A compilation that is done when first asked for, and then kept. */
export function lazyConfiguration(root, named = process.env.SWITCHBACK_CONFIG, stage = 'dev') {
  let compiled;
  return {
    path: configurationPath(root, named),
    json() {
      compiled ??= compile(root, this.path, stage);
      return compiled;
    },
  };
}

async function compile(root, path, stage) {
  const compiler = join(root, 'lib/apps/configure/compile.ts');
  if (path === null) {
    throw new Error('there is no configuration: write switchback.yml, or name a file with SWITCHBACK_CONFIG');
  }
  if (!existsSync(path)) throw new Error(`${path} does not exist: SWITCHBACK_CONFIG must name a file`);
  if (!existsSync(compiler)) throw new Error(`${relative(root, compiler)} is missing: it compiles ${path}`);
  const { compileConfiguration } = await import(pathToFileURL(compiler).href);
  return await compileConfiguration(path, stage);
}

/** What only the deployment needs stays outside. */
const moduleText = ({ deployment: _, ...carried }) =>
  `export const configuration = ${JSON.stringify(carried)};\n`;

/** For esbuild: answers `virtual:switchback-config`. */
export function configurationPlugin(configuration) {
  return {
    name: 'switchback-config',
    setup(build) {
      build.onResolve({ filter: new RegExp(`^${moduleName}$`) }, ({ path }) => ({
        path,
        namespace: 'switchback',
      }));
      build.onLoad({ filter: /.*/, namespace: 'switchback' }, async () => {
        try {
          return { contents: moduleText(await configuration.json()), loader: 'js' };
        } catch (error) {
          return { errors: [{ text: error.message }] };
        }
      });
    },
  };
}

/** For Vitest: the same module, so that a function is tested as it is written. */
export function vitestConfigurationPlugin(root, named) {
  const configuration = lazyConfiguration(root, named);
  const resolved = `\0${moduleName}`; // Rollup's mark for a module that is no file
  return {
    name: 'switchback-config',
    resolveId: (id) => (id === moduleName ? resolved : undefined),
    load: async (id) => (id === resolved ? moduleText(await configuration.json()) : undefined),
  };
}
