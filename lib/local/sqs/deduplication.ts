/** FIFO deduplication: an id seen in the last five minutes stands for the message it came with. */
import { createHash } from 'node:crypto';
import type { Message, NewMessage } from './message.ts';
import type { QueueSettings } from './queueAttributes.ts';

/** Five minutes (SQS developer guide, "Using the Amazon SQS message deduplication ID"). */
const windowMs = 300_000;

/** The id under which a message is compared: its own, or its body's SHA-256 where the queue says so. */
export function deduplicationIdOf(sent: NewMessage, settings: QueueSettings): string | null {
  if (sent.deduplicationId !== undefined) return sent.deduplicationId;
  return settings.contentBasedDeduplication ? createHash('sha256').update(sent.body).digest('hex') : null;
}

export class Deduplication {
  readonly #seen = new Map<string, { readonly until: number; readonly message: Message }>();

  /** The message that this key stood for within the window; null when it is new. */
  find(key: string, now: number): Message | null {
    const seen = this.#seen.get(key);
    return seen !== undefined && seen.until > now ? seen.message : null;
  }

  remember(key: string, message: Message, now: number): void {
    for (const [old, { until }] of this.#seen) {
      if (until > now) break; // kept in the order of their ends
      this.#seen.delete(old);
    }
    this.#seen.delete(key);
    this.#seen.set(key, { until: now + windowMs, message });
  }
}
