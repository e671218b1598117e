/** Who imports whom, read from the masked text; from it, what nobody needs. */
import { posix } from 'node:path';
import { type Finding, type House, isProgram, lineAt, type Rule, type Source } from './house.ts';

type Import = {
  /** The path of the file that is meant, in this house. */
  readonly path: string;
  /** The names that are taken; null: it may be any of them. */
  readonly names: readonly string[] | null;
};

type Export = { readonly name: string; readonly line: number; readonly kind: 'value' | 'type' };

/** What runs without being imported: Lambda, npm, Vitest and the type checker find these by their place. */
const ENTRY_POINT =
  /^(?:functions\/[^/]+\/handler\.ts|lib\/apps\/[^/]+\/main\.ts|bench\/[^/]+\.ts|test\/.*\.test\.ts|.*\.d\.ts|[^/]+\.(?:config\.ts|cjs))$/;

/** Everything a program refers to: its imports, and paths of programs that it starts or hands to a tool. */
function importsOf(source: Source, paths: ReadonlySet<string>): Import[] {
  const clauses = new Map<number, readonly string[] | null>();
  const statement = /\b(?:import|export)(?:\s+type)?\s+([\w$*{}\s,]+?)\s+from\s+['"]/g;
  for (const match of source.code.matchAll(statement)) {
    clauses.set(match.index + match[0].length, namesOf(match[1] as string));
  }
  return source.literals.flatMap(({ at, text }) => {
    const path = fileMeant(source.path, text, paths);
    return path === null ? [] : [{ path, names: clauses.get(at) ?? null }];
  });
}

/** `a, b as c, type D` → a, b, D; null for `* as x`, whose names are not followed. */
function namesOf(clause: string): readonly string[] | null {
  if (clause.includes('*')) return null;
  return clause
    .replace(/[{}]/g, '')
    .split(',')
    .map((part) =>
      part
        .trim()
        .replace(/^type\s+/, '')
        .replace(/\s+as\s+.*$/s, ''),
    )
    .filter((name) => name !== '');
}

function fileMeant(from: string, text: string, paths: ReadonlySet<string>): string | null {
  if (!/\.[cm]?[jt]s(?:on)?$/.test(text)) return null;
  const beside = posix.join(posix.dirname(from), text);
  const fromRoot = posix.normalize(text);
  return [beside, fromRoot].find((path) => paths.has(path)) ?? null;
}

function exportsOf({ code }: Source): Export[] {
  const declared =
    /^export (?:declare |abstract |async )*(function\*?|const|let|class|type|interface) ([\w$]+)/gm;
  const listed = /^export (type )?\{([^}]*)\}/gm;
  return [
    ...[...code.matchAll(declared)].map((match) => ({
      name: match[2] as string,
      line: lineAt(code, match.index),
      kind: match[1] === 'type' || match[1] === 'interface' ? ('type' as const) : ('value' as const),
    })),
    ...[...code.matchAll(listed)].flatMap((match) =>
      (match[2] as string)
        .split(',')
        .map((part) =>
          part
            .trim()
            .replace(/^.*\sas\s+/s, '')
            .replace(/^type\s+/, ''),
        )
        .filter((name) => name !== '')
        .map((name) => ({ name, line: lineAt(code, match.index), kind: 'value' as const })),
    ),
  ];
}

function graphOf({ sources }: House) {
  const programs = sources.filter(isProgram);
  const paths = new Set(sources.map(({ path }) => path));
  const imports = new Map(programs.map((source) => [source.path, importsOf(source, paths)]));
  // package.json, Dockerfile and the like start programs by their path.
  const others = sources.filter((source) => !isProgram(source) && !source.path.endsWith('.md'));
  const started = (path: string) => others.some(({ text }) => text.includes(path));
  return { programs, imports, isEntry: (path: string) => ENTRY_POINT.test(path) || started(path) };
}

function deadFiles(house: House): Finding[] {
  const { programs, imports, isEntry } = graphOf(house);
  const reached = new Set<string>();
  const waiting = programs.map(({ path }) => path).filter(isEntry);
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    waiting.push(...(imports.get(path) ?? []).map((imported) => imported.path));
  }
  return programs
    .filter(({ path }) => !reached.has(path))
    .map(({ path }) => ({ path, line: 1, says: 'no entry point leads here: use it or delete it' }));
}

function deadExports(house: House): Finding[] {
  const { programs, imports, isEntry } = graphOf(house);
  const used = new Set(
    [...imports.values()]
      .flat()
      .flatMap(({ path, names }) => (names ?? ['*']).map((name) => `${path}#${name}`)),
  );
  return programs
    .filter(({ path }) => !isEntry(path))
    .flatMap((source) =>
      exportsOf(source)
        .filter(({ name }) => !used.has(`${source.path}#*`) && !used.has(`${source.path}#${name}`))
        .filter((found) => !maySpeakForItself(source, found))
        .map(({ name, line }) => ({
          path: source.path,
          line,
          says: `nobody imports ${name}: ${usedAtHome(source, name) ? 'do not export it' : 'delete it'}`,
        })),
    );
}

/**
 * A type that its own file uses may be exported for who reads the signature, and so may a word of events/.
 */
function maySpeakForItself(source: Source, { name, kind }: Export): boolean {
  return (kind === 'type' || source.path.startsWith('events/')) && usedAtHome(source, name);
}

function usedAtHome({ code }: Source, name: string): boolean {
  const word = new RegExp(`(?<![\\w$])${name.replaceAll('$', '\\$')}(?![\\w$])`, 'g');
  return [...code.matchAll(word)].length > 1;
}

export const moduleRules: readonly Rule[] = [
  { name: 'no dead files', find: deadFiles },
  { name: 'no dead exports', find: deadExports },
];
