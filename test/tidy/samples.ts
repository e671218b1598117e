/**
 * Every event has a kept sample of each shape it ever had: `events/samples/<Name>.<schema>.json`, where
 * <Name> is the exported schema's and the first shape may leave its number out. Old samples are what old
 * streams hold; they must be readable today.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Finding, type House, lineAt, type Rule, type Source } from './house.ts';

type Schema = { safeParse(value: unknown): { success: boolean; error?: { issues: readonly Issue[] } } };
type Issue = { readonly path: readonly PropertyKey[]; readonly message: string };

/** An exported object schema: one of our events when it has a literal `type`. */
type Word = {
  readonly name: string;
  readonly path: string;
  readonly isEvent: boolean;
  readonly schema: Schema;
};

type Sample = { readonly source: Source; readonly name: string; readonly schema: number };

async function samplesAgree(house: House): Promise<Finding[]> {
  const words = await wordsOf(house);
  const versions = await schemaVersions(house);
  const samples = house.sources.flatMap(sampleOf);
  const asks = words.filter(({ isEvent }) => isEvent);
  const missing = asks.flatMap(({ name, path }) =>
    Array.from({ length: versions.today[name] ?? 1 }, (_, index) => index + 1)
      .filter((schema) => !samples.some((sample) => sample.name === name && sample.schema === schema))
      .map((schema) => ({
        path,
        line: 1,
        says: `${name} has no sample: write events/samples/${name}.${schema}.json`,
      })),
  );
  const outside = [...new Set(words.map(({ path }) => path))]
    .filter((path) => path.startsWith('events/aws/'))
    .filter(
      (path) => !words.some((word) => word.path === path && samples.some(({ name }) => name === word.name)),
    )
    .map((path) => ({ path, line: 1, says: 'none of its schemas has a sample in events/samples/' }));
  return [...missing, ...outside, ...samples.flatMap((sample) => judge(sample, words, versions))];
}

function sampleOf(source: Source): Sample[] {
  const [, name, schema = '1'] = /^events\/samples\/(\w+)(?:\.(\d+))?\.json$/.exec(source.path) ?? [];
  if (name === undefined) {
    const stray = source.path.startsWith('events/samples/');
    return stray ? [{ source, name: source.path, schema: 1 }] : [];
  }
  return [{ source, name, schema: Number(schema) }];
}

type Versions = {
  readonly today: Readonly<Record<string, number>>;
  upcast(stored: { type: string; schema: number; event: Record<string, unknown> }): Record<string, unknown>;
};

function judge({ source, name, schema }: Sample, words: readonly Word[], versions: Versions): Finding[] {
  const says = (sentence: string) => [{ path: source.path, line: 1, says: sentence }];
  const word = words.find((candidate) => candidate.name === name);
  if (word === undefined)
    return says('no schema in events/ has this name: name it after the one it is a sample of');
  try {
    const sample = JSON.parse(source.text);
    const event = word.isEvent ? versions.upcast({ type: name, schema, event: sample }) : sample;
    const issue = word.schema.safeParse(event).error?.issues[0];
    if (issue === undefined) return [];
    const field = issue.path.map(String).join('.');
    const at = source.text.indexOf(`"${String(issue.path.at(-1))}"`);
    return [
      { path: source.path, line: at < 0 ? 1 : lineAt(source.text, at), says: `${field}: ${issue.message}` },
    ];
  } catch (error) {
    return says((error as Error).message);
  }
}

/** The schemas that events/ exports, read by loading it. */
async function wordsOf({ root }: House): Promise<Word[]> {
  const words: Word[] = [];
  for (const path of modulesIn(root)) {
    for (const [name, value] of Object.entries(await load(root, path))) {
      const shape = objectShape(value);
      if (shape === null) continue;
      const isEvent = shape.type?._zod?.def?.values?.[0] === name;
      words.push({ name, path, isEvent, schema: value as Schema });
    }
  }
  return words;
}

async function schemaVersions({ root }: House): Promise<Versions> {
  const recorded = modulesIn(root).includes('events/recorded.ts')
    ? await load(root, 'events/recorded.ts')
    : {};
  return {
    today: (recorded.schemaVersions ?? {}) as Versions['today'],
    upcast: (recorded.upcast ?? (({ event }) => event)) as Versions['upcast'],
  };
}

function modulesIn(root: string): string[] {
  return readdirSync(join(root, 'events'), { recursive: true, encoding: 'utf8' })
    .map((path) => `events/${path.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
    .sort();
}

const load = (root: string, path: string): Promise<Record<string, unknown>> =>
  import(/* @vite-ignore */ pathToFileURL(join(root, path)).href);

type Zod = {
  readonly _zod?: {
    readonly def?: {
      readonly type: string;
      readonly values?: readonly unknown[];
      readonly shape?: Record<string, Zod>;
    };
  };
};

function objectShape(value: unknown): Record<string, Zod> | null {
  const definition = (value as Zod | null)?._zod?.def;
  return definition?.type === 'object' ? (definition.shape ?? {}) : null;
}

export const sampleRules: readonly Rule[] = [
  { name: 'every event has a sample of each shape, and it parses', find: samplesAgree },
];
