/**
 * Asks a JetStream pull consumer for messages, as many as its owner has room for, with two requests
 * overlapping so that the server never waits for us. Works on the plain connection: the client library's own
 * consumer costs about three times as much per message (bench/bridge.ts measures both).
 *
 * Every request has an inbox of its own under one subscription. Messages arrive under their stream's subject
 * and count against the oldest request; what the server says about a request arrives under the request's
 * inbox.
 */
import { createInbox, type Msg, type NatsConnection, type Subscription } from '@nats-io/nats-core';
import type { Timers } from '../core/bridge/ports.ts';

export type PullerOptions = {
  readonly stream: string;
  readonly consumer: string;
  /** Messages the owner can hold in all. */
  readonly room: number;
  /** Messages per request, at most. */
  readonly batchMax: number;
  /** Bytes per request, at most; a single larger message is still delivered. */
  readonly bytesMax: number;
};

export type PullerEvents = {
  /** A message, with its subject already decoded. */
  message(msg: Msg, subject: string): void;
  /** A request ended early or the server went silent; the puller carries on by itself. */
  notice(code: number, description: string): void;
  /** The consumer is gone: nothing comes until somebody makes it again. */
  lost(reason: string): void;
};

type Request = { readonly id: string; remaining: number; readonly endsAtMs: number };

const EXPIRES_MS = 30_000;
/**
 * The server sends a sign of life on an idle request this often; twice missed, and the request is given up.
 */
const HEARTBEAT_MS = 5_000;
const REQUESTS_MAX = 4;
/** After a request that the server refused for now. */
const RETRY_MS = 250;
/** Without a connection, retiring has nobody to wait for. */
const RETIRE_MS_MAX = 2_000;
const NANOS = 1_000_000;
const utf8 = new TextEncoder();

export class Puller {
  readonly #nats: NatsConnection;
  readonly #timers: Timers;
  readonly #options: PullerOptions;
  readonly #events: PullerEvents;
  readonly #subject: string;
  readonly #inbox: string;
  #subscription: Subscription | null = null;
  #requests: Request[] = [];
  #requested = 0;
  #serial = 0;
  #room = 0;
  #heardAtMs = 0;
  #cancelTick: () => void = () => {};
  #cancelRetry: (() => void) | null = null;

  constructor(nats: NatsConnection, timers: Timers, options: PullerOptions, events: PullerEvents) {
    this.#nats = nats;
    this.#timers = timers;
    this.#options = options;
    this.#events = events;
    this.#subject = `$JS.API.CONSUMER.MSG.NEXT.${options.stream}.${options.consumer}`;
    this.#inbox = `${createInbox()}.`;
  }

  start(): void {
    this.#heardAtMs = this.#timers.now();
    this.#subscription = this.#nats.subscribe(`${this.#inbox}*`, {
      callback: (error, msg) => {
        if (error === null) this.#receive(msg);
        else this.#events.lost(error.message);
      },
    });
    this.#tick();
  }

  /**
   * Resolves when nothing will come any more: what the server had sent before it heard of the end has arrived
   * by then. Only now can a message be given back without coming right back here, to a request that was still
   * open.
   */
  async retire(): Promise<void> {
    this.#room = 0;
    this.#cancelTick();
    this.#cancelRetry?.();
    const subscription = this.#subscription;
    this.#subscription = null;
    if (subscription === null || subscription.isClosed()) return;
    const late = new Promise<void>((resolve) => this.#timers.schedule(RETIRE_MS_MAX, resolve));
    await Promise.race([subscription.drain().catch(() => undefined), late]);
  }

  /** How many messages the owner can take from now on, besides those it has. Requests follow as needed. */
  offer(room: number): void {
    this.#room = room;
    this.#ask();
  }

  /** Asks for so many messages, whatever the room: those that the owner has to have before it can go on. */
  ask(count: number): void {
    const missing = Math.min(count, this.#options.batchMax) - this.#requested;
    if (missing > 0 && this.#requests.length < REQUESTS_MAX && this.#subscription !== null)
      this.#request(missing);
  }

  /** Requests sent before are void: the connection is a new one. */
  reset(): void {
    this.#requests = [];
    this.#requested = 0;
    this.#heardAtMs = this.#timers.now();
    this.#ask();
  }

  get #open(): boolean {
    return this.#subscription !== null && !this.#nats.isClosed();
  }

  #ask(): void {
    if (!this.#open || this.#cancelRetry !== null) return;
    // A quarter at a time keeps two to four requests overlapping without asking for each message.
    const { batchMax, room } = this.#options;
    const chunk = Math.max(1, Math.min(batchMax, room >> 2));
    let free = this.#room - this.#requested;
    while (free >= chunk && this.#requests.length < REQUESTS_MAX) {
      this.#request(Math.min(free, batchMax));
      free = this.#room - this.#requested;
    }
  }

  #request(batch: number): void {
    const id = String(++this.#serial);
    this.#requests.push({
      id,
      remaining: batch,
      endsAtMs: this.#timers.now() + EXPIRES_MS + 2 * HEARTBEAT_MS,
    });
    this.#requested += batch;
    const { bytesMax } = this.#options;
    const times = `"expires":${EXPIRES_MS * NANOS},"idle_heartbeat":${HEARTBEAT_MS * NANOS}`;
    const body = `{"batch":${batch},${times},"max_bytes":${bytesMax}}`;
    this.#nats.publish(this.#subject, utf8.encode(body), { reply: this.#inbox + id });
  }

  #receive(msg: Msg): void {
    const { subject } = msg;
    if (subject.startsWith(this.#inbox)) {
      this.#heardAtMs = this.#timers.now();
      this.#status(msg, subject.slice(this.#inbox.length));
      return;
    }
    this.#room--;
    const first = this.#requests[0];
    if (first !== undefined) {
      first.remaining--;
      this.#requested--;
      if (first.remaining === 0) {
        this.#requests.shift();
        this.#heardAtMs = this.#timers.now();
      }
    }
    this.#events.message(msg, subject);
    if (first?.remaining === 0) this.#ask();
  }

  #status(msg: Msg, id: string): void {
    const { code = 0, description = '' } = msg.headers ?? {};
    if (code === 100) return;
    this.#drop(id);
    if (code === 409 && /consumer deleted|consumer is push based/i.test(description)) {
      this.#events.lost(description);
      return;
    }
    // 404 no messages, 408 expired, 409 a byte limit or a limit of pending messages, 503 nobody there (yet).
    const ended = code === 404 || code === 408 || /max ?bytes/i.test(description);
    if (!ended) this.#events.notice(code, description);
    if (ended) this.#ask();
    else this.#askLater();
  }

  #askLater(): void {
    this.#cancelRetry ??= this.#timers.schedule(RETRY_MS, () => {
      this.#cancelRetry = null;
      this.#ask();
    });
  }

  #drop(id: string): void {
    const index = this.#requests.findIndex((request) => request.id === id);
    if (index < 0) return;
    this.#requested -= (this.#requests[index] as Request).remaining;
    this.#requests.splice(index, 1);
  }

  /** Gives up requests that the server seems to have forgotten. */
  #tick(): void {
    const now = this.#timers.now();
    for (const request of this.#requests.filter(({ endsAtMs }) => endsAtMs < now)) this.#drop(request.id);
    if (this.#requests.length > 0 && now - this.#heardAtMs > 2.5 * HEARTBEAT_MS && !this.#nats.isClosed()) {
      this.#events.notice(0, 'no sign of life from the consumer');
      this.reset();
    }
    this.#ask();
    this.#cancelTick = this.#timers.schedule(HEARTBEAT_MS, () => this.#tick());
  }
}
