/**
 * One pull consumer as nats-server keeps it, in memory and on a virtual clock: requests, deliveries with
 * their numbers, redelivery after ackWait, and both ways to acknowledge, with the server's own rules for what
 * an acknowledgement changes (nats-server, consumer.go, `processAckMsg`). What a network does is the test's
 * to say: deliveries and acknowledgements can be lost with the connection.
 */
import { AckPolicy } from '@nats-io/jetstream';
import type { Msg, NatsConnection } from '@nats-io/nats-core';
import type { Clock } from '../../../lib/asl/clock.ts';
import type { NatsLink } from '../../../lib/nats/natsLink.ts';

const utf8 = new TextDecoder();
const NOTHING = new Uint8Array();
const NANOS = 1_000_000;

type Request = { readonly inbox: string; left: number; readonly endsAtMs: number };
type Callback = (error: Error | null, msg: Msg) => void;

export type PullConsumerOptions = {
  readonly clock: Clock;
  readonly ack: AckPolicy;
  readonly ackWaitMs: number;
  readonly maxAckPending: number;
  /** Whether this progress report (`+WPI`) gets through to the server; all do unless told. */
  readonly hears?: (sequence: number) => boolean;
};

export class PullConsumer {
  /** Messages in the stream; their sequences begin at 1. */
  stored = 0;
  /** Every delivery, by stream sequence. */
  readonly deliveries = new Map<number, number>();
  readonly #options: PullConsumerOptions;
  readonly #pending = new Map<number, number>();
  readonly #listeners = new Set<() => void>();
  #requests: Request[] = [];
  #callback: Callback | null = null;
  #delivered = 0;
  #next = 1;
  #ackFloor = { delivery: 0, sequence: 0 };
  #sweeping = false;

  constructor(options: PullConsumerOptions) {
    this.#options = options;
  }

  get unacknowledged(): number {
    return this.#pending.size;
  }

  get done(): boolean {
    return this.#next > this.stored && this.#pending.size === 0;
  }

  store(count: number): void {
    this.stored += count;
    this.#serve();
  }

  /** The connection breaks and is made again; what was on its way is gone, and so are the requests. */
  break(): void {
    this.#requests = [];
    for (const listener of this.#listeners) listener();
  }

  /** Somebody deletes the consumer; whoever makes it again gets everything from the beginning. */
  remake(): void {
    const requests = this.#requests.splice(0);
    this.#pending.clear();
    this.#delivered = 0;
    this.#next = 1;
    this.#ackFloor = { delivery: 0, sequence: 0 };
    for (const { inbox } of requests) this.#status(inbox, 409, 'Consumer Deleted');
  }

  /** Delivers so many messages into nowhere: sent, and lost with the connection. */
  lose(count: number): void {
    for (let i = 0; i < count && this.#next <= this.stored; i++) this.#number(this.#next++);
  }

  link(): NatsLink {
    const { ack, ackWaitMs, maxAckPending } = this.#options;
    const config = { ack_policy: ack, ack_wait: ackWaitMs * NANOS, max_ack_pending: maxAckPending };
    const info = async () => ({
      config: { ...config, max_deliver: -1 },
      num_pending: this.stored - this.#next + 1,
      num_ack_pending: this.#pending.size,
    });
    const link = {
      nats: this.#connection() as NatsConnection,
      api: { streams: { info: async () => ({}) }, consumers: { info, update: info, add: info } },
      version: '2.9.10',
      connected: true,
      flush: async () => undefined,
      onReconnect: (listener: () => void) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
    };
    return link as unknown as NatsLink;
  }

  #connection(): object {
    return {
      isClosed: () => false,
      subscribe: (_: string, { callback }: { callback: Callback }) => {
        this.#callback = callback;
        return { isClosed: () => false, drain: async () => undefined };
      },
      publish: (subject: string, body: Uint8Array, options?: { reply?: string }) => {
        const text = utf8.decode(body);
        if (subject.startsWith('$JS.ACK.')) this.#answered(subject.split('.'), text);
        else this.#asked(JSON.parse(text), options?.reply ?? '');
      },
    };
  }

  #asked({ batch, expires }: { batch: number; expires: number }, inbox: string): void {
    const endsAtMs = this.#options.clock.now() + expires / NANOS;
    const request = { inbox, left: batch, endsAtMs };
    this.#requests.push(request);
    this.#options.clock.schedule(expires / NANOS, () => {
      if (!this.#requests.includes(request)) return;
      this.#requests = this.#requests.filter((other) => other !== request);
      this.#status(request.inbox, 408, 'Request Timeout');
    });
    this.#beat(request);
    queueMicrotask(() => this.#serve());
  }

  #beat(request: Request): void {
    this.#options.clock.schedule(5_000, () => {
      if (!this.#requests.includes(request)) return;
      this.#status(request.inbox, 100, 'Idle Heartbeat');
      this.#beat(request);
    });
  }

  #status(inbox: string, code: number, description: string): void {
    this.#callback?.(null, {
      subject: inbox,
      data: NOTHING,
      headers: { code, description },
    } as unknown as Msg);
  }

  #answered([, , , , , sequence, delivery]: readonly string[], body: string): void {
    const [sseq, dseq] = [Number(sequence), Number(delivery)];
    if (body === '+WPI') {
      if (this.#pending.has(sseq) && this.#options.hears?.(sseq) !== false)
        this.#pending.set(sseq, this.#options.clock.now());
      return;
    }
    if (body.startsWith('-NAK')) return;
    if (this.#options.ack === AckPolicy.Explicit) this.#pending.delete(sseq);
    else this.#acknowledgeAll(sseq, dseq);
    queueMicrotask(() => this.#serve());
  }

  /** An acknowledgement that is behind in either number changes nothing: so does the server. */
  #acknowledgeAll(sequence: number, delivery: number): void {
    const floor = this.#ackFloor;
    if (delivery <= floor.delivery || sequence <= floor.sequence) return;
    this.#ackFloor = { delivery, sequence };
    for (const pending of this.#pending.keys()) if (pending <= sequence) this.#pending.delete(pending);
  }

  #serve(): void {
    const { clock, ackWaitMs, maxAckPending } = this.#options;
    const due = [...this.#pending].filter(([, sentAtMs]) => clock.now() - sentAtMs >= ackWaitMs);
    for (const [sequence] of due.sort(([one], [other]) => one - other)) this.#deliver(sequence);
    while (this.#next <= this.stored && this.#pending.size < maxAckPending && this.#requests.length > 0)
      this.#deliver(this.#next++);
    if (this.#pending.size > 0) this.#sweep();
  }

  #sweep(): void {
    if (this.#sweeping) return;
    this.#sweeping = true;
    this.#options.clock.schedule(this.#options.ackWaitMs / 4, () => {
      this.#sweeping = false;
      this.#serve();
    });
  }

  #deliver(sequence: number): void {
    const request = this.#requests[0];
    if (request === undefined) return;
    if (--request.left === 0) this.#requests.shift();
    const times = this.#number(sequence);
    const time = `${this.#options.clock.now()}000000`;
    const pending = this.stored - this.#next + 1;
    const reply = `$JS.ACK.S.c.${times}.${sequence}.${this.#delivered}.${time}.${pending}`;
    const data = Buffer.from(`{"n":${sequence}}`);
    this.#callback?.(null, { subject: `s.k${sequence % 7}`, reply, data } as unknown as Msg);
  }

  /** Gives a delivery its number, and remembers when it went out. */
  #number(sequence: number): number {
    this.#delivered++;
    this.#pending.set(sequence, this.#options.clock.now());
    const times = (this.deliveries.get(sequence) ?? 0) + 1;
    this.deliveries.set(sequence, times);
    return times;
  }
}
