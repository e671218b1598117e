/**
 * Publishes to JetStream with one shared inbox and a window of publications under way: three to four times as
 * fast as the client library's `publish`, which makes a request with a timer and a promise chain for each
 * message.
 */
import {
  createInbox,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  type Subscription,
} from '@nats-io/nats-core';
import type { Publication, Published, Publisher, Timers } from '../core/bridge/ports.ts';

export type PublisherOptions = {
  /** Publications under way; more wait their turn. */
  readonly window: number;
  readonly timeoutMs: number;
};

type Waiting = { readonly resolve: (published: Published) => void; readonly deadlineMs: number };

const SWEEP_MS = 250;
const utf8 = new TextEncoder();
/** Characters that would end a header line. */
const LINE_END = /[\r\n]+/g;

/** JetStream errors that no repetition mends: API error codes of nats-server. */
const PERMANENT = new Set([
  10054, // message size exceeds maximum allowed
  10060, // expected stream does not match
  10071, // wrong last sequence
  10164, // wrong last sequence, constant form
]);

export class JetStreamPublisher implements Publisher {
  readonly #nats: NatsConnection;
  readonly #timers: Timers;
  readonly #options: PublisherOptions;
  readonly #inbox = `${createInbox()}.`;
  readonly #waiting = new Map<string, Waiting>();
  #queue: (() => void)[] = [];
  readonly #subscription: Subscription;
  #serial = 0;
  #cancelSweep: (() => void) | null = null;

  constructor(nats: NatsConnection, timers: Timers, options: PublisherOptions) {
    this.#nats = nats;
    this.#timers = timers;
    this.#options = options;
    this.#subscription = nats.subscribe(`${this.#inbox}*`, {
      callback: (error, msg) => {
        if (error === null) this.#answered(msg);
      },
    });
  }

  /** Publications under way. */
  get underWay(): number {
    return this.#waiting.size;
  }

  async publish(publication: Publication): Promise<Published> {
    if (this.#waiting.size >= this.#options.window)
      await new Promise<void>((resolve) => this.#queue.push(resolve));
    return new Promise((resolve) => {
      const id = String(++this.#serial);
      this.#waiting.set(id, { resolve, deadlineMs: this.#timers.now() + this.#options.timeoutMs });
      this.#cancelSweep ??= this.#timers.schedule(SWEEP_MS, () => this.#sweep());
      try {
        const headers = encodedHeaders(publication);
        this.#nats.publish(publication.subject, publication.data, { reply: this.#inbox + id, headers });
      } catch (error) {
        const { name, message } = error as Error;
        const permanent = /max_payload/.test(message);
        this.#finish(id, { outcome: 'refused', code: name, message, permanent });
      }
    });
  }

  close(): void {
    this.#cancelSweep?.();
    this.#subscription.unsubscribe();
    for (const id of [...this.#waiting.keys()])
      this.#finish(id, { outcome: 'unknown', message: 'the publisher is closed' });
  }

  #answered(msg: Msg): void {
    this.#finish(msg.subject.slice(this.#inbox.length), publishedOf(msg));
  }

  #finish(id: string, published: Published): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    waiting.resolve(published);
    const next = this.#queue.shift();
    if (next !== undefined) next();
  }

  #sweep(): void {
    this.#cancelSweep = null;
    const now = this.#timers.now();
    for (const [id, { deadlineMs }] of this.#waiting) {
      if (deadlineMs > now) break;
      this.#finish(id, { outcome: 'unknown', message: `no answer within ${this.#options.timeoutMs} ms` });
    }
    if (this.#waiting.size > 0) this.#cancelSweep = this.#timers.schedule(SWEEP_MS, () => this.#sweep());
  }
}

type PubAck = {
  readonly stream?: string;
  readonly seq?: number;
  readonly duplicate?: boolean;
  readonly error?: { readonly err_code?: number; readonly code?: number; readonly description?: string };
};

function publishedOf(msg: Msg): Published {
  if (msg.data.length === 0) {
    // "No responders": no stream takes the subject, or JetStream is not up yet. Only time can tell which.
    return { outcome: 'refused', code: 'NoStream', message: 'no stream takes the subject', permanent: false };
  }
  const answer = JSON.parse(msg.string()) as PubAck;
  if (answer.error !== undefined) {
    const { err_code = 0, code = 0, description = '' } = answer.error;
    const permanent = PERMANENT.has(err_code);
    return { outcome: 'refused', code: String(err_code || code), message: description, permanent };
  }
  const { stream = '', seq = 0, duplicate = false } = answer;
  return { outcome: 'stored', stream, sequence: seq, duplicate };
}

/**
 * The client asks of headers only their bytes; building its own headers object costs as much as all the rest
 * of a publication.
 */
function encodedHeaders(publication: Publication): MsgHdrs {
  let text = 'NATS/1.0\r\n';
  if (publication.msgId !== '') text += `Nats-Msg-Id: ${publication.msgId.replace(LINE_END, ' ')}\r\n`;
  if (publication.stream !== null) text += `Nats-Expected-Stream: ${publication.stream}\r\n`;
  for (const [name, value] of publication.headers) text += `${name}: ${value.replace(LINE_END, ' ')}\r\n`;
  const bytes = utf8.encode(`${text}\r\n`);
  return { encode: () => bytes } as unknown as MsgHdrs;
}
