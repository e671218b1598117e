/**
 * The aws-query form: `Listeners.member.1.Port=80` back into the structure that the schema describes.
 * Flattened lists and maps (SQS) leave out `member` and `entry`, and may carry a singular name of their own.
 */
import type { Schema } from './model.ts';
import { readText } from './values.ts';

export type Form = { readonly [field: string]: string | Form };

type Traits = { readonly xmlName?: string; readonly xmlFlattened?: unknown };

/** Form fields as a tree along their dots. */
export function readForm(body: string): Form {
  type Open = { [field: string]: string | Open };
  const root: Open = {};
  for (const [path, value] of new URLSearchParams(body)) {
    const names = path.split('.');
    const last = names.pop() as string;
    let at = root;
    for (const name of names) {
      const next = at[name];
      at = at[name] = next === undefined || typeof next === 'string' ? {} : next;
    }
    at[last] = value;
  }
  return root;
}

/** The value at one place of the form; undefined when the form does not mention it. */
export function readQuery(schema: Schema, at: string | Form | undefined): unknown {
  if (at === undefined) return undefined;
  if (schema.isStructSchema()) return readStruct(schema, typeof at === 'string' ? {} : at);
  if (schema.isListSchema()) return readList(schema, at);
  if (schema.isMapSchema()) return readMap(schema, typeof at === 'string' ? {} : at);
  return typeof at === 'string' ? readText(schema, at) : undefined;
}

function readStruct(schema: Schema, at: Form): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (const [name, member] of schema.structIterator()) {
    const read = readQuery(member, at[traitsOf(member).xmlName ?? name]);
    if (read !== undefined) value[name] = read;
  }
  return value;
}

function readList(schema: Schema, at: string | Form): unknown[] {
  if (typeof at === 'string') return [];
  const member = schema.getValueSchema();
  const items = traitsOf(schema).xmlFlattened ? at : at[traitsOf(member).xmlName ?? 'member'];
  return numbered(items).map((item) => readQuery(member, item));
}

function readMap(schema: Schema, at: Form): Record<string, unknown> {
  const keyName = traitsOf(schema.getKeySchema()).xmlName ?? 'key';
  const member = schema.getValueSchema();
  const valueName = traitsOf(member).xmlName ?? 'value';
  const entries = traitsOf(schema).xmlFlattened ? at : at.entry;
  const value: Record<string, unknown> = {};
  for (const entry of numbered(entries)) {
    if (typeof entry === 'string') continue;
    value[String(entry[keyName])] = readQuery(member, entry[valueName]);
  }
  return value;
}

/** `{ 1: …, 2: … }` in the order of its numbers. */
function numbered(items: string | Form | undefined): readonly (string | Form)[] {
  if (items === undefined || typeof items === 'string') return [];
  return Object.keys(items)
    .filter((key) => /^\d+$/.test(key))
    .sort((a, b) => Number(a) - Number(b))
    .map((key) => items[key] as string | Form);
}

const traitsOf = (schema: Schema) => schema.getMergedTraits() as Traits;
