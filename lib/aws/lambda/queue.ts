/** Messages of a queue, one after the other; those that failed are named, and only they come again. */
import { type Parsed, parseJson } from '../../../events/parsed.ts';
import type { Clock, Log } from '../../ports.ts';

export type QueueEvent = {
  readonly Records: readonly { readonly messageId: string; readonly body: string }[];
};

export type QueueAnswer = { readonly batchItemFailures: readonly { readonly itemIdentifier: string }[] };

/** What brought the message: its own id, or the one it belongs to. */
type Correlated = { readonly eventId?: string; readonly correlationId?: string };

/**
 * No message is begun later in a batch: a function that ran out of its time (30 s) would bring all of them
 * back, and where each takes long the last would never have its turn.
 */
const batchMs = 15_000;

/**
 * A message that breaks its contract is a failure as well: it comes again, is not understood again, and ends
 * in the dead-letter queue with the sentence in the log.
 */
export async function eachMessage<T extends Correlated | null>(
  { Records }: QueueEvent,
  parse: (body: unknown) => Parsed<T>,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  deal: (value: T) => Promise<void>,
): Promise<QueueAnswer> {
  const failed: string[] = [];
  const began = clock.now();
  for (const { messageId, body } of Records) {
    if (clock.now() - began >= batchMs) {
      failed.push(messageId);
      log.write({ message: 'message left for the next batch', messageId });
      continue;
    }
    const json = parseJson(body, 'queue message');
    const read = json.ok ? parse(json.value) : json;
    if (!read.ok) {
      failed.push(messageId);
      log.write({ message: 'message not understood', messageId, reason: read.sentence });
      continue;
    }
    try {
      await deal(read.value);
    } catch (error) {
      failed.push(messageId);
      const { name, message: reason } = error as Error;
      const correlationId = read.value?.correlationId ?? read.value?.eventId;
      log.write({ message: 'message failed, it comes again', messageId, correlationId, error: name, reason });
    }
  }
  return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
}
