/**
 * One queue on a clock. A message is visible from `visibleAt`; receiving moves that into the future, and
 * deleting needs the handle that the receive gave. In a FIFO queue a message waits while an earlier one of
 * its group is in flight.
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../asl/clock.ts';
import { ServiceError } from '../service.ts';
import { Deduplication, deduplicationIdOf } from './deduplication.ts';
import { handleOf, type Message, type NewMessage, type Received, readHandle } from './message.ts';
import type { QueueSettings } from './queueAttributes.ts';

type Waiter = { readonly take: () => boolean; readonly giveUp: () => void };
export type ReceiveOptions = {
  /** 1 to 10. */
  readonly max: number;
  readonly visibilitySeconds?: number | undefined;
  /** Infinity waits as long as the queue lives. */
  readonly waitSeconds?: number | undefined;
};

export class Queue {
  readonly name: string;
  readonly arn: string;
  readonly createdAt: number;
  changedAt: number;
  settings: QueueSettings;
  attributes: Readonly<Record<string, string>>;
  tags: Readonly<Record<string, string>> = {};
  purgedAt = Number.NEGATIVE_INFINITY;
  closed = false;
  readonly #deadLetter: (queue: Queue, message: Message) => void;
  readonly #clock: Clock;
  /** By id, in the order of arrival. */
  readonly #messages = new Map<string, Message>();
  readonly #deduplication = new Deduplication();
  readonly #waiters = new Set<Waiter>();
  #sequence = 0;
  #cancelWake: (() => void) | null = null;

  /** @param world.deadLetter where a message goes that was received too often */
  constructor(
    identity: { readonly name: string; readonly arn: string },
    configuration: {
      readonly settings: QueueSettings;
      readonly attributes: Readonly<Record<string, string>>;
    },
    world: { readonly clock: Clock; readonly deadLetter: (queue: Queue, message: Message) => void },
  ) {
    this.name = identity.name;
    this.arn = identity.arn;
    this.settings = configuration.settings;
    this.attributes = configuration.attributes;
    this.#clock = world.clock;
    this.#deadLetter = world.deadLetter;
    this.createdAt = world.clock.now();
    this.changedAt = this.createdAt;
  }

  get fifo(): boolean {
    return this.name.endsWith('.fifo');
  }

  /** Messages held, in flight or not. */
  get size(): number {
    return this.#messages.size;
  }

  /** Adds a message, or returns the one that this is a repetition of. */
  send(sent: NewMessage): Message {
    const now = this.#clock.now();
    const deduplicationId = this.fifo ? deduplicationIdOf(sent, this.settings) : null;
    const scope = this.settings.deduplicationScope === 'messageGroup' ? sent.groupId : '';
    const key = deduplicationId === null ? null : `${scope}\n${deduplicationId}`;
    const earlier = key === null ? null : this.#deduplication.find(key, now);
    if (earlier !== null) return earlier;
    const message: Message = {
      id: randomUUID(),
      body: sent.body,
      attributes: sent.attributes ?? {},
      traceHeader: sent.traceHeader ?? null,
      sentAt: now,
      senderId: sent.senderId ?? 'AIDALOCAL',
      groupId: sent.groupId ?? null,
      deduplicationId,
      sequenceNumber: this.#nextSequence(),
      deadLetterSource: null,
      visibleAt: now + 1000 * (sent.delaySeconds ?? this.settings.delaySeconds),
      receiveCount: 0,
      firstReceivedAt: null,
      inFlight: false,
    };
    if (key !== null) this.#deduplication.remember(key, message, now);
    this.#messages.set(message.id, message);
    this.#wake();
    return message;
  }

  /** Takes in a message from another queue; its id and its age stay. */
  adopt(message: Message, deadLetterSource: string | null): void {
    const kept = { ...message, sequenceNumber: this.#nextSequence(), visibleAt: this.#clock.now() };
    this.#messages.set(message.id, { ...kept, deadLetterSource, receiveCount: 0, inFlight: false });
    this.#wake();
  }

  /** Empties the queue into the caller's hands. */
  takeAll(): readonly Message[] {
    const all = [...this.#messages.values()];
    this.#messages.clear();
    return all;
  }

  /** At most `max` messages; waits up to `waitSeconds` while there is none, or until the signal. */
  async receive(options: ReceiveOptions, signal?: AbortSignal): Promise<readonly Received[]> {
    const visibilityMs = 1000 * (options.visibilitySeconds ?? this.settings.visibilitySeconds);
    const waitMs = 1000 * (options.waitSeconds ?? this.settings.waitSeconds);
    const now = this.#take(options.max, visibilityMs);
    if (now.length > 0 || waitMs === 0 || signal?.aborted) return now;
    return new Promise((resolve) => {
      const finish = (received: readonly Received[]) => {
        this.#waiters.delete(waiter);
        cancel();
        signal?.removeEventListener('abort', waiter.giveUp);
        resolve(received);
      };
      const waiter: Waiter = {
        take: () => {
          const received = this.#take(options.max, visibilityMs);
          if (received.length > 0) finish(received);
          return received.length > 0;
        },
        giveUp: () => finish([]),
      };
      const cancel = Number.isFinite(waitMs) ? this.#clock.schedule(waitMs, waiter.giveUp) : () => undefined;
      signal?.addEventListener('abort', waiter.giveUp, { once: true });
      this.#waiters.add(waiter);
      this.#scheduleWake();
    });
  }

  /** Deletes by receipt handle; a message that is gone already is no error. @throws ServiceError */
  delete(receiptHandle: string): void {
    const { id, receiveCount } = readHandle(receiptHandle);
    const message = this.#messages.get(id);
    if (message === undefined) return;
    const stale = message.visibleAt <= this.#clock.now() || message.receiveCount !== receiveCount;
    if (this.fifo && stale) {
      throw new ServiceError('InvalidParameterValue', 'The receipt handle has expired.');
    }
    this.#messages.delete(id);
    this.#wake();
  }

  /** Makes a message in flight visible `seconds` from now. @throws ServiceError */
  changeVisibility(receiptHandle: string, seconds: number): void {
    const { id, receiveCount } = readHandle(receiptHandle);
    const now = this.#clock.now();
    const message = this.#messages.get(id);
    if (message === undefined || message.receiveCount !== receiveCount || message.visibleAt <= now) {
      throw new ServiceError('MessageNotInflight', 'The message referred to is not in flight.');
    }
    message.visibleAt = now + 1000 * seconds;
    if (seconds === 0) message.inFlight = false;
    this.#wake();
  }

  purge(): void {
    this.#messages.clear();
    this.purgedAt = this.#clock.now();
  }

  counts(): { readonly visible: number; readonly inFlight: number; readonly delayed: number } {
    const now = this.#clock.now();
    const kept = [...this.#messages.values()].filter((message) => !this.#expired(message, now));
    const hidden = kept.filter((message) => message.visibleAt > now);
    const inFlight = hidden.filter((message) => message.inFlight).length;
    return { visible: kept.length - hidden.length, inFlight, delayed: hidden.length - inFlight };
  }

  /** Answers every waiting receive with nothing; a closed queue takes no more. */
  close(): void {
    this.closed = true;
    this.#cancelWake?.();
    this.#messages.clear();
    for (const waiter of [...this.#waiters]) waiter.giveUp();
  }

  #take(max: number, visibilityMs: number): readonly Received[] {
    const now = this.#clock.now();
    const received: Received[] = [];
    const blocked = new Set<string>();
    for (const message of this.#messages.values()) {
      if (received.length === max) break;
      const group = this.fifo ? message.groupId : null;
      if (group !== null && blocked.has(group)) continue;
      if (message.visibleAt > now) {
        if (group !== null) blocked.add(group);
        continue;
      }
      if (this.#expired(message, now) || this.#givenUp(message)) continue;
      message.receiveCount += 1;
      message.firstReceivedAt ??= now;
      message.visibleAt = now + visibilityMs;
      message.inFlight = true;
      received.push({ message, receiptHandle: handleOf(message) });
    }
    return received;
  }

  /** A message received `maxReceiveCount` times goes to the dead-letter queue instead of out once more. */
  #givenUp(message: Message): boolean {
    const { redrive } = this.settings;
    if (redrive === null || message.receiveCount < redrive.maxReceiveCount) return false;
    this.#messages.delete(message.id);
    this.#deadLetter(this, message);
    return true;
  }

  #expired(message: Message, now: number): boolean {
    if (now - message.sentAt < 1000 * this.settings.retentionSeconds) return false;
    this.#messages.delete(message.id);
    return true;
  }

  #wake(): void {
    for (const waiter of [...this.#waiters]) if (!waiter.take()) break;
    this.#scheduleWake();
  }

  /** While somebody waits, the next message to become visible wakes the queue. */
  #scheduleWake(): void {
    this.#cancelWake?.();
    this.#cancelWake = null;
    if (this.#waiters.size === 0) return;
    const now = this.#clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const { visibleAt } of this.#messages.values())
      if (visibleAt > now) next = Math.min(next, visibleAt);
    if (Number.isFinite(next)) this.#cancelWake = this.#clock.schedule(next - now, () => this.#wake());
  }

  /** Twenty digits, rising; null in a standard queue. */
  #nextSequence(): string | null {
    if (!this.fifo) return null;
    this.#sequence += 1;
    return String(18_800_000_000_000_000_000n + BigInt(this.#sequence));
  }
}
