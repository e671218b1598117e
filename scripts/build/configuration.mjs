/**
 * The configuration inside a bundle. A function writes
 *
 *     import { configuration } from 'virtual:switchback-config';
 *
 * and carries the validated configuration as a literal: nothing on the alarm's way reads a file or waits for
 * Parameter Store. The file is the one SWITCHBACK_CONFIG names, else switchback.yml, else the first example;
 * `compileConfiguration(path)` of lib/apps/configure/compile.ts answers its JSON, or throws with the place
 * and the remedy in the message. It is called at most once a build.
 *
 * The same compilation says which target kinds are used. An adapter file of another kind is left out: its
 * exports stay, so that code and types need not know, but calling one throws a `TargetMissing` that says why.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
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

/** For esbuild: leaves out the adapters of target kinds that the configuration does not use. */
export function unusedTargetsPlugin(root, configuration) {
  const kinds = targetKinds(root);
  return {
    name: 'switchback-unused-targets',
    setup(build) {
      build.onLoad({ filter: /[\\/]lib[\\/]aws[\\/][^\\/]+[\\/][^\\/]+\.ts$/ }, async ({ path }) => {
        const kind = kindOf(path);
        if (!kinds.includes(kind)) return undefined;
        if (configuration.path === null) return undefined; // nothing says which kinds are used: all stay
        try {
          if (kindsUsed(await configuration.json(), kinds).has(kind)) return undefined;
        } catch (error) {
          return { errors: [{ text: error.message }] };
        }
        return {
          contents: absentAdapter(kind, readFileSync(path, 'utf8'), relative(root, configuration.path)),
          loader: 'js',
        };
      });
    },
  };
}

/** The kinds there are: one file each in lib/aws/traffic (`ecsAlb.ts` serves `ecs-alb`). */
function targetKinds(root) {
  const folder = join(root, 'lib/aws/traffic');
  return existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith('.ts'))
        .map(kindOf)
    : [];
}

const kindOf = (path) => basename(path, '.ts').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Every known kind that stands somewhere in the configuration as a `kind`. */
function kindsUsed(json, kinds, used = new Set()) {
  if (json === null || typeof json !== 'object') return used;
  for (const [key, value] of Object.entries(json)) {
    if (key === 'kind' && kinds.includes(value)) used.add(value);
    else kindsUsed(value, kinds, used);
  }
  return used;
}

function absentAdapter(kind, source, configuration) {
  const names = [...source.matchAll(/^export (?:async )?(?:function|const|class) (\w+)/gm)].map(
    ([, name]) => name,
  );
  const sentence =
    `this bundle holds no adapter for ${kind}, because no target in ${configuration} is of that kind: ` +
    'build again with the configuration that has one';
  return [
    `const refusal = { name: 'TargetMissing', message: ${JSON.stringify(sentence)} };`,
    'const absent = () => { throw Object.assign(new Error(), refusal); };',
    ...names.map((name) => `export const ${name} = absent;`),
  ].join('\n');
}
