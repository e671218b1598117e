/** Where a message goes that can never be delivered, and what is kept of it there: everything. */
import type { ConfigFault, DeadLetterConfig } from './config.ts';
import { isFifo } from './fifo.ts';
import { messageFunctions } from './functions.ts';
import { type BridgeMessage, identityOf } from './message.ts';
import { safeSubject } from './subject.ts';
import { compileTemplate } from './template.ts';

export type DeadLetterSpec =
  | { readonly kind: 'sqs'; readonly queue: string }
  | { readonly kind: 'nats'; readonly subject: (message: BridgeMessage) => string; readonly written: string };

/** The dead-letter target of a configuration; null when there is none or it is faulty. */
export function compileDeadLetters(
  config: DeadLetterConfig | undefined,
  path: readonly (string | number)[],
  faults: ConfigFault[],
): DeadLetterSpec | null {
  if (config === undefined) return null;
  if ('sqs' in config) {
    if (isFifo(config.sqs))
      faults.push({ path, message: 'a dead-letter queue here is a standard queue, not FIFO' });
    return { kind: 'sqs', queue: config.sqs };
  }
  const template = compileTemplate(config.nats, messageFunctions([], 'subject'));
  if ('render' in template) {
    return {
      kind: 'nats',
      subject: (message) => safeSubject(template.render(message)),
      written: config.nats,
    };
  }
  faults.push(...template.map(({ fault }) => ({ path: [...path, 'nats'], message: fault })));
  return null;
}

export type DeadLetterReason = {
  readonly rule: string;
  readonly target: string;
  readonly code: string;
  readonly message: string;
  readonly attempts: number;
};

/**
 * Bytes of payload per record, as it stands in the record's JSON: with the headers beside it a record stays
 * under 256 KiB, which an SQS queue takes whatever its MaximumMessageSize was set to.
 */
const PART_BYTES_MAX = 180_000;
/**
 * Headers beyond this many characters are cut: nats-server's own limit for a whole message's headers is 64
 * KiB.
 */
const HEADERS_CHARACTERS_MAX = 60_000;

/**
 * The records that hold a dead message: one, or several when its payload is larger than a queue's message.
 * Parts share `id` and are numbered from 1; the payload is their `data` put together.
 */
export function deadLetterRecords(message: BridgeMessage, reason: DeadLetterReason): readonly string[] {
  const text = message.text();
  const encoding = text === undefined ? 'base64' : 'text';
  const payload = text ?? message.base64();
  const pieces = piecesOf(payload);
  const head = {
    id: identityOf(message),
    reason,
    subject: message.subject,
    ...(message.stream === '' ? {} : { stream: message.stream, seq: message.sequence }),
    time: new Date(message.timestampMs).toISOString(),
    headers: headersOf(message),
    encoding,
    parts: pieces.length,
  };
  return pieces.map((data, index) =>
    // U+FFFE and U+FFFF are the only characters that JSON leaves as they are and SQS refuses.
    JSON.stringify({ ...head, part: index + 1, data }).replace(
      /[\ufffe\uffff]/g,
      (c) => `\\u${c.charCodeAt(0).toString(16)}`,
    ),
  );
}

const utf8 = new TextEncoder();

function piecesOf(payload: string): readonly string[] {
  const pieces: string[] = [];
  let from = 0;
  do {
    let size = PART_BYTES_MAX;
    while (utf8.encode(JSON.stringify(payload.slice(from, from + size))).length > PART_BYTES_MAX) size >>= 1;
    pieces.push(payload.slice(from, from + size));
    from += size;
  } while (from < payload.length);
  return pieces;
}

function headersOf(message: BridgeMessage): Record<string, readonly string[]> {
  const kept: Record<string, readonly string[]> = {};
  let length = 0;
  for (const [name, values] of message.headers()) {
    length += name.length + values.reduce((sum, value) => sum + value.length, 0);
    if (length <= HEADERS_CHARACTERS_MAX) kept[name] = values;
  }
  return kept;
}
