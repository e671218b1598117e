/**
 * aws-json and the bodies of rest-json: decoded and encoded along the client's schema, so that timestamps
 * arrive as `Date`, blobs as bytes, and a member that the schema does not know never leaves the house.
 */
import type { Schema } from './model.ts';
import { readTimestamp, timestampFormat, toBuffer, writeText } from './values.ts';

type Names = { readonly jsonName: boolean };
type Record_ = Readonly<Record<string, unknown>>;

/** The value that `json` (already parsed) stands for; members unknown to the schema are dropped. */
export function readJson(schema: Schema, json: unknown, names: Names): unknown {
  if (json === null || json === undefined) return undefined;
  if (schema.isDocumentSchema()) return json;
  if (schema.isStructSchema()) return readStruct(schema, json as Record_, names);
  if (schema.isListSchema()) {
    const member = schema.getValueSchema();
    return asArray(json).map((item) => (item === null ? null : readJson(member, item, names)));
  }
  if (schema.isMapSchema()) {
    const member = schema.getValueSchema();
    return mapValues(json as Record_, (value) => (value === null ? null : readJson(member, value, names)));
  }
  if (schema.isTimestampSchema()) return readTimestamp(json);
  if (schema.isBlobSchema()) return Buffer.from(String(json), 'base64');
  return json;
}

function readStruct(schema: Schema, json: Record_, names: Names): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (const [name, member] of schema.structIterator()) {
    const read = readJson(member, json[wireName(member, name, names)], names);
    if (read !== undefined) value[name] = read;
  }
  return value;
}

/** `value` as plain data for `JSON.stringify`. */
export function writeJson(schema: Schema, value: unknown, names: Names): unknown {
  if (value === null || value === undefined) return undefined;
  if (schema.isDocumentSchema()) return value;
  if (schema.isStructSchema()) return writeStruct(schema, value as Record_, names);
  if (schema.isListSchema()) {
    const member = schema.getValueSchema();
    return asArray(value).map((item) => writeJson(member, item, names) ?? null);
  }
  if (schema.isMapSchema()) {
    const member = schema.getValueSchema();
    return mapValues(value as Record_, (item) => writeJson(member, item, names));
  }
  if (schema.isTimestampSchema()) {
    const text = writeText(schema, value, 7);
    return timestampFormat(schema, 7) === 7 ? Number(text) : text;
  }
  if (schema.isBlobSchema()) return toBuffer(value).toString('base64');
  return value;
}

function writeStruct(schema: Schema, value: Record_, names: Names): Record<string, unknown> {
  const json: Record<string, unknown> = {};
  for (const [name, member] of schema.structIterator()) {
    const written = writeJson(member, value[name], names);
    if (written !== undefined) json[wireName(member, name, names)] = written;
  }
  return json;
}

function wireName(member: Schema, name: string, names: Names): string {
  const traits = member.getMergedTraits() as { readonly jsonName?: string };
  return names.jsonName ? (traits.jsonName ?? name) : name;
}

const asArray = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

function mapValues(value: Record_, change: (item: unknown) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, change(item)]));
}
