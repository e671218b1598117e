/** Messages as they came from NATS. Text, JSON, tokens and headers are worked out when somebody asks. */
import { isUtf8 } from 'node:buffer';
import type { Msg } from '@nats-io/nats-core';
import type { Incoming } from '../core/bridge/ports.ts';

/** What a JetStream delivery says about itself, in the subject that acknowledges it. */
export type Delivery = {
  readonly stream: string;
  readonly consumer: string;
  readonly deliveries: number;
  readonly sequence: number;
  /** The consumer's own number, dense over everything it delivers. */
  readonly delivery: number;
  readonly timestampMs: number;
  /** Messages behind this one in the stream that the consumer has not delivered. */
  readonly pending: number;
};

const PREFIX = '$JS.ACK.';
const DOT = 46;
const ZERO = 48;

/** Where the tokens of the reply being read end: the dot before the stream, and those after it. */
const dots = new Int32Array(12);

/**
 * Reads `$JS.ACK.<stream>.<consumer>.<delivered>.<sseq>.<cseq>.<time>.<pending>`, and the longer form with
 * domain and account (nats-server ADR-15); null when it is no such subject, so that nothing else is ever
 * replied to. Splitting the subject and reading six numbers from its pieces was the dearest step per message;
 * this finds the dots in one pass and reads the digits where they stand.
 */
export function parseDelivery(reply: string): Delivery | null {
  if (!reply.startsWith(PREFIX)) return null;
  let count = 0;
  for (let at = PREFIX.length - 1; at < reply.length; at++)
    if (reply.charCodeAt(at) === DOT) dots[count++] = at; // beyond the last place: dropped
  const skipped = count === 7 ? 0 : count >= 9 ? 2 : -1;
  if (skipped < 0) return null;
  const dot = (n: number) => dots[skipped + n] as number;
  return {
    stream: reply.slice(dot(0) + 1, dot(1)),
    consumer: reply.slice(dot(1) + 1, dot(2)),
    deliveries: digits(reply, dot(2) + 1, dot(3)),
    sequence: digits(reply, dot(3) + 1, dot(4)),
    delivery: digits(reply, dot(4) + 1, dot(5)),
    // Nanoseconds are too many digits for a number: the last six are left out.
    timestampMs: digits(reply, dot(5) + 1, dot(6) - 6),
    pending: digits(reply, dot(6) + 1, skipped + 7 < count ? dot(7) : reply.length),
  };
}

function digits(text: string, from: number, end: number): number {
  let number = 0;
  for (let at = from; at < end; at++) number = number * 10 + (text.charCodeAt(at) - ZERO);
  return number;
}

export class ReceivedMessage implements Incoming {
  readonly subject: string;
  readonly stream: string;
  readonly sequence: number;
  readonly timestampMs: number;
  readonly receivedAtMs: number;
  deliveries: number;
  /** Where acknowledgements go: the reply of a delivery. Empty for core NATS. */
  reply: string;
  /** When the server last heard about it, so that it does not deliver it again. */
  touchedAtMs: number;
  readonly #msg: Msg;
  #tokens: readonly string[] | null = null;
  #text: string | undefined;
  #json: unknown;
  #read = false;
  #parsed = false;

  constructor(msg: Msg, subject: string, reply: string, delivery: Delivery | null, nowMs: number) {
    this.#msg = msg;
    this.subject = subject;
    this.reply = delivery === null ? '' : reply;
    this.stream = delivery?.stream ?? '';
    this.sequence = delivery?.sequence ?? 0;
    this.deliveries = delivery?.deliveries ?? 1;
    this.timestampMs = delivery?.timestampMs ?? nowMs;
    this.receivedAtMs = nowMs;
    this.touchedAtMs = nowMs;
  }

  get size(): number {
    return this.#msg.data.length;
  }

  token(position: number): string {
    this.#tokens ??= this.subject.split('.');
    return this.#tokens[position] ?? '';
  }

  header(name: string): string | undefined {
    const { headers } = this.#msg;
    if (headers === undefined) return undefined;
    const wanted = name.toLowerCase();
    for (const [key, values] of headers) if (key.toLowerCase() === wanted) return values[0];
    return undefined;
  }

  headers(): readonly (readonly [name: string, values: readonly string[]])[] {
    return this.#msg.headers === undefined ? [] : [...this.#msg.headers];
  }

  text(): string | undefined {
    if (!this.#read) {
      this.#read = true;
      const data = this.bytes();
      this.#text = isUtf8(data) ? data.toString('utf8') : undefined;
    }
    return this.#text;
  }

  json(): unknown {
    if (!this.#parsed) {
      this.#parsed = true;
      try {
        this.#json = JSON.parse(this.text() ?? '');
      } catch {
        this.#json = undefined;
      }
    }
    return this.#json;
  }

  base64(): string {
    return this.bytes().toString('base64');
  }

  bytes(): Buffer {
    const { data } = this.#msg;
    return Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  }
}
