/**
 * The MD5 sums that SQS answers and clients compare. A body's is that of its UTF-8 text; the attributes' is
 * that of their sorted, length-prefixed encoding (SQS developer guide, "Calculating the MD5 message digest
 * for message attributes").
 */
import { createHash } from 'node:crypto';
import type { ParcelAttribute } from '../bus.ts';

export const md5 = (content: string | Buffer): string => createHash('md5').update(content).digest('hex');

/** Null when there are none. */
export function attributesDigest(attributes: Readonly<Record<string, ParcelAttribute>>): string | null {
  const names = Object.keys(attributes).sort();
  if (names.length === 0) return null;
  const parts = names.flatMap((name) => encode(name, attributes[name] as ParcelAttribute));
  return md5(Buffer.concat(parts));
}

function encode(name: string, { DataType, StringValue, BinaryValue }: ParcelAttribute): readonly Buffer[] {
  const binary = DataType.startsWith('Binary');
  const value = binary ? Buffer.from(BinaryValue ?? []) : Buffer.from(StringValue ?? '');
  const kind = Buffer.from([binary ? 2 : 1]);
  return [...prefixed(Buffer.from(name)), ...prefixed(Buffer.from(DataType)), kind, ...prefixed(value)];
}

function prefixed(bytes: Buffer): readonly Buffer[] {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return [length, bytes];
}
