/**
 * Every event carries a hash over the hash before it and its own content, so that a history in which anything
 * was changed, dropped or put in afterwards no longer follows from its beginning.
 */

/** SHA-256 of a text's UTF-8 bytes, base64url: 43 characters. */
export type Digest = (text: string) => string;

export type Link = {
  readonly stream: string;
  readonly version: number;
  /** The hash of the event before; empty before the first. */
  readonly previous: string;
  readonly schema: number;
  readonly commandId: string;
  readonly correlationId: string;
  readonly actor: string;
  readonly event: unknown;
};

/** The stream's name is part of the content: an event cannot be moved to another stream. */
export function chainHash(digest: Digest, link: Link): string {
  const { stream, version, previous, schema, commandId, correlationId, actor, event } = link;
  return digest(canonical([stream, version, previous, schema, commandId, correlationId, actor, event]));
}

/** JSON with the keys of every object in order of their code units; what JSON leaves out is left out. */
export function canonical(value: unknown): string {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null';
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  if (Array.isArray(value)) return `[${value.map((one) => canonical(one ?? null)).join(',')}]`;
  let fields = '';
  for (const key of Object.keys(value).sort()) {
    const field = (value as Readonly<Record<string, unknown>>)[key];
    if (field === undefined) continue;
    const quoted = needsNoEscape.test(key) ? `"${key}"` : JSON.stringify(key);
    fields += `${fields === '' ? '' : ','}${quoted}:${canonical(field)}`;
  }
  return `{${fields}}`;
}

const needsNoEscape = /^\w+$/;
