/**
 * TypeScript with its comments and literals blanked out, so that a search finds code and nothing else. Every
 * character keeps its place: a match in the mask is a match at the same offset in the text.
 */

export type Masked = {
  /** The text, with spaces for comments and for what stands between quotes. Line ends stay. */
  readonly code: string;
  /** String and template literals without `${}`: where their content begins, and the content. */
  readonly literals: readonly { readonly at: number; readonly text: string }[];
};

/** Before one of these a `/` divides; anywhere else it begins a regular expression. */
const ENDS_A_VALUE = /[\w$)\]]/;
const WORDS_BEFORE_A_VALUE =
  /\b(?:return|typeof|case|in|of|delete|void|throw|new|instanceof|else|do|await|yield)$/;

/** A reader on its way through a text. */
type Scan = {
  readonly text: string;
  readonly code: string[];
  readonly literals: { at: number; text: string }[];
  /** Per open `${`, how many braces are open inside it. */
  readonly templates: number[];
  at: number;
};

export function mask(text: string): Masked {
  const scan: Scan = { text, code: text.split(''), literals: [], templates: [], at: 0 };
  while (scan.at < text.length) step(scan);
  return { code: scan.code.join(''), literals: scan.literals };
}

/** Reads what begins here: a comment, a literal, or one character of code. */
function step(scan: Scan): void {
  const { text, at } = scan;
  const one = text[at] as string;
  if (text.startsWith('//', at)) blank(scan, indexOrEnd(text, '\n', at));
  else if (text.startsWith('/*', at)) blank(scan, Math.min(indexOrEnd(text, '*/', at + 2) + 2, text.length));
  else if (one === "'" || one === '"') {
    scan.at += 1;
    literal(scan, skip(text, scan.at, new RegExp(`${one}|\\n`)));
    scan.at += 1;
  } else if (one === '`') {
    scan.at += 1;
    template(scan);
  } else if (one === '/' && beginsRegex(scan.code, at)) {
    scan.at += 1;
    blank(scan, endOfRegex(text, scan.at));
    scan.at += 1;
  } else brace(scan, one);
}

/** One character of code; a brace may be the end of a template's `${…}`. */
function brace(scan: Scan, one: string): void {
  scan.at += 1;
  const open = scan.templates.at(-1);
  if (open === undefined || (one !== '{' && one !== '}')) return;
  scan.templates.pop();
  if (one === '{') scan.templates.push(open + 1);
  else if (open > 0) scan.templates.push(open - 1);
  else template(scan);
}

/** From inside a template: to its end or its next `${`, whichever comes first. */
function template(scan: Scan): void {
  const { text, at } = scan;
  const to = skip(text, at, /`|\$\{/);
  const isWhole = text[to] === '`' && text[at - 1] === '`';
  if (isWhole) literal(scan, to);
  else blank(scan, to);
  if (text[to] !== '`') scan.templates.push(0);
  scan.at = to + (text[to] === '`' ? 1 : 2);
}

function literal(scan: Scan, to: number): void {
  scan.literals.push({ at: scan.at, text: scan.text.slice(scan.at, to) });
  blank(scan, to);
}

function blank(scan: Scan, to: number): void {
  for (; scan.at < to; scan.at++) if (scan.text[scan.at] !== '\n') scan.code[scan.at] = ' ';
}

function indexOrEnd(text: string, end: string, from: number): number {
  const found = text.indexOf(end, from);
  return found < 0 ? text.length : found;
}

/**
 * The offset of the first `end` from `at` on that no backslash precedes; the text's length when there is
 * none.
 */
function skip(text: string, at: number, end: RegExp): number {
  for (let i = at; i < text.length; i++) {
    if (text[i] === '\\') i += 1;
    else if (end.test(text.slice(i, i + 2)) && text.slice(i, i + 2).search(end) === 0) return i;
  }
  return text.length;
}

function beginsRegex(code: readonly string[], slash: number): boolean {
  let i = slash - 1;
  while (i >= 0 && /\s/.test(code[i] as string)) i -= 1;
  if (i < 0 || !ENDS_A_VALUE.test(code[i] as string)) return true;
  return WORDS_BEFORE_A_VALUE.test(code.slice(Math.max(0, i - 12), i + 1).join(''));
}

/** The offset of the closing slash: one that stands in a class (`[/]`) does not close. */
function endOfRegex(text: string, at: number): number {
  let inClass = false;
  for (let i = at; i < text.length; i++) {
    const one = text[i];
    if (one === '\\') i += 1;
    else if (one === '[') inClass = true;
    else if (one === ']') inClass = false;
    else if ((one === '/' && !inClass) || one === '\n') return i;
  }
  return text.length;
}
