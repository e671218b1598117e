/** Texts as attributes: short ones as they are, for people with the `aws` command; long ones compressed. */

import { hash } from 'node:crypto';
import {
  brotliCompressSync,
  brotliDecompressSync,
  constants,
  deflateRawSync,
  inflateRawSync,
} from 'node:zlib';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';

export type Item = Record<string, AttributeValue>;

/**
 * Above this a text is compressed: a rollout's plan of eleven steps goes from 1.7 KB to less than half a KB.
 */
const plainBytesMax = 1024;

type Stored = { readonly attribute: AttributeValue; readonly bytes: number };

/** Half the time of the default level, for 5 % more bytes. */
const fast = { level: 1, windowBits: 13, memLevel: 5, chunkSize: 4096 };

/** For what is written once and read often. */
export const storedText = (text: string): Stored => stored(text, () => deflateRawSync(text, fast));

/** Its fastest quality, for texts of some 8 KB. */
const fastest = {
  params: { [constants.BROTLI_PARAM_QUALITY]: 0, [constants.BROTLI_PARAM_LGWIN]: 14 },
  chunkSize: 4096,
};

/** Bits that no deflated text begins with: its first block would be of the reserved type. */
const brotliMark = Buffer.of(0b111);

/** For what is written with every append: half the time of deflate to write, a third more to read. */
export const hotText = (text: string): Stored =>
  stored(text, () => Buffer.concat([brotliMark, brotliCompressSync(text, fastest)]));

function stored(text: string, compressed: () => Buffer): Stored {
  const plainBytes = text.length > plainBytesMax ? text.length : Buffer.byteLength(text);
  if (plainBytes <= plainBytesMax) return { attribute: { S: text }, bytes: plainBytes };
  const bytes = compressed();
  return { attribute: { B: bytes }, bytes: bytes.length };
}

/** @param attribute as the SDK gives it, or as a Lambda event does, where bytes are base64 */
export function textOf(attribute: AttributeValue | undefined): string {
  if (attribute?.S !== undefined) return attribute.S;
  const given: Uint8Array | string | undefined = attribute?.B;
  if (given === undefined) throw new Error('an attribute that holds a text is missing');
  const bytes = typeof given === 'string' ? Buffer.from(given, 'base64') : given;
  if (bytes[0] === brotliMark[0]) return brotliDecompressSync(bytes.subarray(1)).toString();
  return inflateRawSync(bytes).toString();
}

export const numberOf = (attribute: AttributeValue | undefined): number => Number(attribute?.N);

export const sha256 = (text: string): string => hash('sha256', text, 'base64url');
