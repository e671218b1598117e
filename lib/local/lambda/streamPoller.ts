/**
 * Feeds a function from a table's stream, one batch after the other in each shard. A batch that fails holds
 * its shard up: it is tried again, in halves where the mapping says so, from the first failed record on
 * where the function names it, and at last told to a destination and left behind.
 */
import { type Clock, sleep } from '../../asl/clock.ts';
import type { Bus } from '../bus.ts';
import type { Shard, StreamRecord, TableStream } from '../dynamodb/tableStream.ts';
import type { Json } from '../json.ts';
import { ServiceError } from '../service.ts';
import type { Result } from './invocations.ts';
import { type BatchEnd, batchEnd, type CallFunction, isWanted, type Mapping } from './mapping.ts';

/** Lambda asks a shard four times a second (developer guide, "Polling and batching streams"). */
const pollMs = 250;
/** Between tries: from one second, doubling up to a minute. AWS does not say how long it waits. */
const retryPauseMs = { first: 1_000, longest: 60_000 };

export type StreamWorld = { readonly clock: Clock; readonly bus: Bus; readonly call: CallFunction };
type Feed = StreamWorld & {
  readonly stream: TableStream;
  readonly shard: Shard;
  readonly mapping: Mapping;
  readonly signal: AbortSignal;
};

/** Starts to poll every shard; the returned function ends that after the call under way. */
export function pollStream(stream: TableStream, mapping: Mapping, world: StreamWorld): () => void {
  const ending = new AbortController();
  for (const shard of stream.shards) {
    const start = mapping.startingPosition === 'LATEST' ? shard.end : 0;
    if (!mapping.positions.has(shard.id)) mapping.positions.set(shard.id, start);
    const feed: Feed = { ...world, stream, shard, mapping, signal: ending.signal };
    run(feed).catch((reason) => {
      if (!ending.signal.aborted) throw reason;
    });
  }
  return () => ending.abort(new Error('the mapping has ended'));
}

async function run(feed: Feed): Promise<void> {
  const { shard, mapping, signal, clock } = feed;
  while (!signal.aborted) {
    const position = mapping.positions.get(shard.id) ?? 0;
    if (shard.end === position) await changed(feed);
    await sleep(clock, mapping.windowSeconds > 0 ? 1000 * mapping.windowSeconds : pollMs, signal);
    const records = shard.read(position, mapping.batchSize);
    const wanted = records.filter((record) => isWanted(mapping, record as unknown as Json));
    if (wanted.length > 0) await deliver(feed, wanted, 0);
    mapping.positions.set(shard.id, position + records.length);
  }
}

function changed({ stream, signal }: Feed): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      end();
      reject(signal.reason);
    };
    const end = stream.subscribe(() => {
      end();
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** Resolves when every record is done or given up. @param tries so far, of these very records */
async function deliver(feed: Feed, records: readonly StreamRecord[], tries: number): Promise<void> {
  const { mapping, signal, clock } = feed;
  signal.throwIfAborted();
  const called = await attempt(feed, records);
  if (called.end === 'done') return;
  const done = called.end === 'failed' ? 0 : firstFailed(records, called.end.failedItems);
  if (done > 0) return deliver(feed, records.slice(done), 0);
  if (mapping.bisects && records.length > 1 && !called.refused) {
    const middle = records.length >> 1; // splitting does not count as a retry
    await deliver(feed, records.slice(0, middle), tries);
    return deliver(feed, records.slice(middle), tries);
  }
  const tried = called.refused ? tries : tries + 1;
  const condition = givenUp(mapping, records, tried, clock.now());
  if (condition !== null) return tell(feed, records, { condition, tried, result: called.result });
  await sleep(clock, Math.min(retryPauseMs.longest, retryPauseMs.first * 2 ** tries), signal);
  return deliver(feed, records, tried);
}

type Called = { readonly end: BatchEnd; readonly refused: boolean; readonly result: Result | null };

async function attempt({ mapping, stream, call }: Feed, records: readonly StreamRecord[]): Promise<Called> {
  const Records = records.map((record) => ({ ...record, eventSourceARN: stream.arn }));
  try {
    const result = await call(mapping, { Records });
    const numbers = records.map(({ dynamodb }) => dynamodb.SequenceNumber);
    const end = batchEnd(mapping, result, numbers);
    mapping.lastResult = end === 'failed' ? 'PROBLEM: Function call failed' : 'OK';
    return { end, refused: false, result };
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    mapping.lastResult = `PROBLEM: ${error.message}`;
    return { end: 'failed', refused: true, result: null };
  }
}

/** The index of the earliest failed record: what is before it is done, what is from it on comes again. */
const firstFailed = (records: readonly StreamRecord[], failed: readonly string[]) =>
  records.findIndex(({ dynamodb }) => failed.includes(dynamodb.SequenceNumber));

function givenUp(
  mapping: Mapping,
  records: readonly StreamRecord[],
  tried: number,
  now: number,
): string | null {
  const { retriesMax, ageSecondsMax } = mapping;
  if (retriesMax !== null && tried > retriesMax) return 'RetryAttemptsExhausted';
  const oldest = records[0]?.dynamodb.ApproximateCreationDateTime ?? 0;
  return ageSecondsMax !== null && now / 1000 - oldest > ageSecondsMax ? 'RecordAgeExceeded' : null;
}

type GivenUp = { readonly condition: string; readonly tried: number; readonly result: Result | null };

/** What a failed batch is told as: where the records are, not the records themselves. */
async function tell(
  feed: Feed,
  records: readonly StreamRecord[],
  { condition, tried, result }: GivenUp,
): Promise<void> {
  const { mapping, stream, shard, clock, bus } = feed;
  if (mapping.onFailure === null) return;
  const [first, last] = [records[0] as StreamRecord, records.at(-1) as StreamRecord];
  const arrival = ({ dynamodb }: StreamRecord) =>
    new Date(dynamodb.ApproximateCreationDateTime * 1000).toISOString();
  const place = stream.arn.split(':');
  const functionArn = `arn:aws:lambda:${place[3]}:${place[4]}:function:${mapping.functionName}`;
  const body = {
    requestContext: {
      requestId: result?.requestId ?? null,
      functionArn,
      condition,
      approximateInvokeCount: tried,
    },
    responseContext: {
      statusCode: 200,
      executedVersion: result?.version ?? '$LATEST',
      ...(result?.failed ? { functionError: 'Unhandled' } : {}),
    },
    version: '1.0',
    timestamp: new Date(clock.now()).toISOString(),
    DDBStreamBatchInfo: {
      shardId: shard.id,
      startSequenceNumber: first.dynamodb.SequenceNumber,
      endSequenceNumber: last.dynamodb.SequenceNumber,
      approximateArrivalOfFirstRecord: arrival(first),
      approximateArrivalOfLastRecord: arrival(last),
      batchSize: records.length,
      streamArn: stream.arn,
    },
  };
  await bus.send(mapping.onFailure, { body: JSON.stringify(body), from: functionArn }).catch(() => undefined);
}
