/**
 * Messages from a JetStream consumer, each settled or given back exactly once.
 *
 * Where order or a watermark matters, a broken connection is followed by a recovery: messages are held back
 * until those that were lost on the way have been delivered again. A held message is not settled, so no
 * watermark can pass the lost ones below it. See `lib/core/bridge/ledger.ts` for why.
 */
import type { Msg } from '@nats-io/nats-core';
import type { JetStreamSourceConfig } from '../core/bridge/config.ts';
import { Ledger } from '../core/bridge/ledger.ts';
import type { Incoming, MessageSource, SourceState, Timers, Verdict } from '../core/bridge/ports.ts';
import { type Acks, ExplicitAcks, keepWorking, WatermarkAcks } from './acks.ts';
import { ensureConsumer, ensureConsumerAgain } from './consumer.ts';
import type { NatsLink } from './natsLink.ts';
import { Puller } from './puller.ts';
import { parseDelivery, ReceivedMessage } from './receivedMessage.ts';
import { reconciled } from './reconciliation.ts';

export type JetStreamSourceOptions = {
  readonly config: JetStreamSourceConfig;
  /** Messages we may hold unsettled; never more than the consumer's `maxAckPending`. */
  readonly credits: number;
  /** Whether a rule that reads this source keeps order. */
  readonly ordered: boolean;
  /** Something an operator should know. */
  readonly log: (message: string) => void;
};

/** Bytes we hold unsettled before we stop asking. */
const OPEN_BYTES_MAX = 64 * 1024 * 1024;
/** Messages a request may ask for; more only delays the first status. */
const BATCH_MAX = 1_000;
const SURVEY_MS = 5_000;

export class JetStreamSource implements MessageSource {
  readonly #link: NatsLink;
  readonly #timers: Timers;
  readonly #options: JetStreamSourceOptions;
  readonly #ledger = new Ledger<ReceivedMessage>();
  readonly #acks: Acks;
  readonly #puller: Puller;
  /** Order or a watermark is at stake: deliveries that were lost on the way have to be waited for. */
  readonly #careful: boolean;
  #onMessage: (message: Incoming) => void = () => {};
  #openBytes = 0;
  #paused = false;
  #retired = false;
  #stopped = false;
  #pending = 0;
  #redelivered = 0;
  #recovering: Promise<void> | null = null;
  /** A recovery that started before the last break of the connection is void. */
  #epoch = 0;
  #held: ReceivedMessage[] = [];
  #cancelWorking: () => void = () => {};
  #cancelSurvey: () => void = () => {};
  #unlisten: () => void = () => {};

  constructor(link: NatsLink, timers: Timers, options: JetStreamSourceOptions) {
    const { config } = options;
    const { nats } = link;
    this.#link = link;
    this.#timers = timers;
    this.#options = options;
    // With a shared consumer, counts say nothing about us, and order is nobody's.
    this.#careful = config.owner === 'single' && (options.ordered || config.ack === 'watermark');
    this.#acks = config.ack === 'watermark' ? new WatermarkAcks(nats, timers) : new ExplicitAcks(nats);
    const pull = {
      room: Math.min(options.credits, config.maxAckPending),
      stream: config.stream,
      consumer: config.durable,
      batchMax: BATCH_MAX,
      bytesMax: OPEN_BYTES_MAX >> 2,
    };
    this.#puller = new Puller(nats, timers, pull, {
      message: (msg, subject) => this.#receive(msg, subject),
      notice: (code, description) => options.log(`${this.#name}: ${code} ${description}`),
      lost: (reason) => void this.#consumerLost(reason),
    });
  }

  get #name(): string {
    return `${this.#options.config.stream}/${this.#options.config.durable}`;
  }

  get state(): SourceState {
    const first = this.#ledger.open().next();
    return {
      name: this.#name,
      connected: this.#link.connected,
      open: this.#ledger.openCount,
      pending: this.#pending,
      oldestMs: first.done ? 0 : this.#timers.now() - first.value.receivedAtMs,
      redelivered: this.#redelivered,
      dropped: 0,
      holding: this.#recovering === null ? null : 'waiting for deliveries that were lost on the way',
    };
  }

  async start(onMessage: (message: Incoming) => void): Promise<void> {
    this.#onMessage = onMessage;
    const info = await ensureConsumer(this.#link.api, this.#link.version, this.#options.config);
    this.#pending = info.num_pending;
    this.#unlisten = this.#link.onReconnect(() => this.#reconnected());
    this.#puller.start();
    this.#cancelWorking = keepWorking(this.#timers, this.#options.config.ackWait, this.#ledger, this.#acks);
    this.#cancelSurvey = this.#timers.schedule(SURVEY_MS, () => void this.#survey());
    // What an earlier run left unsettled comes again after ackWait, behind newer messages.
    if (this.#careful && info.num_ack_pending > 0) this.#recover();
    this.#offer();
  }

  pause(): void {
    this.#paused = true;
    this.#offer();
  }

  resume(): void {
    this.#paused = false;
    this.#offer();
  }

  async retire(): Promise<void> {
    this.#retired = true;
    this.#epoch++;
    this.#recovering = null;
    await this.#puller.retire();
    for (const message of this.#held.splice(0)) this.giveBack(message, 0);
  }

  settle(message: Incoming, verdict: Verdict): void {
    const received = message as ReceivedMessage;
    this.#ledger.settle(received.sequence);
    this.#openBytes -= received.size;
    this.#acks.settled(received, verdict);
    this.#offer();
  }

  giveBack(message: Incoming, delayMs: number): void {
    const received = message as ReceivedMessage;
    this.#ledger.forget(received.sequence);
    this.#openBytes -= received.size;
    this.#acks.givenBack(received, delayMs);
    this.#offer();
  }

  async stop(): Promise<void> {
    if (!this.#retired) await this.retire();
    this.#stopped = true;
    this.#cancelWorking();
    this.#cancelSurvey();
    this.#unlisten();
    this.#acks.stop();
    await this.#link.flush();
  }

  #reconnected(): void {
    this.#epoch++;
    this.#acks.reconnected();
    if (this.#careful) {
      this.#ledger.suspect();
      this.#recovering = null;
      if (!this.#retired) this.#recover();
    }
    this.#puller.reset();
    this.#offer();
  }

  #offer(): void {
    const idle =
      this.#paused || this.#stopped || this.#recovering !== null || this.#openBytes > OPEN_BYTES_MAX;
    const credits = Math.min(this.#options.credits, this.#options.config.maxAckPending);
    this.#puller.offer(idle ? 0 : credits - this.#ledger.openCount);
  }

  #receive(msg: Msg, subject: string): void {
    const { reply = '' } = msg;
    const delivery = parseDelivery(reply);
    if (delivery === null || this.#stopped) return;
    this.#pending = delivery.pending;
    if (delivery.deliveries > 1) this.#redelivered++;
    const message = new ReceivedMessage(msg, subject, reply, delivery, this.#timers.now());
    const arrival = this.#ledger.arrive(delivery.sequence, delivery.delivery, message);
    if (arrival !== 'new') {
      if (arrival === 'settled') this.#acks.again(message);
      else this.#refresh(delivery.sequence, message);
      this.#offer();
    } else {
      this.#openBytes += message.size;
      this.#acks.opened(message);
      if (this.#careful && !this.#retired && this.#ledger.hasGap && this.#recovering === null)
        this.#recover();
      if (this.#recovering === null && this.#held.length === 0) this.#onMessage(message);
      else this.#held.push(message);
    }
  }

  /** A message in our hands was delivered again. */
  #refresh(sequence: number, again: ReceivedMessage): void {
    const open = this.#ledger.at(sequence);
    if (open === undefined) return;
    this.#acks.refreshed(open, again);
    open.deliveries = again.deliveries;
    open.touchedAtMs = again.receivedAtMs;
  }

  #recover(): void {
    const epoch = this.#epoch;
    const recovering = reconciled(this.#link, this.#timers, {
      config: this.#options.config,
      overtaken: () => epoch !== this.#epoch,
      ours: () => {
        this.#acks.flush();
        return this.#ledger.openCount + this.#acks.withheld;
      },
      ask: (missing) => this.#puller.ask(missing),
      log: this.#options.log,
    }).then((done) => {
      if (!done || this.#recovering !== recovering) return;
      this.#recovering = null;
      this.#ledger.reconciled();
      const held = this.#held.splice(0).sort((a, b) => a.sequence - b.sequence);
      for (const message of held) this.#onMessage(message);
      this.#offer();
    });
    this.#recovering = recovering;
    this.#offer();
  }

  async #consumerLost(reason: string): Promise<void> {
    const { log, config } = this.#options;
    log(`${this.#name}: ${reason}; it is made again`);
    const patience = { timers: this.#timers, stopped: () => this.#stopped, log };
    // The new consumer numbers its deliveries from 1, and knows nothing of the old one's.
    if (await ensureConsumerAgain(this.#link, config, patience)) this.#reconnected();
  }

  /** While nothing comes, nothing tells how much is waiting. */
  async #survey(): Promise<void> {
    const { stream, durable } = this.#options.config;
    if (this.#link.connected) {
      const info = await this.#link.api.consumers.info(stream, durable).catch(() => null);
      if (info !== null) this.#pending = info.num_pending;
    }
    if (!this.#stopped) this.#cancelSurvey = this.#timers.schedule(SURVEY_MS, () => void this.#survey());
  }
}
