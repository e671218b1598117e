/** The functions as they are deployed, and as they would be otherwise. */
import { join } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { configurationPlugin, lazyConfiguration } from '../../scripts/build/configuration.mjs';
import { buildBundles } from '../../scripts/build.mjs';

/** Paths of bundles, by verb. */
export type Bundles = Readonly<Record<string, string>>;

/** @param example whose targets are of kind `ecs-alb`, as the goals are set for */
export async function deployed(root: string, work: string, example: string): Promise<Bundles> {
  const outDir = join(work, example);
  const built = await buildBundles({ root, outDir, configuration: configurationOf(example) });
  return Object.fromEntries(built.map(({ verb }) => [verb, join(outDir, verb, 'index.mjs')]));
}

/** The same handlers with the SDK left outside, found in node_modules above `work`. */
export const sdkOutside = (root: string, work: string, verbs: readonly string[]): Promise<Bundles> =>
  bundled(root, join(work, 'outside'), verbs, { external: ['@aws-sdk/*', '@smithy/*'] });

/** The same handlers as functions are usually written: middy, powertools and zod, all as they come. */
export const asUsual = (root: string, work: string, verbs: readonly string[]): Promise<Bundles> =>
  bundled(root, join(work, 'usual'), verbs, {}, [usualEdge(root)]);

const configurationOf = (example: string) => `examples/${example}/switchback.yml`;

/** As esbuild's own documentation bundles for Node. */
async function bundled(
  root: string,
  outdir: string,
  verbs: readonly string[],
  options: Pick<BuildOptions, 'external'>,
  plugins: readonly Plugin[] = [],
): Promise<Bundles> {
  await build({
    ...options,
    absWorkingDir: root,
    entryPoints: verbs.map((verb) => ({ in: `functions/${verb}/handler.ts`, out: verb })),
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    plugins: [configurationPlugin(lazyConfiguration(root, configurationOf('shop'))), ...plugins],
    banner: {
      js: "import{createRequire as requireHere}from'node:module';const require=requireHere(import.meta.url);",
    },
    logLevel: 'error',
  });
  return Object.fromEntries(verbs.map((verb) => [verb, join(outdir, `${verb}.mjs`)]));
}

/** Puts the usual edge in the place of ours, in every function. */
const usualEdge = (root: string): Plugin => ({
  name: 'usual-edge',
  setup(building) {
    const path = join(root, 'bench/coldStart/usualEdge.ts');
    building.onResolve({ filter: /\/lambda\/edge\.ts$/ }, ({ importer }) =>
      importer === path ? undefined : { path },
    );
  },
});
