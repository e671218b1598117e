/** Messages of a queue, one after the other; those that failed are named, and only they come again. */
import { type Parsed, parseJson } from '../../../events/parsed.ts';
import type { Log } from '../../ports.ts';

export type QueueEvent = {
  readonly Records: readonly { readonly messageId: string; readonly body: string }[];
};

export type QueueAnswer = { readonly batchItemFailures: readonly { readonly itemIdentifier: string }[] };

/**
 * A message that breaks its contract is a failure as well: it comes again, is not understood again, and ends in
 * the dead-letter queue with the sentence in the log.
 */
export async function eachMessage<T>(
  { Records }: QueueEvent,
  parse: (body: unknown) => Parsed<T>,
  log: Log,
  deal: (value: T) => Promise<void>,
): Promise<QueueAnswer> {
  const failed: string[] = [];
  for (const { messageId, body } of Records) {
    try {
      const json = parseJson(body, 'queue message');
      const read = json.ok ? parse(json.value) : json;
      if (read.ok) await deal(read.value);
      else {
        failed.push(messageId);
        log.write({ message: 'message not understood', messageId, reason: read.sentence });
      }
    } catch (error) {
      failed.push(messageId);
      const { name, message } = error as Error;
      log.write({ message: 'message failed, it comes again', messageId, error: name, reason: message });
    }
  }
  return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
}
