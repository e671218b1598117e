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
  /** An open message was delivered again. */
  refreshed(message: ReceivedMessage, again: ReceivedMessage): void;
  /** It was settled before, and now delivered again: the server did not hear of it. */
  again(message: ReceivedMessage): void;
  /** Still being worked on. */
  working(message: ReceivedMessage): void;
  givenBack(message: ReceivedMessage, delayMs: number): void;
  /** Settled messages that the server is not told of yet, because earlier ones are still open. */
  readonly withheld: number;
  /** These messages: the server has to be kept from delivering them again. */
  withheldMessages(): Iterable<ReceivedMessage>;
  /** Sends what is still due. */
  flush(): void;
  /** The connection is a new one, perhaps to a server that has forgotten some of what it delivered. */
  reconnected(): void;
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
  /**
   * Settled in this turn of the event loop: several batches that end together are acknowledged in one write.
   */
  #due: { readonly reply: string; readonly body: Uint8Array }[] = [];
  #recent: string[] = [];
  #next = 0;

  constructor(nats: NatsConnection) {
    this.#nats = nats;
  }

  opened(): void {}

  refreshed(message: ReceivedMessage, again: ReceivedMessage): void {
    message.reply = again.reply;
  }

  settled({ reply }: ReceivedMessage, verdict: Verdict): void {
    if (this.#due.length === 0) setImmediate(() => this.flush());
    this.#due.push({ reply, body: verdict === 'done' ? ACK : TERM });
    this.#recent[this.#next] = reply;
    this.#next = (this.#next + 1) % RESENT_MAX;
  }

  again({ reply }: ReceivedMessage): void {
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

  withheldMessages(): Iterable<ReceivedMessage> {
    return [];
  }

  flush(): void {
    const due = this.#due;
    this.#due = [];
    for (const { reply, body } of due) answer(this.#nats, reply, body);
  }

  /** What was sent lately may not have arrived. */
  reconnected(): void {
    this.flush();
    for (const reply of this.#recent) answer(this.#nats, reply, ACK);
    this.#recent = [];
    this.#next = 0;
  }

  stop(): void {
    this.flush();
  }
}

/** One acknowledgement per this many settled messages, or this long after the first unacknowledged one. */
const WATERMARK_EVERY = 200;
const WATERMARK_MS = 20;

/**
 * Acknowledges everything up to a message with that message's own reply, and only with one of this
 * connection: a server that was killed may come back having forgotten deliveries, and an acknowledgement
 * beyond what it remembers to have delivered would leave it with messages below its floor that nothing can
 * acknowledge any more. What it forgot it delivers again, and `again` answers.
 *
 * The server ignores an acknowledgement whose delivery number is not above that of the last one it took
 * (nats-server, consumer.go, `processAckMsg`). Deliveries are numbered as they go out, so acknowledging an
 * early message with the reply of its second delivery would make it deaf for the first deliveries of all that
 * came between. Hence a message keeps the reply of its first delivery on this connection; and what comes
 * again although the floor has passed it, is acknowledged with its newest reply besides the floor's: of the
 * two at least one counts.
 */
export class WatermarkAcks implements Acks {
  readonly #nats: NatsConnection;
  readonly #timers: Timers;
  readonly #watermark = new Watermark<ReceivedMessage>();
  /** Received on this connection. */
  #fresh = new WeakSet<ReceivedMessage>();
  /** The highest message that was delivered again below the floor since the last flush. */
  #repeated: ReceivedMessage | null = null;
  #due = 0;
  #cancel: (() => void) | null = null;

  constructor(nats: NatsConnection, timers: Timers) {
    this.#nats = nats;
    this.#timers = timers;
  }

  get withheld(): number {
    return this.#watermark.settledAbove;
  }

  opened(message: ReceivedMessage): void {
    this.#fresh.add(message);
    this.#watermark.open(message.sequence, message);
  }

  withheldMessages(): Iterable<ReceivedMessage> {
    return this.#watermark.settledItems();
  }

  refreshed(message: ReceivedMessage, again: ReceivedMessage): void {
    if (this.#fresh.has(message)) return;
    message.reply = again.reply;
    this.#fresh.add(message);
  }

  /** A dead message is passed like a delivered one: it is kept elsewhere. */
  settled({ sequence }: ReceivedMessage): void {
    this.#due++;
    if (!this.#watermark.settle(sequence)) return;
    if (this.#due >= WATERMARK_EVERY) this.flush();
    else this.#soon();
  }

  again(message: ReceivedMessage): void {
    const known = this.#watermark.at(message.sequence);
    if (known !== undefined) this.refreshed(known, message);
    else if (message.sequence > (this.#repeated?.sequence ?? 0)) this.#repeated = message;
    this.#soon();
  }

  working({ reply }: ReceivedMessage): void {
    answer(this.#nats, reply, WORKING);
  }

  givenBack({ reply }: ReceivedMessage, delayMs: number): void {
    giveBack(this.#nats, reply, delayMs);
  }

  flush(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#due = 0;
    const floor = this.#watermark.floorItem;
    if (floor !== null && this.#fresh.has(floor)) answer(this.#nats, floor.reply, ACK);
    if (this.#repeated !== null) answer(this.#nats, this.#repeated.reply, ACK);
    this.#repeated = null;
  }

  reconnected(): void {
    this.#fresh = new WeakSet();
    this.#repeated = null;
  }

  stop(): void {
    this.flush();
    this.#cancel?.();
  }

  #soon(): void {
    this.#cancel ??= this.#timers.schedule(WATERMARK_MS, () => this.flush());
  }
}

const WORKING_MS_MIN = 50;

/**
 * Tells the server about open messages that take long, well before it would deliver them again. Returns the
 * end of it.
 */
export function keepWorking(
  timers: Timers,
  ackWaitMs: number,
  ledger: { open(): Iterable<ReceivedMessage> },
  acks: Acks,
): () => void {
  const third = ackWaitMs / 3;
  let cancel: () => void = () => {};
  const touch = (messages: Iterable<ReceivedMessage>, now: number) => {
    for (const message of messages) {
      if (now - message.touchedAtMs < third) continue;
      message.touchedAtMs = now;
      acks.working(message);
    }
  };
  const tick = () => {
    touch(ledger.open(), timers.now());
    touch(acks.withheldMessages(), timers.now());
    cancel = timers.schedule(Math.max(WORKING_MS_MIN, third / 2), tick);
  };
  tick();
  return () => cancel();
}
