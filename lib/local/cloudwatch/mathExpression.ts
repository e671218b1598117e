/**
 * The grammar of CloudWatch metric math, as a tree: numbers, ids of other queries, function calls, lists in
 * brackets and the operators `|| && == != <= >= < > + - * / ^`. What the words mean is `mathEvaluation.ts`.
 */

export type Expression =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] }
  | { readonly kind: 'list'; readonly items: readonly Expression[] }
  | { readonly kind: 'negate'; readonly of: Expression }
  | {
      readonly kind: 'binary';
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
    };

/** Thrown for an expression CloudWatch would refuse; the message names the place. */
export class ExpressionRefused extends Error {
  override readonly name = 'ExpressionRefused';
}

/** From the loosest binding to the tightest. */
const LEVELS: readonly (readonly string[])[] = [
  ['||', 'OR'],
  ['&&', 'AND'],
  ['==', '!=', '<=', '>=', '<', '>'],
  ['+', '-'],
  ['*', '/'],
];

const NUMBER = /\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+/.source;
const WORD = /[A-Za-z_]\w*/.source;
const TEXT = /"[^"]*"|'[^']*'/.source;
const SIGN = /\|\||&&|[=!<>]=|[-+*/^()[\],<>]/.source;
const TOKEN = new RegExp(`\\s*(?:(${NUMBER})|(${WORD})|(${TEXT})|(${SIGN}))`, 'y');

type Token = {
  readonly kind: 'number' | 'word' | 'text' | 'sign';
  readonly text: string;
  readonly at: number;
};

/** @throws ExpressionRefused */
export function parseExpression(text: string): Expression {
  const parser = new Parser(tokensOf(text));
  const expression = parser.binary(0);
  parser.expectEnd();
  return expression;
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const at = TOKEN.lastIndex;
    const found = TOKEN.exec(text);
    if (!found) throw new ExpressionRefused(`unexpected character at position ${at + 1} of "${text}"`);
    const [, number, word, quoted, sign] = found;
    if (number !== undefined) tokens.push({ kind: 'number', text: number, at });
    else if (word !== undefined) tokens.push({ kind: 'word', text: word, at });
    else if (quoted !== undefined) tokens.push({ kind: 'text', text: quoted.slice(1, -1), at });
    else tokens.push({ kind: 'sign', text: sign ?? '', at });
  }
  return tokens;
}

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  binary(level: number): Expression {
    const operators = LEVELS[level];
    if (operators === undefined) return this.#unary();
    let left = this.binary(level + 1);
    for (;;) {
      const token = this.#tokens[this.#next];
      if (token === undefined || token.kind === 'text' || !operators.includes(token.text)) return left;
      this.#next++;
      const operator = token.text === 'OR' ? '||' : token.text === 'AND' ? '&&' : token.text;
      left = { kind: 'binary', operator, left, right: this.binary(level + 1) };
    }
  }

  expectEnd(): void {
    const rest = this.#tokens[this.#next];
    if (rest) throw new ExpressionRefused(`unexpected "${rest.text}" at position ${rest.at + 1}`);
  }

  #unary(): Expression {
    if (this.#take('-')) return { kind: 'negate', of: this.#unary() };
    const base = this.#primary();
    return this.#take('^') ? { kind: 'binary', operator: '^', left: base, right: this.#unary() } : base;
  }

  #primary(): Expression {
    const token = this.#tokens[this.#next++];
    if (token === undefined) throw new ExpressionRefused('the expression ends too early');
    if (token.kind === 'number') return { kind: 'number', value: Number(token.text) };
    if (token.kind === 'text') return { kind: 'text', value: token.text };
    if (token.kind === 'word') {
      if (this.#take('('))
        return { kind: 'call', name: token.text.toUpperCase(), args: this.#listUntil(')') };
      return { kind: 'name', name: token.text };
    }
    if (token.text === '[') return { kind: 'list', items: this.#listUntil(']') };
    if (token.text !== '(')
      throw new ExpressionRefused(`unexpected "${token.text}" at position ${token.at + 1}`);
    const inner = this.binary(0);
    this.#expect(')');
    return inner;
  }

  #listUntil(end: string): Expression[] {
    const items: Expression[] = [];
    if (this.#take(end)) return items;
    do items.push(this.binary(0));
    while (this.#take(','));
    this.#expect(end);
    return items;
  }

  #take(sign: string): boolean {
    const token = this.#tokens[this.#next];
    if (token?.kind !== 'sign' || token.text !== sign) return false;
    this.#next++;
    return true;
  }

  #expect(sign: string): void {
    if (!this.#take(sign)) {
      const token = this.#tokens[this.#next];
      throw new ExpressionRefused(
        `expected "${sign}" ${token ? `at position ${token.at + 1}` : 'at the end'}`,
      );
    }
  }
}

/** The ids of other queries that an expression reads. */
export function namesIn(expression: Expression): readonly string[] {
  switch (expression.kind) {
    case 'name':
      return [expression.name];
    case 'call':
      return expression.args
        .filter((arg) => !(expression.name === 'FILL' && arg.kind === 'name' && isFillMode(arg.name)))
        .flatMap(namesIn);
    case 'list':
      return expression.items.flatMap(namesIn);
    case 'negate':
      return namesIn(expression.of);
    case 'binary':
      return [...namesIn(expression.left), ...namesIn(expression.right)];
    default:
      return [];
  }
}

/** `FILL(m1, REPEAT)` and `FILL(m1, LINEAR)` name a way of filling, not a query. */
export const isFillMode = (name: string): boolean => name === 'REPEAT' || name === 'LINEAR';
