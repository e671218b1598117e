/**
 * How long a line, a file and a function may be. The last two are a ratchet: ratchet.json names those that
 * were longer when the rule came, and each may only shrink. It grows by nobody's hand.
 */
import { functionsIn } from './functions.ts';
import { type Finding, type House, isProgram, type Rule } from './house.ts';
import ratchet from './ratchet.json' with { type: 'json' };

const COLUMNS_MAX = 110;
const FILE_LINES_MAX = 250;
/** A file of tests is a list of facts, looked up by their names; it need not be read from the top. */
const TEST_FILE_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 60;

type Known = Readonly<Record<string, number>>;

/** Lines that cannot be broken: a link, an instruction to a tool, a test's title, a regular expression. */
const UNBREAKABLE =
  /https?:\/\/|biome-ignore|@ts-expect-error|^\s*(?:it|describe)(?:\.each\(.*\))?\(|^\s*\/[^*/].*\/[a-z]*[,;]?$/;

/** A sentence that stands alone: it is searched for as it is printed, so it stays in one piece. */
const SENTENCE = /^\s*(?:return |const \w+ = |[\w'-]+: )?(['"`]).*\1[,;)]*(?: \+)?$/;

function longLines({ sources }: House): Finding[] {
  const columns = (line: string) => [...line].length;
  return sources.filter(isProgram).flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => {
      if (columns(line) <= COLUMNS_MAX || UNBREAKABLE.test(line) || SENTENCE.test(line)) return [];
      return { path, line: index + 1, says: `${columns(line)} columns: break it before ${COLUMNS_MAX}` };
    }),
  );
}

function longFiles({ sources }: House, known: Known): Finding[] {
  const lengths = new Map(
    sources.filter(isProgram).map(({ path, text }) => [path, { lines: lineCount(text), line: 1 }]),
  );
  const limit = (path: string) =>
    /\.(?:test|contract)\.ts$/.test(path) ? TEST_FILE_LINES_MAX : FILE_LINES_MAX;
  return againstRatchet(lengths, limit, known, 'split it by what its parts are for');
}

function longFunctions({ sources }: House, known: Known): Finding[] {
  const lengths = new Map<string, { lines: number; line: number }>();
  for (const source of sources.filter(isProgram)) {
    for (const { name, line, ownLines: lines } of functionsIn(source)) {
      const key = `${source.path}#${name}`; // of two with one name the longer counts
      if (lines > (lengths.get(key)?.lines ?? 0)) lengths.set(key, { lines, line });
    }
  }
  return againstRatchet(lengths, () => FUNCTION_LINES_MAX, known, 'give its parts names of their own');
}

function lineCount(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}

function againstRatchet(
  lengths: ReadonlyMap<string, { readonly lines: number; readonly line: number }>,
  limitOf: (name: string) => number,
  known: Known,
  remedy: string,
): Finding[] {
  const tooLong = [...lengths].flatMap(([name, { lines, line }]) => {
    const limit = known[name] ?? limitOf(name);
    return lines <= limit ? [] : { path: name, line, says: `${lines} lines, ${limit} at most: ${remedy}` };
  });
  const shrunk = Object.entries(known).flatMap(([name, allowed]) => {
    const lines = lengths.get(name)?.lines ?? 0;
    if (lines >= allowed) return [];
    const then = lines <= limitOf(name) ? 'take it out of' : `write ${lines} into`;
    return {
      path: name,
      line: 1,
      says: `shrank from ${allowed} lines to ${lines}: ${then} test/tidy/ratchet.json`,
    };
  });
  return [...tooLong, ...shrunk];
}

export const lengthRules = (known: { fileLines: Known; functionLines: Known } = ratchet): readonly Rule[] => [
  { name: `lines of at most ${COLUMNS_MAX} columns`, find: longLines },
  { name: `files of at most ${FILE_LINES_MAX} lines`, find: (house) => longFiles(house, known.fileLines) },
  {
    name: `functions of at most ${FUNCTION_LINES_MAX} lines`,
    find: (house) => longFunctions(house, known.functionLines),
  },
];
