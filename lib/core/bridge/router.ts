/**
 * Which rules want a subject. A trie of tokens finds them in the time of the subject's length, whatever the
 * number of rules; a bounded cache of exact subjects makes the second message on a subject a single look-up.
 */
import { isReserved, tokensOf } from './subject.ts';

export type Route = { readonly match: string };

type Node<R> = {
  readonly literal: Map<string, Node<R>>;
  star: Node<R> | null;
  /** Rules that end here. */
  here: number[];
  /** Rules that end in `>` below here. */
  below: number[];
};

/** Subjects may carry ids, so the cache has a limit: two generations of this many subjects. */
const CACHED_SUBJECTS_MAX = 8192;

export class Router<R extends Route> {
  readonly #routes: readonly R[];
  readonly #root: Node<R> = emptyNode();
  #young = new Map<string, readonly R[]>();
  #old = new Map<string, readonly R[]>();

  /** @param routes in order of precedence; their patterns must be valid */
  constructor(routes: readonly R[]) {
    this.#routes = routes;
    for (const [index, route] of routes.entries()) this.#insert(tokensOf(route.match), index);
  }

  /** All routes whose pattern matches, in order of precedence. The answer is shared: do not change it. */
  routesFor(subject: string): readonly R[] {
    const young = this.#young.get(subject);
    if (young !== undefined) return young;
    const found = this.#old.get(subject) ?? this.search(subject);
    if (this.#young.size >= CACHED_SUBJECTS_MAX) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(subject, found);
    return found;
  }

  /** The same without the cache. */
  search(subject: string): readonly R[] {
    const found: number[] = [];
    collect(this.#root, subject, 0, isReserved(subject), found);
    if (found.length > 1) found.sort((a, b) => a - b);
    return found.map((index) => this.#routes[index] as R);
  }

  #insert(tokens: readonly string[], index: number): void {
    let node = this.#root;
    for (const token of tokens) {
      if (token === '>') {
        node.below.push(index);
        return;
      }
      node = token === '*' ? starOf(node) : literalOf(node, token);
    }
    node.here.push(index);
  }
}

/**
 * Walks the subject token by token where it stands; `from` past its end means that every token is matched.
 */
function collect<R>(node: Node<R>, subject: string, from: number, reserved: boolean, found: number[]): void {
  if (from > subject.length) {
    for (const index of node.here) found.push(index);
    return;
  }
  const wild = !(reserved && from === 0);
  if (wild) for (const index of node.below) found.push(index);
  const dot = subject.indexOf('.', from);
  const end = dot < 0 ? subject.length : dot;
  if (node.literal.size > 0) {
    const literal = node.literal.get(subject.slice(from, end));
    if (literal !== undefined) collect(literal, subject, end + 1, reserved, found);
  }
  if (wild && node.star !== null) collect(node.star, subject, end + 1, reserved, found);
}

function emptyNode<R>(): Node<R> {
  return { literal: new Map(), star: null, here: [], below: [] };
}

function starOf<R>(node: Node<R>): Node<R> {
  node.star ??= emptyNode();
  return node.star;
}

function literalOf<R>(node: Node<R>, token: string): Node<R> {
  const known = node.literal.get(token);
  if (known !== undefined) return known;
  const made = emptyNode<R>();
  node.literal.set(token, made);
  return made;
}
