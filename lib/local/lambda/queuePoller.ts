/**
 * Feeds a function from an SQS queue: batches up to a size within a window, several calls at a time. What
 * the function did is deleted; what it failed comes back when its visibility timeout ends, and the queue's
 * redrive policy counts.
 */
import type { Clock } from '../../asl/clock.ts';
import type { Json } from '../json.ts';
import { ServiceError } from '../service.ts';
import { md5 } from '../sqs/digest.ts';
import type { Received } from '../sqs/message.ts';
import type { Queue } from '../sqs/queue.ts';
import { systemAttributes } from '../sqs/sqsService.ts';
import { batchEnd, type CallFunction, isWanted, type Mapping } from './mapping.ts';

/** Messages of one ReceiveMessage. */
const receivedMax = 10;

/** Starts to poll; the returned function ends that, and lets calls under way end by themselves. */
export function pollQueue(queue: Queue, mapping: Mapping, call: CallFunction, clock: Clock): () => void {
  const ending = new AbortController();
  const { signal } = ending;
  let running = 0;
  let freed: () => void = () => undefined;
  const run = async () => {
    while (!signal.aborted && !queue.closed) {
      if (running >= mapping.concurrencyMax) {
        await new Promise<void>((resolve) => {
          freed = resolve;
        });
        continue;
      }
      const batch = await gather(queue, mapping, clock, signal);
      if (batch.length === 0) continue;
      running += 1;
      void feed(queue, mapping, call, batch).finally(() => {
        running -= 1;
        freed();
      });
    }
  };
  void run();
  return () => {
    ending.abort();
    freed();
  };
}

/** Waits for the first message, then for more until the batch is full or its window is over. */
async function gather(
  queue: Queue,
  mapping: Mapping,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly Received[]> {
  const first = await queue.receive(
    { max: Math.min(mapping.batchSize, receivedMax), waitSeconds: Number.POSITIVE_INFINITY },
    signal,
  );
  const batch = [...first];
  const until = clock.now() + 1000 * mapping.windowSeconds;
  while (batch.length > 0 && batch.length < mapping.batchSize && !signal.aborted) {
    const waitSeconds = (until - clock.now()) / 1000;
    if (waitSeconds <= 0) break;
    const more = await queue.receive(
      { max: Math.min(mapping.batchSize - batch.length, receivedMax), waitSeconds },
      signal,
    );
    batch.push(...more);
  }
  return batch;
}

async function feed(
  queue: Queue,
  mapping: Mapping,
  call: CallFunction,
  received: readonly Received[],
): Promise<void> {
  const batch = received.filter(({ message, receiptHandle }) => {
    const wanted = isWanted(mapping, filterable(message.body));
    if (!wanted) queue.delete(receiptHandle); // a message that no filter wants is gone, as on AWS
    return wanted;
  });
  if (batch.length === 0) return;
  const Records = batch.map((one) => recordOf(one, queue));
  const traceId = batch.length === 1 ? (batch[0]?.message.traceHeader ?? undefined) : undefined;
  try {
    const result = await call(mapping, { Records }, traceId);
    const end = batchEnd(
      mapping,
      result,
      batch.map(({ message }) => message.id),
    );
    mapping.lastResult = end === 'failed' ? 'PROBLEM: Function call failed' : 'OK';
    if (end === 'failed') return;
    for (const { message, receiptHandle } of batch) {
      if (end === 'done' || !end.failedItems.includes(message.id)) remove(queue, receiptHandle);
    }
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    mapping.lastResult = `PROBLEM: ${error.message}`;
  }
}

/** A handle may have expired while the function ran; then the message comes again. */
function remove(queue: Queue, receiptHandle: string): void {
  try {
    queue.delete(receiptHandle);
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
  }
}

function filterable(body: string): Json {
  try {
    return { body: JSON.parse(body) };
  } catch {
    return { body };
  }
}

function recordOf({ message, receiptHandle }: Received, queue: Queue) {
  const attributes = Object.entries(message.attributes).map(
    ([name, { DataType, StringValue, BinaryValue }]) => [
      name,
      {
        ...(StringValue === undefined ? {} : { stringValue: StringValue }),
        ...(BinaryValue === undefined ? {} : { binaryValue: Buffer.from(BinaryValue).toString('base64') }),
        stringListValues: [],
        binaryListValues: [],
        dataType: DataType,
      },
    ],
  );
  return {
    messageId: message.id,
    receiptHandle,
    body: message.body,
    attributes: systemAttributes(message),
    messageAttributes: Object.fromEntries(attributes),
    md5OfBody: md5(message.body),
    eventSource: 'aws:sqs',
    eventSourceARN: queue.arn,
    awsRegion: queue.arn.split(':')[3],
  };
}
