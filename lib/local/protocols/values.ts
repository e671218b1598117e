/**
 * Single values on the wire: timestamps, blobs, numbers and booleans, as text and as JSON.
 * Timestamp formats are the client schemas' own numbers: 5 date-time, 6 http-date, 7 epoch seconds, and
 * 4 whatever the place on the wire uses by default.
 */
import type { Schema } from './model.ts';

export type TimestampFormat = 5 | 6 | 7;

/** A value as text: form fields, XML text, headers, labels and query strings. */
export function writeText(schema: Schema, value: unknown, timestampDefault: TimestampFormat): string {
  if (schema.isTimestampSchema()) return timestampText(schema, value, timestampDefault);
  if (schema.isBlobSchema()) return toBuffer(value).toString('base64');
  if (value !== null && typeof value === 'object') return JSON.stringify(value);
  return String(value);
}

/** The value that `text` stands for. */
export function readText(schema: Schema, text: string): unknown {
  if (schema.isBooleanSchema()) return text === 'true';
  if (schema.isNumericSchema()) return Number(text);
  if (schema.isTimestampSchema()) return readTimestamp(text);
  if (schema.isBlobSchema()) return Buffer.from(text, 'base64');
  return text;
}

/** A moment from epoch seconds, as number or text, or from any date text; undefined is never given. */
export function readTimestamp(value: unknown): Date {
  const seconds = typeof value === 'number' || /^-?[\d.]+(e\d+)?$/i.test(String(value));
  return new Date(seconds ? Number(value) * 1000 : String(value));
}

function timestampText(schema: Schema, value: unknown, fallback: TimestampFormat): string {
  const date = value instanceof Date ? value : new Date(value as string | number);
  const format = timestampFormat(schema, fallback);
  if (format === 7) return String(date.getTime() / 1000);
  return format === 6 ? date.toUTCString() : date.toISOString().replace('.000Z', 'Z');
}

export function timestampFormat(schema: Schema, fallback: TimestampFormat): TimestampFormat {
  const own = schema.getSchema();
  return own === 5 || own === 6 || own === 7 ? own : fallback;
}

/** Bytes from what an operation may answer for a blob. */
export function toBuffer(value: unknown): Buffer {
  return typeof value === 'string' ? Buffer.from(value) : Buffer.from(value as Uint8Array);
}
