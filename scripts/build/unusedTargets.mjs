/**
 * For esbuild: leaves out what serves kinds of target, and of metrics, that the configuration does not use.
 *
 * The adapter file of an unused kind keeps its exports, so that code and types need not know, but calling one
 * throws a `TargetMissing` that says why. A client that a function makes only for such adapters goes with
 * them.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';

const absentClients = 'switchback-absent';

export function unusedTargetsPlugin(root, configuration) {
  const kinds = kindsIn(root, 'lib/aws/traffic');
  const metricKinds = kindsIn(root, 'lib/aws/metrics');
  /** Whether a file is the adapter of a kind that nothing is configured to be. */
  const isUnused = async (path) => {
    const kind = kindOf(path);
    const ofMetrics = metricsPath.test(path);
    if (!adapterPath.test(path) || !(ofMetrics ? metricKinds : kinds).includes(kind)) return false;
    if (configuration.path === null) return false; // nothing says which kinds are used: all stay
    const json = await configuration.json();
    if (placesPath.test(path)) return !placeKindsUsed(json).has(kind);
    return !(ofMetrics ? metricKindsUsed(json) : kindsUsed(json, kinds)).has(kind);
  };
  const unusedClients = unusedClientsFinder(isUnused);
  return {
    name: 'switchback-unused-targets',
    setup(build) {
      build.onLoad({ filter: adapterPath }, async ({ path }) => {
        try {
          if (!(await isUnused(path))) return undefined;
        } catch (error) {
          return { errors: [{ text: error.message }] };
        }
        const contents = absentAdapter(path, relative(root, configuration.path));
        return { contents, loader: 'js' };
      });
      build.onResolve({ filter: /^@aws-sdk\/client-[\w-]+$/ }, async ({ path, importer }) => {
        if (!handlerPath.test(importer)) return undefined;
        try {
          if (!(await unusedClients(importer)).has(path)) return undefined;
        } catch (error) {
          return { errors: [{ text: error.message }] };
        }
        return {
          path,
          namespace: absentClients,
          pluginData: importer,
          suffix: `?${basename(dirname(importer))}`,
        };
      });
      build.onLoad({ filter: /.*/, namespace: absentClients }, ({ path, pluginData }) => ({
        contents: absentClient(path, pluginData),
        loader: 'js',
      }));
    },
  };
}

const adapterPath = /[\\/]lib[\\/]aws[\\/][^\\/]+[\\/][^\\/]+\.ts$/;
const metricsPath = /[\\/]lib[\\/]aws[\\/]metrics[\\/][^\\/]+\.ts$/;
const placesPath = /[\\/]lib[\\/]aws[\\/]places[\\/][^\\/]+\.ts$/;
const handlerPath = /[\\/]functions[\\/][^\\/]+[\\/]handler\.ts$/;

/** The kinds there are: one file each (`ecsAlb.ts` serves `ecs-alb`). */
function kindsIn(root, path) {
  const folder = join(root, path);
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

/** A service's figures come from one source, whatever its target is. */
const metricKindsUsed = ({ services = [] }) => new Set(services.map(({ metrics }) => metrics?.kind));

/** Places to fall back to beside a service's own target. */
const placeKindsUsed = ({ services = [] }) => new Set(services.map(({ fallback }) => fallback?.target?.kind));

/** Answers, per handler, the clients that only adapters of unused kinds send commands with. */
function unusedClientsFinder(isUnused) {
  const known = new Map();
  const find = async (handler) => {
    const used = await clientsInReach(handler, isUnused);
    const all = await clientsInReach(handler, async () => false);
    return new Set([...all].filter((client) => !used.has(client)));
  };
  return (handler) => {
    if (!known.has(handler)) known.set(handler, find(handler));
    return known.get(handler);
  };
}

/** Clients that the handler's files import, file by file; `skip` says which are not gone through. */
async function clientsInReach(handler, skip) {
  const found = new Set();
  const seen = new Set();
  const waiting = [handler];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (seen.has(path) || !existsSync(path) || (await skip(path))) continue;
    seen.add(path);
    const text = readFileSync(path, 'utf8');
    for (const [, from] of text.matchAll(/from '(\.[^']+\.ts)'/g)) waiting.push(resolve(dirname(path), from));
    for (const { client, names } of clientImports(text)) {
      // A handler makes the client; who sends commands with it needs the package.
      if (path !== handler || names.some((name) => name.endsWith('Command'))) found.add(client);
    }
  }
  return found;
}

/** Imports of values, not of types alone. */
function clientImports(text) {
  return [...text.matchAll(/^import \{([^}]*)\} from '(@aws-sdk\/client-[\w-]+)'/gm)]
    .map(([, names, client]) => ({
      client,
      names: names
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '' && !name.startsWith('type ')),
    }))
    .filter(({ names }) => names.length > 0);
}

function absentAdapter(path, configuration) {
  const kind = kindOf(path);
  const names = [
    ...readFileSync(path, 'utf8').matchAll(/^export (?:async )?(?:function|const|class) (\w+)/gm),
  ].map(([, name]) => name);
  const sentence =
    `this bundle holds no adapter for ${kind}, because nothing in ${configuration} is of that kind: ` +
    'build again with the configuration that has one';
  return [
    `const refusal = { name: 'TargetMissing', message: ${JSON.stringify(sentence)} };`,
    'const absent = () => { throw Object.assign(new Error(), refusal); };',
    ...names.map((name) => `export const ${name} = absent;`),
  ].join('\n');
}

/** Made by the handler and handed to adapters that are not there. */
function absentClient(client, handler) {
  const names = clientImports(readFileSync(handler, 'utf8'))
    .filter((imported) => imported.client === client)
    .flatMap((imported) => imported.names);
  return names.map((name) => `export class ${name} {}`).join('\n');
}
