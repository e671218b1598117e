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

/**
 * Reads `$JS.ACK.<stream>.<consumer>.<delivered>.<sseq>.<cseq>.<time>.<pending>`, and the longer form with
 * domain and account (nats-server ADR-15); null when it is no such subject, so that nothing else is ever
 * replied to.
 */
export function parseDelivery(reply: string): Delivery | null {
  if (!reply.startsWith('$JS.ACK.')) return null;
  const tokens = reply.split('.');
  const from = tokens.length === 9 ? 2 : tokens.length >= 11 ? 4 : 0;
  if (from === 0) return null;
  return {
    stream: tokens[from] as string,
    consumer: tokens[from + 1] as string,
    deliveries: Number(tokens[from + 2]),
    sequence: Number(tokens[from + 3]),
    delivery: Number(tokens[from + 4]),
    // Nanoseconds: too many digits for a number.
    timestampMs: Number((tokens[from + 5] as string).slice(0, -6)),
    pending: Number(tokens[from + 6]),
  };
}

export class ReceivedMessage implements Incoming {
  readonly subject: string;
  readonly stream: string;
  readonly sequence: number;
  readonly timestampMs: number;
  readonly receivedAtMs: number;
  deliveries: number;
  /** Where acknowledgements go: the newest delivery's. Empty for core NATS. */
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
