/**
 * Messages from core NATS: at most once. There is nothing to acknowledge and nobody to ask again, so what our
 * buffer cannot hold is dropped and counted, and what is in our hands when the process dies is gone. A
 * subject that must not lose anything belongs into a stream (`create` on a JetStream source makes one).
 *
 * A message's reply subject is never published to: with request/reply somebody else is to answer.
 */
import type { Subscription } from '@nats-io/nats-core';
import type { CoreSourceConfig } from '../core/bridge/config.ts';
import type { Incoming, MessageSource, SourceState, Timers } from '../core/bridge/ports.ts';
import { isReserved } from '../core/bridge/subject.ts';
import type { NatsLink } from './natsLink.ts';
import { ReceivedMessage } from './receivedMessage.ts';

export class CoreSource implements MessageSource {
  readonly #link: NatsLink;
  readonly #timers: Timers;
  readonly #config: CoreSourceConfig;
  readonly #open = new Set<Incoming>();
  #subscription: Subscription | null = null;
  #paused = false;
  #dropped = 0;

  constructor(link: NatsLink, timers: Timers, config: CoreSourceConfig) {
    this.#link = link;
    this.#timers = timers;
    this.#config = config;
  }

  get state(): SourceState {
    const first = this.#open.values().next();
    return {
      name: `core ${this.#config.core}`,
      connected: this.#link.connected,
      open: this.#open.size,
      pending: 0,
      oldestMs: first.done ? 0 : this.#timers.now() - first.value.receivedAtMs,
      redelivered: 0,
      dropped: this.#dropped,
      holding: null,
    };
  }

  async start(onMessage: (message: Incoming) => void): Promise<void> {
    const { core, queue, buffer } = this.#config;
    const wild = core.startsWith('*') || core.startsWith('>');
    this.#subscription = this.#link.nats.subscribe(core, {
      ...(queue === undefined ? {} : { queue }),
      callback: (error, msg) => {
        if (error !== null) return;
        const { subject } = msg;
        if (wild && isReserved(subject)) return;
        if (this.#paused || this.#open.size >= buffer) {
          this.#dropped++;
          return;
        }
        const message = new ReceivedMessage(msg, subject, '', null, this.#timers.now());
        this.#open.add(message);
        onMessage(message);
      },
    });
    await this.#link.flush();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
  }

  async retire(): Promise<void> {
    this.#subscription?.unsubscribe();
    this.#subscription = null;
  }

  settle(message: Incoming): void {
    this.#open.delete(message);
  }

  giveBack(message: Incoming): void {
    if (this.#open.delete(message)) this.#dropped++;
  }

  async stop(): Promise<void> {
    await this.retire();
  }
}
