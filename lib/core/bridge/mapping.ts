/**
 * The subject-mapping functions of nats-server: a shard computed here is the shard the server would compute.
 * Source: nats-server `server/subject_transform.go`; test/contracts/bridge/mapping.test.ts asks a real server
 * the same questions. Two differences, both on purpose: the server cuts bytes, we cut characters, so a token
 * beyond ASCII stays readable; and `split` never makes an empty token where a token begins with two
 * delimiters.
 */

const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;
const utf8 = new TextEncoder();

/** FNV-1a, 32 bits, over the UTF-8 bytes of the tokens one after the other (no separator between them). */
export function fnv1a(tokens: readonly string[]): number {
  let hash = OFFSET_BASIS;
  for (const token of tokens) {
    for (let i = 0; i < token.length; i++) {
      const code = token.charCodeAt(i);
      if (code > 0x7f) return fnv1aOfBytes(utf8.encode(tokens.join('')));
      hash = Math.imul(hash ^ code, PRIME);
    }
  }
  return hash >>> 0;
}

function fnv1aOfBytes(bytes: Uint8Array): number {
  let hash = OFFSET_BASIS;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, PRIME);
  return hash >>> 0;
}

/** `partition(n, …)`: 0 to n − 1. */
export function partition(count: number, tokens: readonly string[]): string {
  return String(fnv1a(tokens) % count);
}

/** `splitFromLeft(w, n)`: the token cut after its first n characters; whole when it is too short. */
export function splitFromLeft(token: string, position: number): string {
  if (position <= 0 || position >= token.length) return token;
  return `${token.slice(0, position)}.${token.slice(position)}`;
}

/** `splitFromRight(w, n)`: the token cut before its last n characters; whole when it is too short. */
export function splitFromRight(token: string, position: number): string {
  if (position <= 0 || position >= token.length) return token;
  return `${token.slice(0, token.length - position)}.${token.slice(token.length - position)}`;
}

/** `sliceFromLeft(w, n)`: pieces of n characters, the remainder last. */
export function sliceFromLeft(token: string, size: number): string {
  if (size <= 0 || size >= token.length) return token;
  const pieces: string[] = [];
  for (let i = 0; i < token.length; i += size) pieces.push(token.slice(i, i + size));
  return pieces.join('.');
}

/** `sliceFromRight(w, n)`: pieces of n characters, the remainder first. */
export function sliceFromRight(token: string, size: number): string {
  if (size <= 0 || size >= token.length) return token;
  const pieces: string[] = [];
  const remainder = token.length % size;
  if (remainder > 0) pieces.push(token.slice(0, remainder));
  for (let i = remainder; i < token.length; i += size) pieces.push(token.slice(i, i + size));
  return pieces.join('.');
}

/** `split(w, d)`: the token's parts between delimiters, empty parts left out. */
export function split(token: string, delimiter: string): string {
  return token
    .split(delimiter)
    .filter((part) => part !== '')
    .join('.');
}
