/**
 * One reverse rule from SQS (or from EventBridge through SQS) to JetStream. A message is deleted from its
 * queue only when JetStream has stored it; until then it becomes visible again by itself. Of a FIFO group
 * nothing overtakes what could not be stored.
 */

import type { QueueReader, Received } from '../../aws/lean/queueReader.ts';
import { backoffMs } from '../../core/bridge/failure.ts';
import type { Published, Publisher, Timers } from '../../core/bridge/ports.ts';
import type { ReverseMessage, ReverseRule } from '../../core/bridge/reverse.ts';
import type { ReverseMetrics } from './metrics.ts';

export type RouteDeps = {
  readonly publisher: Publisher;
  readonly timers: Timers;
  readonly chance: () => number;
  readonly metrics: ReverseMetrics;
  readonly log: (message: string) => void;
  /** Keeps a message that can never be published; null when its rule has no place for it. */
  readonly bury:
    | ((message: ReverseMessage, subject: string, code: string, why: string) => Promise<boolean>)
    | null;
};

export type QueueSettings = {
  readonly queue: string;
  readonly wait: number;
  readonly visibility: number;
  readonly pollers: number;
};

/** A reverse route: started once, stopped once. */
export interface Route {
  /** Why it does not work at the moment; null when it does. */
  readonly fault: string | null;
  start(): Promise<void>;
  /** Resolves when nothing is under way any more. */
  stop(): Promise<void>;
}

const RETRY_BASE_MS = 200;
const RETRY_CAP_MS = 20_000;

export class QueueRoute implements Route {
  readonly #rule: ReverseRule;
  readonly #settings: QueueSettings;
  readonly #reader: QueueReader;
  readonly #deps: RouteDeps;
  readonly #events: boolean;
  #fault: string | null = null;
  #stopped = false;
  #loops: Promise<void>[] = [];
  #wake: Set<() => void> = new Set();

  /** @param events whether the queue holds EventBridge events */
  constructor(
    rule: ReverseRule,
    settings: QueueSettings,
    events: boolean,
    reader: QueueReader,
    deps: RouteDeps,
  ) {
    this.#rule = rule;
    this.#settings = settings;
    this.#events = events;
    this.#reader = reader;
    this.#deps = deps;
  }

  get fault(): string | null {
    return this.#fault;
  }

  async start(): Promise<void> {
    this.#loops = Array.from({ length: this.#settings.pollers }, () => this.#poll());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const wake of this.#wake) wake();
    await Promise.all(this.#loops);
  }

  async #poll(): Promise<void> {
    const { queue, wait, visibility } = this.#settings;
    const options = {
      waitSeconds: Math.round(wait / 1000),
      visibilitySeconds: Math.round(visibility / 1000),
    };
    for (let failures = 0; !this.#stopped; ) {
      try {
        const messages = await this.#reader.receive(queue, options, this.#events);
        failures = 0;
        this.#fault = null;
        if (messages.length > 0) await this.#take(messages);
        else if (wait === 0) await this.#sleep(RETRY_BASE_MS);
      } catch (error) {
        failures++;
        if (failures === 1) this.#deps.log(`${this.#rule.name}: ${queue}: ${(error as Error).message}`);
        this.#fault = (error as Error).message;
        await this.#sleep(backoffMs(failures, RETRY_BASE_MS, RETRY_CAP_MS, this.#deps.chance()));
      }
    }
  }

  /** Publishes a batch: groups side by side, within a group one after the other. */
  async #take(messages: readonly Received[]): Promise<void> {
    this.#deps.metrics.received += messages.length;
    const stored = await Promise.all(groupsOf(messages).map((group) => this.#publishInOrder(group)));
    const taken = new Set(stored.flat());
    await this.#reader.remove(this.#settings.queue, [...taken]);
    const left = messages.filter((message) => !taken.has(message));
    if (left.length === 0) return;
    await this.#sleep(RETRY_BASE_MS);
    await this.#reader.release(this.#settings.queue, left);
  }

  /** The messages that need not come again; the first that must ends it. */
  async #publishInOrder(group: readonly Received[]): Promise<readonly Received[]> {
    const done: Received[] = [];
    for (const message of group) {
      if (!(await this.#publishOne(message))) break;
      done.push(message);
    }
    return done;
  }

  async #publishOne(message: Received): Promise<boolean> {
    const { metrics, log, bury } = this.#deps;
    const { subject, published } = await publishReverse(this.#rule, message, this.#deps.publisher);
    if (published.outcome === 'stored') {
      metrics.published++;
      if (published.duplicate) metrics.duplicates++;
      return true;
    }
    const why = published.message;
    if (published.outcome === 'refused' && published.permanent) {
      metrics.refused++;
      if (bury !== null) return bury(message, subject, published.code, why);
    }
    log(`${this.#rule.name}: ${message.id} to ${subject}: ${why}`);
    return false;
  }

  #sleep(ms: number): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        cancel();
        this.#wake.delete(wake);
        resolve();
      };
      const cancel = this.#deps.timers.schedule(ms, wake);
      this.#wake.add(wake);
    });
  }
}

/** Groups of a FIFO queue stay together; without a group every message is one of its own. */
function groupsOf(messages: readonly Received[]): readonly (readonly Received[])[] {
  const groups = new Map<string, Received[]>();
  for (const [index, message] of messages.entries()) {
    const key = message.group === '' ? `#${index}` : message.group;
    groups.set(key, [...(groups.get(key) ?? []), message]);
  }
  return [...groups.values()];
}

/** Publishes what a reverse rule makes of a message. */
export async function publishReverse(
  rule: ReverseRule,
  message: ReverseMessage,
  publisher: Publisher,
): Promise<{ readonly subject: string; readonly published: Published }> {
  const subject = rule.subject(message);
  const published = await publisher.publish({
    subject,
    msgId: rule.msgId(message),
    data: rule.data === null ? message.bytes() : Buffer.from(rule.data(message)),
    headers: rule.headers.map(([name, value]) => [name, value(message)] as const),
    stream: rule.stream,
  });
  return { subject, published };
}
