/**
 * Breaks comments before column 110, which biome leaves as they are: part of `npm run format`. A line that is
 * too long gives its last words to the next line of the same comment; a comment behind code moves above it.
 * `node scripts/wrapComments.mjs [path …]`, by default everything.
 */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const COLUMNS_MAX = 110;
const rooms = ['events', 'functions', 'lib', 'test', 'bench', 'scripts', 'examples'];
const KEEP = /https?:\/\/|biome-ignore|@ts-expect-error/;

const columns = (line) => [...line].length;

export function wrapComments(text) {
  const waiting = text.split('\n');
  const done = [];
  while (waiting.length > 0) {
    const line = waiting.shift();
    if (columns(line) <= COLUMNS_MAX || KEEP.test(line)) done.push(line);
    else {
      const lines = broken(line, waiting);
      if (lines === null) done.push(line);
      else waiting.unshift(...lines);
    }
  }
  return done.join('\n');
}

/** The line as several that are to be read again; null when it is no comment, or has no place to break. */
function broken(line, following) {
  const block = /^(\s*)\/\*\* (.*) \*\/$/.exec(line);
  if (block !== null) return [`${block[1]}/**`, `${block[1]} * ${block[2]}`, `${block[1]} */`];
  const comment = /^(\s*(?:\/\/|\*) )(.*)$/.exec(line);
  if (comment !== null) return split(comment[1], comment[2], following);
  const behind = /^(\s*)(.*?[^\s:]) \/\/ (.*)$/.exec(line);
  if (behind === null || !quotesClosed(behind[2]) || /^[)\]}]/.test(behind[2])) return null;
  const sentence = behind[3].replace(/^[a-z](?=[a-z]* )/, (letter) => letter.toUpperCase());
  return [`${behind[1]}// ${sentence}`, behind[1] + behind[2]];
}

function split(lead, words, following) {
  const room = COLUMNS_MAX - columns(lead);
  const at = [...words]
    .slice(0, room + 1)
    .join('')
    .lastIndexOf(' ');
  if (at <= 0) return null;
  const rest = words.slice(at + 1);
  // The rest goes before the next line when that goes on with the same paragraph.
  const next = following[0] ?? '';
  const goesOn = next.startsWith(lead) && /^[\w(`'"]/.test(next.slice(lead.length)) && !/[.:;]$/.test(words);
  if (goesOn) following.shift();
  const lines = [lead + words.slice(0, at), lead + rest + (goesOn ? ` ${next.slice(lead.length)}` : '')];
  return lines;
}

const quotesClosed = (code) => ["'", '"', '`'].every((quote) => code.split(quote).length % 2 === 1);

function programsIn(path) {
  if (!existsSync(path)) return [];
  if (statSync(path).isFile()) return /\.(?:ts|mjs)$/.test(path) ? [path] : [];
  return readdirSync(path).flatMap((name) => programsIn(join(path, name)));
}

if (resolve(process.argv[1] ?? '') === fileURLToPath(import.meta.url)) {
  const root = resolve(import.meta.dirname, '..');
  const asked = process.argv.slice(2).map((path) => resolve(path));
  const changed = (asked.length > 0 ? asked : rooms.map((room) => join(root, room)))
    .flatMap(programsIn)
    .filter((path) => {
      const text = readFileSync(path, 'utf8');
      const wrapped = wrapComments(text);
      if (wrapped !== text) writeFileSync(path, wrapped);
      return wrapped !== text;
    });
  if (changed.length > 0) console.log(`Wrapped the comments of ${changed.length} files.`);
}
