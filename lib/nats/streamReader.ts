/**
 * Reads a stream from a sequence on, in order and without holes of our own making: what is missing between
 * two messages is missing in the stream. Nothing is acknowledged and nothing durable is left behind; where it
 * got to is the caller's to remember.
 */
import { AckPolicy, DeliverPolicy, ReplayPolicy } from '@nats-io/jetstream';
import { type Msg, nanos, nuid } from '@nats-io/nats-core';
import type { Timers } from '../core/bridge/ports.ts';
import type { StoredMessage } from '../core/bridge/streamCopy.ts';
import type { NatsLink } from './natsLink.ts';
import { Puller } from './puller.ts';
import { parseDelivery } from './receivedMessage.ts';

/** Messages held ready for the caller, asked for by the quarter: 200 000 a second at 10 ms to the server. */
const AHEAD = 2_000;
const BYTES_MAX = 16 * 1024 * 1024;
/** The server forgets a reader that is gone after this long. */
const INACTIVE_MS = 60_000;
const RESTART_MS = 500;

const nobodyWaits = () => {};

export class StreamReader {
  readonly #link: NatsLink;
  readonly #timers: Timers;
  readonly #stream: string;
  #ready: StoredMessage[] = [];
  #puller: Puller | null = null;
  #consumer = '';
  #next: number;
  #delivery = 0;
  #pending = Number.POSITIVE_INFINITY;
  #restarting = false;
  #closed = false;
  /** Ends the wait of whoever reads. */
  #wake: () => void = nobodyWaits;
  readonly #unlisten: () => void;

  /** @param from the first sequence wanted */
  constructor(link: NatsLink, timers: Timers, stream: string, from: number) {
    this.#link = link;
    this.#timers = timers;
    this.#stream = stream;
    this.#next = from;
    this.#unlisten = link.onReconnect(() => this.#restart());
  }

  /** Whether every message stored so far has been handed out. */
  get caughtUp(): boolean {
    return this.#pending === 0 && this.#ready.length === 0;
  }

  /** @throws what the server answers: no such stream, no rights */
  async open(): Promise<void> {
    await this.#begin();
  }

  /**
   * The next messages, up to `max`; empty when none came within `waitMs`.
   */
  async read(max: number, waitMs: number): Promise<readonly StoredMessage[]> {
    if (this.#ready.length === 0 && !this.#closed) {
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#wake = nobodyWaits;
          cancel();
          resolve();
        };
        const cancel = this.#timers.schedule(waitMs, wake);
        this.#wake = wake;
      });
    }
    const messages = this.#ready.splice(0, max);
    this.#puller?.offer(AHEAD - this.#ready.length);
    return messages;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#unlisten();
    this.#wake();
    await this.#end();
  }

  async #begin(): Promise<void> {
    this.#consumer = `copy-${nuid.next()}`;
    const info = await this.#link.api.consumers.add(this.#stream, {
      name: this.#consumer,
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: this.#next,
      replay_policy: ReplayPolicy.Instant,
      inactive_threshold: nanos(INACTIVE_MS),
    });
    this.#delivery = 0;
    this.#pending = info.num_pending;
    const options = {
      stream: this.#stream,
      consumer: this.#consumer,
      room: AHEAD,
      batchMax: AHEAD / 4,
      bytesMax: BYTES_MAX,
    };
    const puller = new Puller(this.#link.nats, this.#timers, options, {
      message: (msg, subject) => this.#receive(puller, msg, subject),
      notice: () => undefined,
      lost: () => this.#restart(),
    });
    this.#puller = puller;
    puller.start();
    puller.offer(AHEAD - this.#ready.length);
  }

  #receive(from: Puller, msg: Msg, subject: string): void {
    const delivery = parseDelivery(msg.reply ?? '');
    if (delivery === null || from !== this.#puller) return;
    if (delivery.delivery !== this.#delivery + 1) {
      this.#restart();
      return;
    }
    this.#delivery = delivery.delivery;
    this.#next = delivery.sequence + 1;
    this.#pending = delivery.pending;
    this.#ready.push({
      sequence: delivery.sequence,
      subject,
      storedAtMs: delivery.timestampMs,
      headers: headerLines(msg),
      data: msg.data,
    });
    this.#wake();
  }

  /** Begins again behind the last message in order: a delivery was lost, or the consumer. */
  #restart(): void {
    if (this.#restarting || this.#closed) return;
    this.#restarting = true;
    const again = async (): Promise<void> => {
      try {
        await this.#end();
        if (!this.#closed) await this.#begin();
        this.#restarting = false;
      } catch {
        this.#timers.schedule(RESTART_MS, () => void again());
      }
    };
    void again();
  }

  async #end(): Promise<void> {
    const puller = this.#puller;
    this.#puller = null;
    if (puller === null) return;
    await puller.retire();
    if (this.#link.connected)
      await this.#link.api.consumers.delete(this.#stream, this.#consumer).catch(() => false);
  }
}

function headerLines(msg: Msg): string {
  if (msg.headers === undefined) return '';
  let lines = '';
  for (const [name, values] of msg.headers) for (const value of values) lines += `${name}: ${value}\r\n`;
  return lines;
}
