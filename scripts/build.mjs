/**
 * Bundles every functions/<verb>/handler.ts to dist/<verb>/index.mjs: one file per function, minified, SDK
 * inside (measured: externalising it is the slowest start). dist/meta.json is esbuild's account of what went
 * into which bundle. Runs on Node 24, by `npm run build`; setup runs it when a source changed.
 *
 * Files are replaced one by one and whole, so a function that runs from dist/ never reads half a bundle.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { configurationPlugin, lazyConfiguration } from './build/configuration.mjs';
import { lambdaSdkPlugin } from './build/lambdaSdk.mjs';
import { nodeBuiltinsPlugin } from './build/nodeBuiltins.mjs';
import { pureSchemasPlugin } from './build/pureSchemas.mjs';
import { stampOf } from './build/sources.mjs';
import { unusedTargetsPlugin } from './build/unusedTargets.mjs';

/** Some packages are CommonJS and ask for a Node built-in; an ES module has no `require` of its own. */
const requireBanner =
  "import{createRequire as requireHere}from'node:module';const require=requireHere(import.meta.url);\n";

/**
 * @param {{ root: string, outDir?: string, configuration?: string, stage?: string }} options `configuration`:
 * a
 *   file other than the default one; `stage`: where the bundles will run
 * @returns the bundles: function and size in bytes
 */
export async function buildBundles({
  root,
  outDir = 'dist',
  configuration = process.env.SWITCHBACK_CONFIG,
  stage = 'dev',
}) {
  // Taken first: what changes while esbuild reads is built again next time.
  const stamp = stampOf(root, configuration, stage);
  const verbs = functionFolders(root);
  const compiled = lazyConfiguration(root, configuration, stage);
  const plugins = [
    configurationPlugin(compiled),
    unusedTargetsPlugin(root, compiled),
    lambdaSdkPlugin,
    nodeBuiltinsPlugin,
    pureSchemasPlugin,
  ];
  const result = await bundled(root, outDir, verbs, plugins);
  const out = resolve(root, outDir);
  for (const file of result.outputFiles) replace(file.path, withRequire(file, result.metafile, root));
  replace(join(out, 'meta.json'), JSON.stringify(result.metafile));
  for (const name of readdirSync(out, { withFileTypes: true })) {
    if (name.isDirectory() && !verbs.includes(name.name)) rmSync(join(out, name.name), { recursive: true });
  }
  replace(join(out, '.stamp'), stamp);
  return Object.entries(result.metafile.outputs)
    .filter(([path]) => path.endsWith('.mjs'))
    .map(([path, { bytes }]) => ({ verb: dirname(path).split('/').at(-1), bytes }));
}

/** One bundle per verb. Schemas of the two readers do not mix: who carries the schema library carries one. */
async function bundled(root, outDir, verbs, plugins) {
  const lean = await bundle(root, outDir, verbs, { plugins, alias: { ...aliases, ...leanAliases } });
  const whole = verbs.filter((verb) => carriesZod(lean.metafile, verb));
  if (whole.length === 0) return lean;
  const { outputFiles, metafile } = await bundle(root, outDir, whole, { plugins, alias: aliases });
  const paths = outputFiles.map(({ path }) => path);
  return {
    outputFiles: [...lean.outputFiles.filter(({ path }) => !paths.includes(path)), ...outputFiles],
    metafile: {
      inputs: { ...lean.metafile.inputs, ...metafile.inputs },
      outputs: { ...lean.metafile.outputs, ...metafile.outputs },
    },
  };
}

const aliases = {
  // In Lambda credentials stand in the environment; the other providers cost 28–33 % of the load time.
  '@aws-sdk/credential-provider-node': './lib/aws/envCredentials.ts',
  'switchback-endpoints': './lib/aws/lambda/endpoints.ts',
};

const leanAliases = { 'zod/mini': './lib/aws/lambda/zodMini.ts' };

function carriesZod({ outputs }, verb) {
  const [, output] = Object.entries(outputs).find(([path]) => path.endsWith(`/${verb}/index.mjs`));
  return Object.entries(output.inputs).some(
    ([path, { bytesInOutput }]) => bytesInOutput > 0 && path.includes('node_modules/zod/'),
  );
}

async function bundle(root, outDir, verbs, { plugins, alias }) {
  const result = await build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(verbs.map((verb) => [`${verb}/index`, `functions/${verb}/handler.ts`])),
    outdir: outDir,
    outExtension: { '.js': '.mjs' },
    write: false,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    conditions: ['module'],
    alias,
    plugins,
    sourcemap: 'external',
    sourcesContent: false,
    legalComments: 'none',
    metafile: true,
    logLevel: 'silent',
  });
  // What zodMini.ts lacks would be found out at the first call.
  const undone = result.warnings.filter(({ id }) => id === 'import-is-undefined');
  if (undone.length > 0) throw Object.assign(new Error(), { errors: undone });
  return result;
}

function functionFolders(root) {
  const folder = join(root, 'functions');
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((verb) => existsSync(join(folder, verb, 'handler.ts')));
}

/** Puts the banner before a bundle that calls `require`, and moves its source map down by that line. */
function withRequire(file, metafile, root) {
  const path = file.path.replace(/\.map$/, '');
  const output = Object.entries(metafile.outputs).find(([name]) => resolve(root, name) === path)?.[1];
  if (!output?.imports.some(({ kind }) => kind === 'require-call')) return file.contents;
  if (path === file.path) return requireBanner + file.text;
  const map = JSON.parse(file.text);
  return JSON.stringify({ ...map, mappings: `;${map.mappings}` });
}

function replace(path, contents) {
  mkdirSync(dirname(path), { recursive: true });
  if (existsSync(path) && readFileSync(path).equals(Buffer.from(contents))) return;
  const fresh = `${path}.${process.pid}.new`;
  writeFileSync(fresh, contents);
  renameSync(fresh, path);
}

if (resolve(process.argv[1] ?? '') === fileURLToPath(import.meta.url)) await main();

async function main() {
  const started = performance.now();
  const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
  try {
    const text = { type: 'string' };
    const { values } = parseArgs({ options: { config: text, out: text, stage: text } });
    const { config: configuration, out: outDir, stage } = values;
    const bundles = await buildBundles({ root, outDir, configuration, stage });
    for (const { verb, bytes } of bundles)
      console.log(`${verb.padEnd(24)} ${(bytes / 1024).toFixed(0).padStart(6)} KB`);
    console.log(
      `${bundles.length} functions bundled in ${((performance.now() - started) / 1000).toFixed(1)} s`,
    );
  } catch (error) {
    const reasons = error.errors?.map(({ text, location }) => `${location?.file ?? 'build'}: ${text}`);
    console.error([...new Set(reasons ?? [error.message])].join('\n'));
    process.exitCode = 1;
  }
}
