/**
 * What stands above `switchback.yml` while a stage runs: values in Parameter Store and in the environment.
 * They are laid over a service's settings once, when a rollout starts, judged by the file's own schema, and
 * frozen into its plan.
 *
 * Only what a plan carries can be changed so. Targets, alarms and their order are what roles, rules and
 * bundles were made of, and nothing on the alarm's way waits for configuration: they change with the file.
 */
import { refusePolicy } from '../analysis/refusePolicy.ts';
import { refuseSteps, stepsOf } from '../rollout/plan.ts';
import { LayeredFile } from './layeredFile.ts';
import type { Laid, LayeredValue } from './layeredValue.ts';
import { mergedPolicy } from './mergedPolicy.ts';
import { type Problem, problemOf } from './problem.ts';
import type { ServiceSettings } from './settings.ts';

type LayeredSettings =
  | { readonly settings: ServiceSettings; readonly laid: readonly Laid[] }
  | { readonly refused: readonly string[] };

/** Named by the file and by nothing above it, with the reason that a person is told. */
const objective = 'burn-rate alarms are made of it';
const kept: Readonly<Record<string, string>> = {
  'analysis.objective': objective,
  'analysis.objectivePeriodDays': objective,
  'analysis.stepCount': 'it follows from the strategy',
};

/**
 * @param values lowest layer first: a later one wins
 * @returns one sentence per value that cannot be, each with its place
 */
export function layered(settings: ServiceSettings, values: readonly LayeredValue[]): LayeredSettings {
  const refused: string[] = [];
  const laid = new Map<string, string>();
  let current = settings;
  for (const value of values) {
    const placed = lay(current, value);
    if ('sentence' in placed) refused.push(`${value.place}: ${placed.sentence}`);
    else {
      current = placed.settings;
      laid.set(placed.key, value.place);
    }
  }
  if (refused.length === 0) refused.push(...together(current, laid));
  if (refused.length > 0) return { refused };
  return { settings: current, laid: [...laid].map(([key, place]) => ({ key, place })) };
}

type Placed = { readonly settings: ServiceSettings; readonly key: string } | { readonly sentence: string };

function lay(settings: ServiceSettings, { layer, words, text }: LayeredValue): Placed {
  const found = pathOf(settings, words, layer === 'environment' ? inCapitals : (key) => key);
  if ('sentence' in found) return found;
  const key = found.path.join('.');
  if (text === null) {
    return {
      sentence: `is a secret, and ${key} becomes part of a plan that anybody may read: say it plainly.`,
    };
  }
  const changed = withValue(settings, found.path, readText(text)) as ServiceSettings;
  const [problem] = problemsOf(settings, changed, found.path);
  return problem === undefined ? { settings: changed, key } : { sentence: `${key}: ${problem.sentence}` };
}

/** The path that the words name, among keys that may be changed above the file. */
function pathOf(
  settings: ServiceSettings,
  words: readonly string[],
  written: (key: string) => string,
): { readonly path: readonly string[] } | { readonly sentence: string } {
  const path: string[] = [];
  let at: unknown = settings;
  for (const word of words) {
    const known = isMapping(at) ? Object.keys(at) : [];
    const key = known.find((one) => written(one) === word);
    if (key === undefined) {
      const open = path.length === 0 ? [...layeredKeys] : known;
      const place = path.length === 0 ? '' : ` in ${path.join('.')}`;
      const remedy = open.length === 0 ? 'it holds one value' : `known are ${open.map(written).join(', ')}`;
      return { sentence: `unknown key "${word}"${place}: ${remedy}.` };
    }
    path.push(key);
    at = (at as Readonly<Record<string, unknown>>)[key];
  }
  const [root = ''] = path;
  const why =
    kept[path.join('.')] ?? (layeredKeys.has(root) ? null : 'roles, rules and bundles are made of it');
  if (why !== null) {
    return {
      sentence: `${path.join('.')} is said in switchback.yml alone, because ${why}: change it there and deploy.`,
    };
  }
  if (isMapping(at)) {
    return { sentence: `${path.join('.')} is a mapping: give each of its keys a value of its own.` };
  }
  return { path };
}

const layeredKeys: ReadonlySet<string> = new Set([...Object.keys(LayeredFile.shape), 'analysis']);

/** bakeSeconds → BAKE_SECONDS, maxP95Ms → MAX_P95_MS: how a variable's name writes a key. */
export const inCapitals = (key: string): string =>
  key
    .replace(/-/g, '_')
    .replace(/(?<=[a-z0-9])(?=[A-Z])/g, '_')
    .toUpperCase();

/** What is wrong with the one value that is new. */
function problemsOf(
  before: ServiceSettings,
  changed: ServiceSettings,
  path: readonly string[],
): readonly Problem[] {
  const [root] = path;
  if (root === 'analysis') {
    const problems: Problem[] = [];
    mergedPolicy(before.analysis, changed.analysis as never, [], problems);
    return problems;
  }
  const own = Object.keys(LayeredFile.shape) as (keyof typeof LayeredFile.shape)[];
  const parsed = LayeredFile.safeParse(Object.fromEntries(own.map((key) => [key, changed[key]])));
  return parsed.success ? [] : parsed.error.issues.map(problemOf);
}

/** Rules between keys, once every value is in its place. */
function together({ strategy, analysis }: ServiceSettings, laid: ReadonlyMap<string, string>): string[] {
  const said = (root: string, sentences: readonly string[]) => {
    const places = [...laid].flatMap(([key, place]) => (key.startsWith(`${root}.`) ? [place] : []));
    return places.length === 0
      ? []
      : sentences.map((sentence) => `${places.join(', ')}: ${root}: ${sentence}`);
  };
  return [
    ...said('strategy', refuseSteps(stepsOf(strategy), strategy)),
    ...said('analysis', refusePolicy(analysis)),
  ];
}

/** `300`, `true`, `[1, 2]` are what JSON says they are; anything else is text. */
function readText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function withValue(base: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value;
  const mapping = base as Readonly<Record<string, unknown>>;
  return { ...mapping, [key]: withValue(mapping[key], rest, value) };
}

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
