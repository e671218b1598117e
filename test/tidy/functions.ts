/**
 * The functions of a program and how long each is to read: its lines without those of the functions declared
 * inside it, which are read by their own names.
 */
import { lineAt, type Source } from './house.ts';

export type FunctionFound = { readonly name: string; readonly line: number; readonly ownLines: number };

type Spanned = {
  readonly name: string;
  readonly declared: boolean;
  readonly from: number;
  readonly to: number;
};

/**
 * Functions with a body in braces: declarations, arrows, methods. A suite of tests is no function of ours.
 */
export function functionsIn({ code }: Source): FunctionFound[] {
  const spans = [...code.matchAll(/\{/g)].flatMap(({ index }) => functionAt(code, index));
  const linesOf = ({ from, to }: Spanned) => lineAt(code, to) - lineAt(code, from) + 1;
  const inside = (inner: Spanned, outer: Spanned) =>
    inner !== outer && inner.from > outer.from && inner.to <= outer.to;
  return spans.map((span) => {
    const declared = spans.filter((inner) => inner.declared && inside(inner, span));
    const outermost = declared.filter((inner) => !declared.some((other) => inside(inner, other)));
    const ownLines = outermost.reduce((lines, inner) => lines - linesOf(inner), linesOf(span));
    return { name: span.name, line: lineAt(code, span.from), ownLines };
  });
}

/** The function whose body opens at `brace`; none when a block, an object or a type opens there. */
function functionAt(code: string, brace: number): Spanned[] {
  const before = code.slice(0, brace).trimEnd();
  const isArrow = before.endsWith('=>');
  const close = parametersEnd(isArrow ? before.slice(0, -2) : before);
  if (close === null) return [];
  const from = opening(code, close);
  const lead = code.slice(code.lastIndexOf('\n', from) + 1, from).replace(/<[^<>]*>\s*$/, '');
  if (/\b(?:if|for|while|switch|catch|with|await)\s*$/.test(lead)) return [];
  const to = closing(code, brace);
  if (/\b(?:describe|it|test)(?:\.each)?\(/.test(lead + code.slice(brace, to))) return [];
  return [{ ...declaration(lead, isArrow), from, to }];
}

/** What stands before the parameters on their line: `export const a = async `, `  b`, `list.map(`. */
function declaration(lead: string, isArrow: boolean): { name: string; declared: boolean } {
  const modifiers = 'export|const|let|async|static|override|private|readonly|get|set|function\\*?';
  const words = String.raw`^\s*(?:(?:${modifiers})\s+)*`;
  const end = isArrow ? String.raw`(?::[^=]*)?\s*[=:]\s*(?:async\s*)?$` : String.raw`\s*$`;
  const name = new RegExp(`${words}([\\w$#]+)${end}`).exec(lead)?.[1];
  return { name: name ?? /[\w$#]+(?=\W*$)/.exec(lead)?.[0] ?? 'anonymous', declared: name !== undefined };
}

/** The offset of the `)` that ends the parameters, looking through a return type; null when there is none. */
function parametersEnd(before: string): number | null {
  const code = before.trimEnd();
  if (code.endsWith(')')) return code.length - 1;
  const colon = code.lastIndexOf('):');
  return colon >= 0 && isType(code.slice(colon + 2)) ? colon : null;
}

/** `Promise<Map<string, { a: 1; b: 2 }>>`: brackets balanced, and a `;` only inside them. */
function isType(text: string): boolean {
  let depth = 0;
  for (const one of text.replaceAll('=>', '')) {
    if ('([{<'.includes(one)) depth += 1;
    else if (')]}>'.includes(one)) depth -= 1;
    if (depth < 0 || (depth === 0 && one === ';')) return false;
  }
  return depth === 0 && !/}\s*\w|=/.test(text.replaceAll('=>', ''));
}

function closing(code: string, open: number): number {
  let depth = 0;
  for (let at = open; at < code.length; at++) {
    if (code[at] === '{') depth += 1;
    else if (code[at] === '}' && --depth === 0) return at;
  }
  return code.length;
}

function opening(code: string, close: number): number {
  let depth = 0;
  for (let at = close; at >= 0; at--) {
    if (code[at] === ')') depth += 1;
    else if (code[at] === '(' && --depth === 0) return at;
  }
  return 0;
}
