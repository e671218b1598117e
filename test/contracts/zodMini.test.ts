/** Functions read their input with a small stand-in for zod/mini: it answers what the library answers. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BuildOptions, build } from 'esbuild';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as zod from 'zod/mini';
import * as stand from '../../lib/aws/lambda/zodMini.ts';
import { pureSchemas } from '../../scripts/build/pureSchemas.mjs';
import { repositoryRoot as root } from '../tidy/plant.ts';

type Library = typeof stand;
type Schema = ReturnType<Library['string']>;
type Made = (z: Library) => Schema;

const library = zod as unknown as Library;

/** Everything a sentence is made of: of all that is wrong, the first. */
function answer(z: Library, schema: Schema, value: unknown) {
  const { success, data, error } = z.safeParse(schema, value);
  const [first] = error?.issues ?? [];
  if (first === undefined) return { success, data };
  const { code, path, message, expected, values, minimum, maximum, inclusive, keys } = first;
  // Only a limit's sentence asks what it is a limit of.
  const origin = String(code).startsWith('too_') ? first.origin : undefined;
  return { success, code, path, message, expected, values, origin, minimum, maximum, inclusive, keys };
}

const names = ['', ' ', 'a', ' ab ', 'blue', 'kind', '𝒳', '𝒳𝒴', '__proto__', 'toString'];
const words = fc.constantFrom(...names);
const texts = fc.constantFrom(...names, '12');
const numbers = fc.constantFrom(-1, 0, 0.5, 1, 2, 100, 1e300, -1e300, 2 ** 53);
const leaves: fc.Arbitrary<unknown> = fc.oneof(texts, numbers, fc.boolean(), fc.constant(null));
const { values } = fc.letrec((tie) => ({
  values: fc.oneof(
    { maxDepth: 3 },
    leaves,
    fc.array(tie('values'), { maxLength: 3 }),
    fc.dictionary(texts, tie('values'), { maxKeys: 4 }),
  ),
}));

const message = fc.constantFrom(undefined, 'say so');
const limit = fc.constantFrom(0, 1, 2);
const said = <T>(check: (z: Library, limit: number, message?: string) => T) =>
  fc.tuple(limit, message).map(
    ([given, text]) =>
      (z: Library) =>
        check(z, given, text),
  );
const textChecks = fc.oneof(
  said((z, given, text) => z.minLength(given, text)),
  said((z, given, text) => z.maxLength(given, text)),
  said((z, _, text) => z.regex(/^a/, text)),
  said((z) => z.trim()),
);
const numberChecks = fc.oneof(
  said((z, given, text) => z.gte(given, text)),
  said((z, given, text) => z.gt(given, text)),
  said((z, given, text) => z.lte(given, text)),
  said((z) => z.int()),
  said((z, given, text) => z.refine((value: number) => value !== given, text)),
);

const shapes = (inner: fc.Arbitrary<Made>) =>
  fc.dictionary(
    texts.filter((key) => key !== '__proto__'),
    inner,
    { maxKeys: 3 },
  );
const made = (shape: Readonly<Record<string, Made>>, z: Library) =>
  Object.fromEntries(Object.entries(shape).map(([key, make]) => [key, make(z)]));

const { schemas } = fc.letrec<{ schemas: Made }>((tie) => {
  const inner = tie('schemas');
  const objects = fc.constantFrom('object', 'strictObject', 'looseObject');
  return {
    schemas: fc.oneof(
      { maxDepth: 3 },
      fc
        .array(textChecks, { maxLength: 3 })
        .map((checks) => (z: Library) => z.string().check(...checks.map((c) => c(z)))),
      fc
        .array(numberChecks, { maxLength: 3 })
        .map((checks) => (z: Library) => z.number().check(...checks.map((c) => c(z)))),
      fc.constant<Made>((z: Library) => z.boolean()),
      leaves.map((value) => (z: Library) => z.literal(value)),
      fc.uniqueArray(words, { minLength: 1, maxLength: 3 }).map((names) => (z: Library) => z.enum(names)),
      inner.map((make) => (z: Library) => z.optional(make(z))),
      inner.map((make) => (z: Library) => z.nullable(make(z))),
      inner.map((make) => (z: Library) => z.array(make(z)).check(z.minLength(1, 'one at least'))),
      inner.map((make) => (z: Library) => z.record(z.string(), make(z))),
      fc.tuple(objects, shapes(inner)).map(
        ([kind, shape]) =>
          (z: Library) =>
            z[kind](made(shape, z)),
      ),
      fc.tuple(objects, shapes(inner), shapes(inner)).map(
        ([kind, shape, more]) =>
          (z: Library) =>
            z.extend(z[kind](made(shape, z)), made(more, z)),
      ),
      fc.tuple(shapes(inner), shapes(inner)).map(
        ([blue, other]) =>
          (z: Library) =>
            z.discriminatedUnion('kind', [
              z.object({ ...made(blue, z), kind: z.literal('blue') }),
              z.strictObject({ ...made(other, z), kind: z.literal('a') }),
            ]),
      ),
    ),
  };
});

describe('what stands in the place of zod/mini', () => {
  it('reads the same values, and finds the same first thing wrong, whatever the schema', () => {
    fc.assert(
      fc.property(schemas, fc.array(values, { minLength: 1, maxLength: 5 }), (make, given) => {
        for (const value of given) {
          expect(answer(stand, make(stand), value)).toEqual(answer(library, make(library), value));
        }
      }),
      { numRuns: 600 },
    );
  });
});

type Words = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const folders = ['events', 'events/aws'];
const files = folders.flatMap((folder) =>
  readdirSync(join(root, folder)).flatMap((name) => (name.endsWith('.ts') ? [`${folder}/${name}`] : [])),
);

/** All of events/, read with the library or as a bundle has it. */
async function wordsWith(options: Pick<BuildOptions, 'alias'>): Promise<Words & { readonly z: Library }> {
  const lines = files.map((path, index) => `export * as w${index} from './${path}';`);
  const outfile = join(mkdtempSync(join(tmpdir(), 'switchback-words-')), 'words.mjs');
  await build({
    ...options,
    absWorkingDir: root,
    outfile,
    stdin: { contents: `export * as z from 'zod/mini';\n${lines.join('\n')}`, resolveDir: root },
    bundle: true,
    platform: 'node',
    format: 'esm',
  });
  const read = await import(/* @vite-ignore */ pathToFileURL(outfile).href);
  rmSync(dirname(outfile), { recursive: true });
  return read;
}

const samples = readdirSync(join(root, 'events/samples')).map(
  (name) => JSON.parse(readFileSync(join(root, 'events/samples', name), 'utf8')) as unknown,
);

/** A sample with one of its values changed, taken away or joined by a stranger. */
const bent = fc
  .record({
    sample: fc.constantFrom(...samples),
    turns: fc.array(fc.nat(7), { maxLength: 4 }),
    change: fc.oneof(values, fc.constantFrom('gone', 'stranger')),
  })
  .map(({ sample, turns, change }) => bend(structuredClone(sample), turns, change));

function bend(value: unknown, turns: readonly number[], change: unknown): unknown {
  if (typeof value !== 'object' || value === null) return change;
  const inner = value as Record<string, unknown>;
  const keys = Object.keys(inner);
  const key = keys[(turns[0] ?? 0) % Math.max(1, keys.length)];
  if (key === undefined) return change;
  if (turns.length > 1) inner[key] = bend(inner[key], turns.slice(1), change);
  else if (change === 'gone' && Array.isArray(value)) value.splice(Number(key), 1);
  else if (change === 'gone') delete inner[key];
  else if (change === 'stranger') inner.stranger = 1;
  else inner[key] = change;
  return value;
}

describe('the words of events/ in a function', () => {
  it('are read as everywhere else: every sample, and samples with something wrong in them', async () => {
    const theirs = await wordsWith({});
    const ours = await wordsWith({ alias: { 'zod/mini': './lib/aws/lambda/zodMini.ts' } });
    const names = files.flatMap((_, index) =>
      Object.keys(theirs[`w${index}`] ?? {}).map((name) => [`w${index}`, name] as const),
    );
    const asked = (from: Words & { readonly z: Library }, value: unknown) =>
      names.flatMap(([file, name]) => {
        const word = from[file]?.[name];
        if (/^parse[A-IK-Z]/.test(name)) return [[name, (word as (value: unknown) => unknown)(value)]];
        const isSchema = typeof (word as Schema | null)?.check === 'function';
        return isSchema ? [[name, answer(from.z, word as Schema, value)]] : [];
      });
    expect(names.length).toBeGreaterThan(60);
    for (const sample of samples) expect(asked(ours, sample)).toEqual(asked(theirs, sample));
    fc.assert(
      fc.property(bent, (value) => {
        expect(asked(ours, value)).toEqual(asked(theirs, value));
      }),
      { numRuns: 100 },
    );
  });

  it('are marked as made without side effects, so that a function carries only what it reads', () => {
    const text = 'export const At = z.number().check(z.int());\nconst arn = named("x");\nfz.call();\n';
    expect(pureSchemas(text)).toBe(
      'export const At = /* @__PURE__ */ z.number().check(/* @__PURE__ */ z.int());\n' +
        'const arn = /* @__PURE__ */ named("x");\nfz.call();\n',
    );
  });
});
