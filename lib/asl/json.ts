/**
 * The values a state machine moves about. Everything the interpreter holds is treated as immutable: it is
 * copied where it comes in from a task and where it goes out to one, and shared in between.
 */

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export type JsonObject = { readonly [key: string]: Json };

/** At most 256 KiB of UTF-8 move between states (service quotas, "Maximum input or output size"). */
export const PAYLOAD_BYTES_MAX = 262_144;

/** What cannot be written as JSON: a function, a symbol, a bigint, a number that is not finite, a cycle. */
export class NotJson extends Error {
  override readonly name = 'NotJson';
}

/** True for an object that is neither null nor an array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const DEPTH_MAX = 1000; // deeper is a cycle, or nothing that AWS would parse

/**
 * A deep copy as `JSON.stringify` would see it (`toJSON` honoured, undefined members left out, undefined
 * array elements null). Undefined itself becomes null, as a Lambda's missing answer does.
 * Throws `NotJson` where `JSON.stringify` would throw or quietly lose a value.
 */
export function copyJson(value: unknown, depth = 0): Json {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      if (!Number.isFinite(value)) throw new NotJson(`${value} is not a JSON number`);
      return value;
    case 'undefined':
      return null;
    case 'object':
      return value === null ? null : copyObject(value, depth);
    default:
      throw new NotJson(`a ${typeof value} is not JSON`);
  }
}

// JSON may have a member of this name; assigning it would change the prototype instead.
const OWN = { enumerable: true, writable: true, configurable: true };

function copyObject(value: object, depth: number): Json {
  if (depth > DEPTH_MAX) throw new NotJson('the value is nested too deeply, or contains itself');
  if (Array.isArray(value)) {
    const copy: Json[] = new Array(value.length);
    for (let index = 0; index < value.length; index++) copy[index] = copyJson(value[index], depth + 1);
    return copy;
  }
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === 'function') return copyJson(toJSON.call(value), depth + 1);
  const copy: Record<string, Json> = {};
  for (const key of Object.keys(value)) {
    const member = (value as Record<string, unknown>)[key];
    if (member === undefined) continue;
    const own = copyJson(member, depth + 1);
    if (key === '__proto__') Object.defineProperty(copy, key, { ...OWN, value: own });
    else copy[key] = own;
  }
  return copy;
}

/** True when `value` takes more than `bytesMax` bytes of UTF-8 as JSON. A cheap bound answers most calls. */
export function isLargerThan(value: Json, bytesMax: number): boolean {
  if (bytesAtMost(value, bytesMax) <= bytesMax) return false;
  return Buffer.byteLength(JSON.stringify(value)) > bytesMax;
}

/** An upper bound of the encoded size; stops counting once it has passed `enough`. */
function bytesAtMost(value: Json, enough: number): number {
  if (typeof value === 'string') return 2 + value.length * 6; // \uXXXX, the longest form of one UTF-16 unit
  if (typeof value !== 'object' || value === null) return 25; // the longest double: -1.2345678901234567e+100
  let bytes = 2;
  if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) {
      bytes += 1 + bytesAtMost(item, enough - bytes);
      if (bytes > enough) return bytes;
    }
    return bytes;
  }
  for (const key in value) {
    bytes += 4 + key.length * 6 + bytesAtMost((value as JsonObject)[key] as Json, enough - bytes);
    if (bytes > enough) return bytes;
  }
  return bytes;
}
