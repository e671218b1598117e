/** How settled messages are told to the server: each for itself, or all up to a point. */
import type { NatsConnection } from '@nats-io/nats-core';
import type { Timers, Verdict } from '../core/bridge/ports.ts';
import { Watermark } from '../core/bridge/watermark.ts';
import type { ReceivedMessage } from './receivedMessage.ts';

const utf8 = new TextEncoder();
const ACK = utf8.encode('+ACK');
/** Without a reason: nats-server 2.9 ignores a `+TERM` that has one, and delivers the message again. */
const TERM = utf8.encode('+TERM');
const WORKING = utf8.encode('+WPI');

export interface Acks {
  opened(message: ReceivedMessage): void;
  settled(message: ReceivedMessage, verdict: Verdict): void;
  /** It was settled before, and the server did not hear of it. */
  again(reply: string): void;
  /** Still being worked on. */
  working(message: ReceivedMessage): void;
  givenBack(message: ReceivedMessage, delayMs: number): void;
  /** Settled messages that the server is not told of yet, because earlier ones are still open. */
  readonly withheld: number;
  /** Sends what is still due; and once more what was sent lately, after a connection broke. */
  flush(resend: boolean): void;
  stop(): void;
}

/** Acknowledgements sent lately, which a broken connection may have swallowed. */
const RESENT_MAX = 8_192;

function answer(nats: NatsConnection, reply: string, body: Uint8Array): void {
  // A closed connection cannot be told; the server delivers again and the ledger knows better.
  if (!nats.isClosed()) nats.publish(reply, body);
}

function giveBack(nats: NatsConnection, reply: string, delayMs: number): void {
  answer(nats, reply, utf8.encode(delayMs > 0 ? `-NAK {"delay":${delayMs * 1_000_000}}` : '-NAK'));
}

export class ExplicitAcks implements Acks {
  readonly #nats: NatsConnection;
  #recent: string[] = [];
  #next = 0;

  constructor(nats: NatsConnection) {
    this.#nats = nats;
  }

  opened(): void {}

  settled({ reply }: ReceivedMessage, verdict: Verdict): void {
    // The connection gathers what is published in one turn of the event loop and writes it at once.
    answer(this.#nats, reply, verdict === 'done' ? ACK : TERM);
    this.#recent[this.#next] = reply;
    this.#next = (this.#next + 1) % RESENT_MAX;
  }

  again(reply: string): void {
    answer(this.#nats, reply, ACK);
  }

  working({ reply }: ReceivedMessage): void {
    answer(this.#nats, reply, WORKING);
  }

  givenBack({ reply }: ReceivedMessage, delayMs: number): void {
    giveBack(this.#nats, reply, delayMs);
  }

  get withheld(): number {
    return 0;
  }

  flush(resend: boolean): void {
    if (!resend) return;
    for (const reply of this.#recent) answer(this.#nats, reply, ACK);
    this.#recent = [];
    this.#next = 0;
  }

  stop(): void {}
}

/** One acknowledgement per this many settled messages, or this long after the first unacknowledged one. */
const WATERMARK_EVERY = 200;
const WATERMARK_MS = 20;

export class WatermarkAcks implements Acks {
  readonly #nats: NatsConnection;
  readonly #timers: Timers;
  readonly #watermark = new Watermark<ReceivedMessage>();
  #due = 0;
  #cancel: (() => void) | null = null;

  constructor(nats: NatsConnection, timers: Timers) {
    this.#nats = nats;
    this.#timers = timers;
  }

  opened(message: ReceivedMessage): void {
    this.#watermark.open(message.sequence, message);
  }

  /** A dead message is passed like a delivered one: it is kept elsewhere. */
  settled({ sequence }: ReceivedMessage): void {
    this.#due++;
    if (!this.#watermark.settle(sequence)) return;
    if (this.#due >= WATERMARK_EVERY) this.flush();
    else this.#cancel ??= this.#timers.schedule(WATERMARK_MS, () => this.flush());
  }

  /** Below the floor or not: the next watermark covers it, or repeats the last one. */
  again(): void {
    this.#cancel ??= this.#timers.schedule(WATERMARK_MS, () => this.flush());
  }

  working({ reply }: ReceivedMessage): void {
    answer(this.#nats, reply, WORKING);
  }

  givenBack({ reply }: ReceivedMessage, delayMs: number): void {
    giveBack(this.#nats, reply, delayMs);
  }

  get withheld(): number {
    return this.#watermark.settledAbove;
  }

  flush(): void {
    this.#cancel?.();
    this.#cancel = null;
    const floor = this.#watermark.floorItem;
    if (floor === null) return;
    this.#due = 0;
    answer(this.#nats, floor.reply, ACK);
  }

  stop(): void {
    this.flush();
    this.#cancel?.();
  }
}

const WORKING_MS_MIN = 50;

/** Tells the server about open messages that take long, well before it would deliver them again. Returns the end of it. */
export function keepWorking(
  timers: Timers,
  ackWaitMs: number,
  ledger: { open(): Iterable<ReceivedMessage> },
  acks: Acks,
): () => void {
  const third = ackWaitMs / 3;
  let cancel: () => void = () => {};
  const tick = () => {
    const now = timers.now();
    for (const message of ledger.open()) {
      if (now - message.touchedAtMs < third) continue;
      message.touchedAtMs = now;
      acks.working(message);
    }
    cancel = timers.schedule(Math.max(WORKING_MS_MIN, third / 2), tick);
  };
  tick();
  return () => cancel();
}
