/**
 * NATS subjects and patterns: dot-separated tokens, `*` for exactly one token, `>` for one or more at the
 * end. A wildcard counts only as a whole token (`foo*` is a literal), as in the server.
 */

export function tokensOf(subject: string): readonly string[] {
  return subject.split('.');
}

/** Why `pattern` is no valid NATS pattern, in words; null when it is one. */
export function patternFault(pattern: string): string | null {
  if (pattern === '') return 'is empty';
  if (/\s/.test(pattern)) return 'contains white space';
  const tokens = tokensOf(pattern);
  if (tokens.includes('')) return 'has an empty token (two dots in a row, or one at an end)';
  const full = tokens.indexOf('>');
  if (full >= 0 && full < tokens.length - 1) return "has '>' before its last token";
  return null;
}

/** Why `subject` cannot be published to, in words; null when it can. */
export function subjectFault(subject: string): string | null {
  const fault = patternFault(subject);
  if (fault !== null) return fault;
  return tokensOf(subject).some((token) => token === '*' || token === '>') ? 'contains a wildcard' : null;
}

/** Whether a message on `subject` reaches a subscription on `pattern`. */
export function matches(pattern: string, subject: string): boolean {
  return covers(tokensOf(pattern), tokensOf(subject));
}

/** Whether every subject that `narrow` stands for is also one of `wide`'s. Both as tokens. */
export function covers(wide: readonly string[], narrow: readonly string[]): boolean {
  for (let i = 0; i < wide.length; i++) {
    const want = wide[i];
    const have = narrow[i];
    if (have === undefined) return false;
    if (want === '>') return true;
    if (have === '>') return false;
    if (want !== '*' && want !== have) return false;
  }
  return narrow.length === wide.length;
}

/** Whether some subject belongs to both patterns. */
export function overlaps(one: readonly string[], other: readonly string[]): boolean {
  const shorter = Math.min(one.length, other.length);
  for (let i = 0; i < shorter; i++) {
    const a = one[i];
    const b = other[i];
    if (a === '>' || b === '>') return true;
    if (a !== '*' && b !== '*' && a !== b) return false;
  }
  return one.length === other.length;
}

/** The positions of `*` in a pattern, in order: wildcard(1) is the first of them. */
export function wildcardPositions(pattern: readonly string[]): readonly number[] {
  const positions: number[] = [];
  for (const [index, token] of pattern.entries()) if (token === '*') positions.push(index);
  return positions;
}

/**
 * The server's own subjects and request/reply inboxes. A pattern that begins with a wildcard never means
 * them: a bridge on `>` that answered or acknowledged other clients' requests would corrupt them
 * (redpanda-data/connect#1772).
 */
export function isReserved(subject: string): boolean {
  return subject.charCodeAt(0) === 36 /* $ */ || subject.startsWith('_INBOX.');
}

/** Characters that would split or widen a token when they come from a message. */
const UNSAFE = /[\s.*>]/g;
const UNSAFE_TEST = /[\s.*>]/;
const UNSAFE_SUBJECT = /[\s*>]/g;
const UNSAFE_SUBJECT_TEST = /[\s*>]/;

/** One token of a destination subject, made from data: white space, dots and wildcards become `_`. */
export function safeToken(text: string): string {
  if (text === '') return '_';
  return UNSAFE_TEST.test(text) ? text.replace(UNSAFE, '_') : text;
}

/** A destination subject after substitution: nothing in it may widen it, no token may be empty. */
export function safeSubject(text: string): string {
  const narrow = UNSAFE_SUBJECT_TEST.test(text) ? text.replace(UNSAFE_SUBJECT, '_') : text;
  if (!narrow.includes('..') && !narrow.startsWith('.') && !narrow.endsWith('.') && narrow !== '')
    return narrow;
  return tokensOf(narrow)
    .map((token) => (token === '' ? '_' : token))
    .join('.');
}
